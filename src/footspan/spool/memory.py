"""The spool in memory: the same protocol over a bounded queue, for platforms and settings without a disk."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple

from footspan import _platform
from footspan.spool.base import Batch, Range, Tally
from footspan.spool.counters import DROPS, NAMES
from footspan.spool.reading import read_line
from footspan.spool.shares import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target

RING_BYTES = 8 * 1024 * 1024
SEGMENT = "memory"


class _Kept(NamedTuple):
    """One line: its number, its events, and which of them each destination takes."""

    number: int
    events: list[LogLine]
    takers: dict[str, list[LogLine]]
    size: int


class _Account:
    """How far one destination is.

    Attributes:
        taken: Lines with a lower number are dealt with or in the batch under way.
        feed: Whoever carries.
        counted: For lines that went back after a part of their events was dealt with: how many of the others are in
            the figures already.
    """

    __slots__ = ("counted", "evicted", "feed", "taken", "tally", "target")

    def __init__(self, target: Target) -> None:
        self.target = target
        self.taken = 0
        self.tally = Tally()
        self.evicted = 0
        self.feed: MemoryFeed | None = None
        self.counted: dict[int, int] = {}


class MemorySpool:
    """Events in memory, at most ``limit`` bytes of them; the oldest go first, counted. Ends with the process.

    Args:
        targets: The destinations.
        accepts: Whether a destination takes an event.
        limit: Bytes of stored lines.
    """

    durable = False

    def __init__(
        self, targets: Sequence[Target], accepts: Callable[[Target, LogLine], bool], *, limit: int = RING_BYTES
    ) -> None:
        self.targets: Sequence[Target] = tuple(targets)
        self._accepts = accepts
        self._limit = limit
        self._accounts: dict[str, _Account] = {}
        self._start()
        _platform.on_fork(self._start)

    def _start(self) -> None:
        """Hold nothing; what a forked child's parent holds is the parent's to deliver."""
        self.lock = threading.RLock()
        self._lines: deque[_Kept] = deque()
        self._next = 0
        self._size = 0
        self._counters: dict[str, int] = {}
        for account in self._accounts.values():
            account.feed = None
        self._accounts = {target.id: _Account(target) for target in reversed(self.targets)}

    @property
    def degraded(self) -> bool:
        """Never: memory is all it promises."""
        return False

    def append(self, line: bytes) -> None:
        """Keep one line. Never raises."""
        if not _platform.fork_mark[0]:
            _platform.after_fork()
        events = read_line(line.rstrip(b"\n")).events
        with self.lock:
            takers = {
                key: [event for event in events if self._accepts(account.target, event)]
                for key, account in self._accounts.items()
            }
            self._lines.append(_Kept(self._next, events, takers, len(line)))
            self._next += 1
            self._size += len(line)
            while self._size > self._limit and self._lines:
                self._evict()

    def _evict(self) -> None:
        oldest = self._lines.popleft()
        self._size -= oldest.size
        lost = 0
        for key, account in self._accounts.items():
            if oldest.number >= account.taken:  # else it is dealt with, or the batch under way holds it
                account.evicted += len(oldest.takers[key])
                account.taken = oldest.number + 1
                lost = max(lost, len(oldest.takers[key]))
        if lost:
            self.count("overflow", lost)

    @property
    def first(self) -> int:
        """The number of the oldest line that is still here."""
        return self._lines[0].number if self._lines else self._next

    def since(self, number: int) -> Iterator[_Kept]:
        """The lines from a number on. The lock is held."""
        # A copy: a signal handler or finaliser of this very thread may append meanwhile.
        return (kept for kept in tuple(self._lines) if kept.number >= number)

    def feed(self, target: Target) -> MemoryFeed | None:
        """The one feed of a destination; ``None`` while somebody has it."""
        with self.lock:
            account = self._accounts[target.id]
            if account.feed is not None:
                return None
            account.feed = MemoryFeed(self, account)
            return account.feed

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter."""
        with self.lock:
            self._counters[name] = self._counters.get(name, 0) + n

    def waiting(self) -> dict[str, int]:
        """Events waiting per destination id."""
        with self.lock:
            return {key: self._waiting(key, account) for key, account in self._accounts.items()}

    def behind(self, identifier: str) -> bool:
        """Whether a destination has events waiting."""
        return self.waiting().get(identifier, 0) > 0

    def _waiting(self, key: str, account: _Account) -> int:
        under_way = account.feed.under_way if account.feed is not None else 0
        return under_way + sum(len(kept.takers[key]) for kept in self.since(account.taken))

    def status(self) -> Mapping[str, Any]:
        """The ledger, as :meth:`DiskSpool.status <footspan.spool.disk.DiskSpool.status>` gives it."""
        with self.lock:
            return {
                "kind": "memory",
                "directory": None,
                "durability": "memory",
                "segments": 0,
                "bytes": self._size,
                "buffered": len(self._lines),
                "last_eviction": None,
                "counters": {**dict.fromkeys(NAMES, 0), **self._counters},
                "destinations": {key: self._ledger(key, account) for key, account in self._accounts.items()},
            }

    def _ledger(self, key: str, account: _Account) -> dict[str, Any]:
        tally, waiting, feed = account.tally, self._waiting(key, account), account.feed
        carrier = {**_platform.identity(), "held": feed is not None, "beat_age": None, "stalled": False}
        if feed is not None:
            carrier.update(state=feed.state, reason=feed.reason)
        return {
            "name": account.target.name,
            "type": account.target.type,
            "accepted": tally.delivered + sum(tally.refused.values()) + waiting + account.evicted,
            "delivered": tally.delivered,
            "waiting": waiting,
            "oldest": self._oldest(key, account) if waiting else None,
            "refused": dict(tally.refused),
            "evicted": account.evicted,
            "evicted_by": {"overflow": account.evicted} if account.evicted else {},
            "skipped": tally.skipped,
            "redacted": tally.redacted,
            "unreadable": 0,
            "carrier": carrier,
        }

    def shares(self) -> list[Share]:
        """What was done for each destination."""
        with self.lock:
            return [
                Share(
                    account.target.name,
                    account.tally.delivered,
                    dict(account.tally.refused),
                    {"overflow": account.evicted} if account.evicted else {},
                )
                for account in self._accounts.values()
            ]

    def dropped(self) -> dict[str, int]:
        """How many events were not stored, by reason; what had to go for others is evicted."""
        with self.lock:
            return {name: count for name, count in self._counters.items() if name in DROPS and name != "overflow"}

    def _oldest(self, key: str, account: _Account) -> float | None:
        under_way = account.feed.events if account.feed is not None else ()
        times = [event.time_ns for event in under_way]
        times += [event.time_ns for kept in self.since(account.taken) for event in kept.takers[key][:1]]
        return min(times) / 1e9 if times else None

    def maintain(self) -> None:
        """Forget what every destination has."""
        with self.lock:
            done = min(
                (account.feed.first if account.feed else account.taken for account in self._accounts.values()),
                default=0,
            )
            while self._lines and self._lines[0].number < done:
                self._size -= self._lines.popleft().size

    def close(self) -> None:
        """Nothing to let go: what is still here ends with the process."""


class MemoryFeed:
    """One destination's view of a :class:`MemorySpool`.

    Attributes:
        state: What its carrier said last.
        reason: Why.
    """

    def __init__(self, spool: MemorySpool, account: _Account) -> None:
        self._spool = spool
        self._account = account
        self._batch: Batch | None = None
        self._lines: list[_Kept] = []
        self.state = "idle"
        self.reason = ""

    @property
    def events(self) -> Sequence[LogLine]:
        """The batch that was taken and is not done."""
        return self._batch.events if self._batch is not None else ()

    @property
    def under_way(self) -> int:
        """How many events are in it."""
        return len(self.events)

    @property
    def first(self) -> int:
        """The number of the first line that may still be asked for."""
        return self._lines[0].number if self._lines else self._account.taken

    def take(self, max_items: int, max_bytes: int) -> Batch | None:
        """The next unacknowledged events, or ``None`` when all is acknowledged. The same until ``done``."""
        with self._spool.lock:
            if self._account.feed is not self:
                return None
            if self._batch is None:
                self._batch = self._next(max_items, max_bytes)
            return self._batch

    def _next(self, max_items: int, max_bytes: int) -> Batch | None:
        account = self._account
        events: list[LogLine] = []
        skipped = size = 0
        self._lines = []
        start = account.taken
        for kept in self._spool.since(start):
            taken = kept.takers[account.target.id]
            if events and taken and (len(events) + len(taken) > max_items or size + kept.size > max_bytes):
                break
            events += taken
            size += kept.size if taken else 0
            skipped += len(kept.events) - len(taken) - account.counted.pop(kept.number, 0)
            self._lines.append(kept)
            account.taken = kept.number + 1
        if not events:
            account.tally.skipped += skipped
            self._lines = []
            return None
        events.sort(key=lambda event: event.time_ns)
        return Batch(events, [Range(SEGMENT, start, account.taken)], skipped)

    def sending(self, batch: Batch) -> None:
        """Nothing to journal: the batch ends with the process."""

    def kept(self, batch: Batch) -> None:
        """Nothing to journal."""

    def done(self, batch: Batch, tally: Tally) -> None:
        """Count the outcome and forget the batch."""
        with self._spool.lock:
            _add(self._account.tally, tally, batch.skipped)
            if batch is self._batch:
                self._batch, self._lines = None, []
            self._spool.maintain()

    def settle(
        self,
        batch: Batch,
        left: Sequence[LogLine],
        tally: Tally,
        unsure: Container[bytes] = frozenset(),  # noqa: ARG002 - what was in doubt once is sent again all the same
    ) -> bool:
        """Count a part of a batch as done and let the rest be cut anew, with what came meanwhile."""
        stay = Counter(event.line for event in left)
        with self._spool.lock:
            if batch is not self._batch:
                return False
            account, there = self._account, self._spool.first
            _add(account.tally, tally, batch.skipped)
            account.counted = {}
            for kept in self._lines:
                taken = [event for event in kept.takers[account.target.id] if stay[event.line]]
                stay.subtract(event.line for event in taken)
                kept.takers[account.target.id] = taken
                if kept.number >= there:
                    account.counted[kept.number] = len(kept.events) - len(taken)
                else:
                    account.evicted += len(taken)
            account.taken = max(there, self._lines[0].number)
            self._batch, self._lines = None, []
            return True

    def waiting(self) -> int:
        """How many events the destination takes and does not have yet."""
        return self._spool.waiting()[self._account.target.id]

    def reject(self, event: LogLine, reason: str, status: int | None = None) -> None:
        """Nowhere to keep it; the outcome counts it."""

    def beat(self, state: str, reason: str = "") -> None:
        """Note what the carrier is doing."""
        self.state, self.reason = state, reason

    def close(self) -> None:
        """Give the destination up; a batch under way goes back."""
        with self._spool.lock:
            account = self._account
            if account.feed is not self:
                return
            account.feed = None
            if self._lines:
                there = self._spool.first
                for kept in self._lines:
                    if kept.number < there:
                        account.evicted += len(kept.takers[account.target.id])
                account.taken = max(there, self._lines[0].number)
            self._batch, self._lines = None, []


def _add(total: Tally, tally: Tally, skipped: int) -> None:
    """Add a batch's outcome to a sum."""
    total.delivered += tally.delivered
    total.skipped += max(tally.skipped, skipped)
    total.redacted += tally.redacted
    for reason, count in tally.refused.items():
        total.refuse(reason, count)
