"""The stored line, written: one event's record, its scope and resource, and the two put together.

``{"resourceLogs":[{"scopeLogs":[{"logRecords":[`` record ``],"scope":`` … suffix … ``]}`` and a newline. Inside a JSON
string every quote has a backslash before it, so nothing in the data can look like one of the marks between the parts.
"""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.otlp_json.sanitise import MAX_NAME, cut, event_name, text_of
from footspan.otlp_json.text import quote
from footspan.otlp_json.values import (
    NO_ATTRIBUTES,
    TOO_LARGE,
    any_value,
    attributes_json,
    careful_attributes,
    key_value,
    quick_attributes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":['
SUFFIX_MARK: Final = b'],"scope":'

NO_NAME: Final = object()
"""As a name: this is a plain log record, which has no event name and gets none."""

MAX_ATTRIBUTES: Final = 512
MAX_RECORD: Final = 1024 * 1024
MAX_SEVERITY_TEXT: Final = 256

_UINT32: Final = 2**32 - 1
_UINT64: Final = 2**64 - 1
_UINT128: Final = 2**128 - 1
_MAX_SEVERITY: Final = 24
_NAME_CACHE_SIZE: Final = 1_024
_ROOM_FOR_COUNT: Final = 64  # the member that counts what was dropped takes room itself

# Routing and the ledger read these: they go only when nothing else is left to drop.
_KEPT: Final = frozenset({c.CATEGORY, c.DESTINATION, c.REDACTED})

_names: dict[str, bytes] = {}


def encode_record(  # noqa: PLR0913 - a log record has this many fields
    *,
    name: Any,
    time_ns: int,
    attributes: Mapping[str, Any],
    observed_ns: int = 0,
    body: Any = None,
    severity_number: int = 0,
    severity_text: str = "",
    trace_id: int = 0,
    span_id: int = 0,
    flags: int = 0,
    dropped: int = 0,
) -> bytes:
    """One event as an OTLP JSON log record, with ``log.record.uid`` as its first attribute.

    Never raises an ``Exception``, whatever it is given, and blocks on nothing. Values become what
    :mod:`footspan.otlp_json.sanitise` says. Of more than 512 attributes the last ones are dropped, and of a record over
    one mebibyte the largest, both counted in ``droppedAttributesCount``; a body that is the largest part of such a
    record becomes ``[too large]``.

    Args:
        name: The event's name, or :data:`NO_NAME`; see :func:`~footspan.otlp_json.sanitise.event_name`.
        time_ns: When it happened, nanoseconds since the epoch. What is no such time (0 included, which means unknown)
            gives way to ``observed_ns``, and that to the clock.
        attributes: Names and values, ``log.record.uid`` among them.
        observed_ns: When it was seen, nanoseconds since the epoch; 0 when unknown.
        body: The record's body; ``None`` for none.
        severity_number: 1 to 24; anything else is left out.
        severity_text: The severity's name; cut at 256 characters.
        trace_id: 128 bits; 0, like every number out of range, is left out. The same goes for the next two.
        span_id: 64 bits.
        flags: W3C trace flags, 32 bits.
        dropped: How many attributes had been dropped before.

    Returns:
        The record's JSON object.
    """
    observed_ns = _within(observed_ns, _UINT64)
    head = b'{"timeUnixNano":"%d","eventName":%b,"attributes":[' % (
        _within(time_ns, _UINT64) or observed_ns or time.time_ns(),
        _name_json(name),
    )
    before_body = _severity(observed_ns, severity_number, severity_text)
    after_body = _trace(flags, trace_id, span_id)
    body_json = b"" if body is None else any_value(body)
    dropped = _within(dropped, _UINT32)
    try:
        written = quick_attributes(attributes) if len(attributes) <= MAX_ATTRIBUTES else None
        if written is not None:
            tail = _tail(before_body, body_json, after_body, dropped)
            record = b"%b%b]%b}" % (head, b",".join(written), tail)
            if len(record) <= MAX_RECORD:
                return record
    except Exception:  # noqa: BLE001, S110 - a mapping of the host's own making; the careful way copes
        pass
    pairs, dropped = _fitting(attributes, dropped)
    room = MAX_RECORD - len(head) - len(before_body) - len(after_body) - _ROOM_FOR_COUNT
    pairs, body_json, dropped = _trimmed(pairs, body_json, dropped, room)
    tail = _tail(before_body, body_json, after_body, dropped)
    return b"%b%b]%b}" % (head, b",".join([item for _, item in pairs]), tail)


def encode_suffix(
    resource: Mapping[str, Any],
    scope_name: str,
    scope_version: str = "",
    scope_attributes: Mapping[str, Any] | None = None,
    resource_schema_url: str = "",
    scope_schema_url: str = "",
) -> bytes:
    """What follows the record in a line: its scope and its resource. Callers keep it; it rarely changes.

    Never raises an ``Exception``. Values become what :mod:`footspan.otlp_json.sanitise` says.

    Args:
        resource: The resource's attributes.
        scope_name: The instrumentation scope's name.
        scope_version: Its version.
        scope_attributes: Its attributes.
        resource_schema_url: The schema of the resource's attributes.
        scope_schema_url: The schema of the scope's records.

    Returns:
        The bytes from ``],"scope":`` to the end of the line, without the newline.
    """
    return b'%b%b%b}],"resource":%b%b}]}' % (
        SUFFIX_MARK,
        scope_json(scope_name, scope_version, scope_attributes),
        schema_url_json(scope_schema_url),
        resource_json(resource),
        schema_url_json(resource_schema_url),
    )


def encode_line(record: bytes, suffix: bytes) -> bytes:
    """A record and its suffix as a stored line, newline included."""
    return b"%b%b%b\n" % (PREFIX, record, suffix)


def scope_json(name: str, version: str = "", attributes: Mapping[str, Any] | None = None) -> bytes:
    """An ``InstrumentationScope``."""
    members = []
    for member, value in ((b'"name":', text_of(name)), (b'"version":', text_of(version))):
        if value:
            members.append(member + quote(value))
    written = attributes_json(attributes)
    if written != NO_ATTRIBUTES:
        members.append(b'"attributes":' + written)
    return b"{%b}" % b",".join(members)


def resource_json(attributes: Mapping[str, Any]) -> bytes:
    """A ``Resource``."""
    return b'{"attributes":%b}' % attributes_json(attributes)


def schema_url_json(url: str) -> bytes:
    """The member that names a schema, comma first; nothing without a schema."""
    url = text_of(url)
    return b',"schemaUrl":' + quote(url) if url else b""


def _name_json(name: Any) -> bytes:
    """An event's name as a JSON string; those seen lately are kept, for there are few."""
    if type(name) is str:
        known = _names.get(name)
        if known is None:
            known = quote(event_name(name))
            if len(_names) >= _NAME_CACHE_SIZE:
                _names.clear()
            if len(name) <= MAX_NAME:
                _names[name] = known
        return known
    return b'""' if name is NO_NAME else quote(event_name(name))


def _within(value: Any, top: int) -> int:
    """An integer from 1 to ``top``; 0 for everything else, ``True`` and floats included."""
    if type(value) is not int:
        try:
            value = value.value if isinstance(value, Enum) else value
            value = int.__int__(value) if isinstance(value, int) and not isinstance(value, bool) else 0
        except Exception:  # noqa: BLE001 - an object of the host's that poses as a number
            return 0
    return value if 0 < value <= top else 0


def _severity(observed_ns: int, number: Any, text: Any) -> bytes:
    """The members between the attributes and the body."""
    written = b',"observedTimeUnixNano":"%d"' % observed_ns if observed_ns else b""
    number = _within(number, _MAX_SEVERITY)
    if number:
        written += b',"severityNumber":%d' % number
    text = text_of(text)
    if text:
        written += b',"severityText":%b' % quote(cut(text, MAX_SEVERITY_TEXT))
    return written


def _trace(flags: Any, trace_id: Any, span_id: Any) -> bytes:
    """The members between the body and the count of dropped attributes."""
    flags, trace_id, span_id = _within(flags, _UINT32), _within(trace_id, _UINT128), _within(span_id, _UINT64)
    written = b',"flags":%d' % flags if flags else b""
    if trace_id:
        written += b',"traceId":"%032x"' % trace_id
    if span_id:
        written += b',"spanId":"%016x"' % span_id
    return written


def _tail(before_body: bytes, body: bytes, after_body: bytes, dropped: int) -> bytes:
    """Everything after the attributes."""
    if body:
        before_body += b',"body":' + body
    if dropped:
        after_body += b',"droppedAttributesCount":%d' % dropped
    return before_body + after_body


def _fitting(attributes: Mapping[str, Any], dropped: int) -> tuple[list[tuple[str, bytes]], int]:
    """Attributes in their final order, at most 512 of them, and how many are dropped by now."""
    try:
        pairs = careful_attributes(attributes)
    except Exception:  # noqa: BLE001 - a mapping that cannot be read: the event itself is worth keeping
        return _uid_alone(attributes), dropped + 1
    pairs.sort(key=lambda pair: 0 if pair[0] == c.LOG_RECORD_UID else 1 if pair[0] in _KEPT else 2)
    return pairs[:MAX_ATTRIBUTES], min(dropped + max(0, len(pairs) - MAX_ATTRIBUTES), _UINT32)


def _uid_alone(attributes: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    """The one attribute that an unreadable mapping may still tell."""
    try:
        uid = attributes[c.LOG_RECORD_UID]
    except Exception:  # noqa: BLE001 - see _fitting
        return []
    return [(c.LOG_RECORD_UID, key_value(c.LOG_RECORD_UID, uid))]


def _trimmed(
    pairs: list[tuple[str, bytes]], body: bytes, dropped: int, room: int
) -> tuple[list[tuple[str, bytes]], bytes, int]:
    """Drop the largest attributes, or the body, until all takes no more than ``room`` bytes."""
    over = sum(len(item) + 1 for _, item in pairs) + len(body) - room
    parts = [(name in _KEPT, -len(item), name) for name, item in pairs if name != c.LOG_RECORD_UID]
    parts.append((False, -len(body), ""))  # no attribute has an empty name
    gone = set()
    for _, size, name in sorted(parts):
        if over <= 0:
            break
        over += size
        gone.add(name)
    if "" in gone:
        gone.discard("")
        body = any_value(TOO_LARGE) if body else body
    return [pair for pair in pairs if pair[0] not in gone], body, min(dropped + len(gone), _UINT32)
