"""Tests for footspan.spool.keeping: when a write keeps the interpreter to itself."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from footspan import _platform
from footspan.spool import files, keeping
from footspan.spool.files import keeping_write
from footspan.spool.keeping import KEEP_FOR, LONG, REST_FOR, STALL, STALLS, Keeper

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which file system a folder is on")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The keeper's clock, stopped."""
    made = Clock()
    monkeypatch.setattr(keeping, "monotonic", made)
    return made


@pytest.fixture
def keeper(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """A keeper whose folder allows keeping."""
    monkeypatch.setattr(files, "keeping_write", lambda _: lambda descriptor, data, size: size)
    return Keeper("/somewhere")


def keeps(keeper: Keeper) -> bool:
    """Whether the next write keeps the interpreter."""
    return keeper.write is not None


def test_nothing_is_kept_without_need(keeper: Keeper) -> None:
    """Short writes change nothing, and a new keeper keeps nothing."""
    keeper.took(LONG / 2)
    assert not keeps(keeper)


def test_a_write_that_waited_makes_the_next_ones_keep(keeper: Keeper, clock: Clock) -> None:
    """For a while; then it is tried without."""
    keeper.took(2 * LONG)
    assert keeps(keeper)
    clock.now += KEEP_FOR + 1
    keeper.took(0.0)
    assert not keeps(keeper)
    keeper.took(2 * LONG)
    assert keeps(keeper)


def test_a_slow_disk_ends_it(keeper: Keeper, clock: Clock) -> None:
    """Some long writes in a row while keeping, and other threads run during the next ones for a good while."""
    keeper.took(2 * LONG)
    for _ in range(STALLS):
        assert keeps(keeper)
        keeper.took(2 * STALL)
    assert not keeps(keeper)
    keeper.took(2 * LONG)
    assert not keeps(keeper)
    clock.now += REST_FOR
    keeper.took(2 * LONG)
    assert keeps(keeper)


def test_a_single_long_write_does_not_end_it(keeper: Keeper) -> None:
    """The system may have taken the processor away in the middle of one."""
    keeper.took(2 * LONG)
    for _ in range(3 * STALLS):
        keeper.took(2 * STALL)
        keeper.took(0.0)
    assert keeps(keeper)


def test_the_folder_is_asked_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it may not be, every write waits its turn, and costs no more than that."""
    asked: list[str] = []
    monkeypatch.setattr(files, "keeping_write", asked.append)
    keeper = Keeper("/somewhere")
    for _ in range(3):
        keeper.took(2 * LONG)
    assert not keeps(keeper)
    assert asked == ["/somewhere"]


@needs_linux
def test_it_writes_what_write_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes with zeros in them, the number written, -1 for a closed descriptor."""
    monkeypatch.setattr(_platform, "is_local", lambda _: True)
    write = keeping_write(str(tmp_path))
    assert write is not None
    path = tmp_path / "file"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        assert write(descriptor, b"a\0b\n", 4) == 4
    finally:
        os.close(descriptor)
    assert path.read_bytes() == b"a\0b\n"
    assert write(descriptor, b"x", 1) == -1


@needs_linux
def test_no_thread_runs_during_a_kept_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that is full for a moment holds up everybody: that is what keeping means, and why it has its limits."""
    monkeypatch.setattr(_platform, "is_local", lambda _: True)
    write = keeping_write(str(tmp_path))
    assert write is not None
    receive, send = os.pipe()
    os.set_blocking(send, False)
    filled = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            filled += os.write(send, bytes(4096))
    os.set_blocking(send, True)
    child = os.fork()
    if child == 0:  # pragma: no cover - empties the pipe after a while, then ends
        time.sleep(0.5)
        while filled > 0:
            filled -= len(os.read(receive, 65_536))
        os._exit(0)
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.01)

    thread = threading.Thread(target=tick)
    thread.start()
    begun = time.monotonic()
    write(send, b"x", 1)
    ended = time.monotonic()
    stop.set()
    thread.join(10)
    os.waitpid(child, 0)
    os.close(receive)
    os.close(send)

    assert ended - begun > 0.2
    assert not [at for at in ticks if begun + 0.05 < at < ended - 0.05]


def test_what_stands_in_for_write_sees_every_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there is no other way to write."""
    monkeypatch.setattr(files, "write", lambda descriptor, data: len(data))
    assert keeping_write(str(tmp_path)) is None


def test_only_local_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer must not stop the whole process."""
    monkeypatch.setattr(_platform, "is_local", lambda _: False)
    assert keeping_write(str(tmp_path)) is None


@needs_linux
@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/", True),
        ("/data", True),
        ("/data/nfs", False),
        ("/data/nfs/spool", False),
        ("/data/nfsx", True),
        ("/with space/x", False),
        ("/данные/x", False),
        ("/café/x", False),
    ],
)
def test_which_folders_are_local(path: str, local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The innermost mount decides; what is mounted later hides what was there."""
    mounts = (
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "23 22 8:2 / /data rw shared:1 - xfs /dev/sda2 rw\n"
        "24 23 0:40 / /data/nfs rw - ext4 /dev/sdb rw\n"
        "25 23 0:41 / /data/nfs rw - nfs4 server:/export rw\n"
        "26 22 0:42 / /with\\040space rw - fuse.sshfs host: rw\n"
        "27 22 0:43 / /данные rw - nfs4 server:/x rw\n"
        "28 22 0:44 / /café rw - nfs4 server:/y rw\n"
    )
    real = Path.read_text

    def read_text(self: Path, *arguments: Any) -> str:
        return mounts if str(self) == "/proc/self/mountinfo" else real(self, *arguments)

    monkeypatch.setattr(Path, "read_text", read_text)
    assert _platform.is_local(path) is local


def test_threads_that_compete_lose_nothing(tmp_path: Path) -> None:
    """Beside busy threads the writer changes over, and every line is there once and whole."""
    import footspan  # noqa: PLC0415 - the whole road

    footspan.init(spool={"directory": str(tmp_path)}, courier="external", destinations={"console": {"enabled": True}})
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    def call() -> None:
        uids.extend([footspan.track("x", n=1) for _ in range(200)])

    uids: list[str] = []
    busy = [threading.Thread(target=compute) for _ in range(2)]
    calling = [threading.Thread(target=call) for _ in range(3)]
    for thread in (*busy, *calling):
        thread.start()
    for thread in calling:
        thread.join(60)
    stop.set()
    for thread in busy:
        thread.join(60)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("**/events/*.jsonl"))

    assert len(set(uids)) == 600
    assert kept.count(b"\n") == 600
    assert all(uid.encode() in kept for uid in uids)
