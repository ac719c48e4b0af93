"""Destinations as standard OpenTelemetry exporters, without a spool.

OpenTelemetry's batch processors hold what waits in memory, try once and forget a batch that failed. So an exporter has
to do its own trying again, inside a time of its own, and to say honestly what became of what it was given.

* ``standard``: the classes behind the entry points, made from keywords or from the environment alone.
* ``logs`` and ``spans``: any destination as an exporter.
* ``sender`` and ``clock``: trying again inside the time of one export, and the account of it.
* ``lines``: what the SDK hands over, in the form destinations take.
* ``options``: the keywords, typed.
"""

from __future__ import annotations

from footspan.exporters.lines import line_of
from footspan.exporters.logs import DestinationLogExporter
from footspan.exporters.spans import DestinationSpanExporter, OtlpJsonSpanExporter
from footspan.exporters.standard import (
    ConsoleLogExporter,
    ConsoleSpanExporter,
    DashTrackerLogExporter,
    DashTrackerSpanExporter,
    OpenTraceLogExporter,
    OpenTraceSpanExporter,
    OtlpLogExporter,
    OtlpSpanExporter,
    TraceTelemetryLogExporter,
    TraceTelemetrySpanExporter,
    UmamiLogExporter,
    UmamiSpanExporter,
)

__all__ = [
    "ConsoleLogExporter",
    "ConsoleSpanExporter",
    "DashTrackerLogExporter",
    "DashTrackerSpanExporter",
    "DestinationLogExporter",
    "DestinationSpanExporter",
    "OpenTraceLogExporter",
    "OpenTraceSpanExporter",
    "OtlpJsonSpanExporter",
    "OtlpLogExporter",
    "OtlpSpanExporter",
    "TraceTelemetryLogExporter",
    "TraceTelemetrySpanExporter",
    "UmamiLogExporter",
    "UmamiSpanExporter",
    "line_of",
]
