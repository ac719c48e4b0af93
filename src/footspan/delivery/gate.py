"""A lock that greenlets may wait for, also where they replaced the threads after it was made."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

_LOOK_EVERY: Final = 0.005


class Gate:
    """A mutual exclusion that is hardly ever contended.

    Where gevent took over after this was made, two greenlets share one thread: a lock that makes the thread wait would
    keep its holder from ever going on. Waiting is therefore sleeping, which gevent knows how to do.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire(self, *, blocking: bool = True, timeout: float = -1.0) -> bool:
        """Take it, waiting at most ``timeout`` seconds (for ever when negative); whether that was possible."""
        deadline = time.monotonic() + timeout
        while not self._lock.acquire(blocking=False):
            if not blocking or (timeout >= 0 and time.monotonic() >= deadline):
                return False
            time.sleep(_LOOK_EVERY)
        return True

    def release(self) -> None:
        """Give it back."""
        self._lock.release()

    def __enter__(self) -> None:
        """Take it."""
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        """Give it back."""
        self.release()
