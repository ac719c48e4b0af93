"""Delivery when somebody asks for it, while the asking thread waits, and at no other time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _otel, _platform
from footspan.delivery import live
from footspan.delivery.carrier import Carrier
from footspan.delivery.crew import anew
from footspan.delivery.dispatch import WITNESSES
from footspan.delivery.past import Past
from footspan.delivery.pauses import Wait
from footspan.delivery.standing import turn_in
from footspan.delivery.waiting import goal_of, hurry_others

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from footspan.destinations.base import Destination
    from footspan.otlp_json import LogLine
    from footspan.spool.base import Batch, Feed, Spool, Tally, Target

_POLL_FIRST: Final = 0.005
_POLL_LONGEST: Final = 0.1


class OnRequest:
    """Delivers what waits at the moment of a call; for a pipeline whose courier leaves that to others.

    Whoever calls waits for the requests, one after the other, and holds the destination's lock: neither another
    thread nor another process sends the same events. Where there is more than one batch, a second thread sends while
    ours reads on in the spool. It returns at the first request that gets nothing done.

    Args:
        spool: Where events wait.
        destination: Where they go.
        targets: As whose they are stored, in the order in which they go; as the destination's own when not given.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        spool: Spool,
        destination: Destination,
        targets: Sequence[Target] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool = spool
        self._destination = destination
        self._targets = tuple(targets or (each for each in spool.targets if each.id == destination.id))
        self._clock = clock
        self._turn = turn_in(spool)
        self._past = Past(destination.name, clock)
        self._not_before = 0.0
        self._inside: set[int] = set()
        _platform.on_fork(self._after_fork)

    def deliver(
        self, *, patience: float = 0.0, when_due: bool = False, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        """Deliver what waits now. Never raises.

        Args:
            patience: Seconds to wait for another thread or process that is delivering just now.
            when_due: Whether to do nothing during the pause after a failure. A destination's ``Retry-After`` is heeded
                in any case.
            stopped: Asked between two requests; what is left waits on.
        """
        _platform.notice_fork()
        here = threading.get_ident()
        # In the second case a signal's handler asks in the middle of this very thread's work.
        if (when_due and self._clock() < self._not_before) or here in self._inside:
            return
        self._inside.add(here)
        try:
            with _guard.guard("delivery"), _otel.suppressed():
                for target in self._targets:
                    if not self._spool.behind(target.id):
                        continue  # told from sizes alone: nothing need be locked, read or written
                    if stopped() or not self._deliver(target, self._clock() + patience, stopped):
                        break
            with _guard.guard("maintenance"):  # also where the spool's folder is gone: this is what makes it again
                self._spool.maintain()
        finally:
            self._inside.discard(here)

    def _deliver(self, target: Target, deadline: float, stopped: Callable[[], bool]) -> bool:
        """Deliver, or wait for whoever does; whether there is nothing in the way of further events."""
        goal = None
        pause = _POLL_FIRST
        while not stopped():
            feed = self._spool.feed(target) if self._turn.mine(target) else None
            if feed is not None:
                return self._carry(feed, stopped)
            if goal is None:
                goal = goal_of(self._spool, [target.id])
                hurry_others(self._spool, [target.id], deadline - self._clock())
            if self._clock() >= deadline or not any(goal.left().values()):
                break
            time.sleep(pause)
            pause = min(_POLL_LONGEST, pause * 1.5)
        return True

    def _carry(self, feed: Feed, stopped: Callable[[], bool]) -> bool:
        durable = bool(getattr(self._spool, "durable", True))
        carrier = Carrier(self._destination, _Portion(feed), durable=durable, clock=self._clock, before=self._past)
        inquiries = 0
        try:
            while not stopped():
                if carrier.asked_for():
                    self._not_before = self._clock() + carrier.asked_for()
                    return False
                pause = carrier.turn()
                if pause.kind is Wait.EVENTS:
                    break
                if pause.kind in (Wait.BACKOFF, Wait.ASKED):
                    if self._past.live.state == live.PARKED and carrier.inquiring and inquiries < WITNESSES:
                        inquiries += 1  # one of the others may show that the destination is not at fault
                        continue
                    self._not_before = self._clock() + pause.seconds
                    return False
            self._not_before = 0.0
            return True
        finally:
            carrier.finish_here(self._clock())  # no time for a request, only for noting what the last ones did

    def _after_fork(self) -> None:
        """In a child: connections are the parent's."""
        self._inside = set()
        self._destination = anew(self._destination)


class _Portion:
    """As much of a feed as was waiting at the beginning: what comes in meanwhile could keep its reader for ever.

    Args:
        feed: The whole.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._left = feed.waiting()
        self._taken = 0

    @property
    def prepare(self) -> Callable[[int, int], None] | None:
        """Reads the batch after the one under way; ``None`` after the last, which needs no thread besides ours."""
        return getattr(self._feed, "prepare", None) if self._left > self._taken else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    def take(self, max_items: int, max_bytes: int) -> Batch | None:
        """The next events, as long as there are some of the portion."""
        batch = self._feed.take(max_items, max_bytes) if self._left > 0 else None
        self._taken = 0 if batch is None else len(batch.events)
        return batch

    def done(self, batch: Batch, tally: Tally) -> None:
        """Note the outcome."""
        self._left -= len(batch.events)
        self._feed.done(batch, tally)

    def settle(
        self, batch: Batch, left: Sequence[LogLine], tally: Tally, unsure: Container[bytes] = frozenset()
    ) -> bool:
        """Note the outcome of a part."""
        settled = self._feed.settle(batch, left, tally, unsure)
        if settled:
            self._left -= len(batch.events) - len(left)
        return settled
