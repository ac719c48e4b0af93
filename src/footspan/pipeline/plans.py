"""How events of one kind are written: the pieces of their stored line, with gaps for what differs."""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.emit import SEVERITY_ERROR, SEVERITY_INFO, severity_text
from footspan.otlp_json.records import PREFIX, severity_json
from footspan.otlp_json.sanitise import INT64_MAX, INT64_MIN, MAX_NAME
from footspan.otlp_json.text import number, quote
from footspan.otlp_json.values import key_fragment, key_value
from footspan.processors.scopes import to_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.processors.categories import Categories
    from footspan.processors.redaction import Redactor

MAX_PROPERTIES: Final = 64
MAX_KEYS: Final = 2_048
"""Characters of all names of one kind together; longer ones are not kept."""
MAX_TEXT: Final = 16_384
"""Characters of all values of an event together; longer ones take the ordinary road."""
MAX_BESIDE: Final = 256
"""Values of a context; with more, an event may have more attributes than are kept, and the ordinary road counts."""
MAX_BESIDE_TEXT: Final = 131_072
"""Characters of a context as it is written; likewise for an event's size."""

# These say where an event goes or what it is, so they are worked out anew for every event.
_DECIDING: Final = frozenset({c.LOG_RECORD_UID, c.CONSENT, c.DESTINATION, c.PURPOSE, c.REDACTED})
_NEVER: Final = _DECIDING | c.STRING_LIST_ATTRIBUTES
_OPENINGS: Final = {str: '{"stringValue":"', int: '{"intValue":"', float: '{"doubleValue":', bool: '{"boolValue":'}
_CLOSINGS: Final = {str: '"}}', int: '"}}', float: "}}", bool: "}}"}
_NONE: Final = type(None)
_SCALARS: Final = frozenset({str, int, float, bool})


class Plan:
    """How events with one name, the same properties and the same types of values are written.

    Attributes:
        keys: The properties' names, in their order.
        types: The types of their values.
        pieces: What stands between the values, with an empty text for each value.
        gaps: Whether there are values.
        integers: The positions of integers among the values that are not ``None``; likewise the next three.
        floats: Those of floats.
        booleans: Those of booleans.
        examined: Those of texts that the redactor examines, with the attribute's name.
        counted: Those of integers that it examines, likewise.
        texts: Those of all texts.
        absent: The positions of ``None`` among all values, last first.
        category: The category given as a property; ``None`` without.
        names: The attributes' names.
        severity: Its number and its text.
        apart: The names of the last context that had none of these.
    """

    __slots__ = (
        "absent",
        "apart",
        "booleans",
        "category",
        "counted",
        "examined",
        "floats",
        "gaps",
        "integers",
        "keys",
        "names",
        "pieces",
        "severity",
        "texts",
        "types",
    )

    def __init__(self, keys: tuple[str, ...], types: tuple[type, ...], names: list[str]) -> None:
        self.keys = keys
        self.types = types
        self.gaps = bool(keys)
        kept = [kind for kind in types if kind is not _NONE]
        self.integers = tuple(i for i, kind in enumerate(kept) if kind is int)
        self.floats = tuple(i for i, kind in enumerate(kept) if kind is float)
        self.booleans = tuple(i for i, kind in enumerate(kept) if kind is bool)
        self.texts = tuple(i for i, kind in enumerate(kept) if kind is str)
        self.absent = tuple(i for i, kind in enumerate(types) if kind is _NONE)[::-1]
        self.names = frozenset(names)
        self.examined: tuple[tuple[int, str], ...] = ()
        self.counted: tuple[tuple[int, str], ...] = ()
        self.category: str | None = None
        self.pieces: list[str] = []
        self.severity = (SEVERITY_INFO, "")
        self.apart: frozenset[str] | None = None


class Written:
    """A context's values as they stand in a line.

    Args:
        owner: Whose written form this is.
        context: The values.
        redactor: What they go through, if anything.

    Attributes:
        owner: As given.
        names: The values' names.
        text: All of them, a comma before each; ``None`` if they need a closer look for every event, or are so many or
            so large that an event might have to leave some out.
    """

    __slots__ = ("_beside", "_parts", "names", "owner", "text")

    def __init__(self, owner: object, context: Mapping[str, Any], redactor: Redactor | None) -> None:
        self.owner = owner
        self.names = frozenset(context)
        self.text: str | None = None
        self._parts: dict[str, str] | None = None
        self._beside: dict[frozenset[str], str] = {}
        values = dict(context)
        if not _DECIDING.isdisjoint(values) or c.CATEGORY in values or "" in values or len(values) > MAX_BESIDE:
            return
        if not all(_lasting(key, value) for key, value in values.items()):
            return
        if redactor is not None:
            values, touched = redactor.mapping(values)
            if touched or values.keys() != context.keys():  # a name that was cut may be one that an event has
                return
        parts = {key: "," + key_value(key, value).decode() for key, value in values.items()}
        text = "".join(parts.values())
        if len(text) <= MAX_BESIDE_TEXT:
            self._parts, self.text = parts, text

    def text_beside(self, plan: Plan) -> str | None:
        """The values that an event does not have itself."""
        if self._parts is None:
            return None
        both = plan.names & self.names
        if not both:
            plan.apart = self.names
            return self.text
        text = self._beside.get(both)
        if text is None:
            text = self._beside[both] = "".join(part for key, part in self._parts.items() if key not in both)
        return text


def _lasting(key: str, value: Any) -> bool:
    """Whether nobody can change a value. The lists that conventions ask for are the context's own copies.

    Text that is none (a lone surrogate) is left to the ordinary road: it then writes the whole event in another order.
    """
    texts = value if type(value) is list and key in c.STRING_LIST_ATTRIBUTES else (value,)
    return all(type(item) in _SCALARS and (type(item) is not str or _is_text(item)) for item in (key, *texts))


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def make_plan(
    name: str, properties: Mapping[str, Any], redactor: Redactor | None, suffix: bytes, categories: Categories
) -> Plan | None:
    """How such an event is written, or ``None`` where that cannot be said once and for all.

    Args:
        name: The event's name.
        properties: Its properties, as a person writes them.
        redactor: What their values go through, if anything.
        suffix: Its scope and resource, written.
        categories: The settings' categories.
    """
    keys = tuple(properties)
    attributes = to_attributes(properties, c.ALIASES)
    present = [key for key, value in properties.items() if value is not None]
    names = [c.ALIASES.get(key, key) for key in present]
    if len(attributes) != len(present) or not (_is_usual(name, properties) and all(names) and _NEVER.isdisjoint(names)):
        return None
    plan = Plan(keys, tuple(map(type, properties.values())), names)
    if redactor is not None:
        looks = [redactor.examines(each) for each in names]
        if None in looks or redactor.text(name) != name:
            return None
        plan.examined = tuple((position, names[position]) for position in plan.texts if looks[position])
        plan.counted = tuple((position, names[position]) for position in plan.integers if looks[position])
    category = attributes.get(c.CATEGORY)
    if category is not None and (type(category) is not str or not category):
        return None
    plan.category = category
    level = SEVERITY_ERROR if (category or categories.of(name)) == "error" else SEVERITY_INFO
    plan.severity = (level, severity_text(level))
    written = "" if category else categories.written(name)
    added = "," + key_value(c.CATEGORY, written).decode() if written else ""
    plan.pieces = _pieces(name, [(each, type(attributes[each])) for each in names], added, plan.severity, suffix)
    return plan


def _is_usual(name: str, properties: Mapping[str, Any]) -> bool:
    """Whether an event has nothing of its own to be looked at each time, and is of a size worth keeping."""
    return (
        0 < len(name) <= MAX_NAME
        and len(properties) <= MAX_PROPERTIES
        and sum(map(len, properties)) <= MAX_KEYS
        and "timestamp" not in properties
        and c.CATEGORY not in properties
        and all(value is None or type(value) in _OPENINGS for value in properties.values())
    )


def _pieces(
    name: str, attributes: list[tuple[str, type]], added: str, severity: tuple[int, str], suffix: bytes
) -> list[str]:
    """The pieces: before and after the time, the id, each value, the context, the time again, the trace."""
    before = [
        '","eventName":' + quote(name).decode() + ',"attributes":[{"key":"log.record.uid","value":{"stringValue":"'
    ]
    closing = '"}}'
    for key, kind in attributes:
        before.append(f"{closing},{key_fragment(key).decode()}{_OPENINGS[kind]}")
        closing = _CLOSINGS[kind]
    pieces = [
        PREFIX.decode() + '{"timeUnixNano":"',
        *before,
        closing,
        added + '],"observedTimeUnixNano":"',
        '"' + severity_json(*severity).decode(),
        "}" + suffix.decode() + "\n",
    ]
    return [part for piece in pieces for part in (piece, "")][:-1]


def write_values(plan: Plan, values: list[Any], redactor: Redactor | None) -> bool:  # noqa: C901, PLR0912 - hot, one piece
    """Write an event's values in place, as the texts that fill its plan's gaps.

    Returns:
        Whether they are the usual kind. If not, ``values`` is of no use any more.
    """
    for position in plan.absent:
        del values[position]
    for position in plan.integers:
        value = values[position]
        if not INT64_MIN <= value <= INT64_MAX:
            return False
        values[position] = str(value)
    for position in plan.floats:
        value = values[position]
        if value - value != 0.0:  # NaN or an infinity
            return False
        values[position] = number(value).decode()
    for position in plan.booleans:
        values[position] = "true" if values[position] else "false"
    text = ", ".join(values)  # the comma keeps digits of neighbours apart
    if len(text) > MAX_TEXT:
        return False
    if redactor is not None and not redactor.harmless_all(values, text):
        for position, name in plan.counted:
            if not redactor.keeps_number(name, int(values[position])):
                return False
        for position, name in plan.examined:
            if not redactor.leaves(name, values[position]):
                return False
    if '"' in text or "\\" in text or not text.isprintable():
        for position in plan.texts:
            values[position] = encode_basestring(values[position])[1:-1]
    return True
