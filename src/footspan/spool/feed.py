"""A destination's view of the spool on disk, for whoever holds the destination's lock."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from footspan import _platform
from footspan._guard import report
from footspan.spool import files, hurry, locks, sidefiles
from footspan.spool import journal as ops
from footspan.spool.base import Range, Tally
from footspan.spool.blank import FORGOTTEN
from footspan.spool.cut import Cut
from footspan.spool.heartbeat import Heartbeat
from footspan.spool.journal import Journal
from footspan.spool.merging import Merge
from footspan.spool.parting import part
from footspan.spool.segments import Watch, parse
from footspan.spool.sight import Sight

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Batch, Target
    from footspan.spool.journal import Fold, JournalView
    from footspan.spool.layout import Layout
    from footspan.spool.locks import RecordLock
    from footspan.spool.pipelines import Pipelines
    from footspan.spool.segments import Listing
    from footspan.spool.sight import Item

QUIET = 5.0
"""Seconds without a change after which nobody is still writing to a segment that has a successor."""

_LOCK_CHECK = 1.0


class DiskFeed:
    """What one destination does not have yet, of every segment whose pipeline names it.

    Used by one thread at a time. Holds no descriptor of a segment, and of each only a block in memory.

    Args:
        layout: The spool.
        target: The destination.
        lock: Its lock, held.
        pipelines: The destinations of each segment.
        accepts: Whether a destination takes an event.
        count: Adds to a counter.
        waiting: How many events a destination has not acknowledged.
        evicted: Whether a segment was deleted before everybody had it.
        quiet: See :data:`QUIET`.
        known: What an earlier feed of the destination knew of the journal.
    """

    def __init__(  # noqa: PLR0913 - what it reads and whom it asks, each once
        self,
        layout: Layout,
        target: Target,
        lock: RecordLock,
        pipelines: Pipelines,
        accepts: Callable[[Target, LogLine], bool],
        *,
        count: Callable[..., None],
        waiting: Callable[[str, Fold], int],
        evicted: Callable[[str], bool] = lambda _: False,
        quiet: float = QUIET,
        known: JournalView | None = None,
    ) -> None:
        self._layout = layout
        self._id = target.id
        self._lock = lock
        self._pipelines = pipelines
        self._accepts = accepts
        self._count = count
        self._waiting = waiting
        self._evicted = evicted
        self._quiet = quiet
        self._path = layout.destination(target.id)
        self._watch = Watch(layout.events)
        self._quarantine = sidefiles.Quarantine(layout, count)
        self._heartbeat = Heartbeat(f"{self._path}/state.json", target)
        self._closed = False
        self._lock_checked = time.monotonic()
        self._reset(known)
        _platform.on_fork(self._forked)

    def _reset(self, known: JournalView | None = None) -> None:
        self._journal = Journal(f"{self._path}/cursor.jsonl", counted=self._evicted, known=known)
        self._merge = Merge(self._layout, self._journal, self._sight, self._quiet)
        self._listing: Listing | None = None
        self._there: set[str] = set()
        self._batch: Batch | None = None
        self._unreadable = 0
        self._ahead: tuple[Cut, int, int] | None = None
        self._past_batch = False  # what is read next stands behind the batch under way

    @property
    def fold(self) -> Fold:
        """What the journal adds up to."""
        return self._journal.fold

    @property
    def open(self) -> bool:
        """Whether the destination is still ours."""
        return not self._closed and self._lock.held

    @property
    def roots(self) -> tuple[str, ...]:
        """The spools whose lists say what may not be sent."""
        return (self._layout.root,)

    # -- taking --------------------------------------------------------------------------------------------------------

    def take(self, max_items: int, max_bytes: int) -> Batch | None:
        """The next unacknowledged events, or ``None`` when all is acknowledged. The same until ``done``.

        A line of a foreign writer that holds more events than ``max_items`` comes as one batch.

        Raises:
            OSError: The spool cannot be read.
        """
        if self._batch is not None:
            return self._batch
        if not self._still_ours() or not self._refresh():
            return None
        try:
            while self.fold.pending:
                self._past_batch = False  # they were looked up, one by one
                batch = self._doubtful(Cut(max_items, max_bytes))
                if batch is not None:
                    return batch
            while True:
                cut = self._read_before(max_items, max_bytes)
                if cut is None:
                    cut = self._merge.fill(Cut(max_items, max_bytes, self._heartbeat.touch))
                self._past_batch = True
                batch = self._hand_out(cut)
                if batch is not None or cut.empty:
                    return batch
        except BaseException:
            self._begin_again()
            raise

    def prepare(self, max_items: int, max_bytes: int) -> None:
        """Read the batch after the one under way, for ``take`` to have it at hand once that one is done.

        Only a full one is kept: one that is not may grow until then. It is in no journal before it is taken.

        Raises:
            OSError: The spool cannot be read.
        """
        if self._batch is None or not self._past_batch or self._ahead is not None or not self._merge.steady:
            return
        try:
            cut = self._merge.fill(Cut(max_items, max_bytes, self._heartbeat.touch))
        except BaseException:
            self._begin_again()
            raise
        if cut.full and self._merge.steady:
            self._ahead = cut, max_items, max_bytes
        elif not cut.empty:
            self._begin_again()

    def _read_before(self, max_items: int, max_bytes: int) -> Cut | None:
        """What ``prepare`` read, if it is still what is to be taken now."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        cut, items, size = ahead
        if items <= max_items and size <= max_bytes and all(name in self._there for name in cut.segments):
            return cut
        self._begin_again()
        return None

    def _begin_again(self) -> None:
        """Read from the cursors on: nothing read so far may be passed over."""
        self._ahead = None
        self._past_batch = False
        self._merge.again()

    def _sight(self, fingerprint: str) -> Sight:
        return Sight(self._pipelines.of(fingerprint, self._id), self._accepts)

    def _doubtful(self, cut: Cut) -> Batch | None:
        """What was being sent when a carrier died, alone; ``None`` when none of it is left to send."""
        pending = self.fold.pending[0]
        lost: list[Range] = []
        full = False
        for r in pending.ranges:
            items = self._items(r)
            if items is None:
                lost.append(r)
            for item in items or ():
                full = full or not cut.take(r.segment, item)
        if lost:  # while nobody carried; the record of evictions counts those it names
            deleted = sum(r.events for r in lost if not self._evicted(r.segment))
            ranges = [Range(r.segment, r.start, r.end) for r in lost]
            tally = Tally(refused={"evicted": deleted} if deleted else {})
            self._journal.write(ops.done(ranges, tally), *map(self._gone, {r.segment for r in lost}))
        batch = self._hand_out(cut, ambiguous=True)
        if batch is None and not lost and self.fold.pending[:1] == [pending]:
            self._journal.write(ops.kept(pending.ranges))  # the segment was cut short: nothing of it is left
        return batch

    def _hand_out(self, cut: Cut, *, ambiguous: bool = False) -> Batch | None:
        batch = cut.batch(ambiguous=ambiguous)
        unreadable = 0
        for segment, offset, garbage in cut.garbage:
            unreadable += 1
            try:
                if self._quarantine.keep(segment, offset, garbage):
                    self._count("unreadable")
            except OSError as error:
                report("quarantine", error)
        if batch.events:
            self._batch, self._unreadable = batch, unreadable
            return batch
        if batch.ranges:
            self._journal.write(ops.done(batch.ranges, Tally(skipped=batch.skipped), unreadable))
        return None

    def _items(self, r: Range) -> list[Item] | None:
        """The lines of a range; ``None`` when its segment is gone."""
        segment = parse(r.segment)
        if segment is None:
            return None
        try:
            return list(self._sight(segment.fingerprint).items(self._layout.segment(r.segment), r.start, r.end))
        except FileNotFoundError:
            return None

    def _gone(self, name: str) -> dict[str, Any]:
        """Forget a cursor. What was dealt with of an evicted segment is needed to tell how much of it was lost."""
        return ops.gone(name, self.fold.dealt_with(name) if self._evicted(name) else 0)

    def _refresh(self) -> bool:
        """See which segments there are; whether that could be seen."""
        try:
            listing = self._watch.listing()
        except FileNotFoundError:  # the folder was deleted: whoever appends next makes it again
            return False
        unknown = [s for s in listing.segments if self._pipelines.targets(s.fingerprint) is None]
        if listing is not self._listing or unknown:
            self._merge.segments = [s for s in listing.segments if self._pipelines.of(s.fingerprint, self._id)]
            self._there = {segment.name for segment in listing.segments}
            gone = [name for name in self.fold.cursors if name not in self._there]
            if gone:
                self._journal.write(*map(self._gone, gone))
            for name in gone:
                self._merge.forget(name)
                self._quarantine.forget(name)
            self._listing = None if unknown else listing
        return True

    # -- what became of it ---------------------------------------------------------------------------------------------

    def sending(self, batch: Batch) -> None:
        """Journal that a request with this batch is about to leave."""
        self._journal.write(ops.sending(batch.ranges, len(batch.events)))

    def kept(self, batch: Batch) -> None:
        """Journal that the request certainly stored nothing, so that a successor need not take it for ambiguous.

        A batch that was ambiguous before stays so: this says nothing of the request in which its carrier died.
        """
        if not batch.ambiguous:
            self._journal.write(ops.kept(batch.ranges))

    def done(self, batch: Batch, tally: Tally) -> None:
        """Journal the outcome and move the cursor past the batch."""
        figures = Tally(tally.delivered, max(tally.skipped, batch.skipped), tally.redacted, tally.refused)
        unreadable, self._unreadable = (self._unreadable, 0) if batch is self._batch else (0, self._unreadable)
        self._journal.write(ops.done(batch.ranges, figures, unreadable))
        if batch is self._batch:
            self._batch = None
        if not all(r.segment in self._there for r in batch.ranges):
            self._listing = None  # deleted meanwhile: its cursor can go

    def settle(
        self, batch: Batch, left: Sequence[LogLine], tally: Tally, unsure: Container[bytes] = frozenset()
    ) -> bool:
        """Journal a part of a batch as done and let the rest be cut anew; whether that could be done.

        What may have arrived stays announced: whoever carries next has it alone, and knows.
        """
        parts = part(batch, left, unsure, self._items) if batch is self._batch else None
        if parts is None:
            return False
        refused = dict(tally.refused)
        if parts.forgotten:  # since the batch was taken
            refused[FORGOTTEN] = refused.get(FORGOTTEN, 0) + parts.forgotten
        figures = Tally(tally.delivered, batch.skipped - parts.skipped, tally.redacted, refused)
        self._journal.write(ops.done(parts.done, figures, self._unreadable), ops.kept(parts.untouched))
        self._batch, self._unreadable = None, 0
        self._begin_again()  # it is past what goes back
        return True

    def waiting(self) -> int:
        """How many events the destination takes and does not have yet."""
        return self._waiting(self._id, self.fold)

    def reject(self, event: LogLine, reason: str, status: int | None = None) -> None:
        """Keep an event that the destination will never take, with the reason.

        Raises:
            OSError: It cannot be written.
        """
        sidefiles.reject(self._layout, self._id, event.line, reason, status)

    # -- holding it ----------------------------------------------------------------------------------------------------

    def beat(self, state: str, reason: str = "") -> None:
        """Say that the carrier lives and what it is doing (``idle``, ``sending``, ``waiting``, ``parked``)."""
        if self.open:
            self._heartbeat.beat(state, reason)

    def asked(self, seconds: float) -> None:
        """The destination wants no request for so long: whoever carries next must know."""
        self._heartbeat.asked(seconds)

    def asked_for(self) -> float:
        """Seconds for which the destination wants no request yet, whichever carrier it told; an hour at the most."""
        return self._heartbeat.asked_for()

    def hurried(self) -> float:
        """For how many more seconds a ``flush`` in another process asks us to cut our pauses short."""
        return hurry.asked(self._path)

    def close(self) -> None:
        """Give the destination up, so that another carrier can have it."""
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):
            if self._lock.held:
                self._heartbeat.beat("closed")
        self._journal.close()
        self._lock.release()
        self._begin_again()
        self._batch = None

    @property
    def known(self) -> JournalView | None:
        """What the journal is known to hold, for the next feed; only once this one is closed."""
        return self._journal.known if self._closed else None

    def _still_ours(self) -> bool:
        """Whether our lock still excludes others. Where its file was deleted, a new one is taken if it is free."""
        if self._closed:
            return False
        if time.monotonic() - self._lock_checked < _LOCK_CHECK and self._lock.held:
            return True
        self._lock_checked = time.monotonic()
        if self._lock.valid():
            return True
        self._lock.release()
        self._layout.prepare()
        files.own_directory(self._path)
        lock = locks.acquire(self._lock.path)
        if lock is None:
            return False
        self._lock = lock
        self._journal.close()
        self._reset()
        return True

    def _forked(self) -> None:
        """The parent's carrier goes on; a child's begins with a feed of its own."""
        self._closed = True
        self._journal.forked()
