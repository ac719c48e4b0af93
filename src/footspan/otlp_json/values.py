"""Any Python value as the bytes of an OTLP ``AnyValue``, and attributes as the bytes of ``KeyValue`` objects.

The exact built-in types are written at once. Anything unusual (a subclass, an object, great depth or size, a
surrogate) goes through :func:`~footspan.otlp_json.sanitise.plain` first, which has one outcome for every hazard; what
is written at once comes out as if it had gone that way too.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from footspan import _guard
from footspan.conventions import LOG_RECORD_UID
from footspan.otlp_json.sanitise import (
    INT64_MAX,
    INT64_MIN,
    MAX_ENTRIES,
    MAX_TEXT,
    MAX_WEIGHT,
    AnyValue,
    plain,
    tidy,
)
from footspan.otlp_json.text import QUOTE_ERRORS, clean, number, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY_CACHE_SIZE = 4_096
NO_ATTRIBUTES = b"[]"

_MAX_CACHED_KEY = 128
_MAX_LARGE = 2 * MAX_WEIGHT
_SCALARS = frozenset({str, bool, int, float, type(None)})

# What the quick way takes on; more goes the careful way, which knows cycles and weighs what it writes.
_QUICK_DEPTH = 6
_QUICK_SIZE = MAX_ENTRIES
_NO_LIMIT = 2**31

_fragments: dict[str, bytes] = {}


class _UnusualError(Exception):
    """The quick way cannot write this."""


# RuntimeError: another thread changed a dict meanwhile.
_QUICK_ERRORS = (_UnusualError, RuntimeError, *QUOTE_ERRORS)


def key_fragment(key: str) -> bytes:
    """``{"key":<key>,"value":``, kept for the next time in a table of bounded size."""
    fragment = _fragments.get(key)
    if fragment is not None:
        return fragment
    try:
        fragment = b'{"key":%b,"value":' % quote(key)
    except QUOTE_ERRORS:
        return b'{"key":%b,"value":' % quote(clean(key))
    if len(key) <= _MAX_CACHED_KEY and key != LOG_RECORD_UID:
        if len(_fragments) >= KEY_CACHE_SIZE:
            _fragments.clear()  # names that vary without end must not fill the memory
        _fragments[key] = fragment
    return fragment


def any_value(value: Any) -> bytes:
    """One value as an OTLP ``AnyValue``; ``None`` is ``{}``. Never raises an ``Exception``."""
    parts: list[bytes] = []
    try:
        if type(value) is str and len(value) <= MAX_TEXT:
            return b'{"stringValue":%b}' % quote(value)
        _write(parts, value, _QUICK_DEPTH, _QUICK_SIZE)
    except _QUICK_ERRORS:
        return _any_plain(plain(value))
    written = b"".join(parts)
    return written if len(written) < MAX_WEIGHT // 2 else _any_plain(plain(value))


def _any_plain(value: AnyValue) -> bytes:
    """Plain data, as :func:`plain` returns it, as an OTLP ``AnyValue``."""
    parts: list[bytes] = []
    _write(parts, value, _NO_LIMIT, _NO_LIMIT)
    return b"".join(parts)


def quick_attributes(attributes: Mapping[str, Any]) -> list[bytes] | None:  # noqa: C901 - the hot loop, unrolled
    """Attributes as ``KeyValue`` objects, ``log.record.uid`` first, if they are the usual kind.

    Returns:
        One item for each attribute, or ``None`` where :func:`careful_attributes` has to see to them.
    """
    written: list[bytes] = []
    append = written.append
    fragment_of = _fragments.get
    large = 0
    try:
        if LOG_RECORD_UID in attributes:
            append(b'{"key":"log.record.uid","value":%b}' % any_value(attributes[LOG_RECORD_UID]))
        for key, value in attributes.items():
            fragment = fragment_of(key)
            if fragment is None:
                if type(key) is not str or not key or len(key) > MAX_TEXT:
                    return None
                if key == LOG_RECORD_UID:  # never in the table, so that it always comes by here
                    continue
                quote(key)  # raises for a surrogate
                fragment = key_fragment(key)
            cls = type(value)
            if cls is str and len(value) <= _QUICK_SIZE:
                append(b'%b{"stringValue":%b}}' % (fragment, quote(value)))
            elif cls is int and INT64_MIN <= value <= INT64_MAX:
                append(b'%b{"intValue":"%d"}}' % (fragment, value))
            elif cls is float:
                append(b'%b{"doubleValue":%b}}' % (fragment, _double(value)))
            elif cls is bool:
                append(fragment + (b'{"boolValue":true}}' if value else b'{"boolValue":false}}'))
            else:
                item = b"%b%b}" % (fragment, any_value(value))
                append(item)
                large += len(item)
                if large > MAX_WEIGHT:
                    return None
    except _QUICK_ERRORS:
        return None
    return written


def careful_attributes(attributes: Mapping[str, Any]) -> tuple[list[tuple[str, bytes]], int]:
    """Attributes as pairs of a name and its ``KeyValue``, in their order, and how many were left out.

    Once large values have taken two mebibytes, the further ones are left out unread, so that no record costs more than
    a bounded time.

    Args:
        attributes: Names, as :func:`~footspan.otlp_json.sanitise.tidy` returns them, and any values.
    """
    pairs: list[tuple[str, bytes]] = []
    large = dropped = 0
    for key, value in attributes.items():
        cls = type(value)
        small = cls in _SCALARS and (cls is not str or len(value) <= _QUICK_SIZE)
        if not small and large > _MAX_LARGE:
            dropped += 1
            continue
        written = key_value(key, value)
        pairs.append((key, written))
        large += 0 if small else len(written)
    return pairs, dropped


def key_value(key: str, value: Any) -> bytes:
    """One attribute as a ``KeyValue``."""
    return b"%b%b}" % (key_fragment(key), any_value(value))


def attributes_json(attributes: Mapping[Any, Any] | None) -> bytes:
    """Attributes as a JSON array of ``KeyValue`` objects. Never raises an ``Exception``.

    A mapping that cannot be read is an empty one, and reported.
    """
    try:
        pairs, _ = careful_attributes(tidy(attributes or {}))
    except Exception as error:  # noqa: BLE001 - a mapping of the host's own making
        _guard.report("reading attributes", error)
        return NO_ATTRIBUTES
    return b"[%b]" % b",".join([item for _, item in pairs])


def _write(parts: list[bytes], value: Any, depth: int, limit: int) -> None:  # noqa: C901 - one arm for each type
    """Append the ``AnyValue`` of a value of an exact built-in type.

    Args:
        parts: What has been written.
        value: The value.
        depth: How many containers may yet be entered.
        limit: Entries of a container, characters of a string, and parts at which no more containers are entered.

    Raises:
        _UnusualError: The value is of another type, or deeper, longer or larger than allowed here.
        TypeError: A string holds a surrogate (``ValueError`` without orjson).
        RuntimeError: Another thread changed a dict.
    """
    cls = type(value)
    if cls is str and len(value) <= limit:
        parts.append(b'{"stringValue":%b}' % quote(value))
    elif cls is int and INT64_MIN <= value <= INT64_MAX:
        parts.append(b'{"intValue":"%d"}' % value)
    elif cls is bool:
        parts.append(b'{"boolValue":true}' if value else b'{"boolValue":false}')
    elif cls is float:
        parts.append(b'{"doubleValue":%b}' % _double(value))
    elif value is None:
        parts.append(b"{}")
    elif cls is bytes and len(value) <= MAX_TEXT:
        parts.append(b'{"bytesValue":"%b"}' % b64encode(value))
    elif depth <= 0 or len(parts) > limit:
        raise _UnusualError
    elif cls is dict and len(value) <= limit:
        parts.append(b'{"kvlistValue":{"values":[')
        _write_pairs(parts, value.items(), depth - 1, limit)
        parts.append(b"]}}")
    elif (cls is list or cls is tuple) and len(value) <= limit:
        parts.append(b'{"arrayValue":{"values":[')
        for index, item in enumerate(value):
            if index:
                parts.append(b",")
            _write(parts, item, depth - 1, limit)
        parts.append(b"]}}")
    else:
        raise _UnusualError


def _write_pairs(parts: list[bytes], pairs: Iterable[tuple[Any, Any]], depth: int, limit: int) -> None:
    """Append the ``KeyValue`` objects of a dict."""
    comma = False
    for key, item in pairs:
        if type(key) is not str or not key or len(key) > limit:
            raise _UnusualError
        if comma:
            parts.append(b",")
        comma = True
        # A key with a surrogate raises here: two keys that differ in nothing else meet in plain(), where one wins.
        parts.append(_fragments.get(key) or b'{"key":%b,"value":' % quote(key))
        _write(parts, item, depth, limit)
        parts.append(b"}")


def _double(value: float) -> bytes:
    """A float as protobuf's JSON mapping has it: a number, or ``"NaN"``, ``"Infinity"``, ``"-Infinity"``."""
    if value - value == 0.0:  # finite
        return number(value)
    return b'"NaN"' if value != value else b'"Infinity"' if value > 0 else b'"-Infinity"'  # noqa: PLR0124 - NaN
