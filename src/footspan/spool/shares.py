"""Shares: what this very process did for each destination, of all that stands in the destinations' journals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from footspan.spool.base import Tally

if TYPE_CHECKING:
    from footspan.spool.feed import DiskFeed


@dataclass(slots=True)
class Share:
    """What this process did for one destination.

    Attributes:
        name: The destination's name.
        delivered: Events.
        refused: Events, by reason.
        evicted: Events that it deleted undelivered, by reason.
    """

    name: str
    delivered: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    evicted: dict[str, int] = field(default_factory=dict)


class Holdings:
    """The destinations that this process holds or held, and what their journals said when it got them."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[DiskFeed, Tally]] = {}
        self._past: dict[str, Tally] = {}

    def begin(self, identifier: str, feed: DiskFeed) -> None:
        """We have got a destination, perhaps once more."""
        if identifier in self._held:
            self._past[identifier] = self.of(identifier)
        tally = feed.fold.tally
        self._held[identifier] = (feed, Tally(tally.delivered, 0, 0, dict(tally.refused)))

    def of(self, identifier: str) -> Tally:
        """What we delivered and what was refused to us."""
        past = self._past.get(identifier) or Tally()
        sum_ = Tally(past.delivered, 0, 0, dict(past.refused))
        held = self._held.get(identifier)
        if held is not None:
            feed, base = held
            tally = feed.fold.tally
            # Less than before: the destination's folder was deleted, and its journal begins anew.
            sum_.delivered += max(0, tally.delivered - base.delivered)
            for reason, count in list(tally.refused.items()):
                more = count - base.refused.get(reason, 0)
                if more > 0:
                    sum_.refuse(reason, more)
        return sum_
