"""The few file operations a spool consists of, each in one place.

Everything that changes something on disk goes through a name of this module, so that a test can stop the world before
any one of them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import time
from collections import deque
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from footspan import _platform

if TYPE_CHECKING:
    from collections.abc import Callable

Identity = tuple[int, int]
"""Device and number of a file: whether a descriptor still leads to what it was opened for."""

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700

open_file: Callable[..., int] = os.open
close = os.close
dup2 = os.dup2
write = os.write
rename = os.replace
unlink = os.unlink
mkdir = os.mkdir
utime = os.utime
chmod = os.chmod
sync_data = _platform.sync_data
sync_names = os.fsync
pwrite: Callable[[int, bytes, int], int] = getattr(os, "pwrite", lambda *_: 0)  # absent on Windows

_READ = os.O_RDONLY | _platform.OPEN_FLAGS
_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | _platform.OPEN_FLAGS
_LINGER = 5.0
_leaving: deque[tuple[float, int, Identity]] = deque()

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _platform.OPEN_FLAGS


def read_at(path: str, offset: int, size: int) -> bytes:
    """Up to ``size`` bytes of a file from ``offset`` on; empty past its end."""
    descriptor = open_file(path, _READ)
    try:
        return os.pread(descriptor, size, offset)
    finally:
        close(descriptor)


def read_all(path: str, offset: int = 0) -> bytes:
    """A file's bytes from ``offset`` to its end."""
    descriptor = open_file(path, _READ)
    try:
        return os.pread(descriptor, max(0, os.fstat(descriptor).st_size - offset), offset)
    finally:
        close(descriptor)


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, in as many calls as it takes."""
    view = memoryview(data)
    while view:
        view = view[write(descriptor, view) :]


def open_journal(path: str) -> int:
    """Open a file of lines to append to, after ending a last line that a crash left torn."""
    descriptor = open_file(path, _APPEND, FILE_MODE)
    try:
        end_torn_line(descriptor)
    except BaseException:
        close(descriptor)
        raise
    return descriptor


def end_torn_line(descriptor: int) -> bool:
    """Give a file's last line its newline when it has none; whether it had none."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return False
    write_whole(descriptor, b"\n")
    return True


def append_line(path: str, line: bytes) -> int:
    """Append one line to a file that several processes append to; the file's size then."""
    descriptor = open_journal(path)
    try:
        write_whole(descriptor, line)
        return os.fstat(descriptor).st_size
    finally:
        close(descriptor)


def replace(path: str, data: bytes, *, sync: bool = False) -> None:
    """Give a file new contents in one step: readers see the old or the new, never a part."""
    aside = f"{path}.{secrets.token_hex(4)}.tmp"
    descriptor = open_file(aside, _NEW, FILE_MODE)
    try:
        write_whole(descriptor, data)
        if sync:
            sync_data(descriptor)
    except BaseException:
        discard(aside)
        raise
    finally:
        close(descriptor)
    rename(aside, path)
    if sync:
        sync_directory(os.path.dirname(path))


def discard(path: str) -> bool:
    """Delete a file if it is there; whether it was."""
    with contextlib.suppress(FileNotFoundError):
        unlink(path)
        return True
    return False


def identity(descriptor: int) -> Identity:
    """Which file a descriptor leads to.

    Raises:
        OSError: It was closed.
    """
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def is_still(descriptor: int, file: Identity) -> bool:
    """Whether a descriptor still leads to our file, and was not closed behind our back and given to another."""
    try:
        return identity(descriptor) == file
    except OSError:
        return False


def close_ours(descriptor: int, file: Identity) -> None:
    """Close a descriptor, unless its number went to a file of the host's."""
    if is_still(descriptor, file):
        with contextlib.suppress(OSError):
            close(descriptor)


def close_later(descriptor: int) -> None:
    """Close a descriptor that another thread may be about to use.

    Its number must not go to a file of the host's while that thread still has it in hand.
    """
    with contextlib.suppress(OSError):
        _leaving.append((time.monotonic() + _LINGER, descriptor, identity(descriptor)))
    close_due()


def close_due() -> None:
    """Close what has waited long enough: till then a deleted file takes its space."""
    now_s = time.monotonic()
    while _leaving and _leaving[0][0] <= now_s:
        with contextlib.suppress(IndexError):
            close_ours(*_leaving.popleft()[1:])


def _forked() -> None:
    """No other thread is left to wait for."""
    while _leaving:
        close_ours(*_leaving.popleft()[1:])


_platform.on_fork(_forked)


def sync_file(path: str) -> None:
    """Wait until a file's contents are on the medium."""
    descriptor = open_file(path, os.O_RDWR | _platform.OPEN_FLAGS)
    try:
        sync_data(descriptor)
    finally:
        close(descriptor)


def sync_directory(path: str) -> None:
    """Wait until the names in a directory are on the medium."""
    descriptor = open_file(path, os.O_RDONLY | _platform.OPEN_FLAGS)
    try:
        sync_names(descriptor)
    finally:
        close(descriptor)


def make_directories(path: str) -> None:
    """Make a directory and those above it that are missing.

    Raises:
        OSError: One cannot be made.
    """
    if not os.path.isdir(path):
        parent = os.path.dirname(path)
        if parent != path:
            make_directories(parent)
        with contextlib.suppress(FileExistsError):
            mkdir(path, DIRECTORY_MODE)


def own_directory(path: str) -> bool:
    """Make sure that a directory is there, is ours and is closed to everybody else.

    A symbolic link counts only when we or the administrator made it: one that somebody else planted would send what
    we write wherever they like.

    Returns:
        False when the directory belongs to somebody else.

    Raises:
        OSError: It can neither be made nor looked at.
    """
    with contextlib.suppress(FileExistsError):
        mkdir(path, DIRECTORY_MODE)
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        if found.st_uid not in (0, os.geteuid()):
            return False
        found = os.stat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return False
    if stat.S_IMODE(found.st_mode) & 0o077:
        chmod(path, DIRECTORY_MODE)
    return True


def now() -> str:
    """The time, as operators read it in side files: RFC 3339, UTC, milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_os_write = write


def keeping_write(directory: str) -> Callable[[int, bytes, int], int] | None:
    """``write(2)`` without letting go of the interpreter; ``None`` where it must not be used."""
    if write is not _os_write:
        return None  # something stands in for it and wants to see every write
    gil_enabled = getattr(sys, "_is_gil_enabled", None)  # from Python 3.13 on
    if sys.implementation.name != "cpython" or (gil_enabled is not None and not gil_enabled()):
        return None
    if not _platform.is_local(directory):
        return None
    with contextlib.suppress(Exception):  # no ctypes here, or no C library to be found
        import ctypes  # noqa: PLC0415 - costs time, so only where it is needed

        prototype = ctypes.PYFUNCTYPE(ctypes.c_ssize_t, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
        function: Callable[[int, bytes, int], int] = prototype(("write", ctypes.PyDLL(None)))
        return function
    return None
