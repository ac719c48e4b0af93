"""An exception without what the user wrote: texts of exceptions tend to quote what they choked on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from footspan.tracking.values import exception_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CUT: Final = "[…]"
"""What stands in place of a word of the update."""

_MOST_WORDS: Final = 5_000
_MOST_LINKED: Final = 20
_SMALLEST_ID: Final = 10_000
_DEEPEST: Final = 12
_WORD: Final = re.compile(r"\w+")
# Words of Telegram's, not of a person's; and a text that the settings allow.
_HARMLESS: Final = frozenset({"type", "language_code", "status"})
_TEXTS: Final = frozenset({"text", "caption"})


def properties_of(error: BaseException, update: Any, *, secrets: Iterable[str] = (), with_text: bool = False) -> Any:
    """What an exception says of itself, as ``track_exception`` has it, without words and ids of the update.

    Args:
        error: The exception.
        update: The update as plain mappings and lists.
        secrets: Further texts to cut out.
        with_text: Whether a message's text may stay.
    """
    properties = exception_properties(error)
    skipped = _HARMLESS | _TEXTS if with_text else _HARMLESS
    words = {word for text in _texts(update, skipped, 0) for word in (text, *_WORD.findall(text))}
    words.discard("")
    whole = "|".join(map(re.escape, sorted(words, key=len, reverse=True)[:_MOST_WORDS]))
    parts = [*map(re.escape, filter(None, secrets)), *([rf"(?<!\w)(?:{whole})(?!\w)"] if whole else [])]
    if not parts:
        return properties
    pattern = re.compile("|".join(parts), re.IGNORECASE)

    def cut(text: str) -> str:
        return pattern.sub(CUT, text)

    stack = properties["stack_trace"]
    # The lines of code between the messages are the host's own, and stay: only what a message's line ends with goes.
    for line in sorted({line for each in _linked(error) for line in _said(each)}, key=len, reverse=True):
        for before, found in {match[1]: match[0] for match in _line(line).finditer(stack)}.items():
            stack = stack.replace(found, before + cut(line))
    return {**properties, "error_message": cut(properties["error_message"]), "stack_trace": stack}


def _line(text: str) -> re.Pattern[str]:
    """Where a traceback shows a line of an exception's text."""
    return re.compile(rf"(?m)(^[ |+-]*|: ){re.escape(text)}")


def _texts(value: Any, skipped: frozenset[str], depth: int) -> Iterator[str]:
    """Every text of an update, and every number that may be an id."""
    if isinstance(value, (dict, list, tuple)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if key not in skipped and depth < _DEEPEST:
                yield from _texts(item, skipped, depth + 1)
    elif isinstance(value, (str, float)):
        yield str(value)
    elif isinstance(value, int) and abs(value) >= _SMALLEST_ID:
        yield str(abs(value))


def _linked(error: BaseException) -> list[BaseException]:
    """An exception and those that a traceback shows with it."""
    found = [error]
    for each in found:
        linked = [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
        found += [one for one in linked if one is not None and not any(one is known for known in found)]
        if len(found) > _MOST_LINKED:
            break
    return found


def _said(error: BaseException) -> list[str]:
    """The lines of an exception's texts, as a traceback shows them."""
    try:
        texts = [str(error), *map(str, getattr(error, "__notes__", ()))]
    except Exception:  # noqa: BLE001 - an exception that cannot say what it is; a traceback does not show it either
        return []
    return [line for text in texts for line in text.splitlines() if line]
