"""The requests of a batch: one after the other, or those of several lanes at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from footspan import _guard
from footspan.delivery.blame import Record
from footspan.delivery.fanout import Convoy, Senders, window
from footspan.delivery.limits import Limits, size_of, too_large
from footspan.delivery.moves import GO_ON, Move, Step, graver
from footspan.delivery.pace import Pace
from footspan.delivery.suppression import Gate
from footspan.destinations import sending
from footspan.destinations.base import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from footspan.delivery.blame import Shipment
    from footspan.destinations.base import Destination
    from footspan.otlp_json import LogLine
    from footspan.spool.base import Batch

GRACE: Final = 2.0
"""Seconds that a request may take beyond its time-out before its carrier counts as wedged."""

LEAST_TIME: Final = 0.05
"""Seconds that must be left for a request to be worth starting at exit."""

WITNESSES: Final = 64
WITNESS_BYTES: Final = 16 * 1024 * 1024
"""Events and bytes to take at least while a destination is in doubt."""


class Dispatch:
    """Makes requests to one destination and has their outcomes read.

    Args:
        destination: Where they go.
        time_left: Seconds until everything must be over.
        accepted: Called when the destination took something.
        answered: Called when it answered, nobody need wait, and it is not in doubt.
        beat: Called after each of several requests: the carrier lives.
        clock: Monotonic seconds.
        pace: How fast events may go.
        record: What the destination did before.
        roots: The spools whose lists say what may not be sent.

    Attributes:
        limits: How much a request may carry now.
        record: What the destination did lately.
        in_flight: Until when (clock seconds) a request may be under way; 0 when none is.
        pulse: Held while ``in_flight`` is put to 0, and by whoever acts on it.
    """

    def __init__(  # noqa: PLR0913 - where, when and whom it asks, each once
        self,
        destination: Destination,
        *,
        time_left: Callable[[], float],
        accepted: Callable[[], None],
        answered: Callable[[], None],
        beat: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
        record: Record | None = None,
        roots: Collection[str] = (),
    ) -> None:
        self._pace = pace or Pace()
        self.limits = Limits(destination, self._pace.room)
        self.record = record or Record()
        self.in_flight = 0.0
        self.pulse = threading.Lock()
        self._destination = destination
        self._time_left = time_left
        self._accepted = accepted
        self._answered = answered
        self._beat = beat
        self._clock = clock
        self._gate = Gate(roots)
        self._senders = Senders(self._send, destination.name)
        self._failing = False

    @property
    def window(self) -> tuple[int, int]:
        """Events and bytes to take from the spool at a time.

        While the destination is in doubt, enough of them that some event can answer for it: three bad ones in a row
        must not hold up all others where a request carries one event only.
        """
        items, size = window(self._destination, self.limits)
        return (max(items, WITNESSES), max(size, WITNESS_BYTES)) if self.record.doubtful else (items, size)

    def convoy(self, batch: Batch) -> Convoy:
        """A batch, ready to go."""
        return Convoy(batch, self._destination, self.limits, self.record, self._gate)

    def prepare(self, convoy: Convoy) -> bool:
        """Do what comes before a batch's first request; whether there is time for it then.

        Where it is over before the answer, the events' fate stays unknown: they would go twice, or not at all.
        """
        left = self._time_left()
        self._withhold(convoy)
        if left >= LEAST_TIME:
            sending.prepare(self._destination, convoy.left(), min(self._destination.timeout, left))
        return self._time_left() >= LEAST_TIME

    def ship(self, convoy: Convoy, meanwhile: Callable[[], None] | None = None) -> Move | None:
        """Make a batch's next request, or those of all its lanes as far as they go.

        Args:
            convoy: The batch.
            meanwhile: What to do while the one request of a batch with one lane is under way.

        Returns:
            What to do next, the gravest of several; ``None`` where there was no time for any request.
        """
        left = self._time_left()  # asked once a request: whoever stops us from there on does not cut it off
        if left < LEAST_TIME:
            return None
        self._withhold(convoy)
        if convoy.finished:
            return GO_ON
        try:
            move = self._one(convoy.lanes[0], left, meanwhile) if len(convoy.lanes) == 1 else self._abreast(convoy)
        except BaseException:
            self._senders.drain()  # nobody's events may be under way twice
            raise
        finally:
            with self.pulse:
                self.in_flight = 0.0
        self._failing = move.step is not Step.GO_ON
        return move

    def _withhold(self, convoy: Convoy) -> None:
        """Take out what may not be sent any more; while a list cannot be read, nothing is."""
        for lane in convoy.lanes:
            lane.withhold(self._gate)

    def close(self) -> None:
        """Let the sending threads end."""
        self._senders.close()

    def _one(self, lane: Shipment, left: float, meanwhile: Callable[[], None] | None) -> Move:
        events, timeout = self._next(lane, left)
        if meanwhile is None:
            return self._read(lane, events, self._send(events, timeout))
        self._senders.submit(lane, events, timeout)
        with _guard.guard("reading ahead"):
            meanwhile()
        _, _, outcome = self._senders.result()
        return self._read(lane, events, outcome)

    def _abreast(self, convoy: Convoy) -> Move:
        """Requests of all lanes, one at a time for each, until all is sent or an answer asks for a pause."""
        turn = convoy.first % len(convoy.lanes)
        waiting = deque(lane for lane in (*convoy.lanes[turn:], *convoy.lanes[:turn]) if not lane.finished)
        under_way = 0
        worst = GO_ON
        while True:
            while waiting and worst.step is Step.GO_ON and under_way < self._at_once():
                left = self._time_left()
                if left < LEAST_TIME or self._pace.wait() > 0.0:
                    break
                lane = waiting.popleft()
                lane.withhold(self._gate)
                if lane.finished:
                    continue
                self._senders.submit(lane, *self._next(lane, left))
                under_way += 1
            if not under_way:
                convoy.first += worst.step is Step.PARK
                return worst
            lane, events, outcome = self._senders.result()
            under_way -= 1
            delivered = lane.tally.delivered
            worst = graver(worst, self._read(lane, events, outcome))
            if lane.tally.delivered > delivered:
                convoy.hear()
            waiting = deque(each for each in (*waiting, lane) if not each.finished)
            self._beat()

    def _at_once(self) -> int:
        """How many requests may be under way: one while the destination is in trouble or in doubt."""
        alone = self._failing or self.record.unproven or self.record.doubtful
        return 1 if alone else max(1, self._destination.concurrency)

    def _next(self, lane: Shipment, left: float) -> tuple[Sequence[LogLine], float]:
        """A lane's next events and the time their request may take."""
        events = lane.next(self.limits.items, self.limits.bytes)
        self._pace.spend(len(events))
        timeout = min(self._destination.timeout, left)
        self.in_flight = self._clock() + timeout + GRACE
        return events, timeout

    def _send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        try:
            outcome = sending.send(self._destination, events, timeout)
        except Exception as error:  # noqa: BLE001 - one event that breaks a destination must not hold the others
            _guard.report(f"sending to {self._destination.name}", error)
            outcome = Outcome(Verdict.REFUSED, "internal_error")
        if self._destination.on_outcome is not None:
            with _guard.guard("on_outcome"):
                self._destination.on_outcome(events, outcome)
        return outcome

    def _read(self, lane: Shipment, events: Sequence[LogLine], outcome: Outcome) -> Move:
        """Have a lane read the outcome of its request."""
        delivered = lane.tally.delivered
        if too_large(outcome):
            refused = [event for index, event in enumerate(events) if index not in outcome.items]
            if len(refused) > 1:
                self.limits.refused(size_of(refused))
        elif outcome.verdict is Verdict.DELIVERED and not outcome.items:
            self.limits.accepted(events)
        move = lane.apply(outcome)
        if lane.tally.delivered > delivered:
            self._failing = False
            self._accepted()
        if move.step is Step.GO_ON and outcome.verdict is not Verdict.AGAIN and not self.record.doubtful:
            self._answered()
        return move
