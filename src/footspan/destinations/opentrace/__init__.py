"""OpenTrace: one event a request, a business event or what a browser would have sent.

* ``wire``: what an old client's event bears besides its conventional attributes.
"""

from __future__ import annotations
