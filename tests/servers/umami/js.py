"""What Umami's language does with values, where its answers or rows show it: numbers, texts, dates."""

from __future__ import annotations

import json
import math
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

MAX_SAFE_INTEGER: Final = 2**53 - 1
MAX_TIME_MS: Final = 8_640_000_000_000_000
"""The largest moment a Date can hold, milliseconds from 1970."""

_DAYS: Final = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBER: Final = re.compile(r"[+-]?(Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)", re.ASCII)
_RADIX: Final = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
_BLANKS: Final = " \t\n\r\v\f\u00a0\ufeff\u2028\u2029"
_INDEX: Final = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)


class Undefined:
    """The value of what is not there; distinct from null."""


UNDEFINED: Final = Undefined()


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _integer(digits: str) -> int | float:
    value = int(digits)
    return value if abs(value) <= MAX_SAFE_INTEGER else float(digits)


def parse_json(data: bytes) -> Any:
    """The value of a JSON text, or UNDEFINED when it is none. Numbers are doubles, as there."""
    try:
        return json.loads(data.decode("utf-8-sig", "replace"), parse_constant=_refuse, parse_int=_integer)
    except (ValueError, RecursionError):
        return UNDEFINED


def type_name(value: Any) -> str:
    """The type of a value as the schema's messages name it."""
    if isinstance(value, Undefined):
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "NaN" if math.isnan(value) else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def to_number(value: Any) -> float:
    """The number a value is coerced to, NaN if none."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, list):
        value = to_text(value)
    if isinstance(value, str):
        return _number_in(value.strip(_BLANKS))
    return 0.0 if value is None else math.nan


def _number_in(text: str) -> float:
    if not text:
        return 0.0
    if _RADIX.fullmatch(text):
        return float(int(text, 0))
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def number_text(value: float) -> str:
    """A number as text: the shortest digits that mean it, exponents only outside 1e-7 .. 1e21."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e21:
        return str(int(Decimal(repr(float(value)))))
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if -6 < point <= 21:
        text = f"0.{'0' * -point}{text}" if point <= 0 else f"{text[:point]}.{text[point:]}"
    else:
        power = point - 1
        text = f"{text[0]}{'.' + text[1:] if text[1:] else ''}e{'+' if power > 0 else '-'}{abs(power)}"
    return f"-{text}" if sign else text


def fixed(value: float, places: int = 4) -> str:
    """A number with a fixed count of decimals, rounded half away from zero on its exact value."""
    if not math.isfinite(value) or abs(value) >= 1e21:
        return number_text(value)
    text = str(Decimal(abs(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
    return f"-{text}" if value < 0 else text


def to_text(value: Any) -> str:
    """A value as text, the way a template or a join does it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list):
        return ",".join("" if item is None else to_text(item) for item in value)
    return "null" if value is None else "undefined" if isinstance(value, Undefined) else "[object Object]"


def members(value: dict[str, Any]) -> list[tuple[str, Any]]:
    """The members of an object in the language's order: whole numbers first, ascending, then as written."""
    indexed = [key for key in value if _INDEX.fullmatch(key) and int(key) < 2**32 - 1]
    order = [*sorted(indexed, key=int), *(key for key in value if key not in set(indexed))]
    return [(key, value[key]) for key in order]


def json_text(value: Any) -> str:
    """A value as compact JSON."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(key)}:{json_text(item)}" for key, item in members(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value) if math.isfinite(value) else "null"
    return json.dumps(well_formed(value) if isinstance(value, str) else value, ensure_ascii=False)


def length(text: str) -> int:
    """The length of a text in UTF-16 units, as the language counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, units: int) -> str:
    """The first ``units`` UTF-16 units of a text."""
    return text.encode("utf-16-le", "surrogatepass")[: units * 2].decode("utf-16-le", "surrogatepass")


def well_formed(text: str) -> str:
    """A text as it reaches the database: lone surrogates become U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def civil(ms: int) -> tuple[int, int, int, int, int, int, int, int]:
    """Year, month, day, hour, minute, second, millisecond and weekday (Sunday is 0) of a moment, for any year."""
    days, rest = divmod(ms, 86_400_000)
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    hour, rest = divmod(rest, 3_600_000)
    minute, rest = divmod(rest, 60_000)
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    return year, month, day, hour, minute, rest // 1000, rest % 1000, (days + 4) % 7


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date; a day beyond its month runs over."""
    shifted = year - (month <= 2)
    era, year_of_era = divmod(shifted, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468 + day - 1


def utc_text(ms: int) -> str:
    """A moment as ``Thu, 01 Jan 2026 00:00:00 GMT``."""
    year, month, day, hour, minute, second, _, _ = civil(ms)
    weekday = _DAYS[(ms // 86_400_000) % 7]
    sign = "-" if year < 0 else ""
    years = f"{sign}{abs(year):0{6 if year < 0 else 4}d}"
    return f"{weekday}, {day:02d} {_MONTHS[month - 1]} {years} {hour:02d}:{minute:02d}:{second:02d} GMT"


def iso_text(ms: int) -> str:
    """A moment as ``2026-01-01T00:00:00.000Z``."""
    year, month, day, hour, minute, second, milli, _ = civil(ms)
    years = f"{year:04d}" if 0 <= year <= 9999 else f"{'-' if year < 0 else '+'}{abs(year):06d}"
    return f"{years}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{milli:03d}Z"


def row_time(ms: int) -> str:
    """A moment as a row shows it: ``2026-01-01T00:00:00.12+00:00``, no zeros at the end of the fraction."""
    year, month, day, hour, minute, second, milli, _ = civil(ms)
    fraction = f".{milli:03d}".rstrip("0").rstrip(".")
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{fraction}+00:00"
