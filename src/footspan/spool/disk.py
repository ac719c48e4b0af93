"""The spool on disk: writer, feeds, register and retention put together."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from footspan import _guard, _platform
from footspan.otlp_json import LogLine
from footspan.spool import counters, files, hurry, locks
from footspan.spool.counters import Counters
from footspan.spool.durable import DurableWriter
from footspan.spool.feed import QUIET, DiskFeed
from footspan.spool.goal import DiskGoal
from footspan.spool.pipelines import Pipelines, is_safe_id
from footspan.spool.register import Register
from footspan.spool.retention import Retention
from footspan.spool.segments import parse
from footspan.spool.shares import Holdings, Share
from footspan.spool.writer import RING_BYTES, SEGMENT_BYTES, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from footspan.spool.base import Target
    from footspan.spool.layout import Layout

_LEAST_SEGMENT = 64 * 1024
_SHARE = 8
"""A segment takes at most this part of ``max_bytes`` and ``max_age``, since what is deleted is whole segments."""


class DiskSpool:
    """Events in files, one folder a service. Nothing here raises into the host but :meth:`feed`.

    Args:
        layout: The folder, prepared.
        targets: The destinations of what is appended here.
        accepts: Whether a destination takes an event.
        max_bytes: Size of all segments at which the oldest go.
        max_age: Seconds at which undelivered events are given up.
        sync: Whether an event must be on the medium before ``append`` returns.
        segment_bytes: The size at which a segment is full.
        ring_bytes: How much waits in memory while the disk refuses.
        quiet: Seconds without a change after which a segment that has a successor is closed for good.
    """

    durable = True

    def __init__(  # noqa: PLR0913 - the limits, each with a default
        self,
        layout: Layout,
        targets: Sequence[Target],
        accepts: Callable[[Target, LogLine], bool],
        *,
        max_bytes: int = 512 * 1024 * 1024,
        max_age: float = 7 * 86_400.0,
        sync: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
        ring_bytes: int = RING_BYTES,
        quiet: float = QUIET,
    ) -> None:
        self.layout = layout
        self.targets: Sequence[Target] = tuple(targets)
        self._accepts = accepts
        self._max_age = max_age
        self._sync = sync
        self._quiet = quiet
        self._pipelines = Pipelines(layout)
        self._counters = Counters()
        self._register = Register(layout, self._pipelines, self.targets, accepts)
        self._retention = Retention(
            layout,
            self._register,
            self._pipelines,
            max_bytes=max_bytes,
            max_age=max_age,
            quiet=quiet,
            count=self._counters.add,
        )
        self._writer = (DurableWriter if sync else Writer)(
            layout,
            self._pipelines,
            self.targets,
            self._counters,
            segment_bytes=min(segment_bytes, max(_LEAST_SEGMENT, max_bytes // _SHARE)),
            ring_bytes=ring_bytes,
            acked=self._acknowledged,
        )
        self.append: Callable[[bytes], None] = self._writer.append
        self._holdings = Holdings()
        self._next_open = 0.0
        _platform.on_fork(self._forked)

    # -- the protocol --------------------------------------------------------------------------------------------------

    def feed(self, target: Target) -> DiskFeed | None:
        """Take a destination's lock; ``None`` when somebody else carries for it.

        Raises:
            OSError: Its folder cannot be used.
            ValueError: Its id cannot name a file.
        """
        if not is_safe_id(target.id):
            raise ValueError("a destination's id must be letters, digits, '.', '_' and '-'")
        path = self.layout.destination(target.id)
        if not files.own_directory(path):
            raise PermissionError(f"{path} belongs to another user")
        lock = locks.acquire(f"{path}/lock")
        if lock is None:
            return None
        former = self._register.feeds.pop(target.id, None)
        try:
            feed = DiskFeed(
                self.layout,
                target,
                lock,
                self._pipelines,
                self._accepts,
                count=self._counters.add,
                waiting=self._register.waiting,
                evicted=self._register.is_evicted,
                quiet=self._quiet,
                known=None if former is None else former.known,
            )
        except BaseException:
            lock.release()
            raise
        self._register.feeds[target.id] = feed
        self._holdings.begin(target.id, feed)
        return feed

    @property
    def degraded(self) -> bool:
        """Whether the disk refuses events, so that they wait in memory."""
        return self._writer.failing

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter; see :data:`footspan.spool.counters.NAMES`."""
        if not self._counters.attached and time.monotonic() >= self._next_open:
            self._next_open = time.monotonic() + 1.0
            self._writer.open()  # so that the count outlives the process
        self._counters.add(name, n)

    def waiting(self) -> dict[str, int]:
        """Events waiting per destination id, of every process's writing."""
        found: dict[str, int] = {}
        with _guard.guard("count of waiting events"):
            buffered = self._buffered()
            for identifier in self._register.targets():
                found[identifier] = self._register.waiting(identifier) + buffered.get(identifier, 0)
        return found

    def goal(self, identifiers: Iterable[str]) -> DiskGoal:
        """What is waiting now, of every process's writing, for whoever wants to wait until it is delivered."""
        return DiskGoal(self.layout, self._register, self._writer, self._buffered, identifiers)

    def hurry(self, identifiers: Iterable[str], seconds: float) -> None:
        """Ask the carriers of other processes to cut their pauses short for so long."""
        for identifier in identifiers:
            with _guard.guard("asking a carrier to hurry"), suppress(FileNotFoundError):
                if self.attended(identifier):
                    hurry.ask(self.layout.destination(identifier), seconds)

    def attended(self, identifier: str) -> bool:
        """Whether another process, or this one, carries for a destination."""
        if not is_safe_id(identifier):
            return False
        try:
            return locks.is_held(f"{self.layout.destination(identifier)}/lock")
        except OSError:
            return False

    def behind(self, identifier: str) -> bool:
        """Whether a destination may have events waiting: there is something that it has not acknowledged."""
        return bool(self._writer.buffered()) or self._register.behind(identifier)

    def status(self) -> Mapping[str, Any]:
        """The ledger.

        Returns:
            ``kind``, ``directory``, ``durability``, ``segments`` and ``bytes`` of the spool, ``buffered`` events that
            the disk would not take, ``counters`` by name, and ``destinations`` by id: what became of the events each
            one takes (``accepted`` is the sum of ``delivered``, ``refused``, ``evicted`` and ``waiting``), and who
            carries for it.
        """
        buffered = self._buffered()
        destinations = {}
        for identifier, target in self._register.targets().items():
            entry = self._register.destination(identifier, target)
            entry["waiting"] += buffered.get(identifier, 0)
            entry["accepted"] += buffered.get(identifier, 0)
            destinations[identifier] = entry
        return {
            "kind": "disk",
            "directory": self.layout.root,
            "durability": "disk" if self._sync else "process",
            "segments": len(self._register.segments()),
            "bytes": self._register.size(),
            "buffered": len(self._writer.buffered()),
            "last_eviction": self._register.last_eviction(),
            "counters": counters.total(self.layout, self._counters.here()),
            "destinations": destinations,
        }

    def shares(self) -> list[Share]:
        """What this process did for each destination."""
        evicted = self._retention.evicted
        found = []
        for identifier, target in self._register.targets().items():
            tally = self._holdings.of(identifier)
            found.append(Share(target.name, tally.delivered, tally.refused, dict(evicted.get(identifier, {}))))
        return found

    def dropped(self) -> dict[str, int]:
        """How many events this process did not store, by reason."""
        return self._counters.dropped()

    def maintain(self) -> None:
        """Delete what every destination has, enforce age and size, go back to a disk that recovered."""
        with _guard.guard("maintenance of the writer"):
            self._writer.maintain(self._max_age / _SHARE)
            self._counters.keep(self.layout)
        try:
            if not self._retention.tidy():
                self._writer.rotate()  # what is in the current segment can go next time
        except OSError as error:
            _guard.report("maintenance of the spool", error)

    def close(self) -> None:
        """Let the segment go, for the next writer to continue."""
        with _guard.guard("close of the spool"):
            self._writer.close()
            try:
                self._counters.keep(self.layout)
            except OSError as error:  # a full disk, for one
                _guard.report("keeping of counts", error)

    # -- helpers -------------------------------------------------------------------------------------------------------

    def _buffered(self) -> dict[str, int]:
        """What waits in memory, per destination id."""
        found: dict[str, int] = {}
        for line in self._writer.buffered():
            event = LogLine(line.rstrip(b"\n"))
            for target in self.targets:
                if self._accepts(target, event):
                    found[target.id] = found.get(target.id, 0) + 1
        return found

    def _acknowledged(self, name: str) -> int:
        segment = parse(name)
        return (self._register.acknowledged(segment) or 0) if segment else 0

    def _forked(self) -> None:
        self._holdings = Holdings()
        self._retention.evicted = {}
        self._register.forked()
