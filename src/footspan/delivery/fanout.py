"""Several requests at once to one destination, with each user's events in order.

A batch is dealt out to lanes: all events of one user go into the same lane, in their order, and a lane has one request
under way at a time. So what one person did never overtakes itself, and ``identify`` stays before what follows it.
Everything but the sending itself happens in the carrier's thread, which alone knows what an answer means.
"""

from __future__ import annotations

import math
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from footspan import _otel, _platform
from footspan import conventions as c
from footspan.delivery.blame import Shipment
from footspan.delivery.limits import size_of
from footspan.destinations.base import Outcome, Verdict
from footspan.spool.base import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from queue import SimpleQueue

    from footspan.delivery.blame import Record
    from footspan.delivery.limits import Limits
    from footspan.delivery.suppression import Gate
    from footspan.destinations.base import Destination
    from footspan.otlp_json import LogLine
    from footspan.spool.base import Batch

    _Send = Callable[[Sequence[LogLine], float], Outcome]

LEAST_PER_LANE: Final = 4
"""Events a lane gets at least where a request carries fewer, so that lanes of unequal users are all kept busy."""


_OWNERS: Final = tuple((name, f'"{name}"'.encode()) for name in (c.USER_ID, c.SESSION_ID))


def window(destination: Destination, limits: Limits) -> tuple[int, int]:
    """Events and bytes to take from the spool at a time, so that every request that may be under way has its share."""
    ways = destination.concurrency
    if ways <= 1:
        return limits.items, limits.bytes
    # A carrier that dies leaves all of a batch in doubt: where that means it is not sent again, none may only wait.
    least = LEAST_PER_LANE if destination.on_ambiguous == "retry" else 1
    return ways * max(limits.items, least), ways * limits.bytes


def deal(events: Sequence[LogLine], ways: int) -> list[list[LogLine]]:
    """Deal events out to at most ``ways`` lanes; those of one user or session into one, each lane in order.

    A session in which a user becomes known is one with that user. Events without either are nobody's: they fill the
    lanes up, in stretches.
    """
    groups = _Groups()
    owners = [groups.join(_keys(event)) for event in events]
    sizes: dict[str, int] = {}
    for owner in owners:
        if owner:
            root = groups.find(owner)
            sizes[root] = sizes.get(root, 0) + 1
    fair = math.ceil(len(events) / ways)
    loads = [0] * ways
    lane_of: dict[str, int] = {}
    for root, count in sorted(sizes.items(), key=lambda item: -item[1]):
        lane_of[root] = loads.index(min(loads))
        loads[lane_of[root]] += count
    lanes: list[list[LogLine]] = [[] for _ in range(ways)]
    for event, owner in zip(events, owners, strict=True):
        if owner:
            lane = lane_of[groups.find(owner)]
        else:
            # The first lane with room: neighbours stay together as far as that goes.
            lane = next((at for at, load in enumerate(loads) if load < fair), 0)
            loads[lane] += 1
        lanes[lane].append(event)
    return [lane for lane in lanes if lane]


def _keys(event: LogLine) -> list[str]:
    """Whose an event is: its user, its session. Only a value that is no text costs the parsing of the event."""
    keys = []
    for name, mark in _OWNERS:
        if mark in event.line:
            value = event.text(name) or event.event.attributes.get(name)
            if value not in (None, ""):
                keys.append(f"{name}={value}")
    return keys


class _Groups:
    """Keys that belong together because some event has them both."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def find(self, key: str) -> str:
        parents = self._parents
        while parents[key] != key:
            parents[key] = key = parents[parents[key]]
        return key

    def join(self, keys: Iterable[str]) -> str:
        """Note that these are one; one of them, empty where there is none."""
        first = ""
        for key in keys:
            self._parents.setdefault(key, key)
            if first:
                self._parents[self.find(key)] = self.find(first)
            first = first or key
        return first


class Convoy:
    """One batch on its way in one lane or several.

    Args:
        batch: The batch as the spool cut it.
        destination: Where it goes; says how many requests may be under way.
        limits: How much each of them may carry.
        record: What the destination did before.
        gate: Says what may not be sent.

    Attributes:
        batch: The same batch.
        lanes: Its shipments; each has one request under way at a time.
        first: The lane whose turn it is: after a refusal of everything that is the next, for its events to be asked.
    """

    def __init__(
        self, batch: Batch, destination: Destination, limits: Limits, record: Record, gate: Gate | None = None
    ) -> None:
        self.batch = batch
        self._gate = gate
        ways = 1 if destination.concurrency <= 1 else _ways(batch.events, destination.concurrency, limits)
        parts = [batch.events] if ways == 1 else deal(batch.events, ways)
        ambiguous = destination.on_ambiguous_for
        self.lanes = [Shipment(batch, ambiguous, record, part) for part in parts or [batch.events]]
        self.first = 0

    @property
    def finished(self) -> bool:
        """Whether the fate of every event is known."""
        return all(lane.finished for lane in self.lanes)

    @property
    def unsent(self) -> bool:
        """Whether certainly nothing of it has arrived."""
        return all(lane.unsent for lane in self.lanes)

    @property
    def unsure(self) -> set[bytes]:
        """The lines of what is left that may have arrived without anybody knowing."""
        return {line for lane in self.lanes for line in lane.unsure}

    @property
    def examined(self) -> bool:
        """Whether its own events cannot tell more about whose fault a refusal is."""
        return all(lane.examined for lane in self.lanes)

    @property
    def delivered(self) -> int:
        """Events the destination has taken."""
        return sum(lane.tally.delivered for lane in self.lanes)

    @property
    def tally(self) -> Tally:
        """What became of its events so far."""
        total = Tally(skipped=self.batch.skipped)
        for lane in self.lanes:
            total.delivered += lane.tally.delivered
            total.redacted += lane.tally.redacted
            for reason, count in lane.tally.refused.items():
                total.refuse(reason, count)
        return total

    def left(self) -> list[LogLine]:
        """The events whose fate is not known yet."""
        return [event for lane in self.lanes for event in lane.left()]

    def refused(self) -> tuple[LogLine, str] | None:
        """Take out one event that was given up, with the reason, for the spool to keep; ``None`` after the last.

        What may not be sent is not kept, either.
        """
        found = next((lane.rejected.pop(0) for lane in self.lanes if lane.rejected), None)
        while found is not None and self._gate is not None and self._gate.keeps_out(found[0]):
            found = next((lane.rejected.pop(0) for lane in self.lanes if lane.rejected), None)
        return found

    def hear(self) -> None:
        """Tell every lane that the destination took something."""
        for lane in self.lanes:
            lane.hear()


def _ways(events: Sequence[LogLine], concurrency: int, limits: Limits) -> int:
    """Into how many lanes a batch goes: no more than it makes full requests."""
    requests = max(math.ceil(len(events) / max(1, limits.items)), math.ceil(size_of(events) / limits.bytes))
    return max(1, min(concurrency, requests))


class Senders:
    """Threads that send, started when there is more than one request to make and ended with their carrier.

    Args:
        send: Sends events within so many seconds; never raises an ``Exception``.
        name: The destination's name, for the threads' names.
    """

    def __init__(self, send: _Send, name: str) -> None:
        self._send = send
        self._name = name
        self._jobs: SimpleQueue[tuple[Shipment, Sequence[LogLine], float] | None] = queue.SimpleQueue()
        self._results: SimpleQueue[tuple[Shipment, Sequence[LogLine], Outcome]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._under_way = 0

    def submit(self, lane: Shipment, events: Sequence[LogLine], timeout: float) -> None:
        """Have a lane's next request made. Where no thread can be started, this call makes it."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) <= self._under_way:
            self._start()
        if self._threads:
            self._jobs.put((lane, events, timeout))
        else:  # the system has no thread left, or the interpreter is ending: then the calling thread does the work
            self._results.put((lane, events, self._send(events, timeout)))
        self._under_way += 1

    def result(self) -> tuple[Shipment, Sequence[LogLine], Outcome]:
        """Wait for one request's outcome; as long as the slowest may take."""
        found = self._results.get()
        self._under_way -= 1
        return found

    def drain(self) -> None:
        """Wait until nothing is under way any more."""
        while self._under_way:
            self.result()

    def close(self) -> None:
        """Have the threads end once they have nothing to send."""
        for _ in self._threads:
            self._jobs.put(None)
        self._threads = []

    def _start(self) -> None:
        number = len(self._threads) + 1
        arguments = (self._jobs, self._results, self._send)
        thread = threading.Thread(target=_work, args=arguments, name=f"footspan-{self._name}-{number}", daemon=True)
        if _platform.threads_run():
            with suppress(RuntimeError):
                thread.start()
                self._threads.append(thread)


def _work(
    jobs: SimpleQueue[tuple[Shipment, Sequence[LogLine], float] | None],
    results: SimpleQueue[tuple[Shipment, Sequence[LogLine], Outcome]],
    send: _Send,
) -> None:
    """One sending thread."""
    with _otel.suppressed():
        while True:
            job = jobs.get()
            if job is None:
                return
            lane, events, timeout = job
            outcome = Outcome(Verdict.AMBIGUOUS, "internal_error")
            with suppress(BaseException):  # nothing ends this thread but its carrier, which waits for each outcome
                outcome = send(events, timeout)
            results.put((lane, events, outcome))
