"""When a write keeps the interpreter to itself.

``os.write`` lets other threads run meanwhile. A write to the page cache takes a microsecond; beside a thread that
computes, the interpreter comes back only when that thread has had its turn, which is thousands of microseconds, and as
many turns later as there are such threads. So when a write turns out to have waited, the next ones are made without
letting go: the same system call through ``ctypes``, which costs a microsecond more, so not without need.

A disk that is slow must not hold up threads that do not write to it: on file systems that live on another machine or
in another process nothing is kept, and after a few writes in a row that took long while it was, nothing is for a while.
What remains: a local file system that is frozen (for a snapshot) in the middle of a kept write stops the whole process
until it thaws, and not only the thread that writes.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from footspan.spool import files

if TYPE_CHECKING:
    from collections.abc import Callable

LONG: Final = 0.000_2
"""Seconds that no write to the page cache takes by itself."""

STALL: Final = 0.005
STALLS: Final = 3
"""So many writes in a row that kept the interpreter for so many seconds say that the disk is slow. One says nothing:
the system may have given the processor to somebody else in its middle."""

KEEP_FOR: Final = 60.0
REST_FOR: Final = 30.0


class Keeper:
    """Decides how one writer writes.

    Args:
        directory: Where it writes.

    Attributes:
        write: Writes without letting go: descriptor, bytes, their number; the number written, or -1 for an error.
            ``None`` while ``os.write`` is to be used.
        until: When to stop (``time.monotonic()`` seconds).
        stalls: How many of the last writes in a row took long while they kept the interpreter.
    """

    __slots__ = ("_directory", "_found", "_known", "_rests_until", "stalls", "until", "write")

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._found: Callable[[int, bytes, int], int] | None = None
        self._known = False
        self._rests_until = 0.0
        self.write: Callable[[int, bytes, int], int] | None = None
        self.until = 0.0
        self.stalls = 0

    def took(self, seconds: float) -> None:
        """Learn of a write that took longer than :data:`LONG`, that ``until`` is over, or what followed a stall."""
        now = monotonic()
        if self.write is not None:
            self.stalls = self.stalls + 1 if seconds > STALL else 0
            if self.stalls >= STALLS:
                self._rests_until = now + REST_FOR
            if self.stalls >= STALLS or now > self.until:
                self.write = None
                self.stalls = 0
        elif seconds > LONG and now >= self._rests_until:
            if not self._known:
                self._known = True
                self._found = files.keeping_write(self._directory)
            self.until = now + KEEP_FOR
            self.write = self._found
