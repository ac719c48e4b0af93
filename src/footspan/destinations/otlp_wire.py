"""Log records of OTLP JSON as protobuf bytes, without the detour over message objects, which take ten times as long.

Only what is written as OTLP JSON is written as a rule is understood: anything unusual raises :class:`UnusualError`, and
protobuf's own reader does it then. Source of the field numbers: ``opentelemetry-proto`` 1.x, ``logs.proto``,
``common.proto``, ``resource.proto``; of the encoding: protobuf's "Encoding" page.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from functools import lru_cache
from struct import Struct, error
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

_DOUBLE: Final = Struct("<d").pack
_FIXED64: Final = Struct("<Q").pack
_FIXED32: Final = Struct("<I").pack
_MANY: Final = 128
_MANY_MORE: Final = 16_384
_SHORT: Final = [bytes([number]) for number in range(_MANY)]
_MAX_INT: Final = 2**63
_MAX_UINT32: Final = 2**32
_MAX_DEPTH: Final = 64
_LONGEST_SHORT: Final = 120
_LONGEST_KEY: Final = 256
_KEPT_KEYS: Final = 4_096
_KEYS: Final[dict[str, bytes]] = {}
_TEXTS: Final = [b"%b\x0a%b" % (_SHORT[size + 2], _SHORT[size]) for size in range(_LONGEST_SHORT)]
"""What stands before a short text that is a value: the value's length, the tag and the length of the text."""
_SEVERITIES: Final = 25
_BOOLEANS: Final = (b"\x10\x00", b"\x10\x01")
_PAIR: Final = frozenset({"key", "value"})


class UnusualError(Exception):
    """Something that is written in another way than usual, or does not fit."""


def logs_request(request: Any) -> bytes:
    """An ``ExportLogsServiceRequest``.

    Args:
        request: The request, parsed from OTLP JSON.

    Raises:
        UnusualError: Something in it is not as usual; whether it is wrong is for another to say.
    """
    try:
        return b"".join(_field(b"\x0a", _resource_logs(each)) for each in _list(request, "resourceLogs"))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, error) as reason:
        raise UnusualError from reason


# -- messages ----------------------------------------------------------------------------------------------------------


def _resource_logs(value: dict[str, Any]) -> bytes:
    _known(value, {"resource", "scopeLogs", "schemaUrl"})
    scopes = (_field(b"\x12", _scope_logs(each)) for each in _list(value, "scopeLogs"))
    front = _field(b"\x0a", _owner(value["resource"], b"\x0a", b"\x10")) if value.get("resource") is not None else b""
    return b"".join([front, *scopes, _text(b"\x1a", value.get("schemaUrl"))])


def _scope_logs(value: dict[str, Any]) -> bytes:
    _known(value, {"scope", "logRecords", "schemaUrl"})
    records = (_field(b"\x12", _record(each)) for each in _list(value, "logRecords"))
    front = _field(b"\x0a", _owner(value["scope"], b"\x1a", b"\x20")) if value.get("scope") is not None else b""
    return b"".join([front, *records, _text(b"\x1a", value.get("schemaUrl"))])


def _owner(value: dict[str, Any], attributes: bytes, dropped: bytes) -> bytes:
    """A resource or a scope, which has a name and a version besides."""
    _known(value, {"name", "version", "attributes", "droppedAttributesCount"})
    return b"".join(
        [
            _text(b"\x0a", value.get("name")),
            _text(b"\x12", value.get("version")),
            *_attributes(value.get("attributes"), attributes),
            _count(dropped, value.get("droppedAttributesCount"), _MAX_UINT32),
        ]
    )


def _record(value: dict[str, Any]) -> bytes:
    parts = []
    for name, item in value.items():
        if name == "attributes":
            parts += _attributes(item, b"\x32")
        elif item is not None:
            parts.append(_RECORD[name](item))
    return b"".join(parts)


def _attributes(value: Any, tag: bytes) -> list[bytes]:
    """``KeyValue`` messages, each under ``tag``."""
    written: list[bytes] = []
    heads = _HEADS[tag]
    for pair in value or ():
        name = pair["key"]
        key = _KEYS.get(name) or _key(name)
        held = pair.get("value")
        if len(pair) != len(_PAIR) or held is None:
            _known(pair, _PAIR)
        text = held.get("stringValue") if held and len(held) == 1 else None
        if text is not None:
            content = text.encode()
            size = len(content)
            if size < _LONGEST_SHORT and len(key) < _LONGEST_SHORT:
                # Nearly every one: every length inside is a byte. The pieces are joined once, for the whole record.
                written += (heads[len(key) + size + 3], key, _TEXTS[size], content)
                continue
        inner = _any(held, _MAX_DEPTH)
        size = len(inner)
        if size < _LONGEST_SHORT and len(key) < _LONGEST_SHORT:
            written += (heads[len(key) + size + 1], key, _SHORT[size], inner)
        else:
            written.append(_field(tag, b"%b%b%b" % (key, _varint(size), inner)))
    return written


def _any(value: Any, depth: int) -> bytes:
    """An ``AnyValue``; empty for none."""
    if not value:
        return b""
    if len(value) != 1 or not depth:
        raise UnusualError
    ((kind, item),) = value.items()
    return _KINDS[kind](item, depth)


def _double(item: Any, _: int) -> bytes:
    return b"\x21" + _DOUBLE(float(item))


def _boolean(item: Any, _: int) -> bytes:
    return _BOOLEANS[_checked(item, bool)]


def _array(item: Any, depth: int) -> bytes:
    values = (_any(each, depth - 1) for each in _list(item, "values"))
    return _field(b"\x2a", b"".join(_field(b"\x0a", each) for each in values))


def _mapping(item: Any, depth: int) -> bytes:
    pairs = ((_key(each["key"]), _any(each.get("value"), depth - 1)) for each in _list(item, "values"))
    return _field(b"\x32", b"".join(_field(b"\x0a", key + _varint(len(each)) + each) for key, each in pairs))


# -- fields ------------------------------------------------------------------------------------------------------------


def _field(tag: bytes, content: bytes) -> bytes:
    return b"%b%b%b" % (tag, _varint(len(content)), content)


def _varint(number: int) -> bytes:
    if number < _MANY:
        return _SHORT[number]
    if number < _MANY_MORE:
        return bytes((number & 127 | 128, number >> 7))
    written = bytearray()
    while number >= _MANY:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


def _signed(value: Any) -> bytes:
    number = int(value)
    if not -_MAX_INT <= number < _MAX_INT or isinstance(value, (bool, float)):
        raise UnusualError
    return _varint(number % (2 * _MAX_INT))


def _text(tag: bytes, value: Any) -> bytes:
    return _field(tag, value.encode()) if value else b""


def _count(tag: bytes, value: Any, limit: int) -> bytes:
    number = int(value or 0)
    if not 0 <= number < limit or isinstance(value, float):
        raise UnusualError
    return tag + _varint(number) if number else b""


def _id(tag: bytes, value: str) -> bytes:
    try:
        return _field(tag, bytes.fromhex(value)) if value else b""
    except ValueError:
        return b""  # an id that is none says nothing


def _key(value: str) -> bytes:
    """An attribute's name as a field, and the tag of its value; names are few and come again."""
    written = _field(b"\x0a", value.encode()) + b"\x12"
    if len(written) <= _LONGEST_KEY:
        if len(_KEYS) >= _KEPT_KEYS:
            _KEYS.clear()
        _KEYS[value] = written
    return written


def _base64(value: str) -> bytes:
    try:
        return b64decode(value, validate=True)
    except binascii.Error:
        raise UnusualError from None


def _list(value: dict[str, Any], name: str) -> list[Any]:
    if name in {"values", "resourceLogs"}:
        _known(value, {name})
    found: list[Any] = _checked(value.get(name) or [], list)
    return found


def _checked(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind:
        raise UnusualError
    return value


def _known(value: dict[str, Any], names: AbstractSet[str]) -> None:
    if not value.keys() <= names:
        raise UnusualError


_KINDS: Final[dict[str, Callable[[Any, int], bytes]]] = {
    "stringValue": lambda item, _: _field(b"\x0a", item.encode()),
    "intValue": lambda item, _: b"\x18" + _signed(item),
    "doubleValue": _double,
    "boolValue": _boolean,
    "bytesValue": lambda item, _: _field(b"\x3a", _base64(item)),
    "arrayValue": _array,
    "kvlistValue": _mapping,
}
_HEADS: Final = {
    tag: [tag + _varint(size) for size in range(3 * _LONGEST_SHORT)] for tag in (b"\x0a", b"\x1a", b"\x32")
}
"""Tag and length of an attribute, by where it stands and its size."""

_RECORD: Final[dict[str, Callable[[Any], bytes]]] = {
    "timeUnixNano": lambda value: b"\x09" + _FIXED64(int(value)),
    "observedTimeUnixNano": lambda value: b"\x59" + _FIXED64(int(value)),
    "eventName": lru_cache(maxsize=1024)(lambda value: _text(b"\x62", value)),
    "severityNumber": lambda value: _count(b"\x10", value, _SEVERITIES),
    "severityText": lru_cache(maxsize=64)(lambda value: _text(b"\x1a", value)),
    "body": lambda value: _field(b"\x2a", _any(value, _MAX_DEPTH)),
    "droppedAttributesCount": lambda value: _count(b"\x38", value, _MAX_UINT32),
    "flags": lambda value: b"\x45" + _FIXED32(int(value)),
    "traceId": lambda value: _id(b"\x4a", value),
    "spanId": lambda value: _id(b"\x52", value),
}
"""What a record may say besides its attributes, and how it is written."""
