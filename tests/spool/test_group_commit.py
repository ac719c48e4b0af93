"""Group commit: what ``append`` has returned for is on the medium, and threads share the syncs."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from footspan import _platform
from footspan.spool import files, group_commit
from footspan.spool import writer as writer_module
from footspan.spool.counters import Counters
from footspan.spool.durable import DurableWriter
from footspan.spool.group_commit import GroupCommit
from footspan.spool.layout import Layout
from footspan.spool.pipelines import Pipelines
from spool.making import UMAMI, drain_all, end_child, in_fork, line, segments, start_child, stored, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FULL = 60.0
"""Seconds that anything here may take on a busy machine."""


class Medium:
    """What a power cut would leave of the segments, as far as syncs tell; and a hook before each of those.

    Attributes:
        kept: The contents that were synced, by the file's number.
        syncs: How many syncs there were.
        before: Called at the beginning of each sync with the descriptor.
    """

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}
        self.syncs = 0
        self.seen: set[int] = set()
        self.before: Callable[[int], None] = lambda _: None
        self._lock = threading.RLock()

    def sync(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        try:
            content = os.pread(descriptor, found.st_size, 0)
        except OSError:  # open for writing only: no segment
            content = b""
        self.before(descriptor)
        with self._lock:
            self.syncs += 1
            self.seen.add(found.st_ino)
            if len(content) > len(self.kept.get(found.st_ino, b"")):
                self.kept[found.st_ino] = content

    def holds(self, wanted: bytes) -> bool:
        """Whether a line survives."""
        with self._lock:
            return any(wanted in content for content in self.kept.values())


@pytest.fixture
def medium(monkeypatch: pytest.MonkeyPatch) -> Medium:
    """Only what was in a file when a sync of it began survives."""
    medium = Medium()

    monkeypatch.setattr(files, "sync_data", medium.sync)
    monkeypatch.setattr(writer_module, "RETRY", 0.0)
    return medium


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., DurableWriter]]:
    """Writers, closed at the end."""
    made: list[DurableWriter] = []

    def one(**options: Any) -> DurableWriter:
        layout = Layout(tmp_path / "s")
        layout.prepare()
        made.append(DurableWriter(layout, Pipelines(layout), [UMAMI], Counters(), **options))
        return made[-1]

    yield one
    for writer in made:
        writer.close()


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run ``work`` in that many threads at once; what one raises is raised here."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(FULL)
    assert not any(thread.is_alive() for thread in threads), "a thread waits for ever"
    if failures:
        raise failures[0]


# -- alone -------------------------------------------------------------------------------------------------------------


def test_alone_a_line_costs_one_sync(make: Callable[..., DurableWriter], medium: Medium) -> None:
    """And it is on the medium when ``append`` returns, as are those that end a segment."""
    writer = make(segment_bytes=1500)
    writer.append(line("first"))
    before = medium.syncs
    for number in range(12):
        writer.append(line(f"u{number}"))
        assert medium.holds(line(f"u{number}"))
    assert medium.syncs == before + 12


def test_names_are_synced_before_anything_is_written_under_them(
    make: Callable[..., DurableWriter], medium: Medium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The segment's, the pipeline's, the spool's own: all are there after a power cut, or none of it matters."""
    durable: set[str] = set()
    early: list[str] = []
    write, names, rename = files.write, files.sync_directory, files.rename

    def note_write(descriptor: int, data: Any) -> int:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        way = [path, str(tmp_path / "s" / "events"), str(tmp_path / "s"), str(tmp_path / "s" / "FORMAT")]
        if b"resourceLogs" in bytes(data):
            early.extend(each for each in way if each not in durable)
            if not any(path.endswith(".json") for path in durable):
                early.append("the pipeline")
        return write(descriptor, data)

    def note_names(path: str) -> None:
        names(path)
        durable.update(map(str, Path(path).iterdir()))

    def note_rename(aside: str, path: str) -> None:
        assert Path(aside).stat().st_ino in medium.seen, f"{path} was not synced"
        rename(aside, path)

    monkeypatch.setattr(files, "write", note_write)
    monkeypatch.setattr(files, "sync_directory", note_names)
    writer = make(segment_bytes=1000)
    monkeypatch.setattr(files, "rename", note_rename)
    for number in range(12):
        writer.append(line(f"u{number}"))
    monkeypatch.setattr(files, "rename", rename)
    assert early == []
    assert len(segments(tmp_path / "s")) > 2


# -- together ----------------------------------------------------------------------------------------------------------


def test_threads_share_syncs_and_each_line_is_safe(
    make: Callable[..., DurableWriter], medium: Medium, tmp_path: Path
) -> None:
    """Sixteen threads at one slow medium need far fewer syncs than lines, through rotations."""
    medium.before = lambda _: time.sleep(0.002)
    writer = make(segment_bytes=8000)
    unsafe: list[str] = []

    def work(thread: int) -> None:
        for number in range(25):
            uid = f"t{thread}-{number}"
            writer.append(line(uid))
            if not medium.holds(line(uid)):
                unsafe.append(uid)

    in_threads(16, work)
    assert unsafe == []
    assert len(segments(tmp_path / "s")) > 3
    assert medium.syncs < 16 * 25 / 2
    writer.close()
    assert sorted(drain_all(tmp_path / "s")) == sorted(f"t{t}-{n}" for t in range(16) for n in range(25))


def test_who_comes_during_a_sync_waits_for_the_next(
    make: Callable[..., DurableWriter], medium: Medium, tmp_path: Path
) -> None:
    """The sync under way may have begun before the line was written; the next one serves all who came."""
    writer = make()
    writer.append(line("opens"))
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        medium.before = lambda _: None
        begun.set()
        assert go_on.wait(FULL)

    medium.before = hold
    returned: list[str] = []

    def keep(uid: str) -> None:
        writer.append(line(uid))
        returned.append(uid)

    leader = threading.Thread(target=keep, args=("leader",), daemon=True)
    leader.start()
    assert begun.wait(FULL)
    late = [threading.Thread(target=keep, args=(f"late{n}",), daemon=True) for n in range(5)]
    for thread in late:
        thread.start()
    wait_for(lambda: all(line(f"late{n}") in stored(tmp_path / "s") for n in range(5)), FULL)
    time.sleep(0.05)
    assert returned == []
    syncs = medium.syncs
    go_on.set()
    for thread in (leader, *late):
        thread.join(FULL)
    assert sorted(returned) == ["late0", "late1", "late2", "late3", "late4", "leader"]
    assert medium.syncs - syncs <= 3  # the leader's, theirs, and one more for whoever was slow to say it came
    assert all(medium.holds(line(f"late{n}")) for n in range(5))


def test_a_round_is_one_sync_for_all_of_it(tmp_path: Path, medium: Medium) -> None:
    """Nobody of a round that is over starts another sync, and nobody waits behind one of a later round."""
    path = tmp_path / "segment"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    commit = GroupCommit(descriptor, str(path))
    medium.before = lambda _: time.sleep(0.005)

    def five(_: int) -> None:
        assert all(commit.settle() for _ in range(5))

    try:
        in_threads(20, five)
    finally:
        os.close(descriptor)
    assert 5 <= medium.syncs < 50


# -- rotation ----------------------------------------------------------------------------------------------------------


def test_a_line_that_fell_into_the_segment_before_is_synced_there(
    make: Callable[..., DurableWriter], medium: Medium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However many rotations come between a write and its sync."""
    writer = make()
    writer.append(line("opens"))
    write = files.write

    def slow_writer(descriptor: int, data: Any) -> int:
        monkeypatch.setattr(files, "write", write)
        written = write(descriptor, data)
        for number in range(3):
            writer.rotate()
            writer.append(line(f"meanwhile{number}"))
        return written

    monkeypatch.setattr(files, "write", slow_writer)
    writer.append(line("old"))
    assert len(segments(tmp_path / "s")) == 4
    assert medium.holds(line("old"))


def test_a_line_that_fell_into_the_next_segment_is_synced_there(
    make: Callable[..., DurableWriter], medium: Medium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The descriptor moved on between the decision to write and the write."""
    writer = make()
    writer.append(line("opens"))
    write = files.write

    def late_writer(descriptor: int, data: Any) -> int:
        monkeypatch.setattr(files, "write", write)
        writer.rotate()
        return write(descriptor, data)

    monkeypatch.setattr(files, "write", late_writer)
    writer.append(line("new"))
    assert line("new") in segments(tmp_path / "s")[-1].read_bytes()
    assert medium.holds(line("new"))


def test_a_sync_that_meets_the_next_segment_is_made_good(
    make: Callable[..., DurableWriter], medium: Medium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The descriptor moved on between the write and the sync: the file is synced by its name."""
    writer = make()
    writer.append(line("opens"))

    def turn_first(descriptor: int) -> None:
        monkeypatch.setattr(files, "sync_data", medium.sync)
        writer.rotate()
        medium.sync(descriptor)

    monkeypatch.setattr(files, "sync_data", turn_first)
    writer.append(line("between"))
    assert line("between") in segments(tmp_path / "s")[0].read_bytes()
    assert medium.holds(line("between"))


def test_a_segment_deleted_after_delivery_holds_nobody_up(
    make: Callable[..., DurableWriter], medium: Medium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its line was read by everybody before it was synced: nothing is left to do, and nothing is written twice."""
    writer = make()
    writer.append(line("opens"))
    write = files.write

    def slow_writer(descriptor: int, data: Any) -> int:
        monkeypatch.setattr(files, "write", write)
        written = write(descriptor, data)
        writer.rotate()
        segments(tmp_path / "s")[0].unlink()
        return written

    monkeypatch.setattr(files, "write", slow_writer)
    writer.append(line("gone"))
    assert line("gone") not in stored(tmp_path / "s")


# -- trouble -----------------------------------------------------------------------------------------------------------


def fail_once(medium: Medium, code: int = errno.EIO) -> None:
    """Let the next sync fail."""

    def refuse(_: int) -> None:
        medium.before = lambda _: None
        raise OSError(code, os.strerror(code))

    medium.before = refuse


def test_after_a_failed_sync_the_line_is_written_to_a_new_segment(
    make: Callable[..., DurableWriter], medium: Medium, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file whose sync failed is not to be trusted again, whatever its next sync says."""
    writer = make()
    writer.append(line("safe"))
    fail_once(medium)
    writer.append(line("doubtful"))
    first, second = segments(tmp_path / "s")
    assert medium.kept[second.stat().st_ino] == line("doubtful")
    writer.append(line("after"))
    assert first.read_bytes() == line("safe") + line("doubtful")
    assert second.read_bytes() == line("doubtful") + line("after")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_all_who_shared_a_failed_sync_write_again(
    make: Callable[..., DurableWriter], medium: Medium, tmp_path: Path
) -> None:
    """Each line that was in doubt stands in a later segment, on the medium."""
    writer = make()
    writer.append(line("opens"))
    arrived = threading.Barrier(9)

    def refuse(_: int) -> None:
        medium.before = lambda _: None
        arrived.wait(FULL)
        wait_for(lambda: stored(tmp_path / "s").count(b"\n") == 10, FULL)
        raise OSError(errno.EIO, "broken")

    medium.before = refuse
    leader = threading.Thread(target=writer.append, args=(line("leader"),), daemon=True)
    leader.start()
    wait_for(lambda: medium.before is not refuse, FULL)

    def follow(number: int) -> None:
        arrived.wait(FULL)
        writer.append(line(f"f{number}"))

    in_threads(8, follow)
    leader.join(FULL)
    later = b"".join(path.read_bytes() for path in segments(tmp_path / "s")[1:])
    for uid in ("leader", *(f"f{number}" for number in range(8))):
        assert line(uid) in later
        assert medium.holds(line(uid))


def test_while_no_sync_succeeds_events_wait_in_memory(
    make: Callable[..., DurableWriter], medium: Medium, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt risks one event, not all of them; when the medium recovers, all go there and share syncs."""

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    writer = make()
    writer.append(line("safe"))
    medium.before = broken
    for number in range(20):
        writer.append(line(f"u{number}"))
    refused = writer.failing
    assert refused
    assert [each.rstrip() for each in writer.buffered()] == [line(f"u{number}").rstrip() for number in range(20)]
    twice = max(stored(tmp_path / "s").count(line(f"u{number}")) for number in range(1, 20))
    assert twice <= 1

    medium.before = lambda _: None
    syncs = medium.syncs
    writer.append(line("last"))
    refused = writer.failing
    assert not refused
    assert all(medium.holds(line(f"u{number}")) for number in range(20))
    assert medium.holds(line("last"))
    assert medium.syncs - syncs < 15
    assert "can be written again" in caplog.text


def test_a_line_behind_a_torn_one_is_written_again(
    make: Callable[..., DurableWriter], medium: Medium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A line that another thread's failed write was glued to is no line."""
    writer = make()
    writer.append(line("opens"))
    write = files.write

    def behind_a_part(descriptor: int, data: Any) -> int:
        monkeypatch.setattr(files, "write", write)
        write(descriptor, b'{"resource')  # as another thread's, which then says so
        assert writer._commit is not None
        writer._commit.torn += 1
        writer._leave_quick_way(torn=True)
        return write(descriptor, data)

    monkeypatch.setattr(files, "write", behind_a_part)
    writer.append(line("glued"))
    assert medium.holds(b"\n" + line("glued"))
    writer.append(line("after"))
    assert stored(tmp_path / "s").count(line("after")) == 1


def test_a_line_written_to_a_deleted_segment_is_written_again(
    make: Callable[..., DurableWriter], medium: Medium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody deleted the folder, and the writer noticed between this thread's write and its sync."""
    writer = make()
    writer.append(line("opens"))
    write = files.write

    def slow_writer(descriptor: int, data: Any) -> int:
        monkeypatch.setattr(files, "write", write)
        shutil.rmtree(tmp_path / "s")
        writer.maintain(3600.0)
        return write(descriptor, data)

    monkeypatch.setattr(files, "write", slow_writer)
    writer.append(line("kept"))
    assert line("kept") in stored(tmp_path / "s")
    assert medium.holds(line("opens"))


def test_a_line_that_comes_while_a_deleted_segment_is_left_is_not_taken_for_safe(
    make: Callable[..., DurableWriter], medium: Medium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it still held has been read by then: its writer is told to write again."""
    writer = make()
    writer.append(line("opens"))
    rescue, commit = writer._rescue, writer._commit
    assert commit is not None
    settled: list[bool] = []

    def then_another(*places: Any) -> list[bytes] | None:
        rescued = rescue(*places)
        files.write(commit.descriptor, line("late"))
        settled.append(commit.settle())
        return rescued

    monkeypatch.setattr(writer, "_rescue", then_another)
    shutil.rmtree(tmp_path / "s")
    writer.maintain(3600.0)
    assert settled == [False]
    assert medium.syncs


# -- interruptions -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def on_signal(handler: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Something that interrupts the main thread with ``handler``, from any thread."""
    former = signal.signal(signal.SIGUSR1, lambda *_: handler())
    main = threading.main_thread().ident
    assert main is not None
    try:
        yield lambda: signal.pthread_kill(main, signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, former)


def test_a_signal_handler_that_tracks_in_the_middle_of_our_own_sync(
    make: Callable[..., DurableWriter], medium: Medium
) -> None:
    """It syncs for itself rather than wait for whom it interrupted."""
    writer = make()
    writer.append(line("opens"))
    safe: list[bool] = []

    def handler() -> None:
        writer.append(line("inner"))
        safe.append(medium.holds(line("inner")))

    with on_signal(handler) as interrupt:

        def hold(_: int) -> None:
            medium.before = lambda _: None
            interrupt()

        medium.before = hold
        began = time.monotonic()
        writer.append(line("outer"))
    assert safe == [True]
    assert medium.holds(line("outer"))
    assert time.monotonic() - began < group_commit.PATIENCE


def test_an_interrupt_of_a_leader_leaves_nobody_waiting(make: Callable[..., DurableWriter], medium: Medium) -> None:
    """Ctrl-C in the middle of a sync: it reaches the program, and one of those who waited leads."""
    writer = make()
    writer.append(line("opens"))
    begun = threading.Event()

    def hold(_: int) -> None:
        medium.before = lambda _: None
        begun.set()
        wait_for(lambda: sum(not thread.name.startswith("Main") for thread in waiting) == 3, FULL)
        time.sleep(0.05)  # until they wait
        raise KeyboardInterrupt

    waiting: list[threading.Thread] = []

    def follow(number: int) -> None:
        assert begun.wait(FULL)
        waiting.append(threading.current_thread())
        writer.append(line(f"f{number}"))

    threads = [threading.Thread(target=follow, args=(number,), daemon=True) for number in range(3)]
    for thread in threads:
        thread.start()
    medium.before = hold
    with pytest.raises(KeyboardInterrupt):
        writer.append(line("leader"))
    for thread in threads:
        thread.join(FULL)
        assert not thread.is_alive()
    assert all(medium.holds(line(f"f{number}")) for number in range(3))


def test_an_interrupt_of_a_follower_leaves_nobody_waiting(make: Callable[..., DurableWriter], medium: Medium) -> None:
    """Ctrl-C while the main thread waits for another's sync reaches the program at once."""
    writer = make()
    writer.append(line("opens"))
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        medium.before = lambda _: None
        begun.set()
        assert go_on.wait(FULL)

    def interrupted() -> None:
        raise KeyboardInterrupt

    medium.before = hold
    leader = threading.Thread(target=writer.append, args=(line("leader"),), daemon=True)
    leader.start()
    assert begun.wait(FULL)
    follower = threading.Thread(target=writer.append, args=(line("follower"),), daemon=True)
    follower.start()
    with on_signal(interrupted) as interrupt:
        threading.Timer(0.1, interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            writer.append(line("main"))
    go_on.set()
    leader.join(FULL)
    follower.join(FULL)
    assert not follower.is_alive()
    assert medium.holds(line("follower"))


def test_a_leader_that_is_gone_is_replaced(tmp_path: Path, medium: Medium, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception between two instructions of ours can leave the lead with nobody."""
    monkeypatch.setattr(group_commit, "PATIENCE", 0.02)
    path = tmp_path / "segment"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    commit = GroupCommit(descriptor, str(path))
    commit._leading.acquire()
    try:
        settled: list[bool] = []
        in_threads(4, lambda _: settled.append(commit.settle()))
    finally:
        os.close(descriptor)
    assert settled == [True] * 4
    assert not commit._leading.locked()


@pytest.mark.parametrize("known", [True, False], ids=["python", "libc"])
def test_a_fork_in_the_middle_of_anothers_sync(
    known: bool, make: Callable[..., DurableWriter], medium: Medium, tmp_path: Path
) -> None:
    """The child does not wait for a thread that it does not have, nor touch the parent's segment."""
    if not known and not hasattr(_platform.fork_mark, "madvise"):
        pytest.skip("the kernel does not clear memory at a fork")
    writer = make()
    writer.append(line("opens"))
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        medium.before = lambda _: None
        begun.set()
        assert go_on.wait(FULL)

    medium.before = hold
    leader = threading.Thread(target=writer.append, args=(line("parent"),), daemon=True)
    leader.start()
    assert begun.wait(FULL)

    def work() -> bool:
        files.sync_data = _platform.sync_data  # the medium's own lock may be the parent's
        began = time.monotonic()
        writer.append(line("child"))
        return time.monotonic() - began < FULL / 2 and len(segments(tmp_path / "s")) == 2

    assert in_fork(work, os.fork if known else ctypes.PyDLL(None).fork)
    go_on.set()
    leader.join(FULL)
    assert [path.read_bytes().count(b"\n") for path in segments(tmp_path / "s")].count(2) == 1
    assert medium.holds(line("parent"))


def test_a_forks_child_in_the_middle_of_its_own_append(make: Callable[..., DurableWriter], medium: Medium) -> None:
    """A signal handler forks while the main thread syncs: both processes come out of ``append``."""
    writer = make()
    writer.append(line("opens"))
    pids: list[int] = []

    def hold(_: int) -> None:
        medium.before = lambda _: None
        pids.append(os.fork())

    medium.before = hold
    try:
        writer.append(line("both"))
    finally:
        if pids == [0]:
            os._exit(0 if b"both" in stored(writer_root(writer)) else 1)
    assert os.waitpid(pids[0], 0)[1] == 0
    assert medium.holds(line("both"))


def writer_root(writer: DurableWriter) -> Path:
    """The folder of a writer's spool."""
    return Path(writer._layout.root)


STOPPED = """
import sys, threading
from spool.making import line, open_disk
from pathlib import Path
spool = open_disk(Path(sys.argv[1]), sync=True)
def work(thread):
    for number in range(200):
        spool.append(line(f"t{thread}-{number}"))
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
spool.close()
"""


@pytest.mark.slow
def test_a_process_stopped_in_the_middle_goes_on(tmp_path: Path) -> None:
    """SIGSTOP and SIGCONT, again and again, longer than a waiting thread is patient."""
    child = start_child(STOPPED, tmp_path / "s")
    try:
        for pause in (0.05, 0.05, 1.2):
            time.sleep(0.05)
            child.send_signal(signal.SIGSTOP)
            time.sleep(pause)
            child.send_signal(signal.SIGCONT)
    finally:
        end_child(child, FULL)
    assert sorted(drain_all(tmp_path / "s")) == sorted(f"t{t}-{n}" for t in range(4) for n in range(200))
