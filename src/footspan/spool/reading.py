"""Reading segments: whole lines at a time, events out of lines, the next event out of what was damaged."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from footspan.otlp_json import LogLine, explode
from footspan.otlp_json.span_lines import SPAN_ROOT, span_line
from footspan.otlp_json.text import loads
from footspan.spool import blank, files

BLOCK = 128 * 1024

_OURS = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"'
_START = b'{"resourceLogs":['
_TIME = b'"timeUnixNano":"'
_SCOPE = b'],"scope":'
_END = b"}]}"
_BRACE = ord("}")


class Reading(NamedTuple):
    """What a line holds.

    Attributes:
        events: Its events, each as a line of our own format; empty for a blank line.
        garbage: Bytes that are no event; empty for a sound line.
    """

    events: list[LogLine]
    garbage: bytes


def read_line(line: bytes) -> Reading:
    """Make sense of one stored line (no newline).

    Our own lines are known by their shape and are not parsed. Others are. In a line that is damaged, such as one whose
    writer was cut off before the newline, every event that is whole is kept: inside JSON strings every quote has a
    backslash before it, so the beginning of an event cannot occur in data.
    """
    if _is_sound(line):
        return Reading([LogLine(line)], b"")
    if not line.strip():
        return Reading([], b"")
    if line.startswith(blank.MARK) or blank.is_being_blanked(line):
        return Reading(_forgotten(line), b"")  # whatever else stands there must not be kept as garbage
    if line.startswith(SPAN_ROOT):
        span = span_line(line)
        return Reading([], line) if span is None else Reading([span], b"")
    if _is_json(line):
        events = explode(line)
        return Reading(events, b"" if events else line)
    events = []
    begin = line.find(_START)
    while begin >= 0:
        following = line.find(_START, begin + 1)
        piece = line[begin : following if following >= 0 else len(line)]
        piece = piece[: piece.rfind(b"}") + 1]  # a damaged newline may stand behind it
        if _is_sound(piece):
            events.append(LogLine(piece))
        elif _is_json(piece):
            events += explode(piece)
        begin = following
    return Reading(events, line)


def _forgotten(line: bytes) -> list[LogLine]:
    """What is left of a line with an event that was forgotten."""
    if not line.startswith(blank.MARK):
        return [blank.torn_blank(line)]
    return [*blank.read_blanks(line), *(explode(line) if blank.has_others(line) else ())]


def _is_sound(line: bytes) -> bool:
    """Whether a line is one whole event in our own order, as far as its shape tells.

    Torn lines, lines glued to each other, zeros that a file system left and bytes that are no text show. A changed byte
    inside a record may not: the destination refuses that event, and it is kept among the rejected ones.
    """
    if not (line.startswith(_OURS) and ending(line)):
        return False
    # In data a quote would stand escaped, so a second record shows.
    return line.find(_TIME, len(_OURS)) < 0 and b"\0" not in line and (line.isascii() or _is_text(line))


def ending(line: bytes) -> bytes:
    """What follows the record in a line of ours, from the record's closing brace on; empty for any other line."""
    at = line.find(_SCOPE)
    if at < 0 or line[at - 1] != _BRACE or not line.endswith(_END) or not _is_suffix(line[at:]):
        return b""
    return line[at - 1 :]


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json(line: bytes) -> bool:
    try:
        loads(line)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _is_suffix(suffix: bytes) -> bool:
    """Whether a line may end like this; few endings are shared by all lines of a writer."""
    return _is_json(b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + suffix)


class Tape:
    """One segment, read forward in blocks. Holds no descriptor, so a deleted segment is seen at once.

    Attributes:
        position: Where the next line starts.
    """

    __slots__ = ("_base", "_block", "_size", "path", "position")

    def __init__(self, path: str, position: int = 0, block: int = BLOCK) -> None:
        self.path = path
        self.position = position
        self._size = block
        self._base = position
        self._block = b""

    def seek(self, position: int) -> None:
        """Go to the start of a line."""
        if not self._base <= position <= self._base + len(self._block):
            self.release()
            self._base = position
        self.position = position

    def release(self) -> None:
        """Give the block's memory back."""
        self._base = self.position
        self._block = b""

    def line(self) -> bytes | None:
        """The next whole line without its newline, or ``None`` at the end of what is written.

        Raises:
            OSError: The segment cannot be read; ``FileNotFoundError`` once it is deleted.
        """
        start = self.position - self._base
        searched = start
        while True:
            end = self._block.find(b"\n", searched)
            if end >= 0:
                self.position = self._base + end + 1
                return self._block[start:end]
            searched = len(self._block) - start
            if not self._fill():
                return None
            start = 0

    def lines(self, stop: int | None = None) -> bytes:
        """The next whole lines with their newlines, as many as one look gives; empty at the end of what is written.

        Args:
            stop: No line but the first one goes beyond this place.

        Raises:
            OSError: The segment cannot be read; ``FileNotFoundError`` once it is deleted.
        """
        while True:
            start = self.position - self._base
            end = self._block.rfind(b"\n", start) + 1
            if end > start:
                break
            if not self._fill():
                return b""
        if stop is not None and self._base + end > stop:
            limit = max(start, stop - self._base)
            end = self._block.rfind(b"\n", start, limit) + 1 or self._block.find(b"\n", limit) + 1
        data, self._block = self._block[start:end], self._block[end:]
        self._base = self.position = self._base + end
        return data

    def rest(self) -> bytes:
        """What stands after the last whole line. Only after :meth:`line` gave ``None`` or :meth:`lines` nothing."""
        return self._block[self.position - self._base :]

    def _fill(self) -> bool:
        kept = self._block[self.position - self._base :]
        chunk = files.read_at(self.path, self.position + len(kept), max(self._size, len(kept)))
        self._base = self.position
        self._block = kept + chunk
        return bool(chunk)


def line_start(path: str, offset: int) -> int:
    """``offset`` if a line starts there, else where the line that it falls into starts.

    A cursor always stands between lines; one that does not was damaged, or the segment was. Reading a line again is
    the safe side.
    """
    step = 4096
    while offset > 0:
        begin = max(0, offset - step)
        found = files.read_at(path, begin, offset - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        offset = begin
    return 0
