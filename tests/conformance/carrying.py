"""Some events on their way, by the courier's own rules of blame, with no pauses between requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.faults import Fate
from footspan.delivery.blame import Record, Shipment
from footspan.delivery.moves import Step
from footspan.destinations.base import Verdict
from footspan.spool.base import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.destinations.base import Destination, Outcome
    from footspan.otlp_json import LogLine

_LONGEST = 40


@dataclass
class Carried:
    """How it went.

    Attributes:
        outcomes: Of each request.
        delivered: Events delivered.
        rejected: Reasons of those given up.
        parked: Whether it ended because the destination is to be left alone.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    delivered: int = 0
    rejected: list[str] = field(default_factory=list)
    parked: bool = False

    @property
    def fate(self) -> Fate:
        """Of all events alike."""
        if self.parked:
            return Fate.PARKED
        if self.outcomes[0].verdict is Verdict.AMBIGUOUS:
            return Fate.AMBIGUOUS
        if self.rejected:
            return Fate.REJECTED
        return Fate.RETRIED if self.outcomes[0].verdict is Verdict.RETRY else Fate.DELIVERED


def carry(destination: Destination, events: Sequence[LogLine], *, pause: float = 0.0) -> Carried:
    """Send until the fate of every event is known, or the destination is parked.

    Args:
        destination: Where to.
        events: What.
        pause: Seconds that a request may be made again after a pause, for a server that comes back.
    """
    shipment = Shipment(Batch(events, []), destination.on_ambiguous_for, Record())
    carried = Carried()
    while not shipment.finished and not carried.parked:
        assert len(carried.outcomes) < _LONGEST, carried.outcomes[-3:]
        request = shipment.next(destination.max_items, destination.max_bytes)
        outcome = destination.send(request, destination.timeout)
        carried.outcomes.append(outcome)
        move = shipment.apply(outcome)
        carried.parked = move.step is Step.PARK
        if move.step is Step.PAUSE:
            _wait(pause)
    carried.delivered = shipment.tally.delivered
    carried.rejected = [reason for _, reason in shipment.rejected]
    return carried


def _wait(seconds: float) -> None:
    import time  # noqa: PLC0415 - only faults that end by themselves need it

    time.sleep(seconds)
