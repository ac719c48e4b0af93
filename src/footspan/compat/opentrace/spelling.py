"""Payloads as JSON spells them, where an attribute would spell them otherwise.

JSON has no other keys than text and writes ``true``, ``null`` and ``1.5`` for keys that are none; a named tuple is a
list; a number has any size. An attribute's keys are text as Python writes it, a named tuple is a mapping of its fields,
and a number has 64 bits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from footspan.otlp_json.sanitise import CYCLE, INT64_MAX, INT64_MIN, MAX_DEPTH

MAX_LOOKED_AT: Final = 10_000
"""Entries of a payload that are looked at; what lies behind them stays as it is."""

_PLAIN: Final = frozenset({str, float, bool, type(None)})


def spelled(payload: Any) -> tuple[Any, list[list[str | int]]]:
    """A payload as JSON spells it. It is never changed itself, and whatever it holds, nothing is raised.

    Returns:
        The payload or a copy, and the paths (keys and indexes) of integers that 64 bits do not hold.
    """
    walk = _Walk()
    try:
        return walk.value(payload, ()), walk.integers
    except Exception:  # noqa: BLE001 - another thread changes it, its keys have no text: as it is, then
        return payload, []


class _Walk:
    """One payload's way down."""

    __slots__ = ("inside", "integers", "left")

    def __init__(self) -> None:
        self.inside: set[int] = set()
        self.integers: list[list[str | int]] = []
        self.left = MAX_LOOKED_AT

    def value(self, value: Any, path: tuple[str | int, ...]) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if issubclass(kind, int):
            if not INT64_MIN <= int(value) <= INT64_MAX:
                self.integers.append([*path])
            return value
        mapping = issubclass(kind, dict) or isinstance(value, Mapping)
        if not (mapping or issubclass(kind, (list, tuple))) or len(path) >= MAX_DEPTH or self.left <= 0:
            return value
        if id(value) in self.inside:
            return CYCLE
        self.inside.add(id(value))
        try:
            return self._mapping(value, path) if mapping else self._list(value, path)
        finally:
            self.inside.discard(id(value))

    def _mapping(self, value: Mapping[Any, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        self.left -= len(value)
        found = {}
        for key, item in value.items():
            name = key_text(key)
            found[name] = self.value(item, (*path, name))
        return found

    def _list(self, value: list[Any] | tuple[Any, ...], path: tuple[str | int, ...]) -> list[Any]:
        self.left -= len(value)
        return [self.value(item, (*path, index)) for index, item in enumerate(value)]


def key_text(key: Any) -> str:
    """A mapping's key as JSON writes it; one that JSON has no way to write by its ``str()``."""
    if isinstance(key, str):
        return key
    return json.dumps(key) if key is None or isinstance(key, (int, float)) else str(key)
