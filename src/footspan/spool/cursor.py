"""A cursor: how far one destination has come in one segment."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from footspan.spool.base import Range


class Cursor:
    """An offset below which every byte is acknowledged, and acknowledged stretches above it.

    Attributes:
        offset: Everything before it is acknowledged.
        acked: ``(start, end)`` stretches beyond ``offset``: sorted, apart from each other.
        events: How many events were acknowledged that the destination takes.
    """

    __slots__ = ("acked", "events", "offset")

    def __init__(self, offset: int = 0, events: int = 0) -> None:
        self.offset = offset
        self.events = events
        self.acked: list[tuple[int, int]] = []

    def add(self, start: int, end: int) -> None:
        """Acknowledge the bytes from ``start`` to ``end``."""
        if end <= max(start, self.offset):
            return
        at = bisect_left(self.acked, (start, end))
        if at and self.acked[at - 1][1] >= start:
            at -= 1
            start = self.acked[at][0]
        last = at
        while last < len(self.acked) and self.acked[last][0] <= end:
            end = max(end, self.acked[last][1])
            last += 1
        self.acked[at:last] = [(start, end)]
        while self.acked and self.acked[0][0] <= self.offset:
            self.offset = max(self.offset, self.acked.pop(0)[1])

    def next(self, position: int) -> int:
        """The first byte at or after ``position`` that is not acknowledged."""
        position = max(position, self.offset)
        for start, end in self.acked:
            if start > position:
                break
            position = max(position, end)
        return position

    def gaps(self, start: int, end: int) -> list[tuple[int, int]]:
        """The stretches between ``start`` and ``end`` that are not acknowledged."""
        found: list[tuple[int, int]] = []
        position = self.next(start)
        while position < end:
            stop = min([end, *(begin for begin, _ in self.acked if begin > position)])
            found.append((position, stop))
            position = self.next(stop)
        return found


def gaps_of(cursors: Mapping[str, Cursor], segment: str, start: int, end: int) -> list[tuple[int, int]]:
    """What of a stretch of a segment is not acknowledged; all of it where the segment has no cursor."""
    cursor = cursors.get(segment)
    return cursor.gaps(start, end) if cursor else [(start, end)]


def cursors_over(ranges: Iterable[Range]) -> dict[str, Cursor]:
    """Cursors that know of these ranges and of nothing else, by segment."""
    cursors: dict[str, Cursor] = {}
    for r in ranges:
        cursors.setdefault(r.segment, Cursor()).add(r.start, r.end)
    return cursors
