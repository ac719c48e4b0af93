"""A carrier's heartbeat: other processes learn from it that somebody carries, and what they are doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from footspan import _guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.delivery.live import Live
    from footspan.spool.base import Feed

SLICE: Final = 1.0
"""Seconds a carrier may be silent while it waits."""


class Beats:
    """Says that a carrier lives: on every change of state, else once a slice.

    Args:
        feed: Keeps the heartbeat.
        live: What the carrier is doing.
        clock: Monotonic seconds.
    """

    def __init__(self, feed: Feed, live: Live, clock: Callable[[], float]) -> None:
        self._feed = feed
        self._live = live
        self._clock = clock
        self._last: tuple[str, str] = ("", "")
        self._last_at = 0.0

    def beat(self) -> None:
        """Say it, if it is time. Never raises."""
        now = self._clock()
        beat = (self._live.state, self._live.reason)
        if beat == self._last and now - self._last_at < SLICE * 0.9:
            return
        self._last, self._last_at = beat, now
        try:
            self._feed.beat(*beat)
        except Exception as error:  # noqa: BLE001 - a heartbeat is not worth a batch
            _guard.report("a heartbeat", error)
