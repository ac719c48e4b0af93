"""The contract between whoever writes events, whoever keeps them and whoever carries them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.shares import Share


@dataclass(frozen=True, slots=True)
class Target:
    """A destination as the spool knows it: enough to route, nothing secret.

    Attributes:
        id: The destination's id; file-name safe.
        name: Its name in the settings.
        type: Its kind.
        events: The patterns of the events it takes; ``None`` for all.
        passes: The purposes whose events it takes though nobody agreed to them.
    """

    id: str
    name: str
    type: str
    events: tuple[str, ...] | None = None
    passes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """A run of whole lines in one segment: bytes ``start`` to ``end``.

    ``events`` is how many events of them the destination takes: once the segment is deleted, nothing else tells.
    """

    segment: str
    start: int
    end: int
    events: int = field(default=0, compare=False)


@dataclass(slots=True)
class Batch:
    """What one request is made of.

    Attributes:
        events: The events to send, oldest first.
        ranges: Every line the batch stands for, those its destination does not take included.
        skipped: How many of those lines the destination does not take.
        ambiguous: The lines were being sent when their carrier died: they may have arrived.
    """

    events: Sequence[LogLine]
    ranges: list[Range]
    skipped: int = 0
    ambiguous: bool = False


@dataclass(slots=True)
class Tally:
    """What became of a batch, for the ledger."""

    delivered: int = 0
    skipped: int = 0
    redacted: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str, count: int = 1) -> None:
        """Count events given up for a reason."""
        self.refused[reason] = self.refused.get(reason, 0) + count


class Feed(Protocol):
    """One destination's view of a spool, held by the one carrier that has the destination's lock."""

    def take(self, max_items: int, max_bytes: int) -> Batch | None:
        """The next unacknowledged events, or ``None`` when all is acknowledged. The same until ``done``."""

    def sending(self, batch: Batch) -> None:
        """Journal that a request with this batch is about to leave."""

    def kept(self, batch: Batch) -> None:
        """Journal that the request certainly stored nothing, so that a successor need not take it for ambiguous."""

    def done(self, batch: Batch, tally: Tally) -> None:
        """Journal the outcome and move the cursor past the batch."""

    def settle(
        self, batch: Batch, left: Sequence[LogLine], tally: Tally, unsure: Container[bytes] = frozenset()
    ) -> bool:
        """Journal a part of a batch as done and let the rest be cut anew, with what came meanwhile.

        Args:
            batch: The batch under way. Its other events are dealt with, as the tally says.
            left: Those of its events that are not dealt with.
            tally: What became of the others.
            unsure: Lines of those left that may have arrived; a successor has to know.

        Returns:
            Whether that could be done; else the batch stays as it is.
        """

    def waiting(self) -> int:
        """How many events the destination takes and does not have yet."""

    def reject(self, event: LogLine, reason: str, status: int | None = None) -> None:
        """Keep an event that the destination will never take, with the reason."""

    def beat(self, state: str, reason: str = "") -> None:
        """Say that the carrier lives and what it is doing (``idle``, ``sending``, ``waiting``, ``parked``)."""

    def close(self) -> None:
        """Give the destination up, so that another carrier can have it."""


class Spool(Protocol):
    """Where events wait until every destination has them.

    Attributes:
        targets: The destinations of what is appended here.
        durable: Whether events outlive the process.
    """

    targets: Sequence[Target]
    durable: bool

    @property
    def degraded(self) -> bool:
        """Whether events appended now wait in memory because the disk refuses them. Costs nothing to ask."""

    def append(self, line: bytes) -> None:
        """Keep one stored line (newline included). Durable, as its durability says, when this returns.

        Never raises: an event that cannot be kept is counted.
        """

    def feed(self, target: Target) -> Feed | None:
        """Take a destination's lock; ``None`` when another process carries for it."""

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter that no file can be read back for (``unrouted``, ``sampled_out``, …)."""

    def shares(self) -> Sequence[Share]:
        """What this very process did for each destination."""

    def dropped(self) -> Mapping[str, int]:
        """How many events this very process did not store, by reason."""

    def status(self) -> Mapping[str, object]:
        """The ledger: see ``docs/delivery.md``."""

    def waiting(self) -> dict[str, int]:
        """Events waiting per destination id, of every process's writing."""

    def behind(self, identifier: str) -> bool:
        """Whether a destination may have events waiting. Costs a look at sizes and cursors, none at any event."""

    def maintain(self) -> None:
        """Delete what every destination has, enforce age and size. Cheap; called every few seconds."""

    def close(self) -> None:
        """Let the segment go, for the next writer to continue."""
