"""The writer: every line whole and on disk, through rotation, adoption and disks that refuse."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest

from footspan import _platform
from footspan.spool import adoption, files, locks
from footspan.spool import writer as writer_module
from footspan.spool.counters import Counters, total
from footspan.spool.layout import Layout
from footspan.spool.pipelines import Pipelines
from footspan.spool.writer import Writer
from spool.making import UMAMI, drain_all, in_fork, line, segments, stored

if TYPE_CHECKING:
    from pathlib import Path


class Bench:
    """A folder and its writers."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = Layout(root)
        self.layout.prepare()
        self.made: list[Writer] = []

    def writer(self, **options: Any) -> Writer:
        """One more writer."""
        counters = Counters()
        writer = Writer(self.layout, Pipelines(self.layout), [UMAMI], counters, **options)
        self.made.append(writer)
        return writer

    def counted(self, name: str) -> int:
        """A counter, over all writers."""
        here = [writer._counters.here() for writer in self.made]
        return total(self.layout, [sum(column) for column in zip(*here, strict=True)])[name]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Retries come at once."""
    monkeypatch.setattr(writer_module, "RETRY", 0.0)
    return Bench(tmp_path / "s")


def refuse(code: int) -> Any:
    """A file operation that fails."""

    def operation(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return operation


def test_a_line_is_on_disk_when_append_returns(bench: Bench) -> None:
    """In one file, whole, 0600."""
    writer = bench.writer()
    for number in range(3):
        writer.append(line(f"u{number}"))
        assert stored(bench.root).endswith(line(f"u{number}"))
    (path,) = segments(bench.root)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.name.endswith("-00000001.jsonl")
    writer.close()


def test_nothing_is_opened_before_the_first_line(bench: Bench) -> None:
    """A process that only forks others leaves nothing behind."""
    writer = bench.writer()
    writer.maintain(60.0)
    writer.close()
    assert not list((bench.root / "events").iterdir())


def test_a_full_segment_is_followed_under_the_same_descriptor(bench: Bench) -> None:
    """Lines are never split between two."""
    writer = bench.writer(segment_bytes=2000)
    writer.append(line("u0"))
    descriptor = writer._fd
    for number in range(1, 20):
        writer.append(line(f"u{number}"))
    assert writer._fd == descriptor
    paths = segments(bench.root)
    assert [int(path.stem[-8:]) for path in paths] == list(range(1, len(paths) + 1))
    assert all(path.read_bytes().endswith(b"\n") for path in paths[:-1])
    assert stored(bench.root) == b"".join(line(f"u{number}") for number in range(20))
    writer.close()


def test_threads_share_a_writer_through_rotation(bench: Bench) -> None:
    """Every line is there once, and whole."""
    writer = bench.writer(segment_bytes=3000)

    def work(name: int) -> None:
        for number in range(100):
            writer.append(line(f"{name}-{number}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    expected = sorted(line(f"{t}-{n}") for t in range(8) for n in range(100))
    assert sorted(stored(bench.root).splitlines(keepends=True)) == expected
    assert len(segments(bench.root)) > 2


def test_the_next_writer_continues_an_orphaned_segment(bench: Bench) -> None:
    """One file, one lock, one file of counters for any number of writers in turn."""
    for number in range(5):
        writer = bench.writer()
        writer.append(line(f"u{number}"))
        writer.close()
    assert len(segments(bench.root)) == 1
    assert len(list((bench.root / "events").iterdir())) == 2
    assert len(list((bench.root / "counters").iterdir())) == 1
    assert drain_all(bench.root) == [f"u{number}" for number in range(5)]


def test_two_writers_at_a_time_have_a_segment_each(bench: Bench) -> None:
    """Also within one process."""
    first, second = bench.writer(), bench.writer()
    first.append(line("u1"))
    second.append(line("u2"))
    assert first.segment != second.segment
    assert len(segments(bench.root)) == 2
    first.close()
    second.close()


def test_a_full_orphan_is_continued_in_its_next_segment(bench: Bench) -> None:
    """So that writers do not multiply."""
    first = bench.writer()
    first.append(line("u1"))
    first.close()
    second = bench.writer(segment_bytes=10)
    second.append(line("u2"))
    assert [path.stem[-8:] for path in segments(bench.root)][:2] == ["00000001", "00000002"]
    assert len({path.stem[:-9] for path in segments(bench.root)}) == 1
    second.close()


def test_a_segment_of_an_earlier_boot_is_not_continued(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is its writer: a power cut may have taken the end of it, and the next number, from under the cursors."""
    first = bench.writer()
    first.append(line("u1"))
    first.close()
    monkeypatch.setattr(_platform, "boot_id", lambda: b"another boot id.")
    second = bench.writer()
    second.append(line("u2"))
    assert [path.stem[-8:] for path in segments(bench.root)] == ["00000001", "00000001"]
    second.close()


def test_every_torn_tail_is_ended_by_the_next_writer(bench: Bench) -> None:
    """Counted, and the events round it are read."""
    whole, torn = line("u1"), line("u2")
    for cut in (1, len(torn) // 2, len(torn) - 2):
        root = bench.root.with_name(f"s{cut}")
        own = Bench(root)
        first = own.writer()
        first.append(whole)
        first.close()
        with segments(root)[0].open("ab") as file:
            file.write(torn[:cut])
        second = own.writer()
        second.append(line("u3"))
        assert stored(root) == whole + torn[:cut] + b"\n" + line("u3")
        assert own.counted("torn") == 1
        second.close()
        assert drain_all(root) == ["u1", "u3"]


def test_a_lock_without_segments_is_not_adopted(bench: Bench) -> None:
    """Its numbers may have been used; a cursor may still stand in them."""
    first = bench.writer()
    first.append(line("u1"))
    used = first.segment
    first.close()
    segments(bench.root)[0].unlink()
    second = bench.writer()
    second.append(line("u2"))
    assert used is not None
    assert second.segment is not None
    assert second.segment[:25] != used[:25]
    second.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_what_a_disk_refuses_waits_in_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    """In order, with one warning and no exception, and goes to disk once that recovers."""
    writer = bench.writer()
    writer.append(line("u0"))
    with monkeypatch.context() as patch:
        patch.setattr(files, "write", refuse(code))
        for number in range(1, 4):
            writer.append(line(f"u{number}"))
        assert len(writer.buffered()) == 3
        writer.maintain(60.0)
    writer.append(line("u4"))
    assert writer.buffered() == []
    writer.close()
    assert drain_all(bench.root) == [f"u{number}" for number in range(5)]
    # What refuses here refuses for every writer of the process: one that another test left says so too.
    said = [record.message for record in caplog.records if str(bench.root) in record.message]
    assert len([message for message in said if "cannot be written" in message]) == 1
    assert len([message for message in said if "can be written again" in message]) == 1


def test_a_disk_is_not_asked_at_every_append(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most once a second, so that a broken one costs the callers nothing."""
    monkeypatch.setattr(writer_module, "RETRY", 60.0)
    asked: list[int] = []

    def refuse_and_count(*_: Any) -> int:
        asked.append(1)
        raise OSError(errno.EIO, "")

    writer = bench.writer()
    writer.append(line("u0"))
    monkeypatch.setattr(files, "write", refuse_and_count)
    for _ in range(100):
        writer.append(line("u"))
    assert len(asked) <= 2


def test_maintenance_goes_back_to_a_disk_that_recovered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another event."""
    writer = bench.writer()
    with monkeypatch.context() as patch:
        patch.setattr(files, "open_file", refuse(errno.ENOSPC))
        writer.append(line("u0"))
    assert stored(bench.root) == b""
    writer.maintain(60.0)
    assert stored(bench.root).strip() == line("u0").strip()
    writer.close()


def test_the_oldest_go_when_memory_is_full(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted as overflow; what is left when the writer ends as well."""
    writer = bench.writer(ring_bytes=3 * len(line("u0")))
    monkeypatch.setattr(files, "write", refuse(errno.ENOSPC))
    for number in range(5):
        writer.append(line(f"u{number}"))
    assert writer.buffered() == [line("u2"), line("u3"), line("u4")]
    assert bench.counted("overflow") == 2
    writer.close()
    assert bench.counted("overflow") == 5


def test_a_short_write_is_repeated_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it left is ended, counted and passed over."""
    writer = bench.writer()
    writer.append(line("u0"))
    real = os.write
    calls: list[int] = []

    def short_once(descriptor: int, data: bytes) -> int:
        calls.append(1)
        return real(descriptor, data[:20] if len(calls) == 1 else data)

    monkeypatch.setattr(files, "write", short_once)
    writer.append(line("u1"))
    writer.append(line("u2"))
    monkeypatch.undo()
    assert stored(bench.root) == line("u0") + line("u1")[:20] + b"\n" + line("u1") + line("u2")
    assert bench.counted("short_write") == 1
    writer.close()
    assert drain_all(bench.root) == ["u0", "u1", "u2"]


@pytest.mark.parametrize("waited", [False, True], ids=["at once", "from memory"])
@pytest.mark.parametrize("follows", [False, True], ids=["alone", "one follows"])
def test_a_write_that_lacks_only_the_newline_is_not_repeated(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, waited: bool, follows: bool
) -> None:
    """The newline alone is written, so that the event is stored once."""
    writer = bench.writer()
    writer.append(line("u0"))
    if waited:
        monkeypatch.setattr(files, "write", refuse(errno.ENOSPC))
        writer.append(line("u1"))
    real = os.write
    lengths: list[int] = []

    def short_once(descriptor: int, data: bytes) -> int:
        lengths.append(len(data))
        return real(descriptor, data if len(lengths) > 1 else data[:-1])

    monkeypatch.setattr(files, "write", short_once)
    if waited:
        writer.maintain(60.0)
    else:
        writer.append(line("u1"))
    if follows:
        writer.append(line("u2"))
    monkeypatch.undo()
    assert stored(bench.root).split() == [line(f"u{n}").strip() for n in range(3 if follows else 2)]
    assert stored(bench.root).endswith(b"\n")
    assert bench.counted("short_write") == 1
    assert writer.buffered() == []
    assert not writer.failing
    writer.close()


def test_a_newline_that_the_disk_refuses_is_written_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the next round of maintenance at the latest; the event does not wait in memory meanwhile."""
    writer = bench.writer()
    writer.append(line("u0"))
    real, calls = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data[:-1])

    monkeypatch.setattr(files, "write", full)
    writer.append(line("u1"))
    assert writer.buffered() == []
    assert stored(bench.root) == line("u0") + line("u1")[:-1]
    monkeypatch.undo()
    writer.maintain(60.0)
    assert stored(bench.root) == line("u0") + line("u1")
    writer.close()


def test_a_descriptor_closed_behind_our_back_costs_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """As daemons do: the next append opens another segment at once, without a word."""
    writer = bench.writer()
    writer.append(line("u0"))
    os.close(writer._fd)
    writer.append(line("u1"))
    assert writer.buffered() == []
    assert not caplog.records
    writer.close()
    assert sorted(drain_all(bench.root)) == ["u0", "u1"]


def test_a_number_that_went_to_another_file_is_noticed(bench: Bench, tmp_path: Path) -> None:
    """Maintenance sees it, and that file keeps its number."""
    writer = bench.writer()
    writer.append(line("u0"))
    number = writer._fd
    other = os.open(tmp_path / "other", os.O_CREAT | os.O_RDWR)
    os.dup2(other, number)
    writer.maintain(60.0)
    writer.append(line("u1"))
    assert os.fstat(number).st_ino == (tmp_path / "other").stat().st_ino
    assert (tmp_path / "other").read_bytes() == b""
    writer.close()
    os.close(number)
    os.close(other)
    assert sorted(drain_all(bench.root)) == ["u0", "u1"]


def test_a_deleted_folder_is_made_again(bench: Bench) -> None:
    """And what the deleted segment held is there again."""
    writer = bench.writer()
    writer.append(line("u0"))
    shutil.rmtree(bench.root)
    writer.append(line("u1"))
    writer.maintain(60.0)
    writer.append(line("u2"))
    writer.close()
    assert drain_all(bench.root) == ["u0", "u1", "u2"]


def test_what_a_deleted_segment_held_counts_as_lost_where_there_is_no_room(bench: Bench) -> None:
    """The oldest are left behind, counted; the rest keeps its place before what came later."""
    writer = bench.writer(ring_bytes=3 * len(line("u0")))
    for number in range(4):
        writer.append(line(f"u{number}"))
    shutil.rmtree(bench.root)
    writer.maintain(60.0)
    assert bench.counted("overflow") == 1
    assert stored(bench.root) == b"".join(line(f"u{number}") for number in (1, 2, 3))
    writer.append(line("u4"))
    shutil.rmtree(bench.root)
    os.close(writer._fd)
    writer.close()


def test_what_is_rescued_comes_before_what_waits(bench: Bench) -> None:
    """A line without its newline is among it if nothing else is missing."""
    writer = bench.writer()
    writer.append(line("u0"))
    os.write(writer._fd, line("u1")[:-1])
    shutil.rmtree(bench.root)
    writer._leave_quick_way(torn=True)
    writer.append(line("u2"))
    assert stored(bench.root) == line("u0") + line("u1") + line("u2")
    writer.close()


def test_a_deleted_segment_that_cannot_be_read_holds_nothing_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried twice; neither try keeps a lock or a descriptor, and the loss is counted."""
    writer = bench.writer()
    writer.append(line("u0"))
    shutil.rmtree(bench.root)
    monkeypatch.setattr(writer_module, "rescue", refuse(errno.EIO))
    writer.maintain(60.0)
    (left,) = (bench.root / "events").glob("*.lock")
    assert not locks.is_held(str(left))
    writer.append(line("u1"))
    assert not writer.failing
    assert stored(bench.root) == line("u1")
    assert bench.counted("unreadable") == 1
    writer.close()


def test_an_old_segment_is_closed_before_it_is_full(bench: Bench) -> None:
    """So that age can be kept by deleting whole segments; an empty one stays."""
    writer = bench.writer()
    writer.append(line("u0"))
    writer.maintain(60.0)
    assert len(segments(bench.root)) == 1
    writer.maintain(-1.0)
    assert len(segments(bench.root)) == 2
    writer.maintain(-1.0)
    assert len(segments(bench.root)) == 2
    writer.close()


def test_an_append_that_interrupts_itself_does_not_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler or finaliser may track in the middle of opening a segment."""
    writer = bench.writer()
    real = adoption.open_place

    def interrupted(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        writer.append(line("inner"))
        return real(*args, **options)

    monkeypatch.setattr(adoption, "open_place", interrupted)
    writer.append(line("outer"))
    assert sorted(stored(bench.root).splitlines(keepends=True)) == sorted([line("inner"), line("outer")])
    writer.close()


def test_a_closed_writer_opens_again(bench: Bench) -> None:
    """An event after shutdown is not lost."""
    writer = bench.writer()
    writer.append(line("u0"))
    writer.close()
    writer.append(line("u1"))
    assert stored(bench.root) == line("u0") + line("u1")
    writer.close()


def test_a_forked_child_writes_a_segment_of_its_own(bench: Bench) -> None:
    """The parent's stays the parent's, and keeps its lock."""
    writer = bench.writer()
    writer.append(line("parent"))

    def work() -> bool:
        writer.append(line("child"))
        return len(segments(bench.root)) == 2

    assert in_fork(work)
    writer.append(line("parent again"))
    assert writer._place is not None
    assert writer._place.lock.valid()
    assert sorted(path.read_bytes().count(b"\n") for path in segments(bench.root)) == [1, 2]
    writer.close()


def test_a_fork_that_python_does_not_know_is_noticed(bench: Bench) -> None:
    """By a byte that the kernel clears in the child."""
    if not hasattr(_platform.fork_mark, "madvise"):
        pytest.skip("the kernel does not clear memory at a fork")
    import ctypes  # noqa: PLC0415 - one test needs it

    writer = bench.writer()
    writer.append(line("parent"))

    def work() -> bool:
        writer.append(line("child"))
        return len(segments(bench.root)) == 2

    assert in_fork(work, ctypes.PyDLL(None).fork)
    writer.close()


def test_a_log_handler_that_tracks_and_a_disk_that_refuses_do_not_wait_for_each_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler has its own lock while it appends; whoever finds the disk full warns through that handler."""
    writer = bench.writer()
    writer.append(line("first"))
    inside, refusing = threading.Event(), threading.Event()

    class Tracking(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "host":
                inside.set()
                refusing.wait(5.0)
                writer.append(line("handler"))

    def full(*_: Any) -> int:
        refusing.set()
        raise OSError(errno.ENOSPC, "full")

    handler = Tracking()
    logging.getLogger().addHandler(handler)
    try:
        host = threading.Thread(target=logging.getLogger("host").warning, args=("x",), daemon=True)
        host.start()
        assert inside.wait(5.0)
        monkeypatch.setattr(files, "write", full)
        other = threading.Thread(target=writer.append, args=(line("other"),), daemon=True)
        other.start()
        host.join(5.0)
        other.join(5.0)
        assert not host.is_alive()
        assert not other.is_alive()
    finally:
        logging.getLogger().removeHandler(handler)
