"""Blocks: many stored lines checked and cut at once, by a few native calls over all of them.

What :func:`~footspan.spool.reading.read_line` finds out line by line holds for a block if it holds for the whole: no
zeros, text throughout, every line begins and ends as ours do, no second record. Whatever is not so is left to it, line
by line, so both ways see the same events.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from footspan import conventions as c
from footspan.otlp_json import OPENING
from footspan.otlp_json.bulk import CODE_MARK, CONSENT_MARK, WIRE_MARK
from footspan.spool.reading import ending

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from footspan.otlp_json import LogLine

BLOCK: Final = 128 * 1024
"""Bytes read at a time. Large enough that a read costs little for each line, small enough for the processor's cache."""

_DIGITS: Final = 19
_HEAD: Final = re.compile(rb'\d{19}","eventName":"([^"\\]*)","attributes":\[')
_TIME: Final = b'"timeUnixNano":"'
_SCOPE: Final = b'],"scope":'
_DESTINATION: Final = b'"%b"' % c.DESTINATION.encode()
_REDACTED: Final = b'"%b"' % c.REDACTED.encode()
_CATEGORY: Final = b'{"key":"%b","value":' % c.CATEGORY.encode()
_TEXT: Final = re.compile(rb'\{"stringValue":"([^"\\]*)"\}\}')
_NESTED: Final = b'{"kvlistValue":'


class Strip:
    """Lines of ours that follow one another in a segment, checked.

    Args:
        start: See below, like the next two.
        parts: One for each line.
        suffix: Of all of them.
        inside: The parts once more, as one.

    Attributes:
        start: Where the first one starts.
        ends: Where each one ends.
        parts: What stands in each between :data:`~footspan.otlp_json.OPENING` and its suffix.
        suffix: What they all end with, without the newline.
        takes: Which of them the destination takes; ``None`` for all.
        marked: Some of them may name the one destination they are for, or bear what a person agreed to.
        clean: The redactor changed none of them.
        ordinary: None of them has what the last step before a destination looks for.
    """

    __slots__ = ("_times", "clean", "ends", "marked", "ordinary", "parts", "start", "suffix", "takes")

    def __init__(self, start: int, parts: list[bytes], suffix: bytes, inside: bytes) -> None:
        self.start = start
        frame = len(OPENING) + len(suffix) + 1
        self.ends = list(accumulate([len(part) + frame for part in parts], initial=start))
        del self.ends[0]
        self.parts = parts
        asked = _has(inside, CONSENT_MARK)
        self.marked = asked or _has(inside, _DESTINATION)
        self.clean = not _has(inside, _REDACTED)
        self.ordinary = not (asked or _has(inside, CODE_MARK) or _has(inside, WIRE_MARK))
        self.suffix = suffix
        self.takes: list[bool] | None = None
        self._times: list[int] | None = None

    def __len__(self) -> int:
        return len(self.parts)

    def time(self, index: int) -> int:
        """When one of them happened, nanoseconds since the epoch."""
        return time_of(self.parts[index])

    @property
    def times(self) -> list[int]:
        """When each one happened."""
        if self._times is None:
            self._times = [time_of(part) for part in self.parts]
        return self._times

    def begin(self, index: int) -> int:
        """Where one of them starts."""
        return self.ends[index - 1] if index else self.start

    def line(self, index: int) -> bytes:
        """One of them as it is stored, without its newline."""
        return OPENING + self.parts[index] + self.suffix


class Odd:
    """A line to be looked at by itself.

    Attributes:
        start: Where it starts.
        end: Where the next one starts.
        line: Its bytes, without the newline.
    """

    __slots__ = ("end", "line", "start")

    def __init__(self, start: int, line: bytes) -> None:
        self.start = start
        self.end = start + len(line) + 1
        self.line = line


def time_of(part: bytes) -> int:
    """When a checked line's event happened, nanoseconds since the epoch."""
    return int(part[:_DIGITS])


def in_order(parts: Sequence[bytes | LogLine]) -> bool:
    """Whether checked lines stand in the order of their times; ``False`` also if others are among them."""
    try:
        times = [part[:_DIGITS] for part in parts]  # type: ignore[index] # of a line, which raises
    except TypeError:
        return False
    return times == sorted(times)  # of one length, so they compare like the numbers they are


def routing_key(part: bytes) -> tuple[bytes, bytes] | None:
    """A checked line's name and category as written, by which it is routed; ``None`` if it takes a closer look."""
    head = _HEAD.match(part)
    if head is None or not head[1] or _DESTINATION in part or CONSENT_MARK in part:
        return None
    at = part.find(_CATEGORY)
    if at < 0:
        return head[1], b""
    text = _TEXT.match(part, at + len(_CATEGORY))
    if text is None or _NESTED in part:
        return None
    return head[1], text[1]


def scan(data: bytes, start: int) -> Iterator[Strip | Odd]:
    """Cut whole lines, each ended by its newline, into strips and single lines.

    Args:
        data: The lines.
        start: Where they start in their segment.
    """
    lines = data.split(b"\n")
    lines.pop()
    suffix = ending(lines[0])
    if suffix and _is_sound_text(data):
        begin, end = len(OPENING), -len(suffix)
        parts = [line[begin:end] for line in lines]
        # Put together again they are the block only if each line begins and ends as it should.
        alike = (suffix + b"\n" + OPENING).join(parts) == data[begin : end - 1]
        if alike and data.startswith(OPENING) and data.endswith(suffix + b"\n"):
            inside = _inside(parts)
            if inside is not None:
                yield Strip(start, parts, suffix, inside)
                return
    yield from _one_by_one(lines, start)


def _one_by_one(lines: list[bytes], start: int) -> Iterator[Strip | Odd]:
    """The same where not all lines are alike."""
    parts: list[bytes] = []
    suffix = b""
    for line in lines:
        found = suffix if suffix and line.endswith(suffix) else ending(line)
        part = _part(line, found) if found else None
        if parts and (part is None or found != suffix):
            strip = Strip(start, parts, suffix, b"\n".join(parts))
            yield strip
            start, parts = strip.ends[-1], []
        if part is None:
            odd = Odd(start, line)
            yield odd
            start = odd.end
        else:
            parts.append(part)
            suffix = found
    if parts:
        yield Strip(start, parts, suffix, b"\n".join(parts))


def _part(line: bytes, suffix: bytes) -> bytes | None:
    """What one line holds between the beginning that ours have and its suffix; ``None`` if its shape is another."""
    part = line[len(OPENING) : -len(suffix)]
    sound = line == OPENING + part + suffix and _is_sound_text(line) and _inside([part]) is not None
    return part if sound else None


def _inside(parts: list[bytes]) -> bytes | None:
    """All that stands in the records of some lines, if each of them is the inside of one record.

    In data a quote stands escaped, so a second record or an earlier end of the first would show.
    """
    inside = b"\n".join(parts)
    sound = not _has(inside, _TIME) and not _has(inside, _SCOPE) and all(map(_HEAD.match, parts))
    return inside if sound else None


def _has(data: bytes, mark: bytes) -> bool:
    """Whether a mark occurs; for one that does not, looking from the end takes half the time."""
    return data.rfind(mark) >= 0


def _is_sound_text(data: bytes) -> bool:
    """Whether there is nothing in it but text; zeros are what a crash leaves in a file."""
    if b"\0" in data:
        return False
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    return True
