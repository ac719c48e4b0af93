"""Reels: segments as one destination reads them, and the batches that are cut from them."""

from __future__ import annotations

import os
import time
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from footspan.spool.base import Batch, Range
from footspan.spool.reading import Tape, line_start, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target
    from footspan.spool.cursor import Cursor

BLOCK = 64 * 1024


class Item(NamedTuple):
    """One line, as a destination sees it.

    Attributes:
        start: Where it starts.
        end: Where the next one starts.
        events: What of it the destination takes.
        skipped: How many events of it the destination does not take.
        garbage: Bytes that are no event.
        time_ns: Where in time it belongs.
    """

    start: int
    end: int
    events: list[LogLine]
    skipped: int
    garbage: bytes
    time_ns: int


class Sight:
    """How one destination sees the lines of one pipeline."""

    __slots__ = ("_accepts", "_target", "_targets")

    def __init__(self, targets: Sequence[Target], accepts: Callable[[Target, LogLine], bool]) -> None:
        self._targets = targets
        self._target = targets[0] if len(targets) == 1 else None
        self._accepts = accepts

    def item(self, start: int, end: int, line: bytes, time_ns: int) -> Item:
        """Read a line; one that holds nothing for the destination belongs where the line before it does."""
        found, garbage = read_line(line)
        if self._target is not None and len(found) == 1:  # nearly always
            event = found[0]
            if self._accepts(self._target, event):
                return Item(start, end, found, 0, garbage, event.time_ns)
            return Item(start, end, [], 1, garbage, time_ns)
        events = [event for event in found if any(self._accepts(target, event) for target in self._targets)]
        return Item(start, end, events, len(found) - len(events), garbage, events[0].time_ns if events else time_ns)

    def items(self, path: str, start: int, end: int) -> Iterator[Item]:
        """The whole lines of a stretch.

        Raises:
            OSError: The segment cannot be read.
        """
        tape = Tape(path, start, BLOCK)
        while tape.position < end:
            begin = tape.position
            line = tape.line()
            if line is None:
                line = tape.rest()  # a torn end that was taken for garbage before
                if line:
                    yield self.item(begin, begin + len(line), line, 0)
                return
            yield self.item(begin, tape.position, line, 0)


class Reel:
    """One segment, read forward past what its cursor has acknowledged.

    Attributes:
        name: The segment's name.
        head: The next line, once :meth:`peek` has read it.
    """

    __slots__ = ("_cursor", "_sight", "_tape", "_time_ns", "head", "name")

    def __init__(self, name: str, path: str, sight: Sight, cursor: Cursor) -> None:
        self.name = name
        self.head: Item | None = None
        self._sight = sight
        self._cursor = cursor
        self._tape = Tape(path, cursor.next(0), BLOCK)
        self._time_ns = 0

    def peek(self, *, closed_for: float | None = None) -> Item | None:
        """The next line, or ``None`` when there is none yet.

        Args:
            closed_for: The segment has a successor: after so many quiet seconds an end without newline stays one.

        Raises:
            OSError: The segment cannot be read.
        """
        if self.head is None:
            tape = self._tape
            start = self._cursor.next(tape.position)
            if start != tape.position:
                tape.seek(start)
            line = tape.line()
            if line is None:
                if closed_for is None or not self._stays_torn(closed_for):
                    return None
                line = tape.rest()
                tape.seek(start + len(line))
            self.head = self._sight.item(start, tape.position, line, self._time_ns)
            self._time_ns = self.head.time_ns
        return self.head

    def run(self, cut: Cut, until: int, *, closed_for: float | None = None) -> bool:
        """Move lines into a batch as long as they are not younger than ``until`` and there is room.

        Returns:
            Whether there was room for all.
        """
        while True:
            head = self.head or self.peek(closed_for=closed_for)
            if head is None or head.time_ns > until:
                return True
            if not cut.take(self.name, head):
                return False
            self.head = None

    def _stays_torn(self, quiet: float) -> bool:
        return bool(self._tape.rest()) and time.time() - os.stat(self._tape.path).st_mtime >= quiet

    def release(self) -> None:
        """Give memory back; the head stays."""
        self._tape.release()


def checked_start(path: str, cursor: Cursor) -> int | None:
    """Where to begin instead, if a cursor does not stand between two lines of its segment; else ``None``.

    Raises:
        OSError: The segment cannot be read.
    """
    start = line_start(path, min(cursor.offset, os.stat(path).st_size))
    size = os.stat(path).st_size
    if start == cursor.offset or (cursor.offset == size and start < size):  # the second: an end that stays torn
        return None
    return start


class Cut:
    """A batch in the making.

    Args:
        max_items: Events it may hold.
        max_bytes: Bytes of stored lines it may hold.
        pulse: Called now and then during long work.

    Attributes:
        garbage: Segment, offset and bytes of what is no event.
    """

    __slots__ = (
        "_events",
        "_lines",
        "_max_bytes",
        "_max_items",
        "_pulse",
        "_segment",
        "_size",
        "_skipped",
        "_stretch",
        "_stretches",
        "garbage",
    )

    def __init__(self, max_items: int, max_bytes: int, pulse: Callable[[], None] = lambda: None) -> None:
        self.garbage: list[tuple[str, int, bytes]] = []
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._pulse = pulse
        self._events: list[LogLine] = []
        self._stretches: dict[str, list[list[int]]] = {}
        self._segment = ""
        self._stretch = [-1, -1]
        self._lines = self._size = self._skipped = 0

    def take(self, segment: str, item: Item) -> bool:
        """Add a line if there is room; the first one always fits, however many events it holds."""
        start, end, events, skipped, garbage, _ = item
        if events:
            mine = self._events
            size = self._size + end - start
            if mine and (len(mine) + len(events) > self._max_items or size > self._max_bytes):
                return False
            mine += events
            self._size = size
        self._skipped += skipped
        if garbage:
            self.garbage.append((segment, start, garbage))
        if segment is self._segment and self._stretch[1] == start:
            self._stretch[1] = end
        else:
            self._begin(segment, start, end)
        self._lines += 1
        if not self._lines & 2047:
            self._pulse()
        return True

    def _begin(self, segment: str, start: int, end: int) -> None:
        stretches = self._stretches.setdefault(segment, [])
        if not stretches or stretches[-1][1] != start:
            stretches.append([start, end])
        stretches[-1][1] = end
        self._segment, self._stretch = segment, stretches[-1]

    @property
    def empty(self) -> bool:
        """Whether no line is in it, taken or skipped."""
        return not self._stretches

    def batch(self, *, ambiguous: bool = False) -> Batch:
        """The batch, its events in the order of their times."""
        self._events.sort(key=attrgetter("time_ns"))
        ranges = [Range(name, start, end) for name, stretches in self._stretches.items() for start, end in stretches]
        return Batch(self._events, ranges, self._skipped, ambiguous)
