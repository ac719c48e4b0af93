"""Feeds: everything once, in order, to whom it is for, through crashes at every point."""

from __future__ import annotations

import base64
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from footspan.otlp_json import LogLine, merge
from footspan.spool import files
from footspan.spool.base import Tally, Target
from spool.making import (
    OTLP,
    PAYMENTS,
    T0,
    UMAMI,
    age,
    drain,
    drain_all,
    in_fork,
    line,
    open_disk,
    segments,
    the_feed,
    uids,
)

if TYPE_CHECKING:
    from pathlib import Path


def crash(feed: Any) -> None:
    """Let go of a feed as the death of its process would: nothing is written any more."""
    feed._closed = True
    feed._journal._close()
    feed._lock.release()


def test_a_batch_is_given_until_it_is_done(tmp_path: Path) -> None:
    """Then the next one comes, and at last none."""
    spool = open_disk(tmp_path)
    for number in range(5):
        spool.append(line(f"u{number}"))
    feed = the_feed(spool)
    first = feed.take(3, 1 << 20)
    assert uids(first.events) == ["u0", "u1", "u2"]
    assert feed.take(100, 1 << 20) is first
    assert feed.waiting() == 5
    feed.sending(first)
    feed.done(first, Tally(delivered=3))
    assert feed.waiting() == 2
    assert uids(feed.take(3, 1 << 20).events) == ["u3", "u4"]
    feed.done(feed.take(3, 1 << 20), Tally(delivered=2))
    assert feed.take(3, 1 << 20) is None
    assert feed.waiting() == 0
    spool.append(line("u5"))
    assert drain(feed) == ["u5"]
    feed.close()


def ahead(tmp_path: Path) -> tuple[Any, Any, Any]:
    """A spool, its feed, and a batch of three under way while the next three have been read."""
    spool = open_disk(tmp_path)
    for number in range(10):
        spool.append(line(f"u{number}"))
    feed = the_feed(spool)
    first = feed.take(3, 1 << 20)
    feed.sending(first)
    feed.prepare(3, 1 << 20)
    return spool, feed, first


def test_the_next_batch_is_read_while_one_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No segment is looked at for it any more, and nothing of it counts as sent."""
    _, feed, first = ahead(tmp_path)
    assert feed.waiting() == 10
    feed.done(first, Tally(delivered=3))
    with monkeypatch.context() as patch:
        patch.setattr(feed._merge, "fill", pytest.fail)
        assert uids(feed.take(3, 1 << 20).events) == ["u3", "u4", "u5"]
    feed.done(feed.take(3, 1 << 20), Tally(delivered=3))
    assert drain(feed, 3) == ["u6", "u7", "u8", "u9"]


def test_what_was_read_before_is_read_again_where_it_no_longer_fits(tmp_path: Path) -> None:
    """The destination takes less at a time by now; or a part of the batch before goes back."""
    _, feed, first = ahead(tmp_path)
    feed.done(first, Tally(delivered=3))
    assert uids(feed.take(2, 1 << 20).events) == ["u3", "u4"]
    feed.done(feed.take(2, 1 << 20), Tally(delivered=2))
    second = feed.take(2, 1 << 20)
    feed.sending(second)
    feed.prepare(2, 1 << 20)
    assert feed.settle(second, second.events[1:], Tally(delivered=1))
    assert drain(feed, 2) == ["u6", "u7", "u8", "u9"]


def test_what_was_read_before_and_is_deleted_is_not_sent(tmp_path: Path) -> None:
    """Its eviction was counted."""
    _, feed, first = ahead(tmp_path)
    feed.done(first, Tally(delivered=3))
    segments(tmp_path)[0].unlink()
    assert feed.take(3, 1 << 20) is None


def test_a_carriers_death_repeats_only_what_was_sent(tmp_path: Path) -> None:
    """Not what it had read."""
    spool, feed, _ = ahead(tmp_path)
    crash(feed)
    again = the_feed(spool)
    doubtful = again.take(100, 1 << 20)
    assert doubtful.ambiguous
    assert uids(doubtful.events) == ["u0", "u1", "u2"]
    again.sending(doubtful)
    again.prepare(3, 1 << 20)
    again.done(doubtful, Tally(delivered=3))
    assert drain(again, 3) == [f"u{number}" for number in range(3, 10)]


def test_a_batch_that_may_grow_is_not_read_before(tmp_path: Path) -> None:
    """It bears what came meanwhile."""
    spool = open_disk(tmp_path)
    for number in range(4):
        spool.append(line(f"u{number}"))
    feed = the_feed(spool)
    first = feed.take(3, 1 << 20)
    feed.sending(first)
    feed.prepare(3, 1 << 20)
    spool.append(line("u4"))
    feed.done(first, Tally(delivered=3))
    assert uids(feed.take(3, 1 << 20).events) == ["u3", "u4"]


def test_a_batch_is_bounded_by_bytes(tmp_path: Path) -> None:
    """But one event always fits."""
    spool = open_disk(tmp_path)
    for number in range(3):
        spool.append(line(f"u{number}", text="x" * 500))
    feed = the_feed(spool)
    batch = feed.take(100, 10)
    assert uids(batch.events) == ["u0"]
    feed.done(batch, Tally(delivered=1))
    assert len(feed.take(100, 2 * len(line("u1", text="x" * 500))).events) == 2
    feed.close()


def test_segments_of_all_writers_merge_by_time(tmp_path: Path) -> None:
    """Several in one batch, oldest first; inside a batch the order is that of the times."""
    spools = [open_disk(tmp_path) for _ in range(3)]
    for number in range(12):
        spools[number % 3].append(line(f"u{number:02}", time_ns=T0 + number))
    feed = the_feed(spools[0])
    assert drain(feed, 5) == [f"u{number:02}" for number in range(12)]
    feed.close()


def test_events_of_one_time_keep_their_order(tmp_path: Path) -> None:
    """As they were written."""
    spool = open_disk(tmp_path)
    for number in range(10):
        spool.append(line(f"u{number}"))
    spool.append(line("early", time_ns=T0 - 1))
    feed = the_feed(spool)
    assert drain(feed) == ["early", *(f"u{number}" for number in range(10))]
    feed.close()


def test_many_writers_are_served(tmp_path: Path) -> None:
    """More than are read at a time."""
    for number in range(80):
        spool = open_disk(tmp_path)
        spool.append(line(f"u{number:02}", time_ns=T0 + number))
        spool._writer._abandon = lambda: None  # type: ignore[method-assign] # stays alive
    assert len(segments(tmp_path)) == 80
    assert drain_all(tmp_path) == [f"u{number:02}" for number in range(80)]


def test_only_what_a_destination_takes_reaches_it(tmp_path: Path) -> None:
    """The rest is skipped, counted and acknowledged, also when nothing of it is left to send."""
    spool = open_disk(tmp_path, UMAMI, PAYMENTS)
    for number in range(6):
        spool.append(line(f"u{number}", "payment.done" if number == 2 else "user.login"))
    feed = the_feed(spool, PAYMENTS)
    batch = feed.take(100, 1 << 20)
    assert (uids(batch.events), batch.skipped) == (["u2"], 5)
    feed.done(batch, Tally(delivered=1))
    spool.append(line("u7"))
    assert feed.take(100, 1 << 20) is None
    assert feed.fold.tally == Tally(delivered=1, skipped=6)
    assert feed.waiting() == 0
    feed.close()


def test_the_writer_decides_where_its_events_go(tmp_path: Path) -> None:
    """A destination that was added later, or has other patterns now, gets only what is for it."""
    old = open_disk(tmp_path, UMAMI)
    old.append(line("before"))
    new = open_disk(tmp_path, UMAMI, OTLP)
    new.append(line("after"))
    narrow = Target(UMAMI.id, UMAMI.name, UMAMI.type, ("payment.*",))
    narrowed = open_disk(tmp_path, narrow)
    narrowed.append(line("narrow", "user.login"))
    narrowed.append(line("paid", "payment.done"))
    otlp, umami = the_feed(new, OTLP), the_feed(new, narrow)
    assert drain(otlp) == ["after"]
    assert sorted(drain(umami)) == ["after", "before", "paid"]
    otlp.close()
    umami.close()


def test_a_destination_is_carried_for_once(tmp_path: Path) -> None:
    """By one tracker of one process, until that gives it up."""
    first, second = open_disk(tmp_path), open_disk(tmp_path)
    feed = the_feed(first)
    assert second.feed(UMAMI) is None
    feed.close()
    other = the_feed(second)
    other.close()
    assert feed.take(1, 1) is None  # closed


def test_what_was_being_sent_comes_back_first_and_alone(tmp_path: Path) -> None:
    """Marked, because nobody knows whether it arrived."""
    spool = open_disk(tmp_path)
    for number in range(6):
        spool.append(line(f"u{number}"))
    feed = the_feed(spool)
    done = feed.take(2, 1 << 20)
    feed.sending(done)
    feed.done(done, Tally(delivered=2))
    feed.sending(feed.take(2, 1 << 20))
    crash(feed)

    feed = the_feed(spool)
    assert feed.waiting() == 4
    batch = feed.take(100, 1 << 20)
    assert (uids(batch.events), batch.ambiguous) == (["u2", "u3"], True)
    feed.sending(batch)
    feed.done(batch, Tally(delivered=2))
    batch = feed.take(100, 1 << 20)
    assert (uids(batch.events), batch.ambiguous) == (["u4", "u5"], False)
    feed.close()


def test_a_doubtful_batch_is_cut_like_any_other(tmp_path: Path) -> None:
    """The destination may take less than it did; all of it stays ambiguous."""
    spool = open_disk(tmp_path)
    for number in range(5):
        spool.append(line(f"u{number}"))
    feed = the_feed(spool)
    feed.sending(feed.take(5, 1 << 20))
    crash(feed)
    feed = the_feed(spool)
    seen = []
    for _ in range(3):
        batch = feed.take(2, 1 << 20)
        assert batch.ambiguous
        seen += uids(batch.events)
        feed.done(batch, Tally(delivered=len(batch.events)))
    assert seen == [f"u{number}" for number in range(5)]
    assert feed.take(2, 1 << 20) is None
    feed.close()


def test_what_certainly_stored_nothing_is_not_doubtful(tmp_path: Path) -> None:
    """A destination that drops the doubtful must not drop what it refused for now."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    feed = the_feed(spool)
    batch = feed.take(5, 1 << 20)
    feed.sending(batch)
    feed.kept(batch)
    crash(feed)
    feed = the_feed(spool)
    assert not feed.take(5, 1 << 20).ambiguous
    feed.close()


def test_what_was_doubtful_stays_doubtful(tmp_path: Path) -> None:
    """A later request that stored nothing does not tell what became of the first."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    feed = the_feed(spool)
    feed.sending(feed.take(5, 1 << 20))
    crash(feed)
    for _ in range(2):
        feed = the_feed(spool)
        batch = feed.take(5, 1 << 20)
        assert batch.ambiguous
        feed.sending(batch)
        feed.kept(batch)
        crash(feed)


def test_what_was_being_sent_and_is_deleted_is_counted(tmp_path: Path) -> None:
    """Refused as evicted, so that the ledger adds up."""
    spool = open_disk(tmp_path)
    for number in range(3):
        spool.append(line(f"u{number}"))
    feed = the_feed(spool)
    feed.sending(feed.take(5, 1 << 20))
    crash(feed)
    spool.close()
    segments(tmp_path)[0].unlink()
    feed = the_feed(spool)
    assert feed.take(5, 1 << 20) is None
    assert feed.fold.tally.refused == {"evicted": 3}
    assert not feed.fold.cursors
    feed.close()


def test_bytes_that_are_no_event_are_kept_aside(tmp_path: Path) -> None:
    """Once, whoever comes by them, with where they came from."""
    spool = open_disk(tmp_path, UMAMI, OTLP)
    spool.append(line("u0"))
    spool.append(b"\xffgarbage\n")
    spool.append(line("u1"))
    umami, otlp = the_feed(spool, UMAMI), the_feed(spool, OTLP)
    assert drain(umami) == drain(otlp) == ["u0", "u1"]
    (path,) = (tmp_path / "quarantine").iterdir()
    (entry,) = (json.loads(text) for text in path.read_text().splitlines())
    assert base64.b64decode(entry["base64"]) == b"\xffgarbage"
    assert (entry["segment"], entry["offset"]) == (segments(tmp_path)[0].stem, len(line("u0")))
    assert path.stat().st_mode & 0o777 == 0o600
    assert spool.status()["counters"]["unreadable"] == 1
    assert umami.fold.unreadable == 1
    umami.close()
    otlp.close()


def test_a_torn_end_waits_while_its_writer_may_live(tmp_path: Path) -> None:
    """And is passed over once the segment has a successor and is quiet."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    path = segments(tmp_path)[0]
    with path.open("ab") as file:
        file.write(b'{"torn')
    feed = the_feed(spool)
    assert drain(feed) == ["u0"]
    assert feed.fold.cursors[path.stem].offset == len(line("u0"))
    spool._writer.rotate()
    spool.append(line("u1"))
    assert drain(feed) == ["u1"]
    age(path, 6)
    assert drain(feed) == []
    assert feed.fold.cursors[path.stem].offset == path.stat().st_size
    feed.close()
    assert drain_all(tmp_path) == []


def test_foreign_lines_with_several_events_are_taken_whole(tmp_path: Path) -> None:
    """One acknowledgement for all of them."""
    spool = open_disk(tmp_path)
    merged = merge([LogLine(line("u1")), LogLine(line("u0"))])
    assert len(json.loads(merged)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]) == 2
    spool.append(merged + b"\n")
    spool.append(line("u2"))
    feed = the_feed(spool)
    assert feed.waiting() == 3
    batch = feed.take(1, 1)
    assert uids(batch.events) == ["u1", "u0"]
    feed.done(batch, Tally(delivered=2))
    assert drain(feed) == ["u2"]
    feed.close()


def test_rejected_events_stay_legal_lines(tmp_path: Path) -> None:
    """With the reason as one more member, so that they can be sent again as they are."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    feed = the_feed(spool)
    batch = feed.take(1, 1)
    feed.reject(batch.events[0], "too_large", 413)
    path = tmp_path / "rejected" / f"{UMAMI.id}.jsonl"
    entry = json.loads(path.read_text())
    note = entry.pop("footspanRejected")
    assert entry == json.loads(line("u0"))
    assert (note["reason"], note["status"], note["destination"]) == ("too_large", 413, UMAMI.id)
    assert note["time"].endswith("Z")
    assert path.stat().st_mode & 0o777 == 0o600
    feed.close()


def test_the_heartbeat_says_who_carries_and_how(tmp_path: Path) -> None:
    """Rewritten on change, else touched."""
    spool = open_disk(tmp_path)
    feed = the_feed(spool)
    feed.beat("idle")
    path = tmp_path / "destinations" / UMAMI.id / "state.json"
    first = json.loads(path.read_text())
    assert (first["pid"], first["state"], first["name"]) == (os.getpid(), "idle", "umami")
    age(path, 100)
    inode = path.stat().st_ino
    assert spool.status()["destinations"][UMAMI.id]["carrier"]["stalled"]
    feed.beat("idle")
    carrier = spool.status()["destinations"][UMAMI.id]["carrier"]
    assert (carrier["held"], carrier["stalled"], carrier["state"]) == (True, False, "idle")
    assert path.stat().st_ino == inode
    feed.beat("parked", "dns")
    assert json.loads(path.read_text())["reason"] == "dns"
    feed.close()
    carrier = spool.status()["destinations"][UMAMI.id]["carrier"]
    assert (carrier["held"], carrier["state"]) == (False, "closed")


def test_a_segment_that_was_cut_short_is_read_on_at_its_end(tmp_path: Path) -> None:
    """What was before the cut had been acknowledged."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    spool.append(line("u1"))
    feed = the_feed(spool)
    assert drain(feed) == ["u0", "u1"]
    feed.close()
    os.truncate(segments(tmp_path)[0], len(line("u0")) + 10)
    feed = the_feed(spool)
    assert feed.take(5, 1 << 20) is None
    assert feed.fold.cursors[segments(tmp_path)[0].stem].offset == len(line("u0"))
    spool.append(b"\n" + line("u2"))
    assert drain(feed) == ["u2"]
    feed.close()


@pytest.mark.parametrize("offset", [1, 200])
def test_a_cursor_in_the_middle_of_a_line_goes_back_to_its_start(tmp_path: Path, offset: int) -> None:
    """A damaged cursor repeats an event rather than miss one."""
    spool = open_disk(tmp_path)
    for number in range(3):
        spool.append(line(f"u{number}", text="x" * 100))
    feed = the_feed(spool)
    feed._journal.write({"op": "at", "segment": segments(tmp_path)[0].stem, "offset": offset, "acked": []})
    feed.close()
    feed = the_feed(spool)
    spool.append(line("last"))
    assert drain(feed)[-1] == "last"
    feed.close()


def test_every_truncation_of_a_segment_can_be_read(tmp_path: Path) -> None:
    """What is whole arrives, the rest is kept aside, and what comes later arrives too."""
    spool = open_disk(tmp_path / "whole")
    for number in range(3):
        spool.append(line(f"u{number}"))
    spool.close()
    data = segments(tmp_path / "whole")[0].read_bytes()
    for cut in range(0, len(data), 7):
        root = tmp_path / "cut"
        shutil.copytree(tmp_path / "whole", root)
        os.truncate(segments(root)[0], cut)
        spool = open_disk(root)
        spool.append(line("later"))
        spool.close()
        assert drain_all(root) == [*(f"u{number}" for number in range(data[:cut].count(b"\n"))), "later"]
        shutil.rmtree(root)


def test_a_segment_that_cannot_be_read_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again later."""
    first, second = open_disk(tmp_path), open_disk(tmp_path)
    first.append(line("u0"))
    second.append(line("u1"))
    broken = str(segments(tmp_path)[0])
    feed = the_feed(first)
    real = files.read_at

    def fail(path: str, offset: int, size: int) -> bytes:
        if path == broken:
            raise OSError(5, "")
        return real(path, offset, size)

    with monkeypatch.context() as patch:
        patch.setattr(files, "read_at", fail)
        assert len(drain(feed)) == 1
    feed._merge._broken.clear()
    assert len(drain(feed)) == 1
    feed.close()


def test_a_missing_pipeline_delays_and_loses_nothing(tmp_path: Path) -> None:
    """Nobody knows where its events may go until it is written again."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    spool.close()
    (path,) = (tmp_path / "pipelines").iterdir()
    data = path.read_bytes()
    path.write_bytes(b"{}")
    late = open_disk(tmp_path)
    feed = the_feed(late)
    assert drain(feed) == []
    path.write_bytes(data)
    feed._pipelines._missing.clear()
    assert drain(feed) == ["u0"]
    feed.close()


def test_a_deleted_lock_is_taken_again(tmp_path: Path) -> None:
    """With the folder it was in; if somebody else has it by now, we stop."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    feed = the_feed(spool)
    shutil.rmtree(tmp_path / "destinations")
    feed._lock_checked = -10.0
    assert uids(feed.take(5, 1 << 20).events) == ["u0"]
    feed.done(feed.take(5, 1 << 20), Tally(delivered=1))
    shutil.rmtree(tmp_path / "destinations")
    other = the_feed(open_disk(tmp_path))
    feed._lock_checked = -10.0
    assert feed.take(5, 1 << 20) is None
    other.close()
    feed.close()


def test_a_forked_child_does_not_carry(tmp_path: Path) -> None:
    """Its copy of the parent's feed is dead."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    feed = the_feed(spool)
    assert in_fork(lambda: feed.take(1, 1) is None and spool.feed(UMAMI) is None)
    assert drain(feed) == ["u0"]
    feed.close()


def test_segments_with_nothing_for_a_destination_are_passed_in_one_go(tmp_path: Path) -> None:
    """However many; nothing taken means nothing is left."""
    spool = open_disk(tmp_path, UMAMI, PAYMENTS, segment_bytes=1000)
    for number in range(40):
        spool.append(line(f"u{number}"))
    spool.append(line("paid", "payment.done"))
    feed = the_feed(spool, PAYMENTS)
    assert uids(feed.take(1, 1 << 20).events) == ["paid"]
    feed.close()
    feed = the_feed(open_disk(tmp_path, UMAMI, PAYMENTS), PAYMENTS)
    assert drain(feed) == ["paid"]
    assert feed.fold.tally.skipped == 40
    feed.close()
