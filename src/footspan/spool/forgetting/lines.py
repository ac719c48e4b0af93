"""One line of a file with somebody's events made blank, exactly as long as before."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, quote_plus

from footspan.otlp_json.text import dumps, loads
from footspan.spool.blank import GAP, MARK, Blank, blank_of, rendered
from footspan.spool.reading import read_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.otlp_json import LogLine
    from footspan.spool.forgetting.person import Person

_FEW: Final = 16
_RUN: Final = re.compile(r"(?:^|(?<=[_.-]))[A-Za-z0-9]+")
_WORD: Final = re.compile(rb"[a-z0-9]+")
_ALWAYS: Final = (MARK, GAP + b"\n", b"\\u", b'"bytesValue"')
"""What is looked at in any case: lines half overwritten, and what may hide an id from a plain search."""


class Blanked(NamedTuple):
    """A line as it is to be.

    Attributes:
        line: Its bytes; ``None`` where it stays as it is.
        events: Events of somebody that are in it no more.
        damaged: Stretches that were no event, and held an id.
        failed: Whether it could not be made blank for want of room.
    """

    line: bytes | None
    events: int = 0
    damaged: int = 0
    failed: bool = False


_AS_IT_IS: Final = Blanked(None)


class Blanking:
    """What becomes of lines.

    Args:
        person: Who is forgotten, by plain values.
    """

    def __init__(self, person: Person) -> None:
        self._person = person
        every = {*person.ids, *person.named, *person.emails, *person.linked}
        self._spellings = sorted({spelling for text in every for spelling in _spellings(text)})
        words = {_word(text) for text in every}
        self._words = frozenset() if b"" in words else frozenset(words)
        alternatives = b"|".join(sorted(self._words))
        self._few = re.compile(rb"(?<![a-z0-9])(?:%b)(?![a-z0-9])" % alternatives) if len(words) <= _FEW else None

    def concerns(self, data: bytes) -> bool:
        """Whether lines are worth a closer look: those that this says no to hold no value that is an id."""
        if not self._words or data.endswith(GAP) or any(mark in data for mark in _ALWAYS):
            return True
        low = data.lower()
        if self._few is not None:
            return any(word in low for word in self._words) and self._few.search(low) is not None
        return not self._words.isdisjoint(_WORD.findall(low))

    def names(self, data: bytes) -> bool:
        """Whether an id stands anywhere in some bytes, as a part of something else as well."""
        low = data.lower()
        return any(spelling in low for spelling in self._spellings)

    def event_line(self, line: bytes) -> Blanked:
        """A line of a segment, or of a file of refused events (no newline)."""
        events, garbage = read_line(line)
        mine: list[LogLine] = []
        others: list[LogLine] = []
        for event in events:
            (mine if isinstance(event, Blank) or self.owns(event) else others).append(event)
        found = sum(not isinstance(event, Blank) for event in mine)
        damaged = bool(garbage) and self.names(garbage)
        if not mine and not damaged:
            return _AS_IT_IS
        unspeakable = {*self._person.ids, *self._person.named}
        made = rendered([blank_of(event, unspeakable) for event in mine], others, len(line))
        if made is None and not others:
            made = b" " * len(line)
        if made is None:
            return Blanked(None, found, failed=True)
        return Blanked(None if made == line else made, found, damaged and not found)

    def kept_garbage(self, line: bytes) -> Blanked:
        """A line of a file in quarantine."""
        try:
            entry = loads(line)
            if not self.names(base64.b64decode(entry["base64"])):
                return _AS_IT_IS
            made = dumps({**entry, "size": 0, "base64": ""})
        except (ValueError, KeyError, TypeError):
            if not self.names(line):
                return _AS_IT_IS
            made = b""
        return Blanked(made.ljust(len(line)), damaged=1)

    def torn_end(self, data: bytes) -> Blanked:
        """What stands behind the last newline of a file nobody is writing to."""
        return Blanked(b" " * len(data), damaged=1) if self.names(data) else _AS_IT_IS

    def owns(self, event: LogLine) -> bool:
        """Whether an event is theirs, or damaged and names them."""
        try:
            return self._person.owns(event)
        except ValueError:  # its shape is that of an event, its inside is damaged
            return self.names(event.line)


def _word(text: str) -> bytes:
    """The longest word in an id that stands by itself wherever the id does, however the rest is escaped.

    A word behind a character that may be written ``%22`` does not: the digits would be a part of it.
    """
    return max(_RUN.findall(text), key=len, default="").lower().encode()


def _spellings(text: str) -> set[bytes]:
    """How a text may be written, in lower case."""
    writes: list[Callable[[str], str]] = [
        str,
        lambda each: json.dumps(each)[1:-1],
        lambda each: json.dumps(each, ensure_ascii=False)[1:-1],
        lambda each: quote(each, safe="", errors="replace"),
        lambda each: quote_plus(each, errors="replace"),
    ]
    found = {write(text).encode("utf-8", "replace").lower() for write in writes}
    return found | {json.dumps(each.decode("utf-8", "replace"))[1:-1].encode().lower() for each in found}
