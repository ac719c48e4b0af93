"""What a kind of value is, and how to speak of a value that is not of its kind.

Errors describe what was found by its shape. A value is quoted only where the kind cannot hold a secret, and then only a
short one: a key pasted under the wrong name must not end up in a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LONGEST_QUOTE: Final = 24


class BadValueError(Exception):
    """A value that a kind cannot read.

    Attributes:
        found: What it is, without quoting anything that may be secret.
        fix: What to write instead, as a sentence.
    """

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(f"{found}: {fix}")
        self.found = found
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value.

    Attributes:
        name: What the reference calls it.
        read: Turns what a source holds into the value; raises :class:`BadValueError`.
        show: Writes a value the way a person would, so that ``read(show(value)) == value``.
        words: The words it reads, where it is a choice; in any case.
        mask: Writes a value without what may be secret in it; ``None`` where nothing can be.
    """

    name: str
    read: Callable[[object], Any]
    show: Callable[[Any], str] = str
    words: tuple[str, ...] = ()
    mask: Callable[[Any], Any] | None = None


def describe(value: object) -> str:
    """Say what a value is without saying what it holds."""
    if isinstance(value, str):
        return f"a string of {len(value)} characters" if value else "an empty string"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)} items"
    if isinstance(value, dict):
        return f"a mapping of {len(value)} keys"
    if isinstance(value, int | float):
        return "a boolean" if isinstance(value, bool) else "a number"
    return "nothing" if value is None else f"an object of type {type(value).__name__}"


def quote(value: object) -> str:
    """Quote a short value of a kind that holds no secrets; describe anything else."""
    if isinstance(value, str | bool | float) or (isinstance(value, int) and abs(value) < 10**_LONGEST_QUOTE):
        text = repr(value)
        if len(text) <= _LONGEST_QUOTE + 2 and text.isprintable():
            return text
    return describe(value)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that a misspelt one most likely stands for."""
    import difflib  # noqa: PLC0415 - only an error needs it

    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None
