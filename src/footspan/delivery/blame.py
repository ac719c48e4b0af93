"""What an answer means for every event of a batch, and whose fault a refusal is.

A :class:`Shipment` is one batch on its way. It says which events the next request carries and reads each outcome: some
events are finished, the rest go again. A refused request is cut in halves down to the refused event, because most of
what was refused with it is sound; one refused for its size is cut to a lower limit, and nobody is at fault. Three
refused single events with nothing accepted between them no longer look like the events' fault: then the destination is
parked and they are kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from footspan.delivery.limits import fitting, redacted_in, too_large
from footspan.delivery.moves import GO_ON, Move, Step, graver
from footspan.destinations.base import Verdict
from footspan.spool.base import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.delivery.suppression import Gate
    from footspan.destinations.base import Outcome
    from footspan.otlp_json import LogLine
    from footspan.spool.base import Batch

AMBIGUOUS: Final = "ambiguous"
"""The reason under which ``on_ambiguous: drop`` counts what it gave up."""

DOUBT_AFTER: Final = 3
"""Refused single events in a row at which the destination is suspected."""

AGAIN_LIMIT: Final = 16
"""Times in a row that a destination may ask for another request at once; halving 65,536 events to one takes as many."""


@dataclass(slots=True)
class Record:
    """What one destination did with single events lately, across batches.

    Attributes:
        refused: Single events refused since it last accepted something.
        unproven: It left a request's fate unknown and has accepted nothing since.
        again: Requests in a row that it wanted otherwise.
        successes: Requests of which it accepted something.
    """

    refused: int = 0
    unproven: bool = False
    again: int = 0
    successes: int = 0

    @property
    def doubtful(self) -> bool:
        """Whether the next refusal of a single event casts doubt on the destination."""
        return self.refused >= DOUBT_AFTER - 1

    def accepted(self) -> None:
        """Note that the destination took something: it works."""
        self.refused = 0
        self.unproven = False
        self.successes += 1


class Shipment:
    """One batch, or one lane of it, from its first request to the last event's fate.

    Args:
        batch: The batch as the spool cut it.
        on_ambiguous: Says ``retry`` or ``drop`` for an event whose fate nobody knows.
        record: What the destination did before; shared by its shipments.
        events: Those of the batch's events that this shipment is of; all of them when not given.

    Attributes:
        batch: The same batch.
        tally: What became of its events so far.
        rejected: Events given up, with the reason.
    """

    def __init__(
        self,
        batch: Batch,
        on_ambiguous: Callable[[LogLine], str],
        record: Record,
        events: Sequence[LogLine] | None = None,
    ) -> None:
        self.batch = batch
        self.tally = Tally(skipped=batch.skipped)
        self.rejected: list[tuple[LogLine, str]] = []
        self._on_ambiguous = on_ambiguous
        self._record = record
        self._runs: deque[Sequence[LogLine]] = deque()
        self._current: Sequence[LogLine] = ()
        self._suspect: tuple[LogLine, str] | None = None
        self._suspected_at = 0
        self._probe: int | None = None
        self._probes = 0
        self._risked = batch.ambiguous
        self._uncertain: set[bytes] = set()
        self._withheld = 0
        self._looked = -1
        mine = batch.events if events is None else events
        if batch.ambiguous:
            mine = self._without_dropped(mine)
            self._uncertain.update(event.line for event in mine)
        if mine:
            self._runs.append(mine)

    @property
    def finished(self) -> bool:
        """Whether the fate of every event is known."""
        return not self._runs and not self._current and self._suspect is None

    @property
    def unsent(self) -> bool:
        """Whether certainly nothing of it has arrived, so that the batch can be cut anew."""
        return not (self._risked or self.tally.delivered or sum(self.tally.refused.values()) > self._withheld)

    @property
    def unsure(self) -> set[bytes]:
        """The lines of what is left that may have arrived."""
        return self._uncertain and self._uncertain.intersection(event.line for event in self.left())

    @property
    def examined(self) -> bool:
        """Whether there is nothing more to be learnt from its own events: another one would have to be asked."""
        left = self._count()
        return left <= 1 or self._probe is None or self._probes > left

    def left(self) -> list[LogLine]:
        """The events whose fate is not known yet."""
        suspect = [self._suspect[0]] if self._suspect is not None else []
        return [*self._current, *suspect, *(event for run in self._runs for event in run)]

    def _count(self) -> int:
        return len(self._current) + (self._suspect is not None) + sum(map(len, self._runs))

    def withhold(self, gate: Gate) -> None:
        """Give up, as nobody's fault, what may not be sent any more. Not while a request of it is under way.

        Raises:
            SuppressionError: What may be sent is not known.
        """
        version = gate.version
        if version == self._looked:
            return
        self._current = self._let_through(self._current, gate)
        self._runs = deque(filter(len, [self._let_through(run, gate) for run in self._runs]))
        if self._suspect is not None and not self._let_through([self._suspect[0]], gate):
            self._suspect = None
        self._looked = version

    def _let_through(self, events: Sequence[LogLine], gate: Gate) -> Sequence[LogLine]:
        if not gate.concerns(events):
            return events
        allowed = []
        for event in events:
            reason = gate.reason(event)
            if reason:
                self.tally.refuse(reason)
                self._withheld += 1
            else:
                allowed.append(event)
        return allowed

    def next(self, max_items: int, max_bytes: int) -> Sequence[LogLine]:
        """The events of the next request, in order; at least one unless the shipment is finished.

        Args:
            max_items: Events the request may carry.
            max_bytes: Bytes of stored lines it may carry.
        """
        if self._current or not self._runs:
            return self._current
        run = self._runs.popleft()
        if self._probe is not None:
            held = list(run)
            self._probe %= len(held)
            self._current = [held.pop(self._probe)]
            if held:
                self._runs.appendleft(held)
            return self._current
        fits = fitting(run, max_items if self._suspect is None else 1, max_bytes)
        if self._record.unproven:
            # Each request may be the next one without an answer, so nothing is risked in bulk.
            fits = next((max(1, index) for index in range(fits) if self._drops(run[index])), fits)
        if fits == len(run):
            self._current = run
        else:
            self._current = run[:fits]
            self._runs.appendleft(run[fits:])
        return self._current

    def apply(self, outcome: Outcome) -> Move:
        """Read the outcome of the request that ``next`` gave the events of."""
        events, self._current = self._current, ()
        if len(events) == 1 and outcome.verdict is Verdict.REFUSED:
            return self._uniform(events, outcome.items.get(0, outcome))
        return self._mixed(events, outcome) if outcome.items else self._uniform(events, outcome)

    def hear(self) -> None:
        """Heed what the destination did with another lane's events: if it took one, a suspect here is at fault."""
        if self._record.successes > self._suspected_at:
            self._cleared()

    # -- one verdict for all -------------------------------------------------------------------------------------------

    def _uniform(self, events: Sequence[LogLine], outcome: Outcome) -> Move:
        verdict = outcome.verdict
        if verdict is Verdict.DELIVERED:
            self._accepted()
            self._record.again = 0
            self.tally.delivered += len(events)
            self.tally.redacted += redacted_in(events)
            return GO_ON
        if verdict is Verdict.REFUSED and len(events) > 1 and too_large(outcome):
            self._put_back(events)  # the carrier has lowered its limit: the next request carries fewer
            return self._once_more(outcome.reason)
        if verdict is Verdict.REFUSED:
            return self._refused(events, outcome.reason)
        if verdict is Verdict.AMBIGUOUS:
            return self._unknown(events, outcome)
        self._put_back(events)
        if verdict is Verdict.AGAIN:
            return self._once_more(outcome.reason)
        return Move(Step.PARK if verdict is Verdict.PARK else Step.PAUSE, outcome.reason, outcome.retry_after)

    def _refused(self, events: Sequence[LogLine], reason: str) -> Move:
        if len(events) > 1:
            half = len(events) // 2
            self._runs.appendleft(events[half:])
            self._runs.appendleft(events[:half])
            return GO_ON
        (event,) = events
        self._uncertain.discard(event.line)  # what it refuses now it did not take before, either
        self._record.refused += 1
        if self._record.refused < DOUBT_AFTER:
            self._reject(event, reason)
            return GO_ON
        if self._suspect is None and self._probe is None and self._runs:
            # The event or the destination? The next event is the witness.
            self._suspect = (event, reason)
            self._suspected_at = self._record.successes
            return GO_ON
        return self._doubt(event, reason)

    def _doubt(self, event: LogLine, reason: str) -> Move:
        """Park: the destination refuses whatever it is given."""
        self._put_back([event])
        self._probe_next()
        return Move(Step.PARK, reason)

    def _probe_next(self) -> None:
        """Make each probe try another event, so that one the destination takes is found if there is one."""
        self._probe = 0 if self._probe is None else self._probe + 1
        self._probes += 1
        self._suspected_at = self._record.successes
        self._runs = deque([[held for run in self._runs for held in run]])

    def _unknown(self, events: Sequence[LogLine], outcome: Outcome) -> Move:
        self._record.unproven = self._risked = True
        left = self._without_dropped(events)
        self._uncertain.update(event.line for event in left)
        self._put_back(left)
        return Move(Step.PAUSE, outcome.reason or AMBIGUOUS, outcome.retry_after)

    def _once_more(self, reason: str) -> Move:
        self._record.again += 1
        if self._record.again <= AGAIN_LIMIT:
            return GO_ON
        self._record.again = 0
        return Move(Step.PAUSE, reason or Verdict.AGAIN.value)

    # -- one verdict for each ------------------------------------------------------------------------------------------

    def _mixed(self, events: Sequence[LogLine], outcome: Outcome) -> Move:
        verdicts = [outcome.items.get(index, outcome) for index in range(len(events))]
        accepted = any(each.verdict is Verdict.DELIVERED for each in verdicts)
        if accepted:
            self._accepted()
        # Only an answer that refuses the whole casts doubt on the destination; beside any other, an item is refused for
        # what it is (or was never sent).
        certain = accepted or outcome.verdict is not Verdict.REFUSED
        unknown = {e.line for e, each in zip(events, verdicts, strict=True) if each.verdict is Verdict.AMBIGUOUS}
        self._risked = self._risked or bool(unknown)
        self._uncertain |= unknown
        left: list[LogLine] = []
        held = False
        move = GO_ON
        for index, (event, each) in enumerate(zip(events, verdicts, strict=True)):
            if each.verdict is Verdict.DELIVERED:
                self._deliver(event)
            elif each.verdict is Verdict.REFUSED and index in outcome.items and (certain or self._may_reject()):
                self._reject(event, each.reason)
            elif each.verdict is Verdict.AMBIGUOUS and self._drops(event):
                self._record.unproven = True
                self._reject(event, AMBIGUOUS)
                move = graver(move, Move(Step.PAUSE, each.reason or AMBIGUOUS, each.retry_after))
            else:
                left.append(event)
                if each.verdict is Verdict.REFUSED and index in outcome.items:
                    held = True
                    self._uncertain.discard(event.line)
                move = graver(move, self._move_for(each, named=index in outcome.items))
        move = self._leave(left, move, outcome)
        if held:
            self._probe_next()
        return move

    def _may_reject(self) -> bool:
        """Whether a refused item counts as the event's fault: so for two in a row."""
        self._record.refused += 1
        return self._record.refused < DOUBT_AFTER

    def _move_for(self, each: Outcome, *, named: bool) -> Move:
        if each.verdict is Verdict.PARK or (each.verdict is Verdict.REFUSED and named):
            return Move(Step.PARK, each.reason, each.retry_after)
        if each.verdict in (Verdict.RETRY, Verdict.AMBIGUOUS):
            return Move(Step.PAUSE, each.reason, each.retry_after)
        return GO_ON

    def _leave(self, left: list[LogLine], move: Move, outcome: Outcome) -> Move:
        """Put back what one answer left over."""
        if not left:
            return move
        halve = outcome.verdict is Verdict.REFUSED and not too_large(outcome)
        if len(left) > 1 and halve and move.step is Step.GO_ON:
            half = len(left) // 2
            self._put_back(left[half:])
            self._put_back(left[:half])
            return move
        self._put_back(left)
        if move.step is Step.GO_ON:
            return self._once_more(outcome.reason)
        return move

    # -- fates ---------------------------------------------------------------------------------------------------------

    def _accepted(self) -> None:
        """The destination works: whoever was under suspicion before is refused for its own fault."""
        self._record.accepted()
        self._cleared()

    def _cleared(self) -> None:
        self._probe = None
        self._probes = 0
        if self._suspect is not None:
            event, reason = self._suspect
            self._suspect = None
            self._reject(event, reason)

    def _deliver(self, event: LogLine) -> None:
        self._record.again = 0
        self.tally.delivered += 1
        self.tally.redacted += event.redacted

    def _reject(self, event: LogLine, reason: str) -> None:
        self._record.again = 0
        self.rejected.append((event, reason))
        self.tally.refuse(reason)

    def _drops(self, event: LogLine) -> bool:
        return self._on_ambiguous(event) == "drop"

    def _without_dropped(self, events: Sequence[LogLine]) -> list[LogLine]:
        """Give up those events of unknown fate that must not arrive twice; the others."""
        left = []
        for event in events:
            if self._drops(event):
                self._reject(event, AMBIGUOUS)
            else:
                left.append(event)
        return left

    def _forget_suspect(self) -> None:
        if self._suspect is not None:
            event, _ = self._suspect
            self._suspect = None
            self._runs.appendleft([event])

    def _put_back(self, events: Sequence[LogLine]) -> None:
        """Events go where they were taken from: the front, or a probe's own place."""
        if self._probe is not None:
            if not events:
                return
            run = list(self._runs.popleft()) if self._runs else []
            run.insert(self._probe, events[0])
            self._runs.appendleft(run)
            return
        if events:
            self._runs.appendleft(events)
        self._forget_suspect()
