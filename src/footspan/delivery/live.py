"""What one carrier is doing right now: for ``status``, and one log line for each change an operator cares about."""

from __future__ import annotations

import time
from typing import Final

from footspan import _guard

IDLE: Final = "idle"
SENDING: Final = "sending"
WAITING: Final = "waiting"
PARKED: Final = "parked"

_UNREACHABLE_AFTER = 2
"""Failures in a row that are worth a log line; a single one is the weather."""


class Live:
    """The state of one destination's carrier.

    Args:
        name: The destination's name in the settings; the only thing about it that is ever logged.

    Attributes:
        state: ``idle``, ``sending``, ``waiting`` (failed, tries again) or ``parked`` (its own fault, probes).
        reason: Why it waits or is parked; a constant.
        since: When the state began, seconds since the epoch.
        next_try: When the next request is due, seconds since the epoch; ``None`` while nothing stands in its way.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = IDLE
        self.reason = ""
        self.since = time.time()
        self.next_try: float | None = None
        self._failures = 0
        self._announced = ""

    def working(self, state: str) -> None:
        """The carrier is idle or sending; a trouble it is trying to get out of stays visible."""
        if not self._announced and not self._failures:
            self._become(state, "")

    def recovered(self) -> None:
        """The destination took something."""
        self._failures = 0
        if self._announced:
            self._announced = ""
            _guard.logger.warning("footspan: destination %s takes events again", self.name)
        self._become(SENDING, "")

    def failed(self, reason: str, pause: float) -> None:
        """A request got nothing done; the next one follows after ``pause`` seconds."""
        self._failures += 1
        if self._failures >= _UNREACHABLE_AFTER and self._announced != WAITING:
            self._announced = WAITING
            _guard.logger.warning("footspan: destination %s is unreachable (%s): events wait for it", self.name, reason)
        self._become(WAITING, reason, pause)

    def asked(self, pause: float) -> None:
        """The destination asked a carrier before us for time."""
        self._become(WAITING, "retry_after", pause)

    def parked(self, reason: str, pause: float) -> None:
        """The destination refuses us; it is probed after ``pause`` seconds."""
        self._failures += 1
        if self._announced != f"{PARKED} {reason}":
            self._announced = f"{PARKED} {reason}"
            _guard.logger.warning(
                "footspan: destination %s is parked (%s): events are kept, it is probed now and then", self.name, reason
            )
        self._become(PARKED, reason, pause)

    def _become(self, state: str, reason: str, pause: float | None = None) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            self.since = time.time()
        self.next_try = None if pause is None else time.time() + pause
