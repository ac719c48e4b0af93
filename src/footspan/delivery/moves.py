"""What a carrier does after an answer: go on, pause, or park the destination."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Step(enum.Enum):
    """What the carrier does next."""

    GO_ON = "go on"
    PAUSE = "pause"
    PARK = "park"


@dataclass(frozen=True, slots=True)
class Move:
    """A step, with its reason and what the destination asked for."""

    step: Step
    reason: str = ""
    retry_after: float | None = None


GO_ON: Final = Move(Step.GO_ON)


_WEIGHT = {Step.GO_ON: 0, Step.PAUSE: 1, Step.PARK: 2}


def graver(one: Move, other: Move) -> Move:
    """The more serious of two moves, with the longer of the waits that were asked for."""
    waits = [move.retry_after for move in (one, other) if move.retry_after is not None]
    worse = one if _WEIGHT[one.step] >= _WEIGHT[other.step] else other
    return Move(worse.step, worse.reason, max(waits, default=None))
