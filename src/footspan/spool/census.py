"""How many events of a segment a destination takes, up to any place in it: what waiting and evicted are counted by."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from footspan.spool.reading import Tape, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target
    from footspan.spool.journal import Fold

_STEP = 64 * 1024


class Census:
    """The events of one segment, counted for every destination of its pipeline in one pass that goes on as it grows.

    Args:
        path: The segment.
        targets: The destinations of its pipeline.
        accepts: Whether a destination takes an event.
    """

    __slots__ = ("_accepts", "_ids", "_marks", "_offsets", "_recent", "_tape", "_targets", "_total")

    def __init__(self, path: str, targets: Sequence[Target], accepts: Callable[[Target, LogLine], bool]) -> None:
        self._accepts = accepts
        self._ids = tuple(dict.fromkeys(target.id for target in targets))
        self._targets = tuple(tuple(target for target in targets if target.id == key) for key in self._ids)
        self._tape = Tape(path)
        # Cumulated counts at line starts, every 64 KiB; any other place is counted from the one before it.
        self._offsets = [0]
        self._marks = [(0,) * len(self._ids)]
        self._recent = (0, self._marks[0])
        self._total = self._marks[0]

    def waiting(self, identifier: str, fold: Fold, segment: str) -> int:
        """How many events a destination takes and has not acknowledged.

        Raises:
            OSError: The segment cannot be read.
        """
        if identifier not in self._ids:
            return 0
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
        tape = Tape(self._tape.path, position)
        while tape.position < offset:
            line = tape.line()
            if line is None:
                break
            counts = self._count(line, counts)
        self._recent = (offset, counts)
        return counts[column]

    def _advance(self) -> int:
        """Count what was written since; the end of it."""
        counts = self._total
        try:
            while (line := self._tape.line()) is not None:
                counts = self._count(line, counts)
                if self._tape.position - self._offsets[-1] >= _STEP:
                    self._offsets.append(self._tape.position)
                    self._marks.append(counts)
        finally:
            self._total = counts
            self._tape.release()
        return self._tape.position

    def _count(self, line: bytes, counts: tuple[int, ...]) -> tuple[int, ...]:
        for event in read_line(line).events:
            counts = tuple(
                count + any(self._accepts(target, event) for target in targets)
                for count, targets in zip(counts, self._targets, strict=True)
            )
        return counts
