"""Any OTLP JSON, ours or foreign, to events.

Reads protobuf's JSON mapping with OTLP's exceptions (trace and span ids in hex, enums as numbers) and is patient:
member names in camel or snake case, 64-bit integers as strings or numbers, enums by number or name, unknown members
passed over, a known member of a wrong type taken as missing.
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from footspan import conventions as c
from footspan.event import Event
from footspan.otlp_json.records import PREFIX
from footspan.otlp_json.sanitise import INT64_MAX, INT64_MIN, TOO_DEEP, AnyValue, cut
from footspan.otlp_json.text import loads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_DEPTH = 64
"""Containers inside each other; whoever writes ours stops at 32."""

_MAX_UINT32, _MAX_UINT64 = 2**32 - 1, 2**64 - 1
_MAX_SEVERITY = 24
_MAX_DIGITS = 400  # well inside what int() reads, and more than any double has
_SEVERITIES = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
_SEVERITY = re.compile(r"(?:SEVERITY_NUMBER_)?(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)([234]?)\Z")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_URL_SAFE = str.maketrans("-_", "+/")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Decoded:
    """One log record with what :class:`Event` leaves out.

    Attributes:
        event: The event.
        dropped: How many attributes had been dropped.
        scope_attributes: The scope's attributes.
        scope_schema_url: The schema of the scope's records.
        resource_schema_url: The schema of the resource's attributes.
    """

    event: Event
    dropped: int = 0
    scope_attributes: dict[str, AnyValue] = field(default_factory=dict)
    scope_schema_url: str = ""
    resource_schema_url: str = ""


def parse_logs(data: bytes) -> list[Event]:
    """The events of an ``ExportLogsServiceRequest``, ``LogsData`` or stored line.

    Args:
        data: OTLP JSON in UTF-8.

    Returns:
        One event for each log record, in their order. A record without an event name takes that of the attribute
        ``otel.event.name``, or of its forerunner ``event.name``.

    Raises:
        ValueError: The bytes are no JSON object.
    """
    return [decoded.event for decoded in decode(data)]


def decode(data: bytes) -> list[Decoded]:
    """``parse_logs`` with every field that a line can carry. Raises ``ValueError`` like it."""
    root = loads(data)
    if not isinstance(root, dict):
        raise ValueError("OTLP JSON: not an object")  # noqa: TRY004 - undecodable bytes, not a wrong argument
    try:
        return list(_records(root))
    except RecursionError as error:
        raise ValueError("OTLP JSON: nested too deeply") from error


def parse_parts(record: bytes, suffix: bytes) -> Event:
    """The event of a line of ours, given in its two parts. Lines of one writer share the second.

    Args:
        record: The log record's JSON object.
        suffix: What follows it in the line: scope and resource.

    Raises:
        ValueError: One of them is damaged.
    """
    root = loads(record)
    if not isinstance(root, dict):
        raise ValueError("OTLP JSON: not an object")  # noqa: TRY004 - as above
    resource, scope_name, scope_version = _shared(suffix)
    try:
        return _event(root, resource, scope_name, scope_version)
    except RecursionError as error:
        raise ValueError("OTLP JSON: nested too deeply") from error


@lru_cache(maxsize=64)
def _shared(suffix: bytes) -> tuple[Mapping[str, AnyValue], str, str]:
    """Resource, scope's name and scope's version of a suffix."""
    (event,) = parse_logs(PREFIX + b"{}" + suffix)
    return event.resource, event.scope_name, event.scope_version


def _records(root: dict[str, Any]) -> Iterator[Decoded]:
    for group in _objects(root, "resourceLogs", "resource_logs"):
        resource = attributes_of(_object(group, "resource"))
        resource_schema_url = _text(_get(group, "schemaUrl", "schema_url"))
        for scoped in _objects(group, "scopeLogs", "scope_logs"):
            scope = _object(scoped, "scope")
            name, version = _text(_get(scope, "name")), _text(_get(scope, "version"))
            scope_attributes = attributes_of(scope)
            scope_schema_url = _text(_get(scoped, "schemaUrl", "schema_url"))
            for record in _objects(scoped, "logRecords", "log_records"):
                yield Decoded(
                    _event(record, resource, name, version),
                    _number(_get(record, "droppedAttributesCount", "dropped_attributes_count"), _MAX_UINT32),
                    scope_attributes,
                    scope_schema_url,
                    resource_schema_url,
                )


def _event(record: dict[str, Any], resource: Mapping[str, AnyValue], scope_name: str, scope_version: str) -> Event:
    attributes = attributes_of(record)
    name = (
        _text(_get(record, "eventName", "event_name"))
        or _text(attributes.get(c.OTEL_EVENT_NAME))
        or _text(attributes.get(c.EVENT_NAME))
    )
    body = _get(record, "body")
    return Event(
        name=name,
        uid=_text(attributes.get(c.LOG_RECORD_UID)),
        time_ns=_number(_get(record, "timeUnixNano", "time_unix_nano"), _MAX_UINT64),
        observed_ns=_number(_get(record, "observedTimeUnixNano", "observed_time_unix_nano"), _MAX_UINT64),
        attributes=attributes,
        body=None if body is _MISSING else value_of(body),
        severity_number=_severity(_get(record, "severityNumber", "severity_number")),
        severity_text=_text(_get(record, "severityText", "severity_text")),
        trace_id=_hex(_get(record, "traceId", "trace_id"), 32),
        span_id=_hex(_get(record, "spanId", "span_id"), 16),
        flags=_number(_get(record, "flags"), _MAX_UINT32),
        resource=resource,
        scope_name=scope_name,
        scope_version=scope_version,
    )


def attributes_of(holder: dict[str, Any], depth: int = MAX_DEPTH, member: str = "attributes") -> dict[str, AnyValue]:
    """The ``KeyValue`` objects of a member as a dict; of equal keys the last one counts, empty ones do not."""
    pairs: dict[str, AnyValue] = {}
    for item in _objects(holder, member):
        key = item.get("key")
        if isinstance(key, str) and key:
            pairs[key] = value_of(item.get("value"), depth)
    return pairs


def value_of(value: Any, depth: int = MAX_DEPTH) -> AnyValue:
    """A decoded ``AnyValue`` object as plain data; what is none of its kinds is ``None``."""
    if not isinstance(value, dict):
        # No AnyValue at all, but hand-made records do carry a bare string or number where one belongs.
        return value if isinstance(value, (str, int, float)) else None
    for member, content in value.items():
        read = _READERS.get(member)
        if read is not None and content is not None:
            return read(content, depth)
    return None


def _string(content: Any, _: int) -> AnyValue:
    return content if isinstance(content, str) else str(content) if isinstance(content, (int, float)) else None


def _bool(content: Any, _: int) -> AnyValue:
    if isinstance(content, str):
        return {"true": True, "false": False}.get(content.lower())
    return content if isinstance(content, bool) else None


def _int(content: Any, _: int) -> AnyValue:
    number = _integer(content)
    if number is not None and INT64_MIN <= number <= INT64_MAX:
        return number
    return cut(content, _MAX_DIGITS) if isinstance(content, str) else None if number is None else str(number)


def _double(content: Any, _: int) -> AnyValue:
    if isinstance(content, bool):
        return None
    try:
        return float(content)  # also of "NaN", "Infinity" and "-Infinity"
    except (TypeError, ValueError, OverflowError):
        return None


def _bytes(content: Any, _: int) -> AnyValue:
    if not isinstance(content, str):
        return None
    try:
        text = content.rstrip("=").translate(_URL_SAFE)
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None


def _array(content: Any, depth: int) -> AnyValue:
    if depth <= 0:
        return TOO_DEEP
    items = content.get("values") if isinstance(content, dict) else None
    return [value_of(item, depth - 1) for item in items] if isinstance(items, list) else []


def _kvlist(content: Any, depth: int) -> AnyValue:
    if depth <= 0:
        return TOO_DEEP
    return attributes_of(content, depth - 1, "values") if isinstance(content, dict) else {}


_READERS = {
    camel_or_snake: read
    for kind, read in {
        "string": _string,
        "bool": _bool,
        "int": _int,
        "double": _double,
        "bytes": _bytes,
        "array": _array,
        "kvlist": _kvlist,
    }.items()
    for camel_or_snake in (f"{kind}Value", f"{kind}_value")
}


def _get(holder: dict[str, Any], camel: str, snake: str = "") -> Any:
    """A member by either of its names; ``_MISSING`` without it, or where it is null."""
    value = holder.get(camel)
    if value is None and snake:
        value = holder.get(snake)
    return _MISSING if value is None else value


def _objects(holder: dict[str, Any], camel: str, snake: str = "") -> list[dict[str, Any]]:
    """The objects in a repeated member."""
    items = _get(holder, camel, snake)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _object(holder: dict[str, Any], member: str) -> dict[str, Any]:
    value = holder.get(member)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _hex(value: Any, length: int) -> str:
    """An id as lower-case hex; empty for what is none, all zeros included."""
    if not isinstance(value, str) or len(value) != length or not _HEX.match(value):
        return ""
    return value.lower() if value.strip("0") else ""


def _integer(value: Any) -> int | None:
    """An integer, or a string or a float that stands for one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and len(value) > _MAX_DIGITS:
        return None
    try:
        if isinstance(value, (int, str)):
            return int(value)
    except ValueError:
        pass
    try:
        number = float(value)
        return int(number) if number.is_integer() else None
    except (TypeError, ValueError, OverflowError):
        return None


def _number(value: Any, top: int) -> int:
    number = _integer(value)
    return number if number is not None and 0 <= number <= top else 0


def _severity(value: Any) -> int:
    if isinstance(value, str):
        named = _SEVERITY.match(value)
        if named:
            return _SEVERITIES[named[1]] + (int(named[2]) - 1 if named[2] else 0)
    return _number(value, _MAX_SEVERITY)
