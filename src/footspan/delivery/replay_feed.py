"""A source as a carrier's feed: what is sent is chosen here, and what became of it is noted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from footspan.delivery.routing import accepts, matcher
from footspan.spool.base import Batch, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from footspan.delivery.replay_notes import Notes
    from footspan.delivery.replay_source import Found, Source
    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target

SCAN_BYTES: Final = 4 * 1024 * 1024
"""Bytes that are read at a time; where little is chosen of them, the figures move all the same."""

_MOST_NAMES: Final = 1000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events are replayed.

    Attributes:
        target: The destination, whose own patterns hold where ``events`` names none.
        since: Events of this time or later (nanoseconds since the epoch).
        until: Events before this time.
        events: Patterns in place of the destination's.
    """

    target: Target
    since: int | None = None
    until: int | None = None
    events: tuple[str, ...] | None = None

    def takes(self, event: LogLine) -> bool:
        """Whether an event is one of them."""
        if not event.name or (self.since is not None and event.time_ns < self.since):
            return False
        if self.until is not None and event.time_ns >= self.until:
            return False
        if self.events is None:
            return accepts(self.target, event)
        return event.destination in ("", self.target.name) and matcher(self.events)(event.name, event.category)

    @property
    def text(self) -> tuple[str, ...]:
        """What tells this selection from others of the same source and destination."""
        patterns = self.target.events if self.events is None else self.events
        return (str(self.since), str(self.until), "own" if self.events is None else "given", *(patterns or ("*",)))


@dataclass(slots=True)
class Figures:
    """What became of what was read.

    Attributes:
        read: Bytes of the source that are behind us, those of an earlier run included.
        selected: Events chosen.
        passed_over: Events not chosen.
        damaged: Lines that hold no event.
        names: How many events were chosen, by name.
        first: Time of the oldest event chosen (nanoseconds since the epoch); 0 for none.
        last: Time of the youngest.
        tally: What became of those sent.
    """

    read: int = 0
    selected: int = 0
    passed_over: int = 0
    damaged: int = 0
    names: dict[str, int] = field(default_factory=dict)
    first: int = 0
    last: int = 0
    tally: Tally = field(default_factory=Tally)

    def choose(self, event: LogLine) -> None:
        """Count a chosen event."""
        self.selected += 1
        time_ns = event.time_ns
        self.first = min(self.first or time_ns, time_ns)
        self.last = max(self.last, time_ns)
        if event.name in self.names or len(self.names) < _MOST_NAMES:
            self.names[event.name] = self.names.get(event.name, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "selected": self.selected,
            "delivered": self.tally.delivered,
            "refused": dict(self.tally.refused),
            "passed_over": self.passed_over,
            "damaged_lines": self.damaged,
        }


class ReplayFeed:
    """The chosen events of a source, for a carrier. Neither the source nor any spool's cursor is changed.

    Args:
        source: What is read.
        selection: What is chosen of it.
        notes: How far it is; saved after every batch.
        stopped: Whether to end.
        roots: The spools whose lists say what may not be sent.

    Attributes:
        roots: The same.
        figures: What became of it.
        finished: Whether everything was dealt with.
        error: What kept the source from being read.
    """

    def __init__(
        self,
        source: Source,
        selection: Selection,
        notes: Notes,
        stopped: Callable[[], bool] = lambda: False,
        roots: Sequence[str] = (),
    ) -> None:
        self.roots = roots
        sizes = {piece.key: piece.size for piece in source.pieces}
        notes.offsets = {key: offset for key, offset in notes.offsets.items() if key in sizes}
        self.figures = Figures(read=sum(min(offset, sizes[key]) for key, offset in notes.offsets.items()))
        self.finished = False
        self.error: OSError | None = None
        self._selection = selection
        self._notes = notes
        self._stopped = stopped
        self._stream: Iterator[Found] = source.read(dict(notes.offsets))
        self._ahead = dict(notes.offsets)
        self._batch: Batch | None = None
        self._back: list[LogLine] = []

    def take(self, max_items: int, max_bytes: int) -> Batch | None:
        """The next chosen events, or ``None`` at the end."""
        if self._batch is not None:
            return self._batch
        events, self._back = self._back, []
        size = sum(len(event.line) for event in events)
        try:
            until = self.figures.read + SCAN_BYTES
            while len(events) < max_items and size < max_bytes and self.figures.read < until and not self._stopped():
                found = next(self._stream, None)
                if found is None:
                    self.finished = not events
                    break
                chosen = self._choose(found)
                events += chosen
                size += sum(len(event.line) for event in chosen)
        except OSError as error:
            self.error = error
        if not events:
            self._save()
            return None
        self._batch = Batch(events, [])
        return self._batch

    def _choose(self, found: Found) -> list[LogLine]:
        figures, notes = self.figures, self._notes
        figures.read += max(0, found.end - self._ahead.get(found.piece.key, 0))
        self._ahead[found.piece.key] = found.end
        figures.damaged += found.damaged
        chosen = [event for event in found.events if self._selection.takes(event)]
        figures.passed_over += len(found.events) - len(chosen)
        if notes.dealt:
            chosen = [event for event in chosen if event.uid not in notes.dealt]
        for event in chosen:
            figures.choose(event)
        return chosen

    def done(self, batch: Batch, tally: Tally) -> None:  # noqa: ARG002 - there is one at a time
        """Note that a batch was dealt with."""
        self._count(tally)
        self._batch = None
        self._notes.dealt.clear()
        self._save()

    def skip(self) -> None:
        """Forget the batch under way: it was only looked at."""
        self._batch = None

    def settle(
        self,
        batch: Batch,
        left: Sequence[LogLine],
        tally: Tally,
        unsure: Container[bytes] = frozenset(),  # noqa: ARG002 - a replay sends again what may have arrived
    ) -> bool:
        """Note that a part of a batch was dealt with; the rest comes again."""
        if batch is not self._batch:
            return False
        stay = {id(event) for event in left}
        self._back = [event for event in batch.events if id(event) in stay]
        self._count(tally)
        self._batch = None
        self._notes.dealt.update(event.uid for event in batch.events if id(event) not in stay and event.uid)
        if not self._back:
            self._notes.dealt.clear()
        self._save()
        return True

    def _count(self, tally: Tally) -> None:
        total = self.figures.tally
        total.delivered += tally.delivered
        total.redacted += tally.redacted
        for reason, count in tally.refused.items():
            total.refuse(reason, count)

    def _save(self) -> None:
        if not self._back:
            self._notes.offsets = dict(self._ahead)
        try:
            self._notes.save()
        except OSError as error:
            self.error = error  # a replay that cannot say how far it is must not go on

    def sending(self, batch: Batch) -> None:
        """The notes say what was dealt with, nothing of what is under way."""

    def kept(self, batch: Batch) -> None:
        """The same."""

    def waiting(self) -> int:
        """How many events were read and not sent."""
        return len(self._back) + (len(self._batch.events) if self._batch is not None else 0)

    def reject(self, event: LogLine, reason: str, status: int | None = None) -> None:
        """It stays where it was read; the figures count it."""

    def beat(self, state: str, reason: str = "") -> None:
        """Nobody watches a replay but whoever started it."""

    def close(self) -> None:
        """Stop reading."""
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()
