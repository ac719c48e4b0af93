"""Ended spans as an OTLP JSON request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan import _guard
from footspan.otlp_json.records import resource_json, schema_url_json, scope_json
from footspan.otlp_json.sanitise import text_of
from footspan.otlp_json.text import quote
from footspan.otlp_json.values import NO_ATTRIBUTES, attributes_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, Status, TraceState

# opentelemetry/proto/trace/v1/trace.proto, SpanFlags: whether the parent's (the linked span's) remoteness is known, and
# whether it is remote.
_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200


def encode_spans(spans: Sequence[ReadableSpan]) -> bytes:
    """Ended spans as an ``ExportTraceServiceRequest`` in OTLP JSON.

    Values become what :mod:`footspan.otlp_json.sanitise` says. A span that cannot be encoded is left out and reported;
    the others stay.

    Args:
        spans: Spans of any resources and scopes.

    Returns:
        The request, grouped by resource and scope, each in the order of its first span.
    """
    groups: dict[bytes, dict[bytes, list[bytes]]] = {}
    resources: dict[int, bytes] = {}
    scopes: dict[int, bytes] = {}
    for span in spans:
        try:
            written = _span(span)
            resource, scope = span.resource, span.instrumentation_scope
            # The spans hold both objects while this runs, so an id stays one object's.
            if id(resource) not in resources:
                resources[id(resource)] = _resource(resource)
            if id(scope) not in scopes:
                scopes[id(scope)] = _scope(scope)
        except Exception as error:  # noqa: BLE001 - one span must not cost the batch
            _guard.report("encoding a span", error)
            continue
        groups.setdefault(resources[id(resource)], {}).setdefault(scopes[id(scope)], []).append(written)
    return b'{"resourceSpans":[%b]}' % b",".join(
        b'{"scopeSpans":[%b],"resource":%b}'
        % (
            b",".join(b'{"spans":[%b],"scope":%b}' % (b",".join(items), scope) for scope, items in scoped.items()),
            resource,
        )
        for resource, scoped in groups.items()
    )


def encode_span(span: ReadableSpan) -> bytes:
    """One ended span's JSON object, for a stored line.

    Raises:
        Exception: It cannot be encoded.
    """
    return _span(span)


def encode_span_suffix(resource: Resource, scope: InstrumentationScope | None) -> bytes:
    """What follows the span in its line: its scope and its resource. Callers keep it; it rarely changes."""
    return b'],"scope":%b}],"resource":%b}]}' % (_scope(scope), _resource(resource))


def _resource(resource: Resource) -> bytes:
    """A resource and its schema, as the tail of a ``ResourceSpans`` object."""
    return resource_json(resource.attributes) + schema_url_json(resource.schema_url)


def _scope(scope: InstrumentationScope | None) -> bytes:
    """A scope and its schema, as the tail of a ``ScopeSpans`` object."""
    if scope is None:
        return b"{}"
    return scope_json(scope.name, scope.version or "", scope.attributes) + schema_url_json(scope.schema_url or "")


def _span(span: ReadableSpan) -> bytes:
    context, parent = span.get_span_context(), span.parent
    members = [
        _ids(context),
        _text(b"traceState", _trace_state(context.trace_state if context else None)),
        b'"parentSpanId":"%016x"' % parent.span_id if parent else b"",
        b'"flags":%d' % _flags(parent),
        _text(b"name", span.name),
        # The API counts kinds from 0 (internal), the protocol from 1.
        b'"kind":%d' % (span.kind.value + 1),
        _time(b"startTimeUnixNano", span.start_time),
        _time(b"endTimeUnixNano", span.end_time),
        _attributes(span.attributes),
        _count(b"droppedAttributesCount", span.dropped_attributes),
        b'"events":[%b]' % b",".join(map(_event, span.events)) if span.events else b"",
        _count(b"droppedEventsCount", span.dropped_events),
        b'"links":[%b]' % b",".join(map(_link, span.links)) if span.links else b"",
        _count(b"droppedLinksCount", span.dropped_links),
        b'"status":%b' % _status(span.status),
    ]
    return _object(members)


def _event(event: Event) -> bytes:
    return _object(
        [
            _time(b"timeUnixNano", event.timestamp),
            _text(b"name", event.name),
            _attributes(event.attributes),
            _count(b"droppedAttributesCount", event.dropped_attributes),
        ]
    )


def _link(link: Link) -> bytes:
    return _object(
        [
            _ids(link.context),
            _text(b"traceState", _trace_state(link.context.trace_state)),
            _attributes(link.attributes),
            _count(b"droppedAttributesCount", link.dropped_attributes),
            b'"flags":%d' % _flags(link.context),
        ]
    )


def _status(status: Status | None) -> bytes:
    if status is None:
        return b"{}"
    code = status.status_code.value
    return _object([_text(b"message", status.description), b'"code":%d' % code if code else b""])


def _object(members: list[bytes]) -> bytes:
    return b"{%b}" % b",".join([member for member in members if member])


def _ids(context: SpanContext | None) -> bytes:
    return b'"traceId":"%032x","spanId":"%016x"' % (context.trace_id, context.span_id) if context else b""


def _flags(other: SpanContext | None) -> int:
    return _HAS_IS_REMOTE | _IS_REMOTE if other and other.is_remote else _HAS_IS_REMOTE


def _trace_state(state: TraceState | None) -> str:
    return ",".join([f"{key}={value}" for key, value in state.items()]) if state else ""


def _text(member: bytes, value: Any) -> bytes:
    text = text_of(value)
    return b'"%b":%b' % (member, quote(text)) if text else b""


def _time(member: bytes, value: int | None) -> bytes:
    return b'"%b":"%d"' % (member, value) if value else b""


def _count(member: bytes, value: int) -> bytes:
    return b'"%b":%d' % (member, value) if value else b""


def _attributes(attributes: Mapping[str, Any] | None) -> bytes:
    written = attributes_json(attributes)
    return b"" if written == NO_ATTRIBUTES else b'"attributes":' + written
