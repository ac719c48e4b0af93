"""A wake-up call that may be given from anywhere: a signal handler, a finaliser, an interrupted ``track()``."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queue import SimpleQueue


class Signal:
    """What one thread waits for and any code may give.

    ``threading.Event`` holds a lock while it is set: code that interrupts it there and sets it again waits for itself
    forever. ``SimpleQueue.put`` is documented as safe to re-enter.

    To be made when its waiting thread is about to start: gevent replaces the queue's class with one of its own.
    """

    __slots__ = ("_given", "_queue")

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = queue.SimpleQueue()
        self._given = False

    def give(self) -> None:
        """Wake the waiting thread, now or when it next waits."""
        if not self._given:
            self._given = True
            self._queue.put(None)

    def wait(self, timeout: float) -> bool:
        """Wait for the call, at most ``timeout`` seconds; takes the call with it.

        Returns:
            Whether it came.
        """
        came = self._taken() or (timeout > 0.0 and self._taken(timeout))
        self._given = False  # also when none came: whoever gave it may have been interrupted before it was put
        return came

    def _taken(self, timeout: float | None = None) -> bool:
        """Take the call if it is there, or comes in time.

        CPython's queue keeps a lock that a call leaves open and the next look closes. A look with a timeout that finds
        it open goes round once more with what is left of the time, and waits for ever if that is nothing. So a look
        with a timeout follows one without, which closes it.
        """
        try:
            self._queue.get(block=timeout is not None, timeout=timeout)
        except queue.Empty:
            return False
        return True

    def clear(self) -> None:
        """Forget a call given so far."""
        while self.wait(0.0):
            pass
