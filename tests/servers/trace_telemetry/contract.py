"""What a request of TraceTelemetry's Python client is like, to the letter, and what is wrong with one that is not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS: Final = (
    "id",
    "name",
    "timestampUtc",
    "data",
    "applicationName",
    "applicationVersion",
    "machineName",
    "osDescription",
    "ipAddress",
    "countryCode",
)
"""Of an event, in this order."""

_ID: Final = re.compile(r"[0-9a-f]{32}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!000000)\d{6})?Z")
_COUNTRY: Final = re.compile(r"([A-Z]{2})?")


class ContractError(Exception):
    """A request breaks the contract; the text says how."""


def events_of(headers: Mapping[str, str], body: bytes, *, pascal: bool, wrapper: str) -> list[dict[str, Any]]:
    """The events of a request, their keys in camel case.

    Args:
        headers: The request's, names in lower case.
        body: What it carries.
        pascal: Whether keys begin with a capital.
        wrapper: The key of an object that the array stands in; empty for the array alone.

    Raises:
        ContractError: Something is not as the client writes it.
    """
    if headers.get("content-type") != "application/json":
        raise ContractError("the content type is not application/json")
    if "content-encoding" in headers:
        raise ContractError("the body is compressed")
    try:
        found = json.loads(body, parse_constant=_no_number)
    except ValueError:
        raise ContractError("the body is no JSON") from None
    # The client's own spelling: blanks after commas and colons, nothing beyond ASCII.
    if json.dumps(found).encode() != body:
        raise ContractError("the JSON is spelt otherwise")
    if wrapper:
        if not isinstance(found, dict) or list(found) != [wrapper]:
            raise ContractError(f"the array does not stand under {wrapper}")
        found = found[wrapper]
    if not isinstance(found, list) or not found:
        raise ContractError("the body is no array of events")
    return [_event(each, pascal=pascal) for each in found]


def _event(found: Any, *, pascal: bool) -> dict[str, Any]:
    keys = [key[0].upper() + key[1:] for key in KEYS] if pascal else list(KEYS)
    if not isinstance(found, dict) or list(found) != keys:
        raise ContractError("an event has other keys, or in another order")
    event = dict(zip(KEYS, found.values(), strict=True))
    if wrong := [key for key in KEYS if key != "data" and not isinstance(event[key], str)]:
        raise ContractError(f"no text: {', '.join(wrong)}")
    for key, pattern in (("id", _ID), ("timestampUtc", _TIME), ("countryCode", _COUNTRY)):
        if not pattern.fullmatch(event[key]):
            raise ContractError(f"{key} is written otherwise")
    return event


def _no_number(name: str) -> None:
    raise ValueError(name)
