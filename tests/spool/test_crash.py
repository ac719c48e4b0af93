"""The world stops before the n-th change to the disk, for every n: nothing is lost, nothing is stuck."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footspan.spool import files, locks
from footspan.spool.base import Tally
from spool.making import PAYMENTS, UMAMI, age, drain, line, open_disk, segments, the_feed, uids

if TYPE_CHECKING:
    from pathlib import Path

CHANGES = ("open_file", "close", "dup2", "write", "rename", "unlink", "mkdir", "utime", "sync_data", "pwrite")


class PowerOff(BaseException):
    """The process ends here."""


class Disk:
    """The file operations, which stop working after a number of calls and for good."""

    def __init__(self, patch: pytest.MonkeyPatch, last: int) -> None:
        self.calls = 0
        self.last = last
        for name in CHANGES:
            patch.setattr(files, name, self.limited(getattr(files, name)))

    def limited(self, operation: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if self.calls >= self.last:
                raise PowerOff
            self.calls += 1
            return operation(*args, **options)

        return call


def life(root: Path, returned: list[str], sent: list[list[str]]) -> None:
    """What a process does in its life: it notes what returned and what it sent."""
    spool = open_disk(root, UMAMI, PAYMENTS, segment_bytes=1200, quiet=0.0)
    feed = the_feed(spool)
    feed.beat("idle")
    number = 0
    for _ in range(3):
        for _ in range(3):
            uid = f"{len(returned)}-{number}"
            number += 1
            spool.append(line(uid))
            returned.append(uid)
        batch = feed.take(4, 1 << 20)
        sent.append(uids(batch.events))
        feed.sending(batch)
        feed.done(batch, Tally(delivered=len(batch.events)))
        feed.beat("sending")
        spool.maintain()
    feed._journal.compact()
    feed.close()
    payments = the_feed(spool, PAYMENTS)
    drain(payments)
    payments.close()
    spool.maintain()
    spool.close()


def die() -> None:
    """What the kernel does for a process that ended: its locks are gone."""
    for lock in list(locks._held.values()):
        lock.release()


@pytest.mark.parametrize("lives", [1, 2])
def test_a_stop_before_any_change_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: int) -> None:
    """In the first life of a spool, and in one that continues another's."""
    last = 0
    while True:
        root = tmp_path / f"s{last}"
        returned: list[str] = []
        sent: list[list[str]] = []
        for _ in range(lives - 1):
            life(root, returned, sent)
        with monkeypatch.context() as patch:
            Disk(patch, last)
            try:
                life(root, returned, sent)
                stopped = False
            except PowerOff:
                stopped = True
        die()
        check(root, returned, sent)
        shutil.rmtree(root)
        if not stopped:
            break
        last += 1
    assert last > 100


def check(root: Path, returned: list[str], sent: list[list[str]]) -> None:
    """A successor delivers the rest; only the last batch may come twice."""
    spool = open_disk(root, UMAMI, PAYMENTS, quiet=0.0)
    feed = the_feed(spool)
    rest = drain(feed)
    before = [uid for batch in sent for uid in batch]
    assert set(returned) <= {*before, *rest}
    repeated = {uid for uid in rest if uid in before} | {uid for uid in before if before.count(uid) > 1}
    assert len(rest) == len(set(rest))
    assert repeated <= set(sent[-1] if sent else ())
    spool.append(line("later"))
    assert drain(feed) == ["later"]
    payments = the_feed(spool, PAYMENTS)
    drain(payments)
    spool.close()
    for _ in range(2):
        for path in (root / "events").iterdir():
            age(path, 60)
        spool.maintain()
        drain(feed)
        drain(payments)
    spool.maintain()
    assert segments(root) == []
    feed.close()
    payments.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bits_cost_at_most_what_they_hit(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """In a segment, a journal or a pipelines file: the other events arrive, and nothing is stuck or raised."""
    root = tmp_path_factory.mktemp("flip")
    spool = open_disk(root)
    for number in range(6):
        spool.append(line(f"u{number}"))
    feed = the_feed(spool)
    first = feed.take(2, 1 << 20)
    feed.sending(first)
    feed.done(first, Tally(delivered=2))
    feed.close()
    spool.close()
    (segment,) = segments(root)
    (pipeline,) = (root / "pipelines").iterdir()
    victim = data.draw(st.sampled_from([segment, root / "destinations" / UMAMI.id / "cursor.jsonl", pipeline]))
    content = bytearray(victim.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    victim.write_bytes(content)
    hit = set()
    if victim == segment:
        index = segment.read_bytes()[:at].count(b"\n")
        hit = {f"u{index}", f"u{index + 1}"}
    spool = open_disk(root)
    spool.append(line("later"))
    feed = the_feed(spool)
    rest = drain(feed)
    assert {"u2", "u3", "u4", "u5", "later"} - hit <= set(rest)
    feed.close()
    spool.close()
    shutil.rmtree(root)
