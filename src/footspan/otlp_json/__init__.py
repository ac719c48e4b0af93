"""OTLP JSON: SDK records and spans to bytes, stored lines, and back to :class:`~footspan.event.Event`.

* ``values``: any Python value as an OTLP ``AnyValue``, with one defined outcome for each hazard.
* ``lines``: the stored line, its fixed order, and what is read from it by position.
* ``spans``: ended spans.
* ``parse``: any OTLP JSON, ours or foreign, to events.
"""

from __future__ import annotations

from footspan.otlp_json.lines import LogLine, encode_line, encode_record, encode_suffix, explode, merge
from footspan.otlp_json.parse import parse_logs
from footspan.otlp_json.spans import encode_spans
from footspan.otlp_json.values import plain

__all__ = [
    "LogLine",
    "encode_line",
    "encode_record",
    "encode_spans",
    "encode_suffix",
    "explode",
    "merge",
    "parse_logs",
    "plain",
]
