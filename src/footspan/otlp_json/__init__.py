"""OTLP JSON: SDK records and spans to bytes, stored lines, and back to :class:`~footspan.event.Event`.

* ``text``: the one JSON writer and reader.
* ``sanitise``: any Python value as plain data, with one defined outcome for each hazard.
* ``values``: plain data, and the usual Python values at once, as OTLP ``AnyValue`` bytes.
* ``records``: the stored line, written: its fixed order and its limits.
* ``lines``: the stored line, read by position; foreign lines to ours.
* ``bulk``: many stored lines to one request, none of them looked at.
* ``parse``: any OTLP JSON, ours or foreign, to events.
* ``spans``: ended spans.
"""

from __future__ import annotations

from footspan.otlp_json.bulk import OPENING, Lines, merge
from footspan.otlp_json.lines import LogLine, explode
from footspan.otlp_json.parse import parse_logs
from footspan.otlp_json.records import NO_NAME, encode_line, encode_record, encode_suffix
from footspan.otlp_json.sanitise import plain
from footspan.otlp_json.spans import encode_spans

__all__ = [
    "NO_NAME",
    "OPENING",
    "Lines",
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
