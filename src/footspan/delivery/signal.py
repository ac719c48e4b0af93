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
        try:
            self._queue.get(timeout=max(0.0, timeout))
        except queue.Empty:
            self._given = False  # whoever gave it may have been interrupted by an exception before it was put
            return False
        self._given = False
        return True

    def clear(self) -> None:
        """Forget a call given so far."""
        while self.wait(0.0):
            pass
