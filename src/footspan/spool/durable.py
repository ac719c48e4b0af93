"""The writer of ``durability: disk``: a line whose ``append`` has returned is on the medium."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan.spool import files
from footspan.spool.group_commit import GroupCommit
from footspan.spool.numbers import is_foreign
from footspan.spool.writer import Writer

if TYPE_CHECKING:
    from footspan.spool.adoption import Place
    from footspan.spool.segments import Segment

AT_ONCE: Final = 256
"""Lines that share a sync on their way from memory back to the disk."""

_mark = _platform.fork_mark


class DurableWriter(Writer):
    """Appends as :class:`Writer` does, and waits until the line is on the medium.

    Names are synced as well: a segment's before anything is written to it, and once those of the folders above it.
    After a sync that failed its segment is left, and the lines that it was for are written again to a new one: they
    may arrive twice.
    """

    sync = True

    def __init__(self, *args: Any, **options: Any) -> None:
        self._commit: GroupCommit | None = None
        super().__init__(*args, **options)

    def append(self, line: bytes) -> None:
        """Keep one line (newline included). Never raises."""
        if not _mark[0]:
            _platform.after_fork()
        commit = self._commit
        if commit is None or self._fd < 0:
            self._append_slowly(line)
            return
        torn = commit.torn
        try:
            written = files.write(-1 if is_foreign(commit.descriptor) else commit.descriptor, line)
            if written != len(line):
                self._counters.add("short_write")
        except OSError:
            written = 0
        if written != len(line):
            commit.torn += 1
            self._leave_quick_way(torn=True)
            if written != len(line) - 1:
                self._append_slowly(line)
                return
            self.try_again(now=True)
            torn = commit.torn
        if not self._settled(commit) or commit.torn != torn:
            self._append_slowly(line)
            return
        self._room -= written
        if self._room < 0:
            self._rotate()

    def _settled(self, commit: GroupCommit | None) -> bool:
        """Whether a line written under a segment's descriptor is safe, in that segment or one that took its place."""
        while commit is not None:
            if not commit.settle():
                self._distrust(commit)
                return False
            commit = commit.following
        return True

    def _distrust(self, commit: GroupCommit) -> None:
        """Never append to a segment again."""
        _guard.warn_once("sync", "footspan: a segment could not be synced: its last events are written to a new one")
        with self._lock:
            self._distrusted.add(os.path.basename(commit.path).partition(".")[0])
            if self._commit is commit:
                self._abandon()

    def _drain(self, place: Place) -> None:
        """Write what waits, oldest first; one sync for many lines, but for one alone while the disk is in doubt."""
        commit = self._commit
        assert commit is not None
        count = 1 if self._failing else AT_ONCE
        while self._ring:
            written: list[bytes] = []
            try:
                for line in self._ring.first(count):
                    self._write_waiting(place, line)
                    written.append(line)
            finally:
                if written:
                    self._sync_waiting(commit, written)
            count = AT_ONCE

    def _sync_waiting(self, commit: GroupCommit, written: list[bytes]) -> None:
        if not commit.settle():
            self._distrust(commit)
            raise OSError("a segment could not be synced")
        for line in written:
            self._ring.drop_oldest(line)

    def _open(self) -> Place:
        former, commit = self._place, self._commit
        if former is not None and commit is not None and not former.intact(commit.path):
            commit.left = True  # before what it still holds is read: what comes later is written again
        place = super()._open()
        if self._commit is None:
            files.sync_directory(self._layout.events)  # the writer before us may have had no need to
            self._commit = GroupCommit(place.descriptor, self._layout.segment(place.segment.name))
        return place

    def _move(self, place: Place, descriptor: int, following: Segment) -> None:
        commit = self._commit
        assert commit is not None
        successor = GroupCommit(place.descriptor, self._layout.segment(following.name))
        commit.following = successor  # before it is true: see there
        try:
            super()._move(place, descriptor, following)
        except BaseException:
            commit.following = None
            raise
        self._commit = successor

    def _abandon(self) -> None:
        with self._lock:
            if self._commit is not None:
                self._commit.left = True
                self._commit = None
            super()._abandon()

    def _forked(self) -> None:
        self._commit = None
        super()._forked()
