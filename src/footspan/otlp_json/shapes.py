"""Attributes of a shape seen before, written by a template.

A call site emits the same names with the same types again and again. Their ``KeyValue`` objects differ in the values
only, so they are kept as one template, which a single formatting operation fills: less than half the cost of writing
them one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from footspan.conventions import LOG_RECORD_UID
from footspan.otlp_json.sanitise import INT64_MAX, MAX_TEXT
from footspan.otlp_json.text import QUOTE_ERRORS, quote
from footspan.otlp_json.values import any_value, key_fragment

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_SHAPES = 1_024
_MAX_ATTRIBUTES = 64  # more are too rarely the same
_MAX_KEYS = 4_096  # characters of all names together; bounds the table

_SLOTS = {
    str: b'{"stringValue":%b}}',
    int: b'{"intValue":"%b"}}',
    float: b'{"doubleValue":%b}}',
    bool: b'{"boolValue":%b}}',
}
_OTHERS = frozenset({type(None), list, tuple, dict, bytes})
_NULL = b"null"

# Writes the four types above at once. It is orjson's, or refuses what is no string: then there is no quick way.
_write: Callable[[Any], bytes] = quote


class _Shape(NamedTuple):
    """How attributes of one shape are written.

    Attributes:
        template: Their ``KeyValue`` objects, a place for each value.
        uid: The position of ``log.record.uid``, which is written first; 0 when there is none.
        integers: The positions, after the id has come first, of integers, which may be out of range.
        others: The positions, as before, of values that are no scalars.
        floats: Whether there are floats, which may have no JSON number.
    """

    template: bytes
    uid: int
    integers: tuple[int, ...]
    others: tuple[int, ...]
    floats: bool


_shapes: dict[tuple[Any, ...], _Shape] = {}


def shaped_attributes(attributes: dict[str, Any]) -> bytes | None:
    """Attributes as ``KeyValue`` objects with commas between them, ``log.record.uid`` first.

    Args:
        attributes: Names and values; an exact ``dict``.

    Returns:
        The objects; ``None`` for a shape not seen before, or values out of the usual.
    """
    values = list(attributes.values())
    shape = _shapes.get((*attributes, *map(type, values)))
    if shape is None:
        return None
    template, uid, integers, others, floats = shape
    if uid:
        values.insert(0, values.pop(uid))
    for position in integers:
        if values[position] > INT64_MAX:  # what is below the range is refused by the writer
            return None
    try:
        filled = _filled(values, others) if others else (*map(_write, values),)
    except QUOTE_ERRORS:
        return None
    if floats and _NULL in filled:  # NaN or an infinity
        return None
    result = template % filled
    return result if len(result) <= MAX_TEXT else None  # no string in it can be too long


def _filled(values: list[Any], others: tuple[int, ...]) -> tuple[bytes, ...]:
    """Values of which some are no scalars, as JSON. Raises what the writer raises."""
    written = [any_value(values[position]) for position in others]
    for position in others:
        values[position] = ""
    filled = [*map(_write, values)]
    for position, item in zip(others, written, strict=True):
        filled[position] = item
    return (*filled,)


def learn(attributes: dict[str, Any]) -> None:
    """Keep the shape of attributes that have just been written, in a table of bounded size."""
    names, values = list(attributes), list(attributes.values())
    types = [type(value) for value in values]
    if not _worth_keeping(names, types):
        return
    key = (*names, *types)
    uid = names.index(LOG_RECORD_UID) if LOG_RECORD_UID in attributes else 0
    names.insert(0, names.pop(uid))
    types.insert(0, types.pop(uid))
    if len(_shapes) >= _MAX_SHAPES:
        _shapes.clear()
    _shapes[key] = _Shape(
        b",".join(
            key_fragment(name).replace(b"%", b"%%") + _SLOTS.get(kind, b"%b}")
            for name, kind in zip(names, types, strict=True)
        ),
        uid,
        tuple(position for position, kind in enumerate(types) if kind is int),
        tuple(position for position, kind in enumerate(types) if kind in _OTHERS),
        float in types,
    )


def _worth_keeping(names: list[str], types: list[type]) -> bool:
    return (
        0 < len(names) == len(types) <= _MAX_ATTRIBUTES
        and all(type(name) is str and name for name in names)
        and sum(map(len, names)) <= _MAX_KEYS
        and all(kind in _SLOTS or kind in _OTHERS for kind in types)
    )
