"""A bounded queue of lines in memory: where events wait while the disk refuses them."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ring:
    """At most ``limit`` bytes of lines, oldest first. Its owner lets one thread at a time use it."""

    __slots__ = ("_lines", "_size", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lines: deque[bytes] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._lines)

    def put(self, line: bytes) -> int:
        """Add a line; how many of the oldest had to go for it."""
        size = len(line)  # by itself, here and below: a signal handler that tracks comes between a sum and a call in it
        if not self._lines:
            self._size = 0  # an exception of a signal handler's may have cut the last change short
        self._lines.append(line)
        self._size += size
        return self._shrink()

    def _shrink(self) -> int:
        dropped = 0
        while self._size > self.limit and self._lines:
            self.drop_oldest()
            dropped += 1
        return dropped

    def put_first(self, lines: list[bytes]) -> int:
        """Add lines that are older than all that are here; how many of the oldest there was no room for."""
        size = sum(map(len, lines))
        self._lines.extendleft(reversed(lines))
        self._size += size
        return self._shrink()

    def oldest(self) -> bytes | None:
        """The line that has waited longest."""
        return self._lines[0] if self._lines else None

    def first(self, count: int) -> list[bytes]:
        """Those that have waited longest, oldest first."""
        return list(islice(self._lines, count))

    def drop_oldest(self, line: bytes | None = None) -> None:
        """Take it out; with ``line``, only if it is that very one, and did not have to go for another meanwhile."""
        oldest = self._lines[0] if line is None else line
        size = len(oldest)
        if self._lines and self._lines[0] is oldest:
            self._size -= size
            self._lines.popleft()

    def clear(self) -> None:
        """Take everything out."""
        self._lines.clear()
        self._size = 0
