"""The ledger adds up: whatever happens, accepted is delivered and waiting and refused and evicted, and is the truth."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from footspan.spool import files
from footspan.spool.base import Tally
from footspan.spool.memory import MemorySpool
from spool.making import PAYMENTS, UMAMI, accepts, age, line, open_disk, the_feed
from spool.making import segments as segment_files
from spool.test_feed import crash

TARGETS = (UMAMI, PAYMENTS)


class Dies(Exception):  # noqa: N818 - what happens, not what is wrong
    """The process ends here."""


class LedgerMachine(RuleBasedStateMachine):
    """Two processes, two destinations, batches that are delivered and refused, segments that go before they should."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.spools = [self.open(), self.open()]
        self.feeds: dict[Any, Any] = {}
        self.batches: dict[Any, Any] = {}
        self.accepted = dict.fromkeys(TARGETS, 0)
        self.delivered = dict.fromkeys(TARGETS, 0)
        self.refused = dict.fromkeys(TARGETS, 0)
        self.number = 0

    def open(self) -> Any:
        return open_disk(self.root, *TARGETS, segment_bytes=900, max_bytes=1 << 20, quiet=0.0)

    def teardown(self) -> None:
        if hasattr(self, "spools"):
            for feed in self.feeds.values():
                feed.close()
            for spool in self.spools:
                spool.close()
            self.folder.cleanup()

    def feed(self, to: Any) -> Any:
        if to not in self.feeds:
            self.feeds[to] = the_feed(self.spools[0], to)
        return self.feeds[to]

    @rule(writer=st.integers(0, 1), paid=st.booleans(), count=st.integers(1, 5))
    def append(self, writer: int, paid: bool, count: int) -> None:
        """Events."""
        for _ in range(count):
            self.number += 1
            self.spools[writer].append(line(f"u{self.number}", "payment.done" if paid else "user.login"))
        self.accepted[UMAMI] += count
        self.accepted[PAYMENTS] += count * paid

    @rule(to=st.sampled_from(TARGETS), items=st.integers(1, 6), announce=st.booleans())
    def take(self, to: Any, items: int, announce: bool) -> None:
        """A batch is taken, and perhaps announced; the rest of the world goes on before its answer."""
        if to not in self.batches:
            batch = self.feed(to).take(items, 1 << 20)
            if batch is not None:
                self.batches[to] = batch
                if announce:
                    self.feed(to).sending(batch)

    @rule(to=st.sampled_from(TARGETS), refused=st.integers(0, 2))
    def finish(self, to: Any, refused: int) -> None:
        """Its answer comes."""
        batch = self.batches.pop(to, None)
        if batch is not None:
            refused = min(refused, len(batch.events))
            tally = Tally(delivered=len(batch.events) - refused)
            if refused:
                tally.refuse("bot", refused)
            self.feed(to).done(batch, tally)
            self.delivered[to] += tally.delivered
            self.refused[to] += refused

    @rule(to=st.sampled_from(TARGETS), back=st.integers(1, 3))
    def part(self, to: Any, back: int) -> None:
        """An answer deferred some of the batch: the others are dealt with, these are cut anew."""
        batch = self.batches.get(to)
        if batch is not None and not batch.ambiguous:
            left = list(batch.events)[-back:]
            delivered = len(batch.events) - len(left)
            if self.feed(to).settle(batch, left, Tally(delivered=delivered)):
                del self.batches[to]
                self.delivered[to] += delivered

    @rule(to=st.sampled_from(TARGETS))
    def lose_carrier(self, to: Any) -> None:
        """The carrier dies at this instant, a batch under way or not."""
        self.batches.pop(to, None)
        feed = self.feeds.pop(to, None)
        if feed is not None:
            crash(feed)

    @rule(writer=st.integers(0, 1))
    def lose_writer(self, writer: int) -> None:
        """A process dies; the next one adopts what it left."""
        if writer == 0:
            for target in TARGETS:
                self.lose_carrier(target)
        place = self.spools[writer]._writer._place
        if place is not None:
            place.let_go()
        self.spools[writer] = self.open()

    @rule(writer=st.integers(0, 1), adopted=st.booleans())
    def rotate(self, writer: int, adopted: bool) -> None:
        """A segment is full, or left for others to take over."""
        self.spools[writer]._writer.rotate()
        if adopted:
            self.spools[writer].close()

    @rule(to=st.sampled_from(TARGETS))
    def compact(self, to: Any) -> None:
        """A journal is rewritten."""
        if to in self.feeds:
            self.feeds[to]._journal.compact()

    @rule(writer=st.integers(0, 1))
    def maintain(self, writer: int) -> None:
        """What everybody has goes."""
        self.spools[writer].maintain()

    @rule(writer=st.integers(0, 1), which=st.integers(0, 5))
    def evict(self, writer: int, which: int) -> None:
        """A segment is too old."""
        self.too_old(which)
        self.spools[writer].maintain()

    @rule(writer=st.integers(0, 1), which=st.integers(0, 5))
    def die_while_evicting(self, writer: int, which: int) -> None:
        """The eviction is recorded, and the process ends before the segment is deleted."""
        self.too_old(which)
        keep = files.discard

        def discard(path: str) -> bool:
            if "/events/" in path and path.endswith(".jsonl"):
                raise Dies
            return keep(path)

        with mock.patch.object(files, "discard", discard):
            try:
                self.spools[writer]._retention.tidy()
            except Dies:
                self.lose_writer(writer)
        for path in segment_files(self.root):
            age(path, 0)

    @rule(to=st.sampled_from(TARGETS), which=st.integers(0, 5))
    def evict_right_before_sending(self, to: Any, which: int) -> None:
        """Another process deletes what a carrier has just taken and not yet announced."""
        if to not in self.batches:
            self.take(to, 3, announce=False)
            self.evict(1, which)
            if to in self.batches:
                self.feed(to).sending(self.batches[to])

    def too_old(self, which: int) -> None:
        there = segment_files(self.root)
        if there:
            age(there[which % len(there)], 30 * 86_400)

    @invariant()
    def adds_up(self) -> None:
        """For every process alike, at every moment."""
        if not hasattr(self, "spools"):
            return
        for spool in (*self.spools, open_disk(self.root, *TARGETS)):
            status = spool.status()["destinations"]
            for target in TARGETS:
                entry = status[target.id]
                assert entry["accepted"] == self.accepted[target]
                assert entry["delivered"] == self.delivered[target]
                assert sum(entry["refused"].values()) == self.refused[target]
                assert entry["evicted"] == sum(entry["evicted_by"].values())
                assert entry["waiting"] == spool.waiting()[target.id]
                known = entry["delivered"] + sum(entry["refused"].values()) + entry["waiting"] + entry["evicted"]
                assert known == entry["accepted"]


class MemoryMachine(RuleBasedStateMachine):
    """The same in memory, where what does not fit goes at once."""

    @initialize(limit=st.integers(300, 3_000))
    def begin(self, limit: int) -> None:
        self.spool = MemorySpool(TARGETS, accepts, limit=limit)
        self.feeds: dict[Any, Any] = {}
        self.accepted = dict.fromkeys(TARGETS, 0)
        self.done = dict.fromkeys(TARGETS, 0)
        self.number = 0

    @rule(paid=st.booleans(), count=st.integers(1, 5))
    def append(self, paid: bool, count: int) -> None:
        """Events."""
        for _ in range(count):
            self.number += 1
            self.spool.append(line(f"u{self.number}", "payment.done" if paid else "user.login"))
        self.accepted[UMAMI] += count
        self.accepted[PAYMENTS] += count * paid

    @rule(to=st.sampled_from(TARGETS), items=st.integers(1, 6), answered=st.booleans(), refused=st.booleans())
    def carry(self, to: Any, items: int, answered: bool, refused: bool) -> None:
        """A batch leaves; its answer comes, or is still to come."""
        if to not in self.feeds:
            self.feeds[to] = the_feed(self.spool, to)
        batch = self.feeds[to].take(items, 1 << 20)
        if batch is not None and answered:
            count = len(batch.events)
            tally = Tally(refused={"bot": count}) if refused else Tally(delivered=count)
            self.feeds[to].done(batch, tally)
            self.done[to] += count

    @rule(to=st.sampled_from(TARGETS))
    def hand_over(self, to: Any) -> None:
        """The carrier gives up, and what it had in hand goes back."""
        if to in self.feeds:
            self.feeds.pop(to).close()

    @rule()
    def maintain(self) -> None:
        """What everybody has goes."""
        self.spool.maintain()

    @invariant()
    def adds_up(self) -> None:
        """At every moment."""
        if not hasattr(self, "spool"):
            return
        status = self.spool.status()["destinations"]
        for target in TARGETS:
            entry = status[target.id]
            assert entry["accepted"] == self.accepted[target]
            assert entry["delivered"] + sum(entry["refused"].values()) == self.done[target]
            assert entry["waiting"] + entry["evicted"] == self.accepted[target] - self.done[target]


TestMemoryLedger = MemoryMachine.TestCase
TestMemoryLedger.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)

TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
