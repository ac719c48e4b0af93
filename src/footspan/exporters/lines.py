"""What the SDK hands to exporters, as stored lines: the form that destinations take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from footspan import conventions as c
from footspan.emit import Draft, new_uid
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from footspan.otlp_json.records import NO_NAME
from footspan.otlp_json.span_lines import SpanLine, span_line_of
from footspan.otlp_json.spans import encode_span, encode_span_suffix
from footspan.processors.spans import clean_resource, clean_scope

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from footspan.processors.redaction import Redactor
    from footspan.processors.span_events import SpanEvent


def line_of(record: ReadableLogRecord, redactor: Redactor | None = None) -> LogLine:
    """An SDK log record as a stored line; one without ``log.record.uid`` gets one.

    Args:
        record: The record.
        redactor: What cleans it, its resource and its scope; ``None`` for one that was cleaned before.
    """
    log = record.log_record
    severity = log.severity_number
    draft = Draft(
        log.event_name or "",
        log.timestamp or 0,
        log.observed_timestamp or 0,
        dict(log.attributes or {}),
        log.body,
        severity.value if severity is not None else 0,
        trace_id=log.trace_id or 0,
        span_id=log.span_id or 0,
        flags=int(log.trace_flags or 0),
    )
    draft.severity_text = log.severity_text or ""  # as its writer spelt it, be it empty
    line = _line(draft, record.resource, record.instrumentation_scope, redactor, dropped=record.dropped_attributes)
    return LogLine(line.rstrip(b"\n"))


def event_line(event: SpanEvent, span: ReadableSpan) -> LogLine:
    """An event made of a span that was cleaned before, as a stored line."""
    place = span.get_span_context()
    draft = Draft(
        event.name,
        event.time_ns,
        event.time_ns,
        dict(event.attributes),
        severity_number=event.severity_number,
        trace_id=place.trace_id if place else 0,
        span_id=place.span_id if place else 0,
        flags=int(place.trace_flags) if place else 0,
    )
    return LogLine(_line(draft, span.resource, span.instrumentation_scope, None).rstrip(b"\n"))


class SpanLines:
    """Makes the spans of one export into stored lines; what several share is encoded once."""

    def __init__(self) -> None:
        # With the objects themselves, so that their ids cannot come to mean others.
        self._suffixes: dict[tuple[int, int], tuple[Any, Any, bytes]] = {}

    def line_of(self, span: ReadableSpan) -> LogLine:
        """One ended span.

        Raises:
            Exception: It cannot be encoded.
        """
        resource, scope = span.resource, span.instrumentation_scope
        known = self._suffixes.get((id(resource), id(scope)))
        if known is None:
            known = (resource, scope, encode_span_suffix(resource, scope))
            self._suffixes[id(resource), id(scope)] = known
        return SpanLine(span_line_of(encode_span(span), known[2]).rstrip(b"\n"))


def _line(
    draft: Draft,
    resource: Resource,
    scope: InstrumentationScope | None,
    redactor: Redactor | None,
    *,
    dropped: int = 0,
) -> bytes:
    if redactor is not None:
        redactor(draft)
        resource, scope = clean_resource(resource, redactor), clean_scope(scope, redactor)
    uid = draft.attributes.get(c.LOG_RECORD_UID)
    if not uid or (redactor is not None and redactor.text(str(uid)) != uid):
        draft.attributes = {
            **draft.attributes,
            c.LOG_RECORD_UID: new_uid(draft.time_ns or draft.observed_ns or time.time_ns()),
        }
    encoded = encode_record(
        name=draft.name or NO_NAME,
        time_ns=draft.time_ns,
        observed_ns=draft.observed_ns,
        attributes=draft.attributes,
        body=draft.body,
        severity_number=draft.severity_number,
        severity_text=draft.severity_text,
        trace_id=draft.trace_id,
        span_id=draft.span_id,
        flags=draft.flags,
        dropped=dropped,
    )
    attributes: Any = scope.attributes if scope else None
    suffix = encode_suffix(
        resource.attributes,
        scope.name if scope else "",
        (scope.version if scope else "") or "",
        attributes,
        resource.schema_url or "",
        (scope.schema_url if scope else "") or "",
    )
    return encode_line(encoded, suffix)
