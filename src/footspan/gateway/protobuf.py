"""OTLP protobuf to the same records that OTLP JSON gives.

``opentelemetry.proto`` is loaded by the first such request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.event import Event
from footspan.otlp_json.parse import Decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from footspan.otlp_json.sanitise import AnyValue

_SCALARS: Final = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})
_TRACE_ID_BYTES: Final = 16
_SPAN_ID_BYTES: Final = 8


def decode_protobuf(body: bytes) -> list[Decoded]:
    """The records of an ``ExportLogsServiceRequest``, as :func:`footspan.otlp_json.parse.decode` gives them.

    Raises:
        ValueError: The bytes are no such message.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - only senders of protobuf cost this
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (  # noqa: PLC0415 - the same
        ExportLogsServiceRequest,
    )

    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError:
        raise ValueError("OTLP protobuf: not an ExportLogsServiceRequest") from None
    return list(_records(request))


def _records(request: Any) -> Iterator[Decoded]:
    for group in request.resource_logs:
        resource = _pairs(group.resource.attributes)
        for scoped in group.scope_logs:
            scope = scoped.scope
            scope_attributes = _pairs(scope.attributes)
            for record in scoped.log_records:
                yield Decoded(
                    _event(record, resource, scope.name, scope.version),
                    record.dropped_attributes_count,
                    scope_attributes,
                    scoped.schema_url,
                    group.schema_url,
                )


def _event(record: Any, resource: dict[str, AnyValue], scope_name: str, scope_version: str) -> Event:
    attributes = _pairs(record.attributes)
    return Event(
        name=record.event_name or _text(attributes.get(c.OTEL_EVENT_NAME)) or _text(attributes.get(c.EVENT_NAME)),
        uid=_text(attributes.get(c.LOG_RECORD_UID)),
        time_ns=record.time_unix_nano,
        observed_ns=record.observed_time_unix_nano,
        attributes=attributes,
        body=_value(record.body),
        severity_number=record.severity_number,
        severity_text=record.severity_text,
        trace_id=_identity(record.trace_id, _TRACE_ID_BYTES),
        span_id=_identity(record.span_id, _SPAN_ID_BYTES),
        flags=record.flags,
        resource=resource,
        scope_name=scope_name,
        scope_version=scope_version,
    )


def _pairs(items: Iterable[Any]) -> dict[str, AnyValue]:
    """``KeyValue`` messages as a dict; of equal keys the last one counts, empty ones do not."""
    return {item.key: _value(item.value) for item in items if item.key}


def _value(value: Any) -> AnyValue:
    """An ``AnyValue`` as plain data. Protobuf's own parser bounds the depth."""
    kind = value.WhichOneof("value")
    if kind in _SCALARS:
        return getattr(value, kind)  # type: ignore[no-any-return]
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _pairs(value.kvlist_value.values)
    return None


def _identity(value: bytes, length: int) -> str:
    """An id as lower-case hex; empty for what is none, all zeros included."""
    return value.hex() if len(value) == length and any(value) else ""


def _text(value: AnyValue) -> str:
    return value if isinstance(value, str) else ""
