"""Reels: segments as one destination reads them."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING

from footspan.spool.blocks import BLOCK, Odd, Strip, scan
from footspan.spool.reading import Tape, line_start

if TYPE_CHECKING:
    from footspan.spool.cursor import Cursor
    from footspan.spool.cut import Cut
    from footspan.spool.sight import Item, Sight


class Reel:
    """One segment, read forward past what its cursor has acknowledged: in blocks, line by line where it must be.

    Args:
        name: The segment's name.
        path: Its file.
        sight: What of it the destination takes.
        cursor: How far the destination is.
        block: Bytes read at a time.
    """

    __slots__ = ("_at", "_cursor", "_head", "_item", "_pieces", "_sight", "_strip", "_tape", "_time_ns", "name")

    def __init__(self, name: str, path: str, sight: Sight, cursor: Cursor, block: int | None = None) -> None:
        self.name = name
        self._sight = sight
        self._cursor = cursor
        self._tape = Tape(path, cursor.next(0), block or BLOCK)
        self._pieces: deque[Strip | Odd] = deque()
        self._strip: Strip | None = None
        self._at = 0  # in the strip
        self._item: Item | None = None
        self._head: int | None = None
        self._time_ns = 0  # of the last event before the head

    @property
    def head(self) -> int | None:
        """When the next line happened, once :meth:`peek` or :meth:`run` has seen it."""
        return self._head

    def peek(self, *, closed_for: float | None = None) -> int | None:
        """When the next line happened, or ``None`` when there is none yet.

        Args:
            closed_for: The segment has a successor: after so many quiet seconds an end without newline stays one.

        Raises:
            OSError: The segment cannot be read.
        """
        if self._head is None and self._load(closed_for):
            if self._item is not None:
                self._head = self._item.time_ns
            elif self._strip is not None:
                self._head = self._time_of(self._strip, self._at)
        return self._head

    def run(self, cut: Cut, until: int, *, closed_for: float | None = None) -> bool:
        """Move lines into a batch as long as they are not younger than ``until`` and there is room.

        Returns:
            Whether there was room for all.
        """
        while True:
            head = self.peek(closed_for=closed_for)
            if head is None or head > until:
                return True
            if not self._load(closed_for):  # given back since, and no longer there
                self._head = None
                return True
            if not self._move(cut, until):
                return False

    def _move(self, cut: Cut, until: int) -> bool:
        """Move the head, and what goes with it; whether there was room."""
        item, strip = self._item, self._strip
        if item is not None:
            if not cut.take(self.name, item):
                return False
            self._item, self._time_ns, self._head = None, item.time_ns, None
            return True
        assert strip is not None
        begin = self._at
        end, full = cut.take_strip(self.name, strip, begin, until)
        if end > begin:
            self._time_ns = self._last_time(strip, begin, end)
            self._at, self._head = end, None
            if end == len(strip):
                self._strip = None
        return not full

    def _load(self, closed_for: float | None) -> bool:
        """Have the next line at hand; whether there is one."""
        if self._item is not None or self._strip is not None:
            return True
        if not self._pieces:
            tape = self._tape
            start = self._cursor.next(tape.position)
            if start != tape.position:
                tape.seek(start)
            data = tape.lines(next((begin for begin, _ in self._cursor.acked if begin > start), None))
            if not data:
                if closed_for is None or not self._stays_torn(closed_for):
                    return False
                line = tape.rest()
                tape.seek(start + len(line))
                self._item = self._sight.item(start, tape.position, line, self._time_ns)
                return True
            self._pieces.extend(scan(data, start))
        piece = self._pieces.popleft()
        if isinstance(piece, Odd):
            self._item = self._sight.item(piece.start, piece.end, piece.line, self._time_ns)
        else:
            piece.takes = self._sight.taken(piece)
            self._strip, self._at = piece, 0
        return True

    def _time_of(self, strip: Strip, index: int) -> int:
        """Where a line belongs in time; one that the destination does not take, where the event before it does."""
        return strip.time(index) if strip.takes is None or strip.takes[index] else self._time_ns

    def _last_time(self, strip: Strip, begin: int, end: int) -> int:
        """When the last event of a stretch happened that the destination takes."""
        takes = strip.takes
        last = end - 1 if takes is None else next((i for i in range(end - 1, begin - 1, -1) if takes[i]), -1)
        return self._time_ns if last < 0 else strip.time(last)

    def _stays_torn(self, quiet: float) -> bool:
        return bool(self._tape.rest()) and time.time() - os.stat(self._tape.path).st_mtime >= quiet

    def release(self) -> None:
        """Give memory back; what the head says stays known."""
        if self._item is not None:
            self._tape.position = self._item.start
        elif self._strip is not None:
            self._tape.position = self._strip.begin(self._at)
        elif self._pieces:
            self._tape.position = self._pieces[0].start
        self._item = self._strip = None
        self._pieces.clear()
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
