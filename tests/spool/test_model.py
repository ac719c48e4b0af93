"""Arbitrary histories: nothing appended is ever lost, and only what was in flight at a crash is repeated."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from footspan.spool.base import Tally
from spool.making import PAYMENTS, UMAMI, age, drain, line, open_disk, segments, uids
from spool.test_feed import crash

TARGETS = (UMAMI, PAYMENTS)


class Side:
    """What one destination has and should have."""

    def __init__(self) -> None:
        self.feed: Any = None
        self.expected: set[str] = set()
        self.seen: list[str] = []
        self.flying: set[str] = set()
        self.repeatable: set[str] = set()


class SpoolMachine(RuleBasedStateMachine):
    """Two writers, two destinations, and everything that can happen to them."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.spools = [self.open(), self.open()]
        self.sides = {target: Side() for target in TARGETS}
        self.number = 0
        self.delivered = dict.fromkeys(TARGETS, 0)

    def open(self) -> Any:
        return open_disk(self.root, *TARGETS, segment_bytes=1500, quiet=0.0)

    def teardown(self) -> None:
        if not hasattr(self, "spools"):
            return
        try:
            for target, side in self.sides.items():
                if side.feed is None:
                    self.carry(target)
                self.finish(target)
                side.seen += drain(side.feed)
                assert set(side.seen) == side.expected
                extra = [uid for uid in side.seen if side.seen.count(uid) > 1]
                assert set(extra) <= side.repeatable
                assert self.spools[0].waiting()[target.id] == 0
                side.feed.close()
            for spool in self.spools:
                spool.close()
            last = self.open()
            for _ in range(2):  # the first time ends what a dead writer left torn
                for path in segments(self.root):
                    age(path, 60)
                last.maintain()
                for target in TARGETS:
                    feed = last.feed(target)
                    assert feed is not None
                    assert drain(feed) == []
                    feed.close()
            last.maintain()
            assert segments(self.root) == []
            assert list((self.root / "events").iterdir()) == []
        finally:
            self.folder.cleanup()

    @rule(writer=st.integers(0, 1), paid=st.booleans(), size=st.integers(0, 300))
    def append(self, writer: int, paid: bool, size: int) -> None:
        """An event."""
        self.number += 1
        uid, name = f"u{self.number}", "payment.done" if paid else "user.login"
        self.spools[writer].append(line(uid, name, text="x" * size))
        for target, side in self.sides.items():
            if target.events is None or paid:
                side.expected.add(uid)

    @rule(to=st.sampled_from(TARGETS), items=st.integers(1, 6), size=st.sampled_from([1, 1500, 1 << 20]))
    def take(self, to: Any, items: int, size: int) -> None:
        """A batch leaves, or the one under way is given again."""
        side = self.sides[to]
        if side.feed is None:
            self.carry(to)
        batch = side.feed.take(items, size)
        if batch is None:
            return
        got = set(uids(batch.events))
        if not side.flying:
            fresh = got - side.repeatable
            assert not fresh & set(side.seen)
            assert batch.ambiguous == bool(got & side.repeatable)
            side.feed.sending(batch)
            side.seen += uids(batch.events)
            side.flying = got
        assert got == side.flying

    @rule(to=st.sampled_from(TARGETS), items=st.integers(1, 6), size=st.sampled_from([1, 1500, 1 << 20]))
    def read_ahead(self, to: Any, items: int, size: int) -> None:
        """While a batch is under way, or at any other time, the next one is read."""
        if self.sides[to].feed is not None:
            self.sides[to].feed.prepare(items, size)

    @rule(to=st.sampled_from(TARGETS))
    def finish(self, to: Any) -> None:
        """The answer comes."""
        side = self.sides[to]
        if side.flying:
            side.feed.done(side.feed.take(1, 1), Tally(delivered=len(side.flying)))
            side.flying = set()

    @rule(to=st.sampled_from(TARGETS))
    def lose_carrier(self, to: Any) -> None:
        """The carrier dies at this instant."""
        side = self.sides[to]
        if side.feed is not None:
            crash(side.feed)
            side.feed = None
            side.repeatable |= side.flying
            side.flying = set()

    @rule(to=st.sampled_from(TARGETS))
    def hand_over(self, to: Any) -> None:
        """The carrier steps down in good order; a batch without answer stays doubtful."""
        side = self.sides[to]
        if side.feed is not None:
            side.feed.close()
            side.feed = None
            side.repeatable |= side.flying
            side.flying = set()

    def carry(self, target: Any) -> None:
        self.sides[target].feed = self.spools[0].feed(target)
        assert self.sides[target].feed is not None

    @rule(writer=st.integers(0, 1))
    def lose_writer(self, writer: int) -> None:
        """A process dies; another takes its place."""
        if writer == 0:
            for target in TARGETS:
                self.lose_carrier(target)
        place = self.spools[writer]._writer._place
        if place is not None:
            place.let_go()
        self.spools[writer] = self.open()

    @rule(writer=st.integers(0, 1), size=st.integers(1, 40))
    def tear(self, writer: int, size: int) -> None:
        """A process dies in the middle of a write."""
        place = self.spools[writer]._writer._place
        if place is not None:
            with Path(self.root, "events", f"{place.segment.name}.jsonl").open("ab") as file:
                file.write(line("torn")[:size])
            self.lose_writer(writer)

    @rule(writer=st.integers(0, 1))
    def rotate(self, writer: int) -> None:
        """A segment is closed early."""
        self.spools[writer]._writer.rotate()

    @rule(writer=st.integers(0, 1))
    def maintain(self, writer: int) -> None:
        """What everybody has goes."""
        self.spools[writer].maintain()

    @rule(to=st.sampled_from(TARGETS))
    def compact(self, to: Any) -> None:
        """A journal is rewritten."""
        if self.sides[to].feed is not None:
            self.sides[to].feed._journal.compact()

    @precondition(lambda self: all(not side.flying for side in self.sides.values()))
    @rule()
    def count(self) -> None:
        """What waits is what was appended and has not been acknowledged."""
        for target, side in self.sides.items():
            waiting = self.spools[1].waiting().get(target.id, 0)
            unseen = len(side.expected - set(side.seen))
            doubtful = waiting - unseen
            assert 0 <= doubtful <= len(side.repeatable)


TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
