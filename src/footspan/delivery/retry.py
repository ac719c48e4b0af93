"""How long to wait before the next request to a destination that failed."""

from __future__ import annotations

import time
from random import SystemRandom
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_draw: Final = SystemRandom().uniform  # the host may have seeded the other one

STEPS: Final = ((0.5, 0.8), (0.8, 1.2), (1.2, 1.6), (1.5, 1.9))
"""Seconds between which the n-th pause is drawn; the last holds for the first minutes.

The lower ends put the fifth request of an outage at 4 s or later, so that three seconds of it see four; the upper ends
stay under 2 s with room for the request, so that a destination that is back is used again within 2 s."""

PATIENCE: Final = 180.0
"""Seconds of failing after which the pauses grow."""

LONGEST: Final = 15.0
"""Seconds between two requests to a destination that has been away for long."""

GROWTH: Final = 1.5

PARKED_FIRST: Final = 5.0
PARKED_LONGEST: Final = 60.0

LONGEST_RETRY_AFTER: Final = 3600.0
"""Seconds: what a destination may ask for at the most; a slip of a proxy must not silence us for a week."""


class Backoff:
    """The pauses of one destination, from its first failure to its next success.

    Args:
        clock: Monotonic seconds.
        uniform: Draws a number between two; jitter keeps many carriers from coming back in step.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = _draw,
    ) -> None:
        self._clock = clock
        self._uniform = uniform
        self._failing_since: float | None = None
        self._failures = 0
        self._ceiling = STEPS[-1][1]
        self._parked = PARKED_FIRST

    def succeeded(self) -> None:
        """Start over: the destination took something."""
        self._failing_since = None
        self._failures = 0
        self._ceiling = STEPS[-1][1]
        self._parked = PARKED_FIRST

    def failed(self) -> float:
        """Seconds to wait after one more request that got nothing done."""
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        floor, ceiling = STEPS[min(self._failures, len(STEPS) - 1)]
        self._failures += 1
        if now - self._failing_since >= PATIENCE:
            self._ceiling = min(LONGEST, self._ceiling * GROWTH)
            ceiling = self._ceiling
        return self._uniform(floor, ceiling)

    def parked(self) -> float:
        """Seconds until the next probe of a destination whose own fault it is."""
        pause = self._parked
        self._parked = min(PARKED_LONGEST, pause * 2)
        return self._uniform(pause * 0.8, pause)


def obeyed(retry_after: float | None) -> float:
    """Seconds a ``Retry-After`` binds us; 0 when there is none to obey."""
    if retry_after is None or not retry_after > 0:  # a NaN is no number of seconds
        return 0.0
    return min(retry_after, LONGEST_RETRY_AFTER)
