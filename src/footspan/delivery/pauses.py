"""What a carrier waits for between two turns, and what may end the wait early."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Wait(enum.Enum):
    """What a carrier waits for between two turns, which decides what may end the wait early."""

    NOTHING = "nothing"
    FULLER_BATCH = "fuller batch"
    EVENTS = "events"
    BACKOFF = "backoff"
    ASKED = "asked"
    """The destination named the time: only the end of the process is before it."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds until the next turn."""

    kind: Wait
    seconds: float = 0.0


NOW: Final = Pause(Wait.NOTHING)

HURRIED_PACE: Final = 0.5
"""Seconds between two requests to a failing destination while somebody waits in ``flush``."""

HURRIED: Final = {Wait.FULLER_BATCH: 0.0, Wait.BACKOFF: HURRIED_PACE}
"""How long these waits last at the most while somebody waits in ``flush``."""
