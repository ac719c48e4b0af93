"""What a request body must look like, and the texts of the refusals: contract section 2, table of fields."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from servers.umami import js
from servers.umami.url import InvalidUrlError, parse

UUID: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
    r"|0{8}-0{4}-0{4}-0{4}-0{12}|[fF]{8}-[fF]{4}-[fF]{4}-[fF]{4}-[fF]{12}"
)
_ONE_SOURCE: Final = "Exactly one of website, link, or pixel must be provided"
_TYPES: Final = ("event", "identify", "performance")


@dataclass(slots=True)
class Result:
    """The outcome of one field: its errors, whether they stop later checks, and the value that goes on."""

    value: Any = None
    errors: list[str] = field(default_factory=list)
    fatal: bool = False


Rule = Callable[[Any], Result]


def _wrong(expected: str, value: Any) -> Result:
    return Result(errors=[f"Invalid input: expected {expected}, received {js.type_name(value)}"], fatal=True)


def _text(longest: int | None = None) -> Rule:
    def check(value: Any) -> Result:
        if not isinstance(value, str):
            return _wrong("string", value)
        if longest is not None and js.length(value) > longest:
            return Result(value, [f"Too big: expected string to have <={longest} characters"])
        return Result(value)

    return check


def _uuid(value: Any) -> Result:
    if not isinstance(value, str):
        return _wrong("string", value)
    return Result(value, [] if UUID.fullmatch(value) else ["Invalid UUID"])


def _url(value: Any) -> Result:
    if not isinstance(value, str):
        return _wrong("string", value)
    try:
        parse(value, "https://localhost")
    except InvalidUrlError:
        return Result(value, ["Invalid URL."])
    return Result(value)


def _record(value: Any) -> Result:
    return Result(value) if isinstance(value, dict) else _wrong("record", value)


def _timestamp(value: Any) -> Result:
    number = js.to_number(value)
    if not math.isfinite(number):
        return _wrong("number", number)
    if not number.is_integer():
        return _wrong("int", number)
    if abs(number) > js.MAX_SAFE_INTEGER:
        size, sign, limit = ("big", "<=", js.MAX_SAFE_INTEGER) if number > 0 else ("small", ">=", -js.MAX_SAFE_INTEGER)
        return Result(number, [f"Too {size}: expected int to be {sign}{limit}"], fatal=True)
    return Result(int(number))


def _number(most: int) -> Rule:
    def check(value: Any) -> Result:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return _wrong("number", value)
        if value < 0:
            return Result(value, ["Too small: expected number to be >=0"])
        return Result(value, [f"Too big: expected number to be <={most}"] if value > most else [])

    return check


_PAYLOAD: Final[dict[str, Rule]] = {
    "website": _uuid,
    "link": _uuid,
    "pixel": _uuid,
    "data": _record,
    "hostname": _text(100),
    "language": _text(35),
    "referrer": _url,
    "screen": _text(11),
    "title": _text(),
    "url": _url,
    "name": _text(50),
    "tag": _text(50),
    "ip": _text(),
    "userAgent": _text(),
    "timestamp": _timestamp,
    "id": _text(),
    "browser": _text(),
    "os": _text(),
    "device": _text(),
    "lcp": _number(60_000),
    "inp": _number(60_000),
    "cls": _number(100),
    "fcp": _number(60_000),
    "ttfb": _number(60_000),
}


def check_send(body: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The checked body of a send, and the tree of errors if it is refused. Unknown keys are left out."""
    if not isinstance(body, dict):
        return {}, {"errors": _wrong("object", body).errors}
    properties: dict[str, Any] = {}
    if body.get("type", js.UNDEFINED) not in _TYPES:
        options = "|".join(f'"{name}"' for name in _TYPES)
        properties["type"] = {"errors": [f"Invalid option: expected one of {options}"]}
    payload, errors = _check_payload(body.get("payload", js.UNDEFINED))
    if errors:
        properties["payload"] = errors
    checked = {"type": body.get("type"), "payload": payload}
    return checked, {"errors": [], "properties": properties} if properties else None


def _check_payload(payload: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    if not isinstance(payload, dict):
        return {}, {"errors": _wrong("object", payload).errors}
    checked: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    fatal = False
    for name, rule in _PAYLOAD.items():
        if name not in payload:
            continue
        result = rule(payload[name])
        checked[name] = result.value
        fatal = fatal or result.fatal
        if result.errors:
            errors[name] = result.errors
    if not fatal and sum(bool(checked.get(name)) for name in ("website", "link", "pixel")) != 1:
        errors.setdefault("website", []).append(_ONE_SOURCE)
    if not errors:
        return checked, None
    return {}, {"errors": [], "properties": {name: {"errors": texts} for name, texts in errors.items()}}


def check_batch(body: Any) -> dict[str, Any] | None:
    """The tree of errors if a batch as a whole is refused."""
    if not isinstance(body, list):
        return {"errors": _wrong("array", body).errors}
    bad = {index: _record(item).errors for index, item in enumerate(body) if not isinstance(item, dict)}
    if not bad:
        return None
    return {"errors": [], "items": [{"errors": bad[i]} if i in bad else None for i in range(max(bad) + 1)]}
