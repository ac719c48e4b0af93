"""The record of evictions: bounded for years, and every figure stays what it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from footspan.spool import evictions, locks, sidefiles
from footspan.spool.base import Tally
from footspan.spool.evictions import Evictions
from spool.making import PAYMENTS, UMAMI, age, drain, line, open_disk, segments, the_feed

if TYPE_CHECKING:
    from pathlib import Path

    from footspan.spool.disk import DiskSpool


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record may be summed up at once, and the record is large from its second kilobyte on."""
    monkeypatch.setattr(evictions, "SETTLED", 0.0)
    monkeypatch.setattr(evictions, "COMPACT_BYTES", 1024)


def spool_in(root: Path) -> DiskSpool:
    """A spool whose events grow old after a minute."""
    return open_disk(root, UMAMI, PAYMENTS, max_age=60.0, quiet=0.0)


def evict(spool: DiskSpool, root: Path, *lines: bytes) -> None:
    """Some events come, and grow too old."""
    for each in lines:
        spool.append(each)
    spool._writer.rotate()
    for path in segments(root):
        age(path, 3600)
    spool.maintain()


def figures(root: Path) -> dict[str, Any]:
    """What a process sees that starts now: for each destination accepted, delivered and evicted events."""
    entries: Any = spool_in(root).status()["destinations"]
    return {key: (entry["accepted"], entry["delivered"], entry["evicted"]) for key, entry in entries.items()}


def size(root: Path) -> int:
    """Of the record."""
    return (root / "evictions.jsonl").stat().st_size


def test_years_of_evictions_keep_the_record_small(tmp_path: Path) -> None:
    """By destination and reason, for processes that watched and for those that come later."""
    spool, watching = spool_in(tmp_path), spool_in(tmp_path)
    largest = 0
    for number in range(1, 61):
        evict(spool, tmp_path, line(f"u{number}"), line(f"p{number}", "payment.done"))
        largest = max(largest, size(tmp_path))
        assert watching.status()["destinations"][UMAMI.id]["evicted"] == 2 * number
    assert largest < 4096
    assert figures(tmp_path) == {UMAMI.id: (120, 0, 120), PAYMENTS.id: (60, 0, 60)}
    entry: Any = spool.status()["destinations"]
    assert entry[UMAMI.id]["evicted_by"] == {"max_age": 120}
    assert spool.status()["last_eviction"]["reason"] == "max_age"
    spool.close()


def test_what_was_dealt_with_of_them_leaves_the_journal_as_well(tmp_path: Path) -> None:
    """Parts of segments that were delivered before the rest was evicted."""
    spool = spool_in(tmp_path)
    feed = the_feed(spool)
    for number in range(1, 41):
        spool.append(line(f"u{number}"))
        drain(feed)
        evict(spool, tmp_path, line(f"v{number}"))
        drain(feed)
        assert figures(tmp_path)[UMAMI.id] == (2 * number, number, number)
    assert size(tmp_path) < 4096
    assert len(feed.fold.parted) == 40
    feed._journal.compact()
    assert len(feed.fold.parted) < 12
    assert figures(tmp_path)[UMAMI.id] == (80, 40, 40)
    feed.close()
    spool.close()


@pytest.mark.parametrize("kept", [False, True], ids=["under way", "held back"])
def test_a_batch_in_hand_is_not_summed_up(tmp_path: Path, kept: bool) -> None:
    """Its segments go; it is delivered long afterwards all the same, and counts once."""
    spool = spool_in(tmp_path)
    feed = the_feed(spool)
    for number in range(3):
        spool.append(line(f"in hand {number}"))
    batch = feed.take(10, 1 << 20)
    feed.sending(batch)
    if kept:
        feed.kept(batch)
    for number in range(30):
        evict(spool, tmp_path, line(f"u{number}"))
    feed._journal.compact()
    feed.sending(batch)
    feed.done(batch, Tally(delivered=3))
    for number in range(10):
        evict(spool, tmp_path, line(f"v{number}"))
        drain(feed)
    assert figures(tmp_path)[UMAMI.id] == (43, 3, 40)
    assert size(tmp_path) < 4096
    feed.close()
    spool.close()


def test_nobody_writes_while_it_is_summed_up(tmp_path: Path) -> None:
    """Who cannot have the record deletes nothing, and tries again."""
    spool = spool_in(tmp_path)
    lock = locks.acquire(str(tmp_path / "evictions.lock"))
    assert lock is not None
    evict(spool, tmp_path, line("u0"))
    assert not (tmp_path / "evictions.jsonl").exists()
    lock.release()
    spool.maintain()
    assert figures(tmp_path)[UMAMI.id] == (1, 0, 1)
    spool.close()


@pytest.mark.parametrize(
    "damage", [{"taken": 3}, {"taken": {UMAMI.id: "x"}}, {"destinations": []}, {"reason": []}, {"segment": {}}]
)
def test_a_record_that_makes_no_sense_is_passed_over(tmp_path: Path, damage: dict[str, Any]) -> None:
    """It costs its own figures only."""
    spool = spool_in(tmp_path)
    evict(spool, tmp_path, line("u0"))
    path = tmp_path / "evictions.jsonl"
    entry = {**json.loads(path.read_bytes()), "segment": "a" * 12 + "-" + "b" * 12 + "-00000001"}
    with path.open("a") as file:
        file.write(json.dumps({**entry, **damage}) + "\n")
    assert figures(tmp_path)[UMAMI.id] == (1, 0, 1)
    assert Evictions(spool.layout).last is not None
    spool.close()


def test_quarantine_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest files go, whole, and what was in them is counted."""
    monkeypatch.setattr(sidefiles, "QUARANTINE_BYTES", 10_000)
    monkeypatch.setattr(sidefiles, "_LOOK_EVERY", 0)
    spool = open_disk(tmp_path)
    counted: list[tuple[str, int]] = []
    quarantine = sidefiles.Quarantine(spool.layout, lambda name, n: counted.append((name, n)))
    for number in range(30):
        name = f"{'a' * 12}-{'b' * 12}-{number:08d}"
        for offset in (0, 1000):
            assert quarantine.keep(name, offset, bytes(1000))
        age(tmp_path / "quarantine" / f"{name}.jsonl", 1000 - number)
    left = sorted(path.name for path in (tmp_path / "quarantine").iterdir())
    assert sum((tmp_path / "quarantine" / name).stat().st_size for name in left) <= 10_000
    assert left[-1].endswith("-00000029.jsonl")
    assert left[0].endswith(f"-{30 - len(left):08d}.jsonl")
    assert counted == [("quarantine_deleted", 2)] * (30 - len(left))
