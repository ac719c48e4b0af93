"""``data`` to rows, one per leaf, with the type each value gets: contract section 4."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from servers.umami import errors, js

STRING, NUMBER, BOOLEAN, DATE, ARRAY = range(1, 6)

_DATE: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{3})(?:Z|\+(\d{2}):(\d{2}))?)?", re.ASCII
)


class Leaf(NamedTuple):
    """One value of the data."""

    key: str
    type: int
    text: str
    number: float | None = None
    date_ms: int | None = None


def flatten(data: dict[str, Any]) -> list[Leaf]:
    """The leaves of an object, keys of nested objects joined with a point. Empty objects vanish.

    Raises:
        ServerFault: A text looks like a date and is none.
    """
    leaves: list[Leaf] = []
    # A stack instead of recursion: the depth is the sender's choice.
    stack = [iter([(key, value) for key, value in js.members(data)])]
    while stack:
        for key, value in stack[-1]:
            if isinstance(value, dict):
                stack.append(iter([(f"{key}.{name}", item) for name, item in js.members(value)]))
                break
            leaves.append(_leaf(key, value))
        else:
            stack.pop()
    return leaves


def _leaf(key: str, value: Any) -> Leaf:
    if isinstance(value, bool):
        return Leaf(key, BOOLEAN, "true" if value else "false")
    if isinstance(value, int | float):
        return Leaf(key, NUMBER, js.fixed(value), number=value)
    if isinstance(value, str):
        found = _DATE.fullmatch(value)
        if found is None:
            return Leaf(key, STRING, value)
        at_ms = _date(found)
        return Leaf(key, DATE, js.iso_text(at_ms), date_ms=at_ms)
    return Leaf(key, ARRAY, js.json_text(value))


def _date(found: re.Match[str]) -> int:
    year, month, day, hour, minute, second, milli, off_hour, off_minute = (int(part or 0) for part in found.groups())
    midnight_of_next = hour == 24 and not minute and not second and not milli
    sound = 1 <= month <= 12 and 1 <= day <= 31 and minute < 60 and second < 60 and off_hour < 24 and off_minute < 60
    if not sound or (hour > 23 and not midnight_of_next):
        raise errors.plain("RangeError", "Invalid time value")
    minutes = hour * 60 + minute - off_hour * 60 - off_minute
    return js.days_from_civil(year, month, day) * 86_400_000 + minutes * 60_000 + second * 1000 + milli
