"""Values of every kind that a host may hand over, hostile ones included, and what each becomes."""

from __future__ import annotations

import enum
import math
import sys
import types
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest


class Colour(enum.Enum):
    """An enum of texts."""

    RED = "red"


class Level(enum.IntEnum):
    """An enum that is an ``int``."""

    HIGH = 3


class Word(str, enum.Enum):
    """An enum that is a ``str``."""

    HELLO = "hello"


class Text(str):
    """A ``str`` with ideas of its own about text."""

    __slots__ = ()

    def __str__(self) -> str:
        return "not the value"


class Number(int):
    """An ``int`` with ideas of its own about numbers."""

    def __int__(self) -> int:
        return 99


class Ratio(float):
    """A ``float`` of another name."""


@dataclass
class Item:
    """A dataclass."""

    sku: str
    hidden: str = field(default="never shown", repr=False)


Point = namedtuple("Point", "x y")  # noqa: PYI024 - the plain kind is what is tested


class Bare:
    """Neither ``__str__`` nor ``__repr__``."""


class Shown:
    """Only a ``__repr__``."""

    def __repr__(self) -> str:
        return "shown"


class RaisesOnText:
    """Quotes its secret in an exception."""

    def __str__(self) -> str:
        raise ValueError("the host's secret")


class EndlessText:
    """Recurses until the stack ends."""

    def __str__(self) -> str:
        return str(self)


class GivesNoText:
    """A ``__str__`` that returns something else."""

    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307 - the hazard


class OutOfMemory:
    """Raises what a value too large would."""

    def __str__(self) -> str:
        raise MemoryError


class NumpyLike:
    """What numpy's scalars look like."""

    dtype = "int64"
    ndim = 0

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        return self.value

    def __str__(self) -> str:
        return "the array's text"


class ArrayLike(NumpyLike):
    """What numpy's arrays look like."""

    ndim = 1

    def __init__(self, value: Any, size: int) -> None:
        super().__init__(value)
        self.size = size

    def tolist(self) -> Any:
        return self.value


class OwnMapping(Mapping[str, Any]):
    """A mapping that does not know its length."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def __getitem__(self, key: str) -> Any:
        return self.content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __len__(self) -> int:
        raise RuntimeError("nobody knows")


class RaisingMapping(OwnMapping):
    """A mapping that cannot be read."""

    def __iter__(self) -> Iterator[str]:
        raise OSError("gone")


class EndlessSequence(Sequence[int]):
    """A sequence without an end."""

    def __getitem__(self, index: Any) -> Any:
        return index

    def __len__(self) -> int:
        return sys.maxsize


class RaisingList(list[Any]):
    """A list that cannot be read."""

    def __iter__(self) -> Iterator[Any]:
        raise ZeroDivisionError


def generator() -> Iterator[int]:
    """Fails when somebody consumes it."""
    yield pytest.fail("a generator must not be consumed")


def nested(levels: int) -> Any:
    """A list inside a list, ``levels`` of them."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


CEST = timezone(timedelta(hours=2))

OUTCOMES: list[tuple[Any, Any]] = [
    ("text", "text"),
    (True, True),
    (None, None),
    (2**63 - 1, 2**63 - 1),
    (-(2**63), -(2**63)),
    (2**63, "9223372036854775808"),
    (-(2**63) - 1, "-9223372036854775809"),
    (10**600, "1" + "0" * 600),
    (10**5000, "[integer of 16610 bits]"),
    (1.5, 1.5),
    (math.inf, math.inf),
    (b"\x00\xff", b"\x00\xff"),
    (bytearray(b"ab"), b"ab"),
    (memoryview(b"abcd")[::2], b"ac"),
    (memoryview(bytearray(8)).cast("i"), bytes(8)),
    ("a\ud800b", "a\ufffdb"),
    ("\udc00\ud800", "\ufffd\ufffd"),
    ("\ud83d\ude00", "😀"),
    (datetime(2026, 8, 20, 12, 30, 1, 5, tzinfo=CEST), "2026-08-20T10:30:01.000005Z"),
    (datetime(2026, 8, 20, 12, 30), "2026-08-20T12:30:00"),  # noqa: DTZ001 - naive on purpose
    (datetime(1, 1, 1, tzinfo=CEST), "0001-01-01T00:00:00+02:00"),
    (date(2026, 8, 20), "2026-08-20"),
    (time(12, 30), "12:30:00"),
    (timedelta(minutes=1, milliseconds=500), 60.5),
    (Decimal("9.90"), "9.90"),
    (Fraction(1, 3), "1/3"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (PurePosixPath("/a/b"), "/a/b"),
    (Colour.RED, "red"),
    (Level.HIGH, 3),
    (Word.HELLO, "hello"),
    (Text("the value"), "the value"),
    (Number(7), 7),
    (Ratio(0.5), 0.5),
    ([1, (2, 3)], [1, [2, 3]]),
    ({4}, [4]),
    (frozenset({"a"}), ["a"]),
    (deque([1, 2]), [1, 2]),
    (range(3), [0, 1, 2]),
    ({"a": 1}.keys(), ["a"]),
    (Point(1, 2), {"x": 1, "y": 2}),
    ({"a": {"b": None}}, {"a": {"b": None}}),
    (OrderedDict(a=1), {"a": 1}),
    (defaultdict(list, a=[1]), {"a": [1]}),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    (OwnMapping({"a": 1}), {"a": 1}),
    (
        {1: "a", None: "b", 2.5: "c", b"k": "d", Colour.RED: "e", (1, 2): "f"},
        {"1": "a", "None": "b", "2.5": "c", "k": "d", "red": "e", "[1, 2]": "f"},
    ),
    ({"": 1, "a": 2}, {"a": 2}),
    ({"\ud800": 1}, {"\ufffd": 1}),
    ({RaisesOnText(): 1}, {"[unserialisable RaisesOnText]": 1}),
    (Item("x"), {"sku": "x"}),
    (Shown(), "shown"),
    (ValueError("why"), "why"),
    (Bare(), "<Bare>"),
    (object(), "<object>"),
    (iter([1]), "<list_iterator>"),
    (generator(), "<generator>"),
    (generator, "<function>"),
    (sys, "<module>"),
    (NumpyLike(5), 5),
    (NumpyLike(Decimal(1)), "1"),
    (ArrayLike([1, [2]], 2), [1, [2]]),
    (ArrayLike([1], 10**9), "the array's text"),
    (RaisesOnText(), "[unserialisable RaisesOnText]"),
    (EndlessText(), "[unserialisable EndlessText]"),
    (GivesNoText(), "[unserialisable GivesNoText]"),
    (OutOfMemory(), "[unserialisable OutOfMemory]"),
    (RaisingMapping({"a": 1}), "[unserialisable RaisingMapping]"),
    (RaisingList([1]), "[unserialisable RaisingList]"),
    ([RaisesOnText(), 1], ["[unserialisable RaisesOnText]", 1]),
    ({"a": RaisesOnText(), "b": 1}, {"a": "[unserialisable RaisesOnText]", "b": 1}),
]
"""Values of every kind, and what each becomes."""
