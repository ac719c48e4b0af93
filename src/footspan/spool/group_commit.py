"""Group commit: threads that wait for the same medium share its syncs.

A sync makes durable whatever was written before it began. So whoever has written a line joins the round that the next
sync closes; if none runs, they begin it themselves and at once. There is no thread for this and no timed delay: alone,
a thread pays for one sync a line; together, for one sync after the other, however many they are.
"""

from __future__ import annotations

import contextlib
from threading import Lock, get_ident
from typing import Final

from footspan.spool import files

PATIENCE: Final = 1.0
"""Seconds without a sign after which whoever leads is taken to be gone: cut short by an exception from a signal
handler between two instructions, or left behind by a fork. If it is only slow, two leaders do no harm."""


class _Round:
    """Those whose lines one sync covers.

    Attributes:
        kept: ``None`` until that sync has ended; then whether it succeeded.
        gate: Closed until then. Whoever passes it opens it for the next.
    """

    __slots__ = ("gate", "kept")

    def __init__(self) -> None:
        self.kept: bool | None = None
        self.gate = Lock()
        self.gate.acquire()

    def open(self) -> None:
        """Let one of those who wait go on."""
        with contextlib.suppress(RuntimeError):  # it is open
            self.gate.release()


class GroupCommit:
    """The syncs of one segment.

    Args:
        descriptor: The number that the segment is open under, for as long as it is the current one.
        path: Its file.

    Attributes:
        following: The segment that takes this one's place under the descriptor. Set before it does, so that ``None``
            before and after an operation on the descriptor says that the operation was on this file.
        left: The descriptor is about to be closed. Set before it is.
        torn: How often a part of a line was left in the file: a line written right after it may be lost in it.
    """

    __slots__ = ("_failed", "_leader", "_leading", "_round", "descriptor", "following", "left", "path", "torn")

    def __init__(self, descriptor: int, path: str) -> None:
        self.descriptor = descriptor
        self.path = path
        self.following: GroupCommit | None = None
        self.left = False
        self.torn = 0
        self._round = _Round()
        self._leading = Lock()
        self._leader = 0
        self._failed = False

    def settle(self) -> bool:
        """Wait until all that this thread wrote to the segment is on the medium.

        Returns:
            False when a sync failed: from then on what the file holds is not to be trusted, whatever a later sync says,
            since the kernel may have dropped the pages and taken them for clean.
        """
        joined = self._round
        while joined.kept is None:
            if self._leader == get_ident():
                return self._sync()  # we are a signal handler or a finaliser in the middle of our own sync
            leading = self._leading
            if leading.acquire(blocking=False):
                try:
                    self._lead(joined)
                finally:
                    leading.release()
                    self._round.open()  # one of those who came meanwhile leads the next
            elif not joined.gate.acquire(timeout=PATIENCE) and self._leading is leading:
                self._leading = Lock()
        joined.open()
        return joined.kept

    def _lead(self, joined: _Round) -> None:
        self._leader = get_ident()
        closing = self._round
        try:
            if joined.kept is None:
                self._round = _Round()  # whoever writes from here on may come too late for this sync
                closing.kept = joined.kept = self._sync()
        finally:
            self._leader = 0
            closing.open()
            joined.open()

    def _sync(self) -> bool:
        if self._failed:
            return False
        try:
            if self._current:
                files.sync_data(self.descriptor)
                if self._current:
                    return True
            try:
                files.sync_file(self.path)
            except FileNotFoundError:
                # A segment with a successor is deleted once everybody has it. Any other was deleted behind our back.
                return not self.left
        except OSError:
            self._failed = True
            return False
        return True

    @property
    def _current(self) -> bool:
        """Whether the descriptor leads to this segment."""
        return self.following is None and not self.left
