"""A disk in real trouble: append returns, events wait in memory, one warning, and all arrive once it recovers."""

from __future__ import annotations

import errno
import resource
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from footspan.spool import files
from footspan.spool.base import Tally
from spool.faults.trouble import fill, remount, small_disk
from spool.making import UMAMI, drain, drain_all, line, open_disk, the_feed, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFUSES = "the spool cannot be written"
RECOVERED = "the spool can be written again"


def uids(first: int, count: int) -> list[str]:
    """Names of events."""
    return [f"u{number}" for number in range(first, first + count)]


def append(spool: Any, names: list[str]) -> None:
    """Append events."""
    for uid in names:
        spool.append(line(uid, text="x" * 500))


def recover(spool: Any) -> None:
    """What the courier does every few seconds, at the moment when the next attempt is due."""
    spool._writer._next_try = 0.0
    spool.maintain()


def warnings_of(caplog: pytest.LogCaptureFixture, under: Path) -> tuple[int, int]:
    """How often writers there said that the disk refuses, and that it takes again."""
    said = [text for record in caplog.records if str(under) in (text := record.getMessage())]
    return sum(REFUSES in text for text in said), sum(RECOVERED in text for text in said)


@pytest.mark.parametrize("sync", [False, True], ids=["process", "disk"])
def test_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture, sync: bool) -> None:
    """Also while a journal and a heartbeat are to be written; the carrier goes on."""
    with small_disk(tmp_path / "disk") as disk:
        spool: Any = open_disk(disk / "s", sync=sync)
        feed = the_feed(spool)
        append(spool, uids(0, 10))
        ballast = fill(disk)
        append(spool, uids(10, 200))
        assert spool.degraded
        first = feed.take(5, 1 << 20)
        feed.sending(first)
        feed.done(first, Tally(delivered=len(first.events)))
        spool.maintain()
        assert spool.waiting()[UMAMI.id] == 205
        ledger = spool.status()["destinations"][UMAMI.id]
        assert (ledger["delivered"], ledger["waiting"], ledger["accepted"]) == (5, 205, 210)
        assert warnings_of(caplog, tmp_path) == (1, 0)
        ballast.unlink()
        recover(spool)
        assert not spool.degraded
        assert warnings_of(caplog, tmp_path) == (1, 1)
        assert drain(feed) == uids(5, 205)
        feed.close()
        spool.close()
        assert drain_all(disk / "s") == []


def test_a_disk_that_fills_up_by_our_own_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was delivered is deleted, the segment that is being written included, and makes room for what waits."""
    files._forked()  # what lingers from before
    monkeypatch.setattr(files, "_LINGER", 0.0)
    with small_disk(tmp_path / "disk") as disk:
        spool = open_disk(disk / "s", segment_bytes=20_000, quiet=0.0)
        append(spool, uids(0, 600))
        assert spool.degraded
        feed = the_feed(spool)
        got: list[str] = []
        for _ in range(30):
            got += drain(feed)
            recover(spool)
        assert got == uids(0, 600)
        assert warnings_of(caplog, tmp_path)[0] == warnings_of(caplog, tmp_path)[1]
        assert spool.status()["counters"]["overflow"] == 0
        feed.close()
        spool.close()


def test_a_disk_that_becomes_read_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As the kernel does after errors; a process that starts meanwhile keeps its events in memory too."""
    with small_disk(tmp_path / "disk") as disk:
        spool = open_disk(disk / "s")
        append(spool, uids(0, 3))
        spool.close()
        files._forked()  # the descriptor that lingers would keep the disk writable
        remount(disk, "ro")
        append(spool, uids(3, 3))
        late = open_disk(disk / "s")
        append(late, uids(6, 3))
        spool.maintain()
        late.maintain()
        assert late.status()["buffered"] == 3
        assert warnings_of(caplog, tmp_path) == (2, 0)
        remount(disk, "rw")
        recover(spool)
        recover(late)
        assert warnings_of(caplog, tmp_path) == (2, 2)
        feed = the_feed(spool)
        assert sorted(drain(feed)) == uids(0, 9)
        feed.close()
        spool.close()
        late.close()


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """``RLIMIT_FSIZE`` cuts a write in its middle, then refuses; the kernel's signal for it ends nothing."""
    spool: Any = open_disk(tmp_path)
    append(spool, uids(0, 2))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        append(spool, uids(2, 5))
        assert spool.degraded
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    recover(spool)
    feed = the_feed(spool)
    assert drain(feed) == uids(0, 7)
    feed.close()
    spool.close()


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    """The first event finds none; the segment that is open goes on when the next one cannot be opened."""
    early: Any
    late: Any
    early, late = open_disk(tmp_path, segment_bytes=1500), open_disk(tmp_path)
    append(early, uids(0, 1))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        append(early, uids(1, 5))
        append(late, uids(6, 2))
        assert late.degraded
        early.maintain()
        late.maintain()
        assert late._writer.buffered() != []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    recover(early)
    recover(late)
    assert not early.degraded
    assert not late.degraded
    feed = the_feed(early)
    assert sorted(drain(feed)) == uids(0, 8)
    feed.close()
    early.close()
    late.close()


@pytest.mark.parametrize("sync", [False, True], ids=["process", "disk"])
def test_a_folder_deleted_while_running(tmp_path: Path, sync: bool) -> None:
    """Writer and carrier make it again; what the deleted segment held and nobody has is there again."""
    root = tmp_path / "s"
    spool = open_disk(root, sync=sync)
    feed = the_feed(spool)
    append(spool, uids(0, 3))
    first = feed.take(2, 1 << 20)
    feed.sending(first)
    feed.done(first, Tally(delivered=len(first.events)))
    shutil.rmtree(root)
    append(spool, uids(3, 2))
    recover(spool)
    append(spool, uids(5, 1))
    feed._lock_checked = 0.0
    got = drain(feed)
    assert set(got) >= set(uids(2, 4))
    assert set(got) <= set(uids(0, 6))
    feed.close()
    spool.close()


@pytest.mark.parametrize("name", ["open_file", "write", "pwrite", "rename", "unlink", "mkdir", "utime", "dup2"])
def test_a_call_that_fails_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whichever it is: nothing is raised into the host, and all events arrive afterwards."""
    spool = open_disk(tmp_path, segment_bytes=1500, quiet=0.0)
    append(spool, uids(0, 2))
    feed = the_feed(spool)
    with monkeypatch.context() as patch:
        patch.setattr(files, name, failing(errno.EIO))
        append(spool, uids(2, 6))
        spool.maintain()
        spool.count("sampled_out")
        spool.status()
    recover(spool)
    assert not spool.degraded
    got: list[str] = []

    def all_are_there() -> bool:
        got.extend(drain(feed))  # what could not be read is tried again in a second
        return len(got) >= 8

    wait_for(all_are_there)
    assert got == uids(0, 8)
    assert spool.status()["counters"]["sampled_out"] == 1
    feed.close()
    spool.close()


def failing(code: int) -> Callable[..., Any]:
    """An operation that fails."""

    def fail(*_: Any) -> Any:
        raise OSError(code, "in trouble")

    return fail
