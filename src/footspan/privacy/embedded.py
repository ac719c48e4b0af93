"""JSON inside strings: read, cleaned as what it is, and written again only where that changed something.

Strings of JSON inside each other need no bound: each level takes twice the backslashes of the one around it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST: Final = 262_144
_LONGEST_NUMBER: Final = 19


def looks_like_json(text: str) -> bool:
    """Whether a text begins and ends as an object or an array does."""
    return text[:1] in "{[ \t\r\n" and text[-1:] in "}] \t\r\n" and len(text) > 2 and _is_framed(text.strip())  # noqa: PLR2004


def _is_framed(text: str) -> bool:
    return (text[:1], text[-1:]) in {("{", "}"), ("[", "]")}


def clean_json(text: str, clean: Callable[[Any], Any]) -> str | None:
    """A text of JSON, its values cleaned.

    Args:
        text: The text.
        clean: Gives what stands in a value's place; equal if nothing is to change.

    Returns:
        The text to use; ``None`` if it is no JSON.
    """
    if len(text) > _LONGEST:
        return None
    twins = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twins
        found = dict(items)
        twins = twins or len(found) != len(items)
        return found

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_int=_whole_number)
        instead = clean(value)
        # Of two equal keys one alone was looked at, so the other must not stay.
        if not twins and instead == value:
            return text
        return json.dumps(instead, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None


def _whole_number(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("a number that would not be written as it was read")
    return int(digits)
