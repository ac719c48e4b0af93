"""Work that is done once, however many ask for it, from wherever."""

from __future__ import annotations

import time
from threading import get_ident
from typing import Final

_POLL: Final = 0.01


class Once:
    """Lets the first who asks do the work, and has the others wait for its end.

    A signal handler that interrupts the work and asks again is told at once that it is being done.
    """

    __slots__ = ("__weakref__", "_by", "_first", "over")

    def __init__(self) -> None:
        self._first = [None]  # taken by one atomic step
        self._by = 0
        self.over = False

    def begin(self, patience: float) -> bool:
        """Whether the caller has to do the work, and to call ``end`` whatever becomes of it.

        Args:
            patience: Seconds to wait for another who is at it.
        """
        try:
            self._first.pop()
        except IndexError:
            deadline = time.monotonic() + patience
            while not self.over and self._by != get_ident() and time.monotonic() < deadline:
                time.sleep(_POLL)
            return False
        self._by = get_ident()
        return True

    def end(self) -> None:
        """The work is done, or was given up."""
        self.over = True

    def forked(self) -> None:
        """In a child: whoever was at it stayed with the parent."""
        self.over = self.over or not self._first
