"""What was waiting on disk at one moment, and how much of it each destination still lacks."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from footspan.spool.journal import Fold
    from footspan.spool.layout import Layout
    from footspan.spool.register import Register
    from footspan.spool.segments import Segment
    from footspan.spool.writer import Writer

_Gaps = tuple[tuple[int, int], ...]


class _Upto:
    """A fold that ends at an offset: what came later does not count."""

    def __init__(self, fold: Fold, end: int) -> None:
        self._fold = fold
        self._end = end

    def gaps(self, segment: str, start: int, end: int) -> list[tuple[int, int]]:
        """What of a stretch, as far as it lies before the end, is not acknowledged."""
        return self._fold.gaps(segment, start, min(end, self._end))


class DiskGoal:
    """The ends of all segments at one moment: a goal is reached when the cursors have passed them.

    So it does not matter who carries, in which order, or what comes in meanwhile. Events that the disk would not take
    are somewhere behind those ends once it takes them; then the ends are read again, and what came with them is waited
    for as well, but never counted beyond what was waiting at the moment.

    Args:
        layout: The spool.
        register: Its figures.
        writer: This process's, which is told to try again where the disk refused.
        buffered: Events that wait in memory, by destination id.
        identifiers: The destinations to look at.
    """

    def __init__(
        self,
        layout: Layout,
        register: Register,
        writer: Writer,
        buffered: Callable[[], dict[str, int]],
        identifiers: Iterable[str],
    ) -> None:
        self._layout = layout
        self._register = register
        self._writer = writer
        self._buffered = buffered
        self._counted: dict[tuple[str, str], tuple[_Gaps, int]] = {}
        writer.try_again(now=True)
        self._in_memory = {
            id(line): line for line in writer.buffered()
        }  # held, so that an id cannot come to be another's
        self._ends = self._read_ends()
        self._left = self._count(identifiers)

    def left(self) -> dict[str, int]:
        """How many events of then each destination still lacks, by its id."""
        if self._in_memory:
            self._writer.try_again()
            still = {id(line): line for line in self._writer.buffered() if id(line) in self._in_memory}
            if len(still) < len(self._in_memory):
                self._in_memory = still
                self._ends = self._read_ends()
                self._counted.clear()
        lacking = [key for key, count in self._left.items() if count]
        for key, count in self._count(lacking).items():
            self._left[key] = min(self._left[key], count)
        return dict(self._left)

    def _count(self, identifiers: Iterable[str]) -> dict[str, int]:
        segments = [segment for segment in self._register.segments() if segment.name in self._ends]
        buffered = self._buffered() if self._in_memory else {}
        return {
            key: buffered.get(key, 0) + sum(self._lacking(segment, key) for segment in segments) for key in identifiers
        }

    def _lacking(self, segment: Segment, identifier: str) -> int:
        """Counted again only when the cursor has moved."""
        fold, end = self._register.fold(identifier), self._ends[segment.name]
        gaps = tuple(fold.gaps(segment.name, 0, end))
        if not gaps:
            return 0
        known = self._counted.get((segment.name, identifier))
        if known is None or known[0] != gaps:
            upto: Fold = _Upto(fold, end)  # type: ignore[assignment] # all that a count needs of it
            known = gaps, self._register.waiting_in(segment, identifier, upto)
            self._counted[(segment.name, identifier)] = known
        return known[1]

    def _read_ends(self) -> dict[str, int]:
        ends: dict[str, int] = {}
        for segment in self._register.segments():
            with suppress(OSError):  # deleted just now: everybody has it, or it was evicted and counted
                ends[segment.name] = os.stat(self._layout.segment(segment.name)).st_size
        return ends
