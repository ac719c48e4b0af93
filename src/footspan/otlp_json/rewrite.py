"""A stored line with some of its attributes changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan.otlp_json.lines import LogLine
from footspan.otlp_json.parse import decode
from footspan.otlp_json.records import NO_NAME, encode_line, encode_record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def rewritten(line: LogLine, changes: Mapping[str, Any] | None = None, *, without: Collection[str] = ()) -> LogLine:
    """The same event with other attributes; its id, its time, its scope and resource stay.

    Args:
        line: The line.
        changes: Attributes that are new or have another value.
        without: Attributes that it is to lose.

    Returns:
        A new line; the given one where it holds no event that can be read.
    """
    suffix = line.suffix
    try:
        decoded = decode(b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[%b]}]}]}' % line.record)[0]
    except (ValueError, IndexError):
        return line
    event = decoded.event
    attributes = {**event.attributes, **(changes or {})}
    record = encode_record(
        name=event.name or NO_NAME,
        time_ns=event.time_ns,
        attributes={name: value for name, value in attributes.items() if name not in without},
        observed_ns=event.observed_ns,
        body=event.body,
        severity_number=event.severity_number,
        severity_text=event.severity_text,
        trace_id=int(event.trace_id or "0", 16),
        span_id=int(event.span_id or "0", 16),
        flags=event.flags,
        dropped=decoded.dropped,
    )
    return LogLine(encode_line(record, suffix))
