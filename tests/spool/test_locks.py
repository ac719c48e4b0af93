"""Record locks: exclusive between processes, threads and objects, and gone with their holder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from footspan.spool import locks
from spool.making import end_child, in_fork, kill_child, start_child

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from footspan.spool import locks
lock = locks.acquire(sys.argv[1])
print("held" if lock else "busy", flush=True)
sys.stdin.readline()
"""


def test_one_process_holds_it_once(tmp_path: Path) -> None:
    """A second object of the same process is refused, and its asking does not drop the lock."""
    path = str(tmp_path / "lock")
    lock = locks.acquire(path)
    assert lock is not None
    assert locks.acquire(path) is None
    assert locks.is_held(path)
    child = start_child(HOLD, path)
    assert end_child(child) == "busy\n"
    lock.release()
    assert not lock.held
    assert not locks.is_held(path)
    again = locks.acquire(path)
    assert again is not None
    again.release()


def test_a_killed_holder_frees_it(tmp_path: Path) -> None:
    """Whoever died cannot keep a lock."""
    path = str(tmp_path / "lock")
    child = start_child(HOLD, path)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert locks.is_held(path)
    assert locks.acquire(path) is None
    kill_child(child)
    lock = locks.acquire(path)
    assert lock is not None
    lock.release()


def test_asking_who_holds_it_takes_nothing(tmp_path: Path) -> None:
    """A missing file is free; asking does not make it."""
    assert not locks.is_held(str(tmp_path / "lock"))
    assert locks.acquire(str(tmp_path / "lock"), create=False) is None
    assert not (tmp_path / "lock").exists()


def test_a_deleted_file_is_no_lock(tmp_path: Path) -> None:
    """Somebody else could lock a new file of that name."""
    path = tmp_path / "lock"
    lock = locks.acquire(str(path))
    assert lock is not None
    assert lock.valid()
    path.unlink()
    assert not lock.valid()
    second = locks.acquire(str(path))
    assert second is not None
    lock.release(delete=True)  # it is not its file any more
    assert path.exists()
    assert second.valid()
    second.release(delete=True)
    assert not path.exists()


def test_a_descriptor_closed_behind_our_back_shows(tmp_path: Path) -> None:
    """And the number's new owner keeps its file."""
    lock = locks.acquire(str(tmp_path / "lock"))
    assert lock is not None
    number = lock._descriptors[0]
    os.close(number)
    assert not lock.valid()
    other = os.open(tmp_path / "other", os.O_CREAT | os.O_RDWR)
    os.dup2(other, number)
    assert not lock.valid()
    lock.release()
    os.fstat(number)
    os.close(number)
    os.close(other)


def test_a_second_name_of_a_held_file_is_held(tmp_path: Path) -> None:
    """Opening and closing it under the other name would drop the lock."""
    lock = locks.acquire(str(tmp_path / "lock"))
    assert lock is not None
    (tmp_path / "folder").symlink_to(tmp_path)
    assert locks.acquire(str(tmp_path / "folder" / "lock")) is None
    assert end_child(start_child(HOLD, tmp_path / "lock")) == "busy\n"
    lock.release()


def test_a_forked_child_holds_nothing(tmp_path: Path) -> None:
    """Nor does its ending take the parent's lock away."""
    path = str(tmp_path / "lock")
    lock = locks.acquire(path)
    assert lock is not None
    assert in_fork(lambda: not lock.held and locks.acquire(path) is None and locks.is_held(path))
    assert lock.valid()
    assert end_child(start_child(HOLD, path)) == "busy\n"
    lock.release()


def test_lock_files_are_private(tmp_path: Path) -> None:
    """0600, and never through a planted link."""
    lock = locks.acquire(str(tmp_path / "lock"))
    assert lock is not None
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lock.release()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        locks.acquire(str(tmp_path / "link"))
    assert not (tmp_path / "elsewhere").exists()
