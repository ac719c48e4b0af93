"""The ``data`` of a Umami request, made so that every leaf can be stored.

Umami checks little before it writes: the event's row goes in first, and a property that its columns cannot hold fails
afterwards with a 500, leaving the event without its properties. So everything is brought into shape here. Lengths are
counted in UTF-16 code units, as JavaScript counts: never less than PostgreSQL counts.
"""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from footspan.otlp_json.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Leaf: TypeAlias = "str | bool | int | float | list[Any]"

MAX_TEXT: Final = 500
MAX_KEY: Final = 500
MAX_KEYS: Final = 1_000
MAX_CURRENCY: Final = 10
MAX_NUMBER: Final = 1e15
"""``numeric(19,4)`` holds less than this."""

TOO_MANY: Final = "footspan.dropped_properties"
"""How many properties beyond :data:`MAX_KEYS` were left out."""

_MAX_DEPTH: Final = 64
_DATE_LIKE: Final = re.compile(r"[+-]?\d{4,}-\d\d-\d\dT\d\d:\d\d")
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SUFFIX: Final = 8
_PRINTABLE_BITS: Final = 1_600  # 482 digits


def text(value: str, limit: int) -> str:
    """A string without NUL and lone surrogates, cut to ``limit`` UTF-16 code units."""
    if len(value) <= limit and value.isascii() and "\0" not in value:
        return value  # as nearly every one is
    value = clean(value)
    if "\0" in value:
        value = value.replace("\0", "")
    if utf16_length(value) <= limit:
        return value
    return value.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")


def stable_cut(value: str, limit: int) -> str:
    """A name cut to ``limit``, ended by a digest of the whole, so that two long names stay two."""
    if len(value) <= limit and value.isascii() and "\0" not in value:
        return value
    value = text(value, 2 * len(value))  # whole: a character takes two code units at the most
    if utf16_length(value) <= limit:
        return value
    digest = sha256(value.encode()).hexdigest()[:_SUFFIX]
    return f"{text(value, limit - _SUFFIX - 1)}~{digest}"


def utf16_length(value: str) -> int:
    """The length of a string as JavaScript counts it."""
    return len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2


def shape(
    properties: Mapping[str, Any], *, revenue: bool, amounts: Sequence[str] = (), currency: str = ""
) -> dict[str, Leaf]:
    """Properties as Umami can store them.

    Nested mappings become keys joined by dots, as Umami itself would store them; ``None`` and empty mappings vanish.

    Args:
        properties: Names to plain values.
        revenue: Whether a revenue row may be written. Only for named events: without a name Umami fails after it has
            stored the event.
        amounts: Properties that stand for ``revenue`` where there is none; the first that is an amount does.
        currency: The currency of amounts that name none.

    Returns:
        At most :data:`MAX_KEYS` keys, one of them the count of those left out.
    """
    shaped: dict[str, Leaf] = {}
    dropped = _flatten(properties, "", shaped, _MAX_DEPTH)
    if dropped:
        shaped[TOO_MANY] = dropped
    if revenue and (amounts or currency):
        _find_money(shaped, amounts, currency)
    if "revenue" in shaped or "currency" in shaped:
        _money(shaped, allowed=revenue)
    return shaped


def is_revenue(data: Mapping[str, Any]) -> bool:
    """Whether shaped properties make Umami write a revenue row."""
    amount = data.get("revenue")
    return isinstance(amount, (int, float)) and amount > 0 and bool(data.get("currency"))


# -- leaves ------------------------------------------------------------------------------------------------------------


def _flatten(value: Mapping[str, Any], prefix: str, leaves: dict[str, Leaf], depth: int) -> int:
    """Collect leaves under dotted keys; returns how many found no room."""
    dropped = 0
    for name, item in value.items():
        kind = type(item)
        if (
            # What is nearly always so, by the cheapest tests there are; a closer look follows for the others.
            not prefix
            and 0 < len(name) <= MAX_KEY
            and len(leaves) < MAX_KEYS - 1
            and name.isascii()
            and "\0" not in name
            and (
                len(item) <= MAX_TEXT and item.isascii() and "T" not in item and "\0" not in item
                if kind is str
                else kind is bool or ((kind is int or kind is float) and -MAX_NUMBER < item < MAX_NUMBER)
            )
        ):
            leaves[name] = item
            continue
        if item is None:
            continue
        key = f"{prefix}{name}" or "_"
        if isinstance(item, dict) and depth:
            dropped += _flatten(item, f"{key}.", leaves, depth - 1)
            continue
        key = stable_cut(key, MAX_KEY) or "_"
        # One place is kept for the count.
        if len(leaves) < MAX_KEYS - 1 or key in leaves:
            leaves[key] = "[too deep]" if isinstance(item, dict) else _leaf(item)
        else:
            dropped += 1
    return dropped


def _leaf(value: Any) -> Leaf:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return _array(value)
    if isinstance(value, bytes):
        return text(b64encode(value[:MAX_TEXT]).decode(), MAX_TEXT)
    return text(str(value), MAX_TEXT)


def _number(value: float) -> int | float | str:
    """A number that ``numeric(19,4)`` holds, else its text."""
    if abs(value) < MAX_NUMBER:
        return value
    if isinstance(value, int):
        return str(value) if value.bit_length() < _PRINTABLE_BITS else "[integer too large]"
    if math.isnan(value):
        return "NaN"
    return repr(value).replace("inf", "Infinity")


def _string(value: str) -> str:
    """A string; a point in time in the one form that Umami takes for a date."""
    value = text(value, MAX_TEXT)
    if "T" not in value or not _DATE_LIKE.match(value):
        return value
    match = _DATE.fullmatch(value)
    if match:
        try:
            moment = datetime.fromisoformat(match[1]) - _offset(match[3])
        except (ValueError, OverflowError):
            pass
        else:
            return f"{moment.isoformat()}.{(match[2] or '')[:3]:0<3}Z"
    # It looks like a date to Umami, which then fails on it: a blank makes it an ordinary string.
    return value.replace("T", " ", 1)


def _offset(zone: str | None) -> timedelta:
    """What to take off for UTC; a time without a zone counts as UTC."""
    if zone is None or zone == "Z":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - a clock
        raise ValueError
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


def _array(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    """The longest beginning of an array whose JSON text fits; Umami stores arrays as that text."""
    kept: list[Any] = []
    length = 2
    for item in value:
        element = _element(item, _MAX_DEPTH // 4)
        written = json.dumps(element, ensure_ascii=False, separators=(",", ":"))
        # JavaScript writes 1e-05 as 0.00001: up to three characters more.
        length += utf16_length(written) + 3 * written.count("e-") + (1 if kept else 0)
        if length > MAX_TEXT:
            break
        kept.append(element)
    return kept


def _element(value: Any, depth: int) -> Any:
    """A value inside an array."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, str):
        return text(value, MAX_TEXT)
    if isinstance(value, (list, tuple)) and depth:
        return [_element(item, depth - 1) for item in value[:MAX_TEXT]]
    if isinstance(value, dict) and depth:
        return {text(str(key), MAX_KEY): _element(item, depth - 1) for key, item in value.items()}
    return _leaf(value) if isinstance(value, bytes) else "[too deep]"


# -- money -------------------------------------------------------------------------------------------------------------


def _find_money(shaped: dict[str, Leaf], amounts: Sequence[str], currency: str) -> None:
    """Let another property stand for ``revenue``, and a currency of the settings for the event's own."""
    currency = str(shaped.get("currency") or "").strip() or currency
    if "revenue" not in shaped and currency:
        found = (shaped[name] for name in amounts if _is_amount(shaped.get(name)))
        amount = next(found, None)
        if amount is not None:
            shaped["revenue"] = amount
    if currency and _is_amount(shaped.get("revenue")):
        shaped["currency"] = currency


def _is_amount(value: Leaf | None) -> bool:
    """Whether a value is more than nothing, in money."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = float(value.strip())
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < MAX_NUMBER


def _money(shaped: dict[str, Leaf], *, allowed: bool) -> None:
    """Make ``revenue`` and ``currency`` what the revenue table takes, or keep them out of its way."""
    if "currency" in shaped:
        currency = text(str(shaped["currency"]).strip().upper(), MAX_CURRENCY)
        if currency:
            shaped["currency"] = currency
        else:
            del shaped["currency"]
    if "revenue" not in shaped:
        return
    amount = shaped["revenue"]
    if isinstance(amount, str) and _DECIMAL.fullmatch(amount.strip()):
        amount = _number(float(amount.strip()))
    if isinstance(amount, (int, float)) and not isinstance(amount, bool) and (allowed or not shaped.get("currency")):
        shaped["revenue"] = amount
        return
    # JavaScript takes "0x1F", "Infinity", [5] and true for numbers too; the table does not.
    del shaped["revenue"]
    written = amount if isinstance(amount, str) else json.dumps(amount, ensure_ascii=False)
    shaped.setdefault("revenue_text", text(written, MAX_TEXT))
