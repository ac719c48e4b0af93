"""One destination's segments merged by time: the oldest unread line next, however many writers there are."""

from __future__ import annotations

import heapq
import time
from operator import itemgetter
from typing import TYPE_CHECKING

from footspan._guard import report
from footspan.spool.cut import FOREVER
from footspan.spool.reels import Reel, checked_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.spool.cut import Cut
    from footspan.spool.journal import Journal
    from footspan.spool.layout import Layout
    from footspan.spool.segments import Segment
    from footspan.spool.sight import Sight

_MOST_REELS = 32
_BROKEN_PAUSE = 1.0

_Head = tuple[int, int, Reel, bool]
"""Time of the next line, place in the list of segments, the segment, whether it has a successor."""


class Merge:
    """Reads on from the cursors. Holds no descriptor of a segment, and of each only a block in memory.

    Args:
        layout: The spool.
        journal: The destination's, with its cursors.
        sight: What the destination takes of the segments of a fingerprint.
        quiet: Seconds without a change after which nobody is still writing to a segment that has a successor.

    Attributes:
        segments: What to read, sorted by writer and number.
    """

    def __init__(self, layout: Layout, journal: Journal, sight: Callable[[str], Sight], quiet: float) -> None:
        self.segments: Sequence[Segment] = []
        self._layout = layout
        self._journal = journal
        self._sight = sight
        self._quiet = quiet
        self._reels: dict[str, Reel] = {}
        self._broken: dict[str, float] = {}

    def again(self) -> None:
        """Begin at the cursors again: nothing read so far may be passed over."""
        self._reels.clear()

    def forget(self, name: str) -> None:
        """A segment is gone."""
        self._reels.pop(name, None)
        self._broken.pop(name, None)

    @property
    def steady(self) -> bool:
        """Whether every segment could be read on so far; one that could not is begun again at its cursor."""
        return not self._broken

    def fill(self, cut: Cut) -> Cut:
        """Merge the segments by time until the batch is full or nothing is left."""
        heap = self._heads()
        heapq.heapify(heap)
        while heap:
            _, number, reel, closed = heapq.heappop(heap)
            owner = self.segments[number].owner
            until = heap[0][0] if heap else FOREVER
            try:
                if not reel.run(cut, until, closed_for=self._quiet if closed else None):
                    cut.full = True
                    break
            except OSError as error:
                self._is_broken(reel.name, error)
                continue
            following = (reel.head, number, reel, closed) if reel.head is not None else self._head(number + 1, owner)
            if following is not None:
                heapq.heappush(heap, following)
        return cut

    def _heads(self) -> list[_Head]:
        """For each writer its first segment with something unread; those with the oldest events, if there are many."""
        heads: list[_Head] = []
        owner = ""
        for number, segment in enumerate(self.segments):
            if segment.owner != owner:
                owner = segment.owner
                head = self._head(number, owner)
                if head is not None:
                    heads.append(head)
        if len(heads) > _MOST_REELS:
            heads.sort(key=itemgetter(0, 1))
            for _, _, reel, _ in heads[_MOST_REELS:]:
                reel.release()
            del heads[_MOST_REELS:]
        return heads

    def _head(self, number: int, owner: str) -> _Head | None:
        """The first segment with something unread, of those of one writer from ``number`` on."""
        for at in range(number, len(self.segments)):
            segment = self.segments[at]
            if segment.owner != owner:
                break
            closed = at + 1 < len(self.segments) and self.segments[at + 1].owner == owner
            reel = self._reel(segment)
            head = None if reel is None else self._peek(reel, closed=closed)
            if reel is not None and head is not None:
                return head, at, reel, closed
        return None

    def _reel(self, segment: Segment) -> Reel | None:
        name = segment.name
        reel = self._reels.get(name)
        if reel is not None:
            return reel
        if self._broken.get(name, 0.0) > time.monotonic():
            return None
        self._broken.pop(name, None)
        path = self._layout.segment(name)
        try:
            cursor = self._journal.fold.cursor(name)
            start = checked_start(path, cursor)
            if start is not None:
                events = {"events": cursor.events} if cursor.events else {}
                self._journal.write({"op": "at", "segment": name, "offset": start, "acked": [], **events})
                cursor = self._journal.fold.cursor(name)
        except OSError as error:
            self._is_broken(name, error)
            return None
        reel = self._reels[name] = Reel(name, path, self._sight(segment.fingerprint), cursor)
        return reel

    def _peek(self, reel: Reel, *, closed: bool) -> int | None:
        try:
            return reel.peek(closed_for=self._quiet if closed else None)
        except OSError as error:
            self._is_broken(reel.name, error)
            return None

    def _is_broken(self, name: str, error: OSError) -> None:
        """One segment that cannot be read must not hold up the others."""
        self._reels.pop(name, None)
        self._broken[name] = time.monotonic() + _BROKEN_PAUSE
        if not isinstance(error, FileNotFoundError):
            report("read of a segment", error)
