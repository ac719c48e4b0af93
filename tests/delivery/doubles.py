"""A feed and a destination without disk and network, for the courier's decisions alone."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from footspan.config import BatchSettings, DestinationSettings
from footspan.delivery.carrier import Carrier
from footspan.delivery.retry import Backoff
from footspan.destinations.base import Destination, Outcome, Verdict
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from footspan.spool.base import Batch, Range, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

_SUFFIX = encode_suffix({"service.name": "shop"}, "footspan")


def stored(name: str, *, destination: str = "", category: str = "", redacted: Sequence[str] = ()) -> bytes:
    """One stored line, newline included."""
    attributes: dict[str, Any] = {"log.record.uid": str(uuid.uuid4())}
    if destination:
        attributes["footspan.destination"] = destination
    if category:
        attributes["footspan.event.category"] = category
    if redacted:
        attributes["footspan.redacted"] = list(redacted)
    return encode_line(encode_record(name=name, time_ns=time.time_ns(), attributes=attributes), _SUFFIX)


def line(name: str, **options: Any) -> LogLine:
    """One event as a destination gets it."""
    return LogLine(stored(name, **options))


def batch_of(names: Iterable[str], **options: Any) -> Batch:
    """A batch of new events."""
    events = [line(name) for name in names]
    return Batch(events, [Range("segment", 0, sum(len(event.line) + 1 for event in events))], **options)


def names(events: Iterable[LogLine]) -> list[str]:
    """What the events are called."""
    return [event.name for event in events]


class ListFeed:
    """A feed over a list: the same batch until it is done, like a real one."""

    def __init__(self, events: Iterable[LogLine] = ()) -> None:
        self.left = list(events)
        self.batch: Batch | None = None
        self.tallies: list[Tally] = []
        self.rejected: list[tuple[str, str]] = []
        self.beats: list[tuple[str, str]] = []
        self.journal: list[str] = []
        self.closed = False

    def take(self, max_items: int, max_bytes: int) -> Batch | None:
        if self.batch is None and self.left:
            self.batch = Batch(self.left[:max_items], [Range("segment", 0, 1)])
        return self.batch

    def sending(self, batch: Batch) -> None:
        self.journal.append("sending")

    def kept(self, batch: Batch) -> None:
        self.journal.append("kept")
        self.batch = None

    def done(self, batch: Batch, tally: Tally) -> None:
        self.journal.append("done")
        self.tallies.append(tally)
        self.left = self.left[len(batch.events) :]
        self.batch = None

    def settle(
        self, batch: Batch, left: Sequence[LogLine], tally: Tally, unsure: Container[bytes] = frozenset()
    ) -> bool:
        self.journal.append("settled")
        self.tallies.append(tally)
        gone = {id(event) for event in batch.events} - {id(event) for event in left}
        self.left = [event for event in self.left if id(event) not in gone]
        self.batch = None
        return True

    def waiting(self) -> int:
        return len(self.left)

    def reject(self, event: LogLine, reason: str, status: int | None = None) -> None:
        self.rejected.append((event.name, reason))

    def beat(self, state: str, reason: str = "") -> None:
        self.beats.append((state, reason))

    def close(self) -> None:
        self.closed = True


Answerer = "Callable[[list[str]], Outcome]"


class ScriptedDestination(Destination):
    """Answers each request as its script says; the script sees the events' names."""

    type = "scripted"

    def __init__(
        self,
        script: Callable[[list[str]], Outcome] = lambda _: Outcome(Verdict.DELIVERED),
        *,
        name: str = "scripted",
        on_ambiguous: str = "retry",
        max_items: int = 512,
        linger: float = 0.0,
    ) -> None:
        batch = BatchSettings(max_items=max_items, max_age=linger)
        super().__init__(DestinationSettings(name=name, type="scripted", batch=batch, timeout=5.0))
        self.on_ambiguous = on_ambiguous
        self.script = script
        self.requests: list[list[str]] = []
        self.timeouts: list[float] = []

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        self.requests.append(names(events))
        self.timeouts.append(timeout)
        return self.script(self.requests[-1])


def events(count: int) -> ListFeed:
    """A feed with that many events."""
    return ListFeed([line(f"e{number}") for number in range(count)])


def carrier_of(
    script: Callable[[list[str]], Outcome],
    feed: ListFeed,
    clock: Callable[[], float] = time.monotonic,
    **options: object,
) -> Carrier:
    """A carrier whose pauses are the shortest possible."""
    destination = ScriptedDestination(script, **options)  # type: ignore[arg-type]
    return Carrier(destination, feed, clock=clock, backoff=Backoff(clock, lambda low, _: low))
