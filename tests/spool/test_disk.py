"""The spool on disk as a whole: figures that add up, deletion, limits."""

from __future__ import annotations

import errno
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from footspan.spool import files
from footspan.spool.base import Tally
from spool.making import (
    OTLP,
    PAYMENTS,
    UMAMI,
    age,
    drain,
    end_child,
    line,
    open_disk,
    segments,
    start_child,
    the_feed,
)

if TYPE_CHECKING:
    from pathlib import Path


def ledger(spool: Any, identifier: str = UMAMI.id) -> dict[str, Any]:
    """One destination's figures."""
    found: dict[str, Any] = spool.status()["destinations"][identifier]
    return found


def evictions(root: Path) -> list[dict[str, Any]]:
    """What was recorded as evicted."""
    path = root / "evictions.jsonl"
    return [json.loads(text) for text in path.read_text().splitlines()] if path.exists() else []


def test_behind_is_whoever_has_not_acknowledged_all(tmp_path: Path) -> None:
    """Told without a look at any event: a backlog may be large, and every process asks at its start."""
    spool = open_disk(tmp_path, UMAMI, PAYMENTS)
    assert not spool.behind(UMAMI.id)
    spool.append(line("u0"))
    assert spool.behind(UMAMI.id)
    assert spool.behind(PAYMENTS.id)  # nobody has looked whether it is for this one
    assert not spool.behind("another")
    for target in (UMAMI, PAYMENTS):
        feed = the_feed(spool, target)
        drain(feed)
        assert not spool.behind(target.id)
        feed.close()
    spool._writer.buffered = lambda: [line("u1")]  # type: ignore[method-assign] # the disk refuses
    assert spool.behind(UMAMI.id)


def test_the_layout_is_as_documented(tmp_path: Path) -> None:
    """Names, modes, format."""
    root = tmp_path / "s"
    spool = open_disk(root)
    spool.append(line("u0"))
    feed = the_feed(spool)
    drain(feed)
    feed.beat("idle")
    feed.close()
    spool.close()
    found = {str(path.relative_to(root)): path for path in root.rglob("*")}
    fingerprint, writer, _ = segments(root)[0].stem.split("-")
    assert sorted(found) == sorted([
        "FORMAT",
        "counters",
        f"counters/{fingerprint}-{writer}.bin",
        "destinations",
        f"destinations/{UMAMI.id}",
        f"destinations/{UMAMI.id}/cursor.jsonl",
        f"destinations/{UMAMI.id}/lock",
        f"destinations/{UMAMI.id}/state.json",
        "events",
        f"events/{fingerprint}-{writer}-00000001.jsonl",
        f"events/{fingerprint}-{writer}.lock",
        "pipelines",
        f"pipelines/{fingerprint}.json",
        "quarantine",
        "rejected",
    ])  # fmt: skip
    assert found["FORMAT"].read_bytes() == b"1\n"
    assert json.loads(found[f"pipelines/{fingerprint}.json"].read_bytes()) == {
        "format": 1,
        "destinations": [{"id": UMAMI.id, "name": "umami", "type": "umami", "events": None}],
    }
    for path in (root, *found.values()):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_the_ledger_adds_up(tmp_path: Path) -> None:
    """Accepted is what was delivered, refused, evicted and is waiting."""
    spool = open_disk(tmp_path, UMAMI, PAYMENTS)
    for number in range(10):
        spool.append(line(f"u{number}", "payment.done" if number % 5 == 0 else "user.login"))
    feed = the_feed(spool)
    batch = feed.take(4, 1 << 20)
    feed.done(batch, Tally(delivered=3, redacted=2, refused={"bot": 1}))
    expected = {"accepted": 10, "delivered": 3, "refused": {"bot": 1}, "waiting": 6, "evicted": 0, "redacted": 2}
    assert {key: ledger(spool)[key] for key in expected} == expected
    assert (ledger(spool, PAYMENTS.id)["accepted"], ledger(spool, PAYMENTS.id)["waiting"]) == (2, 2)
    assert spool.waiting() == {UMAMI.id: 6, PAYMENTS.id: 2}
    spool.count("unrouted", 3)
    assert spool.status()["counters"]["unrouted"] == 3
    feed.close()
    spool.close()
    assert open_disk(tmp_path, UMAMI, PAYMENTS).waiting() == {UMAMI.id: 6, PAYMENTS.id: 2}


def test_waiting_is_known_for_what_others_carry(tmp_path: Path) -> None:
    """Another process's cursors are read along, also while they move."""
    carrier, asker = open_disk(tmp_path), open_disk(tmp_path)
    for number in range(10):
        carrier.append(line(f"u{number}"))
    feed = the_feed(carrier)
    for left in (7, 4, 1):
        feed.done(feed.take(3, 1 << 20), Tally(delivered=3))
        feed._journal.compact()
        assert asker.waiting() == {UMAMI.id: left}
    feed.close()


def test_waiting_counts_every_place_in_a_large_segment(tmp_path: Path) -> None:
    """From the nearest mark, whatever the order of the questions."""
    spool = open_disk(tmp_path, UMAMI, PAYMENTS)
    for number in range(1500):
        spool.append(line(f"u{number}", "payment.done" if number % 3 == 0 else "user.login", text="x" * 100))
    feed, payments = the_feed(spool), the_feed(spool, PAYMENTS)
    left = 1500
    while (batch := feed.take(137, 1 << 20)) is not None:
        feed.done(batch, Tally(delivered=len(batch.events)))
        left -= len(batch.events)
        assert spool.waiting() == {UMAMI.id: left, PAYMENTS.id: 500}
    payments.done(payments.take(10, 1 << 20), Tally(delivered=10))
    assert spool.waiting() == {UMAMI.id: 0, PAYMENTS.id: 490}
    feed.close()
    payments.close()


def test_what_waits_in_memory_is_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses hides nothing from `flush`."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        spool.append(line("u1"))
        assert spool.waiting() == {UMAMI.id: 2}
        assert spool.status()["buffered"] == 1
        assert ledger(spool)["accepted"] == 2
    spool.close()


def test_a_segment_goes_when_everybody_has_it(tmp_path: Path) -> None:
    """Not before the last destination, not while somebody may still write to it, never the current one."""
    spool = open_disk(tmp_path, UMAMI, OTLP)
    spool.append(line("u0"))
    spool._writer.rotate()
    spool.append(line("u1"))
    old, current = segments(tmp_path)
    umami, otlp = the_feed(spool, UMAMI), the_feed(spool, OTLP)
    drain(umami)
    age(old, 60)
    spool.maintain()
    assert segments(tmp_path) == [old, current]
    drain(otlp)
    spool.maintain()
    age(current, 60)
    spool.maintain()
    assert segments(tmp_path) == [current]
    spool.append(line("u2"))
    assert drain(umami) == ["u2"]
    assert old.stem not in umami.fold.cursors
    assert current.stem in umami.fold.cursors
    assert evictions(tmp_path) == []
    umami.close()
    otlp.close()


def test_a_segment_that_was_just_closed_stays_a_while(tmp_path: Path) -> None:
    """A thread may still be in the middle of a write to it."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    spool._writer.rotate()
    feed = the_feed(spool)
    drain(feed)
    spool.maintain()
    assert len(segments(tmp_path)) == 2
    feed.close()


def test_an_orphan_that_everybody_has_goes_with_its_writer(tmp_path: Path) -> None:
    """Lock and counters too; the counts stay."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    spool.count("dropped", 7)
    spool.close()
    reader = open_disk(tmp_path)
    feed = the_feed(reader)
    drain(feed)
    age(segments(tmp_path)[0], 60)
    reader.maintain()
    assert list((tmp_path / "events").iterdir()) == []
    assert [path.name for path in (tmp_path / "counters").iterdir()] == ["retired.jsonl"]
    assert reader.status()["counters"]["dropped"] == 7
    assert ledger(reader)["delivered"] == 1
    feed.close()


def test_the_orphan_of_a_live_process_is_none(tmp_path: Path) -> None:
    """Its segment stays, however old and whoever has it."""
    child = start_child(
        "import sys; from spool.making import *\n"
        "spool = open_disk(sys.argv[1]); spool.append(line('u0')); print('up', flush=True)\n"
        "sys.stdin.readline(); spool.append(line('u1')); spool.close()",
        tmp_path,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    spool = open_disk(tmp_path, max_age=1.0, max_bytes=0)
    feed = the_feed(spool)
    assert drain(feed) == ["u0"]
    age(segments(tmp_path)[0], 60)
    spool.maintain()
    assert len(segments(tmp_path)) == 1
    end_child(child)
    assert drain(feed) == ["u1"]
    feed.close()


def test_leftovers_of_writers_go(tmp_path: Path) -> None:
    """A writer that died before its first segment leaves a lock."""
    spool = open_disk(tmp_path)
    lock = tmp_path / "events" / ("a" * 12 + "-" + "b" * 12 + ".lock")
    lock.touch()
    spool.maintain()
    assert lock.exists()
    age(lock, 60)
    spool.maintain()
    assert not lock.exists()


def test_undelivered_events_go_when_they_are_too_old(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Counted by destination, with one warning."""
    spool = open_disk(tmp_path, UMAMI, PAYMENTS, max_age=1000.0)
    for number in range(4):
        spool.append(line(f"u{number}", "payment.done" if number == 3 else "user.login"))
    spool._writer.rotate()
    feed = the_feed(spool)
    feed.done(feed.take(1, 1 << 20), Tally(delivered=1))
    old = segments(tmp_path)[0]
    age(old, 900)
    spool.maintain()
    assert old.exists()
    age(old, 1100)
    spool.maintain()
    assert not old.exists()
    (entry,) = evictions(tmp_path)
    assert (entry["segment"], entry["reason"]) == (old.stem, "max_age")
    assert entry["destinations"] == {UMAMI.id: 3, PAYMENTS.id: 1}
    figures = ledger(spool)
    assert (figures["accepted"], figures["delivered"], figures["evicted"], figures["waiting"]) == (4, 1, 3, 0)
    assert len([record for record in caplog.records if "max_age or max_bytes" in record.message]) == 1
    feed.close()


def test_the_oldest_go_when_there_is_too_much(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whole segments, one warning however many; the current one stays."""
    spool = open_disk(tmp_path, max_bytes=400_000)
    for number in range(2500):
        spool.append(line(f"u{number:04}", text="x" * 100))
        if number % 100 == 0:
            spool.maintain()
    total = sum(path.stat().st_size for path in segments(tmp_path))
    assert 200_000 < total <= 400_000 + 100 * 600
    assert {entry["reason"] for entry in evictions(tmp_path)} == {"max_bytes"}
    assert ledger(spool)["evicted"] == sum(entry["destinations"][UMAMI.id] for entry in evictions(tmp_path))
    assert ledger(spool)["accepted"] == 2500
    feed = the_feed(spool)
    left = drain(feed)
    assert left == [f"u{number:04}" for number in range(2500 - len(left), 2500)]
    assert len([record for record in caplog.records if "max_age or max_bytes" in record.message]) == 1
    feed.close()


def test_the_current_segment_can_be_closed_to_keep_the_size(tmp_path: Path) -> None:
    """So that its events can go as well."""
    spool = open_disk(tmp_path, max_bytes=1000)
    for number in range(10):
        spool.append(line(f"u{number}"))
    spool.maintain()
    spool.maintain()
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 1000
    assert ledger(spool)["evicted"] == 10


def test_events_for_nobody_expire(tmp_path: Path) -> None:
    """Without destinations only age and size delete."""
    layout_spool = open_disk(tmp_path, max_age=1000.0)
    layout_spool.targets = ()
    from footspan.spool.disk import DiskSpool  # noqa: PLC0415 - an empty set is no option of the helper

    spool = DiskSpool(layout_spool.layout, (), lambda *_: True, max_age=1000.0)
    spool.append(line("u0"))
    spool._writer.rotate()
    age(segments(tmp_path)[0], 900)
    spool.maintain()
    assert len(segments(tmp_path)) == 2
    age(segments(tmp_path)[0], 1100)
    spool.maintain()
    assert len(segments(tmp_path)) == 1
    assert evictions(tmp_path)[0]["destinations"] == {}


def test_an_eviction_recorded_twice_counts_once(tmp_path: Path) -> None:
    """A crash between the record and the deletion is followed by another try."""
    spool = open_disk(tmp_path)
    for _ in range(2):
        spool._register.evictions.write("a" * 12 + "-" + "b" * 12 + "-00000001", "max_age", {UMAMI.id: 5})
    assert ledger(spool)["evicted"] == 5


def test_two_trackers_of_one_process_work_side_by_side(tmp_path: Path) -> None:
    """A segment each; one carries for both; maintenance of one leaves the other's lock alone."""
    first, second = open_disk(tmp_path, quiet=0.0), open_disk(tmp_path, quiet=0.0)
    first.append(line("u0"))
    second.append(line("u1"))
    feed = the_feed(first)
    assert sorted(drain(feed)) == ["u0", "u1"]
    second.maintain()
    first.maintain()
    first.append(line("u2"))
    second.append(line("u3"))
    assert sorted(drain(feed)) == ["u2", "u3"]
    child = start_child(
        "import sys; from spool.making import *\nopen_disk(sys.argv[1], quiet=0.0).maintain()\n"
        "print(len(segments(Path(sys.argv[1]))))",
        tmp_path,
    )
    assert end_child(child) == "2\n"
    feed.close()


def test_maintenance_survives_a_deleted_folder(tmp_path: Path) -> None:
    """And the next event makes it again."""
    root = tmp_path / "s"
    spool = open_disk(root)
    spool.append(line("u0"))
    feed = the_feed(spool)
    drain(feed)
    shutil.rmtree(root)
    spool.maintain()
    spool.status()
    spool.append(line("u1"))
    feed._lock_checked = -10.0
    assert "u1" in drain(feed)
    feed.close()


def test_ids_that_cannot_name_a_folder_are_refused(tmp_path: Path) -> None:
    """Before anything is touched."""
    from footspan.spool.base import Target  # noqa: PLC0415 - one test needs it

    with pytest.raises(ValueError, match="id"):
        open_disk(tmp_path).feed(Target("../x", "x", "x"))
    assert list((tmp_path / "destinations").iterdir()) == []


def test_two_processes_that_evict_at_once_count_once(tmp_path: Path) -> None:
    """Whoever comes second finds the segment gone and records nothing."""
    first, second = open_disk(tmp_path, max_age=10.0), open_disk(tmp_path, max_age=10.0)
    first.append(line("u0"))
    first._writer.rotate()
    age(segments(tmp_path)[0], 60)
    found = second._retention._find()
    first.maintain()
    assert second._retention._evict(found[0], "max_age")
    assert len(evictions(tmp_path)) == 1
    assert ledger(second)["evicted"] == 1
