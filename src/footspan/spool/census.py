"""How many events of a segment a destination takes, up to any place in it: what waiting and evicted are counted by."""

from __future__ import annotations

import os
from bisect import bisect_right
from operator import add
from typing import TYPE_CHECKING

from footspan.spool import counted
from footspan.spool.blocks import BLOCK, Odd, Strip, scan
from footspan.spool.reading import Tape, read_line
from footspan.spool.sight import Sight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target
    from footspan.spool.journal import Fold


class Census:
    """The events of one segment, counted for every destination of its pipeline in one pass that goes on as it grows.

    Args:
        path: The segment.
        targets: The destinations of its pipeline.
        accepts: Whether a destination takes an event.
        beside: Where what was counted is kept for other processes.
    """

    __slots__ = ("_beside", "_ids", "_kept", "_marks", "_offsets", "_recent", "_sights", "_tape", "_total")

    def __init__(
        self,
        path: str,
        targets: Sequence[Target],
        accepts: Callable[[Target, LogLine], bool],
        beside: str = "",
    ) -> None:
        self._beside = beside
        self._kept = 0
        self._ids = tuple(dict.fromkeys(target.id for target in targets))
        self._sights = tuple(Sight([target for target in targets if target.id == key], accepts) for key in self._ids)
        self._tape = Tape(path, 0, BLOCK)
        # Cumulated counts at line starts, one a block; any other place is counted from the one before it.
        self._offsets = [0]
        self._marks = [(0,) * len(self._ids)]
        self._recent = (0, self._marks[0])
        self._total = self._marks[0]

    def waiting(self, identifier: str, fold: Fold, segment: str) -> int:
        """How many events a destination takes and has not acknowledged.

        Raises:
            OSError: The segment cannot be read.
        """
        if identifier not in self._ids or not fold.gaps(segment, 0, os.stat(self._tape.path).st_size):
            return 0  # without a look at what is in it
        end = self._advance()
        return sum(
            self.upto(identifier, stop) - self.upto(identifier, start) for start, stop in fold.gaps(segment, 0, end)
        )

    def upto(self, identifier: str, offset: int) -> int:
        """How many of the events before ``offset`` a destination takes."""
        column = self._ids.index(identifier)
        if offset >= self._tape.position:
            return self._total[column]
        if offset == self._recent[0]:
            return self._recent[1][column]
        at = bisect_right(self._offsets, offset) - 1
        position, counts = self._offsets[at], self._marks[at]
        if position < self._recent[0] < offset:
            position, counts = self._recent
        tape = Tape(self._tape.path, position, min(BLOCK, offset - position))
        while tape.position < offset:
            position = tape.position
            data = tape.lines(offset)
            if not data:
                break
            counts = self._count(data, position, counts)
        self._recent = (offset, counts)
        return counts[column]

    def _advance(self) -> int:
        """Count what was written since; the end of it."""
        if self._beside and not self._tape.position:
            self._look_up()
        end = self._read_on()
        if self._beside and end - self._kept >= counted.WORTH:
            self._kept = end
            marks = [counted.Mark(*each) for each in zip(self._offsets, self._marks, strict=True)]
            counted.save(self._beside, self._tape.path, self._ids, [*marks, counted.Mark(end, self._total)])
        return end

    def _look_up(self) -> None:
        """Begin where somebody else has counted to."""
        marks = counted.load(self._beside, self._tape.path, self._ids)
        if marks:
            self._offsets = [mark.offset for mark in marks]
            self._marks = [mark.counts for mark in marks]
            self._kept, self._total = marks[-1]
            self._tape.seek(self._kept)

    def _read_on(self) -> int:
        counts, tape = self._total, self._tape
        try:
            while data := tape.lines():
                counts = self._count(data, tape.position - len(data), counts)
                if tape.position - self._offsets[-1] >= BLOCK // 2:
                    self._offsets.append(tape.position)
                    self._marks.append(counts)
        finally:
            self._total = counts
            tape.release()
        return tape.position

    def _count(self, data: bytes, start: int, counts: tuple[int, ...]) -> tuple[int, ...]:
        for piece in scan(data, start):
            found = [_taken(sight, piece) for sight in self._sights]
            counts = tuple(map(add, counts, found))
        return counts


def _taken(sight: Sight, piece: Strip | Odd) -> int:
    """How many events of some lines a destination takes."""
    if isinstance(piece, Odd):
        return sum(map(sight.takes, read_line(piece.line).events))
    taken = sight.taken(piece)
    return len(piece) if taken is None else sum(taken)
