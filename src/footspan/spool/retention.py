"""Retention: segments are deleted once every destination has them, once they are too old, or to keep the size."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from footspan import _guard
from footspan.spool import counters, files, locks
from footspan.spool.leftovers import Leftovers
from footspan.spool.reading import line_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.spool.layout import Layout
    from footspan.spool.locks import RecordLock
    from footspan.spool.pipelines import Pipelines
    from footspan.spool.register import Register
    from footspan.spool.segments import Segment


@dataclass(slots=True)
class _Found:
    """A segment as it was found."""

    segment: Segment
    size: int
    mtime: float
    followed: bool


class Retention:
    """Tidies one spool up. Every process that uses it may do so at the same time.

    Args:
        layout: The spool.
        register: Its figures.
        pipelines: The destinations of each segment.
        max_bytes: Size of all segments at which the oldest ones go.
        max_age: Seconds after its last change at which a segment goes.
        quiet: Seconds without a change after which nobody is still writing to a segment that has a successor.
        count: Adds to a counter.

    Attributes:
        evicted: Events that this process deleted undelivered: by destination id, by reason.
    """

    def __init__(
        self,
        layout: Layout,
        register: Register,
        pipelines: Pipelines,
        *,
        max_bytes: int,
        max_age: float,
        quiet: float,
        count: Callable[[str, int], None],
    ) -> None:
        self._layout = layout
        self._register = register
        self._pipelines = pipelines
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._quiet = quiet
        self._count = count
        self._evicting = False
        self._leftovers = Leftovers(layout)
        self.evicted: dict[str, dict[str, int]] = {}

    def tidy(self) -> bool:
        """Delete what can be deleted.

        Returns:
            Whether the spool is within its size.

        Raises:
            OSError: The folder cannot be read or changed.
        """
        try:
            found = self._find()
        except FileNotFoundError:  # deleted under our feet; whoever appends next makes it again
            return True
        kept = [entry for entry in found if not self._is_finished(entry)]
        kept.sort(key=lambda entry: entry.mtime)
        now, total, before = time.time(), sum(entry.size for entry in kept), self._lost_so_far()
        for entry in kept:
            old = now - entry.mtime > self._max_age
            if (not old and total <= self._max_bytes) or not entry.size:
                continue
            with suppress(BlockingIOError):  # the record of evictions is in use: next time
                if self._evict(entry, "max_age" if old else "max_bytes"):
                    total -= entry.size
        self._tell(self._lost_so_far() > before, total)
        self._tidy_writers()
        self._leftovers.tidy()
        self._register.compact_evictions()
        return total <= self._max_bytes

    def _find(self) -> list[_Found]:
        found = []
        listing = self._register.listing()
        latest = listing.latest()
        for segment in listing.segments:
            with suppress(FileNotFoundError):
                state = os.stat(self._layout.segment(segment.name))
                followed = latest[segment.owner] != segment
                found.append(_Found(segment, state.st_size, state.st_mtime, followed))
        return found

    def _is_finished(self, entry: _Found) -> bool:
        """Delete a segment if it is finished; one that cannot be seen to holds up no other."""
        try:
            return self._delete_finished(entry)
        except OSError as error:
            _guard.report("deletion of a segment", error)
            return False

    def _delete_finished(self, entry: _Found) -> bool:
        """Delete a segment that nobody writes to and everybody has."""
        if time.time() - entry.mtime < self._quiet:
            return False
        acknowledged = self._register.acknowledged(entry.segment)
        if entry.size and (acknowledged is None or acknowledged < entry.size):
            if not entry.followed and self._is_torn(entry):
                return self._delete_torn(entry, acknowledged)
            return False
        if entry.followed:
            return self._delete(entry.segment)
        lock = self._orphan(entry) if self._is_alone(entry.segment) else None
        if lock is None:
            return False
        try:
            # Its writer may have gone on until it let go.
            path = self._layout.segment(entry.segment.name)
            return os.stat(path).st_size == entry.size and self._delete(entry.segment)
        finally:
            self._finish(entry.segment.owner, lock)

    def _delete_torn(self, entry: _Found, acknowledged: int | None) -> bool:
        """End a torn line, so that readers get past it. Without room for that, delete it if nothing else is left."""
        path = self._layout.segment(entry.segment.name)
        try:
            lock = self._orphan(entry)
            if lock is not None:
                lock.release()
        except OSError:
            if acknowledged is None or acknowledged < line_start(path, entry.size) or not self._is_alone(entry.segment):
                raise
            lock = locks.acquire(self._layout.writer_lock(entry.segment.owner))
            if lock is not None:
                try:
                    self._count("torn", 1)
                    return os.stat(path).st_size == entry.size and self._delete(entry.segment)
                finally:
                    self._finish(entry.segment.owner, lock)
        return False

    def _evict(self, entry: _Found, reason: str) -> bool:
        """Delete a segment that somebody does not have, and say how much was lost; whether it could be."""
        lock = None
        if not entry.followed:
            lock = self._orphan(entry) if self._is_alone(entry.segment) else None
            if lock is None:
                return False
        try:
            lost, taken = self._lost(entry.segment)
            with self._register.evictions.held():
                if not os.path.exists(self._layout.segment(entry.segment.name)):  # another process was quicker
                    return True
                self._register.evictions.write(entry.segment.name, reason, lost, taken)
            deleted = files.discard(self._layout.segment(entry.segment.name))
            self._register.forget(entry.segment)
            for identifier, count in lost.items() if deleted else ():  # else another process did, and counts
                mine = self.evicted.setdefault(identifier, {})
                mine[reason] = mine.get(reason, 0) + count
            return True
        finally:
            if lock is not None:
                self._finish(entry.segment.owner, lock)

    def _lost(self, segment: Segment) -> tuple[dict[str, int], dict[str, int]]:
        """What each destination would still get (not what is under way just now), and all that it takes."""
        lost, taken = {}, {}
        for identifier in {target.id for target in self._pipelines.targets(segment.fingerprint) or ()}:
            fold = self._register.fold(identifier)
            waiting = self._register.waiting_in(segment, identifier, fold)
            under_way = sum(r.events for pending in fold.pending for r in pending.ranges if r.segment == segment.name)
            lost[identifier] = max(0, waiting - under_way)
            with suppress(FileNotFoundError):
                taken[identifier] = self._register.taken(segment, identifier)
        return lost, taken

    def _delete(self, segment: Segment) -> bool:
        files.discard(self._layout.segment(segment.name))
        self._register.forget(segment)
        return True

    def _is_alone(self, segment: Segment) -> bool:
        """Whether its writer has no other. The last one goes last: else a successor would give its name again."""
        return all(s.owner != segment.owner or s == segment for s in self._register.listing().segments)

    def _is_torn(self, entry: _Found) -> bool:
        try:
            return files.read_at(self._layout.segment(entry.segment.name), entry.size - 1, 1) != b"\n"
        except FileNotFoundError:
            return False

    def _orphan(self, entry: _Found) -> RecordLock | None:
        """The lock of a segment whose writer is gone; a torn end is made whole, so that readers get past it."""
        lock = locks.acquire(self._layout.writer_lock(entry.segment.owner))
        if lock is not None:
            try:
                descriptor = files.open_file(self._layout.segment(entry.segment.name), os.O_RDWR | os.O_APPEND)
                try:
                    if files.end_torn_line(descriptor):
                        self._count("torn", 1)
                finally:
                    files.close(descriptor)
            except FileNotFoundError:
                pass
            except BaseException:
                lock.release()
                raise
        return lock

    def _finish(self, owner: str, lock: RecordLock) -> None:
        """Let a writer's lock go; with the last segment the writer ends for good, so that no name comes back."""
        try:
            last = owner not in {segment.owner for segment in self._register.listing().segments}
            if last:
                counters.retire(self._layout, owner, self._layout.writer_counters(owner))
        except BaseException:
            lock.release()
            raise
        lock.release(delete=last)

    def _tidy_writers(self) -> None:
        """End the writers that died before their first segment or after their last."""
        listing = self._register.listing()
        idle = listing.owners - listing.latest().keys()
        for owner in idle:
            path = self._layout.writer_lock(owner)
            with suppress(FileNotFoundError):
                if time.time() - os.stat(path).st_mtime >= self._quiet:
                    lock = locks.acquire(path, create=False)
                    if lock is not None:
                        self._finish(owner, lock)

    def _lost_so_far(self) -> int:
        """How many events this process deleted undelivered; those with nothing in them for anybody do not count."""
        return sum(sum(reasons.values()) for reasons in self.evicted.values())

    def _tell(self, evicted: bool, total: int) -> None:  # noqa: FBT001 - a state
        """Say when it begins; it has ended once there is room for a while."""
        if evicted and not self._evicting:
            _guard.logger.warning(
                "footspan: undelivered events were deleted from %s to keep max_age or max_bytes; "
                "evictions.jsonl there says how many",
                self._layout.root,
            )
        self._evicting = evicted or (self._evicting and total > self._max_bytes // 2)
