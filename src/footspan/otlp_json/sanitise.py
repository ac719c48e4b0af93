"""Any Python value as plain data: one defined outcome for every hazard, and never an exception.

=============================================  =========================================================================
value                                          becomes
=============================================  =========================================================================
``str``                                        itself; over 65,536 characters: cut to that, the last one ``…``
surrogate code points                          a pair: its character; each lone one: U+FFFD
``bool``, ``None``, ``float`` (NaN, inf too)   itself
``int`` within 64 bits                         itself
``int`` beyond                                 its decimal digits as text; over 2,100 bits: ``[integer of <n> bits]``
``bytes``, ``bytearray``, ``memoryview``       ``bytes``, the first 65,536 of them
subclasses of the above                        their value
``Enum`` member                                its value
``datetime``                                   ISO 8601; an aware one in UTC, ending in ``Z``; a naive one as it is
``date``, ``time``                             ISO 8601
``timedelta``                                  seconds, ``float``
mapping                                        ``dict``; keys as text, empty ones left out; the first 1,000 entries
dataclass, named tuple                         ``dict`` of its fields, without those that its ``repr`` hides
list, tuple, set, any sequence, dict view      ``list``; the first 1,000 entries
scalars in the manner of numpy                 their ``item()``; arrays: their list
generator, function, module and their like     ``<generator>``, ``<function>``, …; a generator is not consumed
``Decimal``, ``UUID``, ``Path``, any object    ``str()`` of it, if its class says how; else ``<ClassName>``
a container inside itself                      ``[cycle]``
a container inside 32 others                   ``[too deep]``
anything that raises on the way                ``[unserialisable ClassName]``
=============================================  =========================================================================

A value as a whole is cut once it weighs a mebibyte (its text, and 64 for each entry), so that small values which hold
each other a thousand times over end as well. A collection that another thread changes is read again, three times.
``KeyboardInterrupt`` and ``SystemExit`` pass.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from itertools import islice
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
    NoneType,
    TracebackType,
)
from typing import TYPE_CHECKING, Any, TypeAlias

from footspan.otlp_json.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

AnyValue: TypeAlias = "str | bool | int | float | bytes | list[AnyValue] | dict[str, AnyValue] | None"
"""Plain data, the Python form of OTLP's ``AnyValue``."""

MAX_TEXT = 65_536
MAX_ENTRIES = 1_000
MAX_DEPTH = 32
MAX_WEIGHT = 1024 * 1024
MAX_NAME = 256
MAX_READ = 10_000
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

CYCLE = "[cycle]"
TOO_DEEP = "[too deep]"
UNNAMED = "footspan.unnamed"

_ENTRY_WEIGHT = 64
_READ_TRIES = 3
# `str(int)` refuses beyond a limit that an interpreter may set as low as 640 digits; this many bits have 633 at most.
_MAX_INT_BITS = 2_100
_LISTS = (list, tuple, set, frozenset, deque, Sequence, AbstractSet)
_BY_NAME = (
    GeneratorType,
    AsyncGeneratorType,
    CoroutineType,
    FunctionType,
    BuiltinFunctionType,
    MethodType,
    ModuleType,
    FrameType,
    CodeType,
    TracebackType,
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_class_name = type.__dict__["__name__"].__get__  # a metaclass cannot interfere


def plain(value: Any) -> AnyValue:
    """Any Python value as plain data, by the table above. Never raises an ``Exception``."""
    try:
        return _Walk().value(value, 0)
    except Exception:  # noqa: BLE001 - the host's stack may be nearly used up
        return "[unserialisable]"


def event_name(value: Any) -> str:
    """An event's name as it is written. Never raises an ``Exception``.

    Args:
        value: A ``str``; anything else is taken by its ``str()``.

    Returns:
        At most 256 characters (the last one ``…`` where it was cut), control characters and surrogates replaced by
        U+FFFD, ``footspan.unnamed`` instead of nothing or mere whitespace.
    """
    try:
        name = plain(value)
        text = name if isinstance(name, str) else str(name)
        if not text or text.isspace():
            return UNNAMED
        return cut(_CONTROL.sub("\ufffd", text), MAX_NAME)
    except Exception:  # noqa: BLE001 - see plain()
        return UNNAMED


def text_of(value: Any) -> str:
    """Any value as one line of an envelope (severity text, scope name): text of at most 65,536 characters."""
    if type(value) is str and len(value) <= MAX_TEXT and value.isascii():
        return value
    found = "" if value is None else plain(value)
    return found if isinstance(found, str) else str(found)


def cut(text: str, length: int) -> str:
    """The text, or its beginning and an ellipsis, ``length`` characters together."""
    return text if len(text) <= length else text[: length - 1] + "…"


class _Walk:
    """One value's way down: which containers it is inside of, and how much it may still grow."""

    __slots__ = ("inside", "left")

    def __init__(self) -> None:
        self.inside: set[int] = set()
        self.left = MAX_WEIGHT

    def value(self, value: Any, depth: int) -> AnyValue:
        """Any value; what raises becomes a marker, and its neighbours stay."""
        try:
            return self._scalar(value, depth)
        except Exception:  # noqa: BLE001 - whatever the host's objects raise, RecursionError and MemoryError included
            return f"[unserialisable {clean(_class_name(type(value)))}]"

    def _scalar(self, value: Any, depth: int) -> AnyValue:  # noqa: PLR0911 - one for each kind
        """Values whose class says what they are worth."""
        cls = type(value)
        if cls is NoneType or cls is bool:
            return value  # type: ignore[no-any-return]
        if issubclass(cls, Enum):
            return self._inner(value.value, depth)
        if issubclass(cls, str):
            return self._text(str.__str__(value))
        if issubclass(cls, int):
            return _integer(int.__int__(value))
        if issubclass(cls, float):
            return float.__float__(value)
        if issubclass(cls, (bytes, bytearray, memoryview)):
            return self._bytes(value)
        if issubclass(cls, (date, time, timedelta)):
            return self._moment(value)
        return self._other(value, cls, depth)

    def _other(self, value: Any, cls: type, depth: int) -> AnyValue:  # noqa: PLR0911 - one for each kind
        """Containers and objects."""
        if issubclass(cls, _BY_NAME):
            return f"<{_class_name(cls)}>"
        if cls is dict or isinstance(value, Mapping):
            return self._container(value, depth, self._dict)
        names = _field_names(cls)
        if names is not None:
            return self._container(value, depth, lambda held, level: self._dict(_fields(held, names), level))
        if isinstance(value, _LISTS):
            return self._container(value, depth, self._list)
        # By the class: a mock has every attribute one asks for.
        if hasattr(cls, "dtype") and hasattr(cls, "item"):
            return self._numeric(value, cls, depth)
        if cls.__str__ is object.__str__ and cls.__repr__ is object.__repr__:
            return f"<{clean(_class_name(cls))}>"  # the inherited text is an address in memory
        return self._text(str.__str__(str(value)))

    def _text(self, text: str) -> str:
        text = clean(cut(text, MAX_TEXT))
        self.left -= len(text)
        return text

    def _bytes(self, value: bytes | bytearray | memoryview) -> bytes:
        view = value if isinstance(value, memoryview) else memoryview(value)
        data = (view.tobytes() if view.ndim != 1 or view.itemsize != 1 else view[:MAX_TEXT].tobytes())[:MAX_TEXT]
        self.left -= len(data)
        return data

    def _moment(self, value: date | time | timedelta) -> AnyValue:
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, datetime) and value.tzinfo is not None and value.utcoffset() is not None:
            try:
                return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"
            except OverflowError:  # within a day of year 1 or 9999
                return value.isoformat()
        return self._text(value.isoformat())

    def _numeric(self, value: Any, cls: type, depth: int) -> AnyValue:
        """Scalars and arrays in the manner of numpy."""
        if getattr(value, "ndim", 0):
            if value.size > MAX_WEIGHT // _ENTRY_WEIGHT:
                return self._text(str(value))  # numpy shortens what is long
            return self._inner(value.tolist(), depth)
        item = value.item()
        return self._text(str(value)) if type(item) is cls else self._inner(item, depth)

    def _inner(self, value: Any, depth: int) -> AnyValue:
        """The value inside another's shell; counted as a level, for shells may be endless."""
        return TOO_DEEP if depth >= MAX_DEPTH else self.value(value, depth + 1)

    def _container(self, value: Any, depth: int, read: Callable[[Any, int], AnyValue]) -> AnyValue:
        identity = id(value)
        if identity in self.inside:
            return CYCLE
        if depth >= MAX_DEPTH:
            return TOO_DEEP
        self.inside.add(identity)
        try:
            return read(value, depth + 1)
        finally:
            self.inside.discard(identity)

    def _list(self, value: Iterable[Any], depth: int) -> AnyValue:
        items: list[AnyValue] = []
        for item in _snapshot(lambda: value):
            self.left -= _ENTRY_WEIGHT
            if self.left <= 0:
                break
            items.append(self.value(item, depth))
        return items

    def _dict(self, value: Mapping[Any, Any], depth: int) -> AnyValue:
        items: dict[str, AnyValue] = {}
        for key, item in _snapshot(value.items):
            self.left -= _ENTRY_WEIGHT
            if self.left <= 0:
                break
            name = self.key(key, depth)
            if name:
                items[name] = self.value(item, depth)
        return items

    def key(self, key: Any, depth: int) -> str:
        """A mapping's key as text."""
        if type(key) is str:
            return self._text(key)
        name = self.value(key, depth)
        if isinstance(name, bytes):
            return name.decode(errors="replace")
        return name if isinstance(name, str) else str(name)


def tidy(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """The first 10,000 attributes under usable names: keys as text, empty ones left out; values as found.

    Raises:
        Exception: Whatever a mapping of the host's own making raises when it is read.
    """
    walk = _Walk()
    named = ((walk.key(key, 0), value) for key, value in _snapshot(attributes.items, MAX_READ))
    return {name: value for name, value in named if name}


def _field_names(cls: type) -> list[str] | None:
    """The fields that a dataclass or a named tuple shows; under their names redaction finds what they hold."""
    declared = getattr(cls, "__dataclass_fields__", None)
    if isinstance(declared, dict):
        return [name for name, field in declared.items() if field.repr]
    names = getattr(cls, "_fields", None)
    return list(names) if issubclass(cls, tuple) and isinstance(names, tuple) else None


def _fields(value: Any, names: list[str]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def _integer(value: int) -> AnyValue:
    if INT64_MIN <= value <= INT64_MAX:
        return value
    bits = value.bit_length()
    return str(value) if bits <= _MAX_INT_BITS else f"[integer of {bits} bits]"


def _snapshot(read: Callable[[], Iterable[Any]], limit: int = MAX_ENTRIES) -> list[Any]:
    """The first entries of a collection, read again when another thread changed it meanwhile."""
    for _ in range(_READ_TRIES - 1):
        try:
            return list(islice(read(), limit))
        except RuntimeError:  # noqa: PERF203 - "changed size during iteration"
            continue
    return list(islice(read(), limit))
