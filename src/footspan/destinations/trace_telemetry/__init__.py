"""TraceTelemetry: events to its collecting endpoint, as a bare JSON array.

* ``encoding``: which attribute becomes which key, and the spelling.
* ``wire``: what the drop-in client says beside the standard event.
* ``country``: countries of addresses, from a file.
* ``destination``: requests, answers, settings.
"""

from __future__ import annotations

from footspan.destinations.trace_telemetry.destination import TraceTelemetryDestination

__all__ = ["TraceTelemetryDestination"]
