"""How fast events may go where somebody set a rate. It decides when a request leaves, never what an answer means."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """At most so many events a second.

    Args:
        rate: Events a second; ``None`` for as fast as it goes.
        clock: Monotonic seconds.
    """

    def __init__(self, rate: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._next = clock()

    def room(self, most: int) -> int:
        """How many events the next request may have: what a quarter of a second lets through."""
        return most if self._rate is None else max(1, min(most, int(self._rate / 4)))

    def spend(self, count: int) -> None:
        """Note that so many are sent."""
        if self._rate is not None:
            self._next = max(self._next, self._clock()) + count / self._rate

    def wait(self) -> float:
        """Seconds until the next may be sent."""
        return 0.0 if self._rate is None else max(0.0, self._next - self._clock())
