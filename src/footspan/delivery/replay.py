"""Replay: events of the past, sent to a destination again by the rules of ordinary delivery.

Original times and ids stay. Answers are read, faults waited for and limits kept as by any carrier; the spool's own
cursors know nothing of it, and ordinary delivery goes on beside it.
"""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING, Final

from footspan import _otel
from footspan.delivery.carrier import Carrier
from footspan.delivery.pauses import Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.delivery.pace import Pace
    from footspan.delivery.replay_feed import Figures, ReplayFeed
    from footspan.destinations.base import Destination

_LEAST_WAIT: Final = 0.001
_LARGE: Final = 1000


class Ended(enum.Enum):
    """How a replay ended."""

    FINISHED = "finished"
    STOPPED = "stopped"
    UNAVAILABLE = "unavailable"
    """The destination took nothing for as long as the replay was to wait."""
    UNREADABLE = "unreadable"
    """The source could not be read to its end."""


class Replay:
    """One source to one destination.

    Args:
        destination: Where it goes.
        feed: What goes there.
        pace: How fast.
        patience: Seconds to wait for a destination that takes nothing.
        wait: Waits so many seconds, and says whether to stop.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        destination: Destination,
        feed: ReplayFeed,
        pace: Pace,
        *,
        patience: float,
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feed = feed
        self._pace = pace
        self._patience = patience
        self._wait = wait
        self._clock = clock
        self._carrier = Carrier(destination, feed, clock=clock, pace=pace)

    @property
    def trouble(self) -> str:
        """Why nothing is taken just now; empty where something is."""
        live = self._carrier.live
        return f"{live.state} ({live.reason})" if live.reason else ""

    def run(self, show: Callable[[Figures], None] = lambda _: None) -> Ended:
        """Send everything, or as much as can be sent. A request that has begun is always finished.

        Args:
            show: Called after each request with the figures so far.
        """
        with _otel.suppressed():
            try:
                return self._run(show)
            finally:
                # No time is left for a request, only for noting what the last ones did.
                self._carrier.finish_here(self._clock())
                show(self._feed.figures)

    def _run(self, show: Callable[[Figures], None]) -> Ended:
        failing_since: float | None = None
        delivered = 0
        while not self._wait(0.0):
            pause = self._carrier.turn()
            show(self._feed.figures)
            if self._feed.error is not None:
                return Ended.UNREADABLE
            if self._feed.finished:
                return Ended.FINISHED
            now = self._clock()
            if self._feed.figures.tally.delivered > delivered:
                delivered = self._feed.figures.tally.delivered
                failing_since = None
            if pause.kind in (Wait.BACKOFF, Wait.ASKED):
                failing_since = now if failing_since is None else failing_since
                if now + pause.seconds - failing_since > self._patience:
                    return Ended.UNAVAILABLE
                until = now + max(pause.seconds, self._pace.wait())
            else:
                until = now + self._pace.wait()
            if until - now > _LEAST_WAIT and self._wait(until - now):
                break
        return Ended.STOPPED


def rehearse(feed: ReplayFeed, stopped: Callable[[], bool] = lambda: False) -> None:
    """Read and choose everything, and send nothing: the feed's figures say what a replay would send."""
    while not stopped() and feed.error is None:
        batch = feed.take(_LARGE, _LARGE * _LARGE)
        if batch is None:
            if feed.finished:
                return
            continue
        feed.skip()
