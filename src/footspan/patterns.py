"""Event patterns: globs over an event's name and its category."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

_CACHE_SIZE: Final = 4096
_LONGEST: Final = 512
"""Answers that are remembered, and characters of a name that are; names are few and short by convention, and a caller
who breaks it must not grow memory."""

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


def remember(answers: dict[_Key, _Answer], key: _Key, answer: _Answer, length: int) -> None:
    """Keep what was worked out for a name, within bounds.

    Args:
        answers: Where.
        key: What is looked up again.
        answer: What was found.
        length: Characters that the key holds.
    """
    if length <= _LONGEST:
        if len(answers) >= _CACHE_SIZE:
            answers.clear()
        answers[key] = answer


class Matcher:
    """Some event patterns, compiled once.

    A pattern matches an event by its name or by ``<category>.<name>``. ``*`` stands for any text, dots included, ``?``
    for one character; letters count as written. ``!pattern`` excludes, and an exclusion wins over every inclusion.

    Args:
        patterns: ``None`` takes everything. Only exclusions: everything else. An empty tuple: nothing.
    """

    __slots__ = ("_answers", "_everything", "_excluded", "_included")

    def __init__(self, patterns: tuple[str, ...] | None) -> None:
        written = [pattern.strip() for pattern in patterns or ()]
        self._included = _Patterns(pattern for pattern in written if pattern and not pattern.startswith("!"))
        self._excluded = _Patterns(pattern[1:].strip() for pattern in written if pattern.startswith("!"))
        self._everything = patterns is None or (not self._included and bool(self._excluded))
        self._answers: dict[tuple[str, str], bool] = {}

    def __call__(self, name: str, category: str = "") -> bool:
        """Whether an event of this name and category is taken."""
        key = (name, category)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._match(name, f"{category}.{name}" if category else name)
            remember(self._answers, key, answer, len(name) + len(category))
        return answer

    def _match(self, name: str, qualified: str) -> bool:
        if self._excluded.match(name) or self._excluded.match(qualified):
            return False
        return self._everything or self._included.match(name) or self._included.match(qualified)


class _Patterns:
    """Some patterns, the plain names among them looked up at once."""

    __slots__ = ("_globs", "_names")

    def __init__(self, patterns: Iterable[str]) -> None:
        written = [pattern for pattern in patterns if pattern]
        self._names = frozenset(pattern for pattern in written if not _is_glob(pattern))
        self._globs = tuple(pattern for pattern in written if _is_glob(pattern))

    def __bool__(self) -> bool:
        return bool(self._names or self._globs)

    def match(self, text: str) -> bool:
        return text in self._names or any(glob(pattern, text) for pattern in self._globs)


def _is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def glob(pattern: str, text: str) -> bool:
    """Whether the whole text fits a pattern of ``*`` and ``?``.

    Only the last ``*`` is ever widened, which is enough for globs and keeps the worst case at the product of both
    lengths; a regular expression of many ``.*`` would not.
    """
    at = position = 0
    star = resume = -1
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            at += 1
            position += 1
        elif star >= 0:
            resume += 1
            at, position = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


@lru_cache(maxsize=256)
def matcher(patterns: tuple[str, ...] | None) -> Matcher:
    """The matcher of some patterns; the same patterns share one."""
    return Matcher(patterns)
