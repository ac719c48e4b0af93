"""The writer: one whole line, one ``write()``, before ``append`` returns.

The quick way is a handful of instructions round that call: no lock is held across it, and threads share one
``O_APPEND`` descriptor, whose writes the kernel does not mix. Everything that is not quick (opening, a disk that
refuses, what waits in memory for it) happens under one lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from typing import TYPE_CHECKING

from footspan import _guard, _platform
from footspan.spool import adoption, files, numbers
from footspan.spool.keeping import LONG, Keeper
from footspan.spool.numbers import is_foreign
from footspan.spool.reading import line_start
from footspan.spool.rescue import rescue
from footspan.spool.ring import Ring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.spool.adoption import Place
    from footspan.spool.base import Target
    from footspan.spool.counters import Counters
    from footspan.spool.layout import Layout
    from footspan.spool.pipelines import Pipelines
    from footspan.spool.segments import Segment

SEGMENT_BYTES = 16 * 1024 * 1024
RING_BYTES = 8 * 1024 * 1024
RETRY = 1.0
"""Seconds between two attempts on a disk that refuses."""

_mark = _platform.fork_mark
_clock = time.monotonic


class Writer:
    """Appends to one segment after the other, as the only one who does.

    Opens nothing before the first event, so that a process that only forks others holds no segment. A forked child
    opens its own.

    Args:
        layout: The spool.
        pipelines: Where the set of destinations is written down.
        targets: The destinations of what is appended here.
        counters: Where losses are counted.
        segment_bytes: The size at which a segment is full.
        ring_bytes: How much waits in memory while the disk refuses.
        acked: The offset up to which every destination has a segment.
    """

    sync = False
    """Whether names must be on the medium before anything is written under them."""

    def __init__(
        self,
        layout: Layout,
        pipelines: Pipelines,
        targets: Sequence[Target],
        counters: Counters,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        ring_bytes: int = RING_BYTES,
        acked: Callable[[str], int] = lambda _: 0,
    ) -> None:
        self._layout = layout
        self._pipelines = pipelines
        self._targets = tuple(targets)
        self._counters = counters
        self._segment_bytes = segment_bytes
        self._acked = acked
        self._lock = _guard.QuietLock()
        self._working = False
        self._fd = -1  # where the quick way writes; -1 sends it the slow way
        self._room = 0
        self._place: Place | None = None
        self._torn = False  # a failed write may have left a part of a line
        self._failing = False
        self._next_try = 0.0
        self._ring = Ring(ring_bytes)
        self._keeper = Keeper(layout.events)
        self._distrusted: set[str] = set()  # segments that nothing may be appended to again
        _platform.on_fork(self._forked)

    # -- appending -----------------------------------------------------------------------------------------------------

    def append(self, line: bytes) -> None:
        """Keep one line (newline included). Never raises."""
        if not _mark[0]:
            _platform.after_fork()
        fd = self._fd
        if fd < 0:
            self._append_slowly(line)
            return
        keeper = self._keeper
        keeping = keeper.write
        before = _clock()
        try:
            if is_foreign(fd):
                fd = -1  # an error, as if it was still closed
            written = files.write(fd, line) if keeping is None else keeping(fd, line, len(line))
            if written != len(line):
                if written >= 0:
                    self._counters.add("short_write")
                self._leave_quick_way(torn=True)
                if written == len(line) - 1:
                    self.try_again(now=True)
                else:
                    self._append_slowly(line)
                return
        except OSError:
            # Tried once more at once: a descriptor that was closed behind our back is no reason to wait.
            self._leave_quick_way(torn=True)
            self._append_slowly(line)
            return
        after = _clock()
        if after - before > LONG or (keeping is not None and (keeper.stalls or after > keeper.until)):
            keeper.took(after - before)
        self._room -= written
        if self._room < 0:
            self._rotate()

    def _append_slowly(self, line: bytes) -> None:
        with self._lock:
            dropped = self._ring.put(line)
            if dropped:
                self._counters.add("overflow", dropped)
            if not self._working:  # else we interrupted ourselves: whoever works takes the line along
                self._work()
        _guard.say_kept()

    def _work(self) -> None:
        """Open what must be opened, write what waits in memory, return to the quick way. The lock is held."""
        if time.monotonic() < self._next_try:
            return
        self._working = True
        try:
            while True:
                place = self._open()
                self._drain(place)
                numbers.take(place.descriptor, self)
                self._fd = place.descriptor
                if not self._ring:
                    break
            if self._failing:
                self._failing = False
                _guard.logger.warning("footspan: the spool can be written again (%s)", self._layout.root)
        except OSError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - an event must never cost the host anything
            self._fail(error)
            _guard.report("append", error)
        finally:
            self._working = False

    def leave_number(self, descriptor: int) -> None:
        """Write under this number no more, by the quick way: another writer has it."""
        if self._fd == descriptor:
            self._fd = -1

    def _drain(self, place: Place) -> None:
        """Write what waits, oldest first. A line break before it ends what a failed write left."""
        while (line := self._ring.oldest()) is not None:
            self._write_waiting(place, line)
            self._ring.drop_oldest(line)
        if self._torn:
            self._write_waiting(place, b"")

    def _write_waiting(self, place: Place, line: bytes) -> None:
        """Write a line, or only the newline that the one before it lacks. One that lacks no more is not repeated."""
        data = b"\n" + line if self._torn else line
        self._torn = True
        written = files.write(place.descriptor, data)
        self._room -= written
        if written != len(data):
            self._counters.add("short_write")
        if written < len(data) - bool(line):
            raise OSError(errno.ENOSPC, "a part of a line was written")
        self._torn = written < len(data)

    # -- opening, rotating, closing ------------------------------------------------------------------------------------

    def open(self) -> None:
        """Have a segment, if that is possible now."""
        if self._place is None:
            with self._lock:
                if not self._working:
                    self._work()

    def _open(self) -> Place:
        """The segment we have, if it is still good, else one to begin in."""
        former = self._place
        if former is not None and former.intact(self._layout.segment(former.segment.name)):
            return former
        self._layout.prepare(sync=self.sync)
        fingerprint = self._pipelines.write(self._targets, sync=self.sync)
        place = adoption.open_place(
            self._layout, fingerprint, self._segment_bytes, sync=self.sync, avoid=self._distrusted
        )
        rescued = [] if former is None else self._rescue(former, place)
        self._abandon()
        self._place, self._torn = place, False
        self._room = self._segment_bytes - place.size
        try:
            self._counters.attach(self._layout.writer_counters(place.segment.owner))
            born = self._counters.header.born if place.size else 0
            self._counters.mark(_platform.boot_id(), born or time.time_ns())
        except OSError as error:  # counts are worth less than events
            _guard.report("opening of counters", error)
        if place.torn:
            self._counters.add("torn", place.torn)
        if rescued is None:
            self._counters.add("unreadable")
        dropped = self._ring.put_first(rescued or [])
        if dropped:
            self._counters.add("overflow", dropped)
        return place

    def _rescue(self, former: Place, place: Place) -> list[bytes] | None:
        """What a deleted segment still held for somebody; ``None`` where it is given up.

        Raises:
            OSError: It could not be read, and this is the first time. After the next, events that wait go before.
        """
        try:
            return rescue(former, self._acked)
        except BaseException as error:
            if not self._failing or not isinstance(error, OSError):
                place.let_go()
                raise
            _guard.report("reading of a deleted segment", error)
            return None

    def _abandon(self) -> None:
        with self._lock:
            place, self._place, self._fd = self._place, None, -1
            if place is not None:
                self._counters.detach()
                place.let_go()

    def _rotate(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # somebody is at it; the segment may become a little larger
        try:
            if self._room < 0 and self._fd >= 0 and not self._working:
                self._advance()
        finally:
            self._lock.release()

    def _advance(self) -> None:
        """Go on in the next segment, under the same descriptor, so that no thread ever writes to a closed one."""
        place = self._place
        assert place is not None
        self._working = True
        try:
            if not place.intact(self._layout.segment(place.segment.name)):
                self._fd = -1  # the next append opens another
                return
            following = place.segment.next()
            descriptor = adoption.create(self._layout, following, sync=self.sync)
            try:
                self._move(place, descriptor, following)
            finally:
                files.close(descriptor)
            self._room = self._segment_bytes
            self._counters.mark(_platform.boot_id(), time.time_ns())
        except FileExistsError:
            self._fd = -1
            self._abandon()
        except OSError as error:
            self._room = self._segment_bytes // 16  # go on in this one for a while
            _guard.report("begin of a segment", error)
        finally:
            self._working = False

    def _move(self, place: Place, descriptor: int, following: Segment) -> None:
        files.dup2(descriptor, place.descriptor, False)
        place.segment = following
        place.refresh()

    def try_again(self, *, now: bool = False) -> None:
        """Write what waits in memory, if the disk takes it by now.

        Args:
            now: Do not wait until the next attempt is due: somebody waits for this.
        """
        if self._ring or self._failing or self._torn:
            with self._lock:
                if not self._working:
                    self._next_try = 0.0 if now else self._next_try
                    self._work()

    def maintain(self, max_age: float) -> None:
        """Try again what failed, notice what happened behind our back, and close a segment that was open too long.

        Args:
            max_age: Seconds after which a segment is closed even if it is not full, so that it can be deleted whole.
        """
        files.close_due()
        with self._lock:
            place = self._place
            if self._working:
                return
            if place is not None and not place.intact(self._layout.segment(place.segment.name)):
                self._fd = -1
                self._work()
            elif self._ring or self._failing:
                self._work()
                if self._failing:
                    self._give_up_delivered()
            elif place is not None and self._fd >= 0 and self._room < self._segment_bytes:
                age = time.time() - self._counters.header.born / 1e9
                if age > max_age:
                    self._advance()

    def _give_up_delivered(self) -> None:
        """Let a segment go that everybody has, so that it can be deleted: it may be what fills the disk."""
        place = self._place
        if place is not None and place.ours():
            path = self._layout.segment(place.segment.name)
            with contextlib.suppress(OSError):
                if 0 < line_start(path, os.stat(path).st_size) <= self._acked(place.segment.name):
                    self._abandon()

    def rotate(self) -> None:
        """Close the current segment if anything is in it."""
        with self._lock:
            if self._place is not None and self._fd >= 0 and not self._working and self._room < self._segment_bytes:
                self._advance()

    def close(self) -> None:
        """Let the segment go. What the disk would not take is lost, and counted. A later append opens again."""
        with self._lock:
            if self._ring and not self._working:
                self._next_try = 0.0
                self._work()
            if self._ring:
                self._counters.add("overflow", len(self._ring))
                self._ring.clear()
            self._abandon()
            self._next_try = 0.0

    # -- trouble -------------------------------------------------------------------------------------------------------

    def _leave_quick_way(self, *, torn: bool) -> None:
        with self._lock:
            self._fd = -1
            self._torn = self._torn or torn

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._leave_quick_way(torn=True)
            self._next_try = time.monotonic() + RETRY
            if not self._failing:
                self._failing = True
                _guard.logger.warning(
                    "footspan: the spool cannot be written (%s): events wait in memory until it can (%s)",
                    type(error).__name__,
                    self._layout.root,
                )

    def _forked(self) -> None:
        """A child has no segment; what waited in memory is its parent's."""
        self._lock = _guard.QuietLock()
        place, self._place, self._fd = self._place, None, -1
        if place is not None:
            place.forked()
        self._ring.clear()
        self._counters.forked()
        self._working = self._torn = self._failing = False
        self._next_try = 0.0

    # -- figures -------------------------------------------------------------------------------------------------------

    @property
    def segment(self) -> str | None:
        """The current segment's name."""
        place = self._place
        return None if place is None else place.segment.name

    @property
    def failing(self) -> bool:
        """Whether the disk refuses. While it does not, whatever was appended is on it."""
        return self._failing

    def buffered(self) -> list[bytes]:
        """The lines that wait in memory."""
        if not self._ring:
            return []
        with self._lock:
            return list(self._ring)
