"""TraceTelemetry's names, for an app that imports them from ``trace_telemetry``.

Events wait in ``<queue_path>.d/`` and are sent between ``start()`` and ``stop()``, and by ``flush()``. A queue file
that the other SDK left at ``queue_path`` is taken over. ``docs/migrate/trace-telemetry.md`` says what is different.

* ``options``: what an app sets, and what is made of it.
* ``client``: the calls.
* ``content``: a call's data as those of a standard event.
* ``roads``: where a client's events wait, and how they leave.
* ``lines``: lines of the other SDK's queue file.
* ``takeover``: such a file, drained once.
"""

from __future__ import annotations

from footspan.compat.trace_telemetry.client import TelemetryClient
from footspan.compat.trace_telemetry.options import TelemetryOptions

__all__ = ["TelemetryClient", "TelemetryOptions"]
