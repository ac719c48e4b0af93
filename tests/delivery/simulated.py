"""A destination that fails in every way an answer can, by a plan that a seed draws; and what truly happened there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from footspan.config import BatchSettings, DestinationSettings
from footspan.destinations.base import Destination, Outcome, Verdict

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from footspan.otlp_json import LogLine

_DELIVERED: Final = Outcome(Verdict.DELIVERED)
_BAD: Final = Outcome(Verdict.REFUSED, "http_400")
_PLAIN: Final = {
    "down": Outcome(Verdict.RETRY, "http_503"),
    "parked": Outcome(Verdict.PARK, "http_401"),
    "again": Outcome(Verdict.AGAIN, "single"),
    "too large": Outcome(Verdict.REFUSED, "http_413"),
}
"""Answers that leave everything for later."""

_CALM: Final = (*_PLAIN, "lost", "unanswered", "dies before", "dies after")
_ROUGH: Final = (*_CALM, "some deferred", "some unknown", "refuses all")
"""How a request may go; what the calm ones lead to keeps each user's order."""


class Death(BaseException):
    """The process ends here."""


@dataclass
class Plan:
    """What sort of schedule it is."""

    max_items: int
    concurrency: int
    on_ambiguous: str
    faults: tuple[str, ...]
    trouble: float
    bad: float
    answers: str
    steps: int
    ordered: bool

    @classmethod
    def draw(cls, rng: random.Random) -> Plan:
        """Any of them."""
        calm = rng.random() < 0.5
        return cls(
            max_items=rng.choice((1, 2, 5, 8, 20)),
            concurrency=rng.choice((1, 1, 1, 2, 3)),
            on_ambiguous=rng.choice(("retry", "drop", "mixed")),
            faults=tuple(rng.sample(_CALM if calm else _ROUGH, 4)),
            trouble=rng.choice((0.1, 0.3, 0.5)),
            bad=0.0 if calm else rng.choice((0.05, 0.2, 0.5)),
            answers=rng.choice(("whole", "named", "each")),
            steps=rng.randrange(20, 80),
            ordered=calm,
        )


@dataclass
class History:
    """What truly happened, which only a simulation knows.

    Attributes:
        written: Uids, in the order of writing.
        users: Whose each event is.
        bad: Those that the destination never takes.
        arrived: Uids, in the order of arrival.
        repeats: How often an arrived event may arrive once more, since nobody could know that it had.
        doubted: Events of which nobody could know at some time.
        once: Events that must not arrive twice, whatever happens.
        touched: Events that were in a request whose answer did not leave all of it for later.
        unjust: Events that a destination refused although nothing is wrong with them.
    """

    written: list[str] = field(default_factory=list)
    users: dict[str, int] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    arrived: list[str] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    doubted: set[str] = field(default_factory=set)
    once: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    unjust: set[str] = field(default_factory=set)

    def arrive(self, uid: str, *, known: bool = True) -> None:
        """An event came to its destination."""
        self.arrived.append(uid)
        if not known:
            self.repeats[uid] += 1


class Server(Destination):
    """A destination that fails as the plan says."""

    type = "simulated"

    def __init__(self, plan: Plan, history: History, rng: random.Random) -> None:
        batch = BatchSettings(max_items=plan.max_items, max_age=0.0)
        super().__init__(DestinationSettings(name="simulated", type="simulated", batch=batch, timeout=5.0))
        self.concurrency = plan.concurrency
        self.well = False
        self.now = 1000.0
        self.mid_request = False
        self._plan = plan
        self._history = history
        self._rng = rng

    def on_ambiguous_for(self, event: LogLine) -> str:
        mixed = "drop" if event.name == "paid" else "retry"
        return mixed if self._plan.on_ambiguous == "mixed" else self._plan.on_ambiguous

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        self.now += 0.01
        self.mid_request = True
        outcome = self._answer(events)
        self.mid_request = False
        told_apart = outcome.items or outcome.verdict in {Verdict.DELIVERED, Verdict.AMBIGUOUS}
        if told_apart or (len(events) == 1 and outcome == _BAD):
            self._history.touched.update(event.uid for event in events)
        return outcome

    def _answer(self, events: Sequence[LogLine]) -> Outcome:
        if not self.well and self._rng.random() < self._plan.trouble:
            return self._fail(events, self._rng.choice(self._plan.faults))
        return self._take(events)

    def _take(self, events: Sequence[LogLine]) -> Outcome:
        bad = [index for index, event in enumerate(events) if event.uid in self._history.bad]
        if not bad:
            return self._store(events)
        if len(events) == 1 or self._plan.answers == "whole":
            return _BAD
        items = dict.fromkeys(bad, _BAD)
        if self._plan.answers == "named":
            return Outcome(Verdict.REFUSED, "http_400", items=items)
        self._store([event for index, event in enumerate(events) if index not in items])
        return Outcome(Verdict.DELIVERED, items=items)

    def _store(self, events: Sequence[LogLine], *, known: bool = True) -> Outcome:
        for event in events:
            if event.uid not in self._history.bad:
                self._history.arrive(event.uid, known=known)
        return _DELIVERED

    def _fail(self, events: Sequence[LogLine], fault: str) -> Outcome:
        if fault in _PLAIN and (len(events) > 1 or fault != "too large"):
            return _PLAIN[fault]
        if fault in {"unanswered", "lost"}:
            self._history.doubted.update(event.uid for event in events)
            if fault == "unanswered":
                self._store(events, known=False)
            return Outcome(Verdict.AMBIGUOUS, "read_timeout")
        if fault == "refuses all":
            self._history.unjust.update(event.uid for event in events)
            return _BAD
        if fault in {"dies before", "dies after"}:
            if fault == "dies after":
                self._store(events)
            raise Death
        if fault in {"some deferred", "some unknown"} and len(events) > 1:
            return self._treat_differently(events, known=fault == "some deferred")
        return _PLAIN["down"]

    def _treat_differently(self, events: Sequence[LogLine], *, known: bool) -> Outcome:
        items: dict[int, Outcome] = {}
        for index, event in enumerate(events):
            if event.uid in self._history.bad:
                items[index] = _BAD
            elif self._rng.random() < 0.5:
                self._store([event])
            elif known:
                items[index] = Outcome(Verdict.RETRY, "deferred")
            else:
                items[index] = Outcome(Verdict.AMBIGUOUS, "internal")
                self._history.doubted.add(event.uid)
                if self._rng.random() < 0.5:
                    self._store([event], known=False)
        return Outcome(Verdict.DELIVERED, items=items)
