"""The stored line, written: one event's record, its scope and resource, and the two put together.

``{"resourceLogs":[{"scopeLogs":[{"logRecords":[`` record ``],"scope":`` … suffix … ``]}`` and a newline. Inside a JSON
string every quote has a backslash before it, so nothing in the data can look like one of the marks between the parts.
"""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan import conventions as c
from footspan.otlp_json.sanitise import MAX_NAME, MAX_READ, cut, event_name, text_of, tidy
from footspan.otlp_json.shapes import learn, shaped_attributes
from footspan.otlp_json.text import quote
from footspan.otlp_json.values import (
    NO_ATTRIBUTES,
    any_value,
    attributes_json,
    careful_attributes,
    key_value,
    quick_attributes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":['
_RECORD: Final = b'{"timeUnixNano":"%d","eventName":%b,"attributes":[%b]%b}'
SUFFIX_MARK: Final = b'],"scope":'

NO_NAME: Final = object()
"""As a name: this is a plain log record, which has no event name and gets none."""

MAX_ATTRIBUTES: Final = 512
MAX_RECORD: Final = 1024 * 1024
MAX_SEVERITY_TEXT: Final = 256
TOO_LARGE: Final = "[too large]"
"""Stands for a body that does not fit."""

_UINT32: Final = 2**32 - 1
_UINT64: Final = 2**64 - 1
_UINT128: Final = 2**128 - 1
_MAX_SEVERITY: Final = 24
_CACHE_SIZE: Final = 1_024
_ROOM_FOR_FRAME: Final = 160  # the time, the braces, and the member that counts what was dropped

# Routing, the ledger and an old client's own wire format read these: they go only when nothing else is left to drop.
_KEPT: Final = frozenset({c.CATEGORY, c.CONSENT, c.DESTINATION, c.PURPOSE, c.REDACTED, c.WIRE})

_names: dict[str, bytes] = {}
_severities: dict[tuple[int, str], bytes] = {}
_traces: dict[tuple[int, int, int], bytes] = {}


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
    if not (type(observed_ns) is int and 0 <= observed_ns <= _UINT64):
        observed_ns = _within(observed_ns, _UINT64)
    if not (type(time_ns) is int and 0 < time_ns <= _UINT64):
        time_ns = _within(time_ns, _UINT64) or observed_ns or time.time_ns()
    if type(dropped) is not int or dropped:
        dropped = _within(dropped, _UINT32)
    named = severity = trace = None
    # Exact types only: True is 1 to a table's key, and what is not hashable raises.
    if type(severity_number) is type(trace_id) is type(span_id) is type(flags) is int:
        trace = _traces.get((trace_id, span_id, flags))
        if type(severity_text) is type(name) is str:
            named, severity = _names.get(name), _severities.get((severity_number, severity_text))
    named = _name_json(name) if named is None else named
    severity = severity_json(severity_number, severity_text) if severity is None else severity
    before = b',"observedTimeUnixNano":"%d"%b' % (observed_ns, severity) if observed_ns else severity
    after = trace_json(trace_id, span_id, flags) if trace is None else trace
    body_json = b"" if body is None else any_value(body)
    written = _quick(attributes)
    if written is not None:
        tail = _tail(before, body_json, after, dropped) if body_json or dropped else before + after
        record = _RECORD % (time_ns, named, written, tail)
        if len(record) <= MAX_RECORD:
            return record
    pairs, dropped = _fitting(attributes, dropped)
    room = MAX_RECORD - len(named) - len(before) - len(after) - _ROOM_FOR_FRAME
    pairs, body_json, dropped = _trimmed(pairs, body_json, dropped, room)
    return _RECORD % (time_ns, named, b",".join([item for _, item in pairs]), _tail(before, body_json, after, dropped))


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
    """An event's name as a JSON string; kept for the next time, for there are few."""
    if name is NO_NAME:
        return b'""'
    written = quote(event_name(name))
    if type(name) is str and len(name) <= MAX_NAME:
        _keep(_names, name, written)
    return written


def _within(value: Any, top: int) -> int:
    """An integer from 1 to ``top``; 0 for everything else, ``True`` and floats included."""
    if type(value) is not int:
        try:
            value = value.value if isinstance(value, Enum) else value
            value = int.__int__(value) if isinstance(value, int) and not isinstance(value, bool) else 0
        except Exception:  # noqa: BLE001 - an object of the host's that poses as a number
            return 0
    return value if 0 < value <= top else 0


def severity_json(number: Any, text: Any) -> bytes:
    """The severity's members; kept for the next time, for there are few."""
    severity = _within(number, _MAX_SEVERITY)
    written = b',"severityNumber":%d' % severity if severity else b""
    shown = cut(text_of(text), MAX_SEVERITY_TEXT)
    if shown:
        written += b',"severityText":%b' % quote(shown)
    if type(number) is int and type(text) is str and len(text) <= MAX_SEVERITY_TEXT:
        _keep(_severities, (number, text), written)
    return written


def trace_json(trace_id: Any, span_id: Any, flags: Any) -> bytes:
    """The members that tell where in a trace it happened; kept for the next time, for events come in groups."""
    key = (_within(trace_id, _UINT128), _within(span_id, _UINT64), _within(flags, _UINT32))
    written = b',"flags":%d' % key[2] if key[2] else b""
    if key[0]:
        written += b',"traceId":"%032x"' % key[0]
    if key[1]:
        written += b',"spanId":"%016x"' % key[1]
    _keep(_traces, key, written)
    return written


def _keep(table: dict[Any, bytes], key: Any, written: bytes) -> None:
    """Keep something written in a table of bounded size."""
    if len(table) >= _CACHE_SIZE:
        table.clear()
    table[key] = written


def _quick(attributes: Any) -> bytes | None:
    """Usual attributes as their ``KeyValue`` objects; ``None`` for all that needs a closer look."""
    if type(attributes) is not dict:
        return None
    try:
        written = shaped_attributes(attributes)
        if written is None and len(attributes) <= MAX_ATTRIBUTES:
            items = quick_attributes(attributes)
            if items is not None:
                learn(attributes)
                written = b",".join(items)
    except Exception:  # noqa: BLE001 - keys of the host's own making; the careful way copes
        return None
    return written


def _tail(before_body: bytes, body: bytes, after_body: bytes, dropped: int) -> bytes:
    """Everything after the attributes."""
    if body:
        before_body += b',"body":' + body
    if dropped:
        after_body += b',"droppedAttributesCount":%d' % dropped
    return before_body + after_body


def _fitting(attributes: Any, dropped: int) -> tuple[list[tuple[str, bytes]], int]:
    """Attributes in their final order, at most 512 of them, and how many are dropped by now."""
    try:
        named = tidy(attributes)
    except Exception as error:  # noqa: BLE001 - a mapping that cannot be read: the event itself is worth keeping
        _guard.report("reading attributes", error)
        return _uid_alone(attributes), dropped + 1
    order = sorted(named, key=lambda name: 0 if name == c.LOG_RECORD_UID else 1 if name in _KEPT else 2)
    unread = len(attributes) - MAX_READ if type(attributes) is dict else 0
    dropped += max(0, unread) + max(0, len(order) - MAX_ATTRIBUTES)
    pairs, left_out = careful_attributes({name: named[name] for name in order[:MAX_ATTRIBUTES]})
    return pairs, dropped + left_out


def _uid_alone(attributes: Any) -> list[tuple[str, bytes]]:
    """The one attribute that an unreadable mapping may still tell."""
    try:
        return [(c.LOG_RECORD_UID, key_value(c.LOG_RECORD_UID, attributes[c.LOG_RECORD_UID]))]
    except Exception:  # noqa: BLE001 - reported by _fitting
        return []


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
