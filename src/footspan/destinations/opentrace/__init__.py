"""OpenTrace: one event a request, a business event or what a browser would have sent.

* ``wire``: what an old client's event bears besides its conventional attributes.
* ``payloads``: which attribute becomes which field, in which of the two requests.
* ``answers``: what comes back.
* ``campaigns``: what a start code stands for, asked of the server.
* ``destination``: the requests.
"""

from __future__ import annotations

from footspan.destinations.opentrace.destination import OpenTraceDestination

__all__ = ["OpenTraceDestination"]
