"""What differs between platforms: file locks, forks, who and where we are, where state is kept.

Importing this never fails. Where a piece is missing (file locks on Windows), :data:`DURABLE` is false and the spool
stays in memory.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import platform
import re
import struct
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableSequence

DURABLE: bool = bool(fcntl) and all(
    hasattr(os, name) for name in ("register_at_fork", "geteuid", "pread", "O_NOFOLLOW", "O_CLOEXEC")
)
"""Whether this platform has what a spool on disk needs."""

CASE_BLIND = sys.platform in ("darwin", "win32")
"""Whether file names that differ only in case usually name the same file."""

OPEN_FLAGS: int = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NOCTTY", 0)
"""What every file of ours is opened with: not inherited by other programs, never through a planted link."""

_HIGH = 230
_MADV_WIPEONFORK = 18
_PATIENCE = 3.0
"""Seconds that a fork waits for an import of ours, and a thread for another to notice a fork."""

# -- file locks --------------------------------------------------------------------------------------------------------


def try_lock(descriptor: int) -> bool:
    """Take the exclusive POSIX record lock on a file's first byte, without waiting.

    Only the first byte: the others stay free for locks with another meaning.

    Returns:
        False when another process has it.

    Raises:
        OSError: The file system has no locks, or no more of them.
    """
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def is_locked(descriptor: int) -> bool:
    """Whether another process has the lock of a file's first byte; takes nothing where the platform lets us ask."""
    layout = {"linux": "hhqqi", "darwin": "qqihh"}.get(sys.platform)
    if layout is None:  # pragma: no cover - neither Linux nor macOS
        return not try_lock(descriptor)
    linux = sys.platform == "linux"
    kind, span = (fcntl.F_WRLCK, os.SEEK_SET), (0, 1)
    asked = struct.pack(layout, *kind, *span, 0) if linux else struct.pack(layout, *span, 0, *kind)
    answer = struct.unpack(layout, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return bool(answer[0 if linux else 3] != fcntl.F_UNLCK)


def move_high(descriptor: int) -> int:
    """The same open file under a number well above those that programs usually get, where the limit allows it.

    A daemon that closes what it does not know frees low numbers for its own files; ours should not be among those.
    """
    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    except OSError:
        return descriptor
    os.close(descriptor)
    return int(high)


def sync_data(descriptor: int) -> None:
    """Wait until what was written is on the medium."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


# -- forks -------------------------------------------------------------------------------------------------------------


def _make_mark() -> MutableSequence[int] | mmap.mmap:
    """One byte that reads 1, and 0 in a process forked since; kept by the kernel where it can."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError, AttributeError):
            page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            page.madvise(_MADV_WIPEONFORK)
            page[0] = 1
            return page
    return bytearray(b"\x01")


fork_mark: Any = _make_mark()
"""``fork_mark[0]`` is 0 in a process that was forked without the interpreter's knowledge: then call ``after_fork``."""

_fork_hooks: list[Callable[[], Callable[[], None] | None]] = []


def on_fork(hook: Callable[[], None]) -> None:
    """Have a function or bound method called in every forked child, before anything else of ours runs there.

    A bound method is held weakly: its object may go as it likes. Hooks must not wait for locks, since their owners
    may not exist in the child.
    """
    if hasattr(hook, "__self__"):
        _fork_hooks.append(weakref.WeakMethod(hook))
    else:
        _fork_hooks.append(lambda: hook)
    if len(_fork_hooks) % 64 == 0:
        _fork_hooks[:] = [reference for reference in _fork_hooks if reference() is not None]


def after_fork() -> None:
    """Run the hooks of ``on_fork``. The interpreter's own forks do this by themselves."""
    mine = (threading.get_ident(), object())
    first = _noticing.setdefault(os.getpid(), mine)
    if first is mine:
        try:
            for reference in tuple(_fork_hooks):
                hook = reference()
                if hook is not None:
                    hook()
        finally:
            fork_mark[0] = 1
            _noticing.clear()
    elif first[0] != mine[0]:  # another thread of the child is at it
        deadline = time.monotonic() + _PATIENCE
        while not fork_mark[0] and time.monotonic() < deadline:
            time.sleep(0.001)


def notice_fork() -> None:
    """Run the hooks of ``on_fork`` if this process was forked without the interpreter's knowledge."""
    if not fork_mark[0]:
        after_fork()


_noticing: dict[int, tuple[int, object]] = {}
"""Which thread of a process runs the hooks; filled by one atomic step, so that the others know to wait."""

_importing = threading.RLock()
_forking = threading.local()


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import modules in a thread that the host knows nothing of: a fork waits until that is done.

    A child forked in the middle of an import inherits the module's lock without its owner, and hangs as soon as it
    imports the module itself, whoever's idea the first import was.
    """
    with _importing:
        yield


def _before_fork() -> None:
    # Not for ever: the import may be waiting for a module that the forking thread is just importing.
    _forking.holds = _importing.acquire(timeout=_PATIENCE)


def _after_fork_in_parent() -> None:
    if _forking.holds:
        _importing.release()


def _after_fork_in_child() -> None:
    global _importing  # noqa: PLW0603 - its owner may be a thread that the child does not have
    _importing = threading.RLock()
    _noticing.clear()
    after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


def in_multiprocessing_child() -> bool:
    """Whether a pool or library started this process to work for another: it may end without notice."""
    standard = sys.modules.get("multiprocessing.process")
    if standard is not None and standard.parent_process() is not None:
        return True
    billiard = sys.modules.get("billiard.process")
    with contextlib.suppress(Exception):
        return billiard is not None and billiard.current_process().name != "MainProcess"
    return False


def threads_run() -> bool:
    """Whether threads of ours would run: uWSGI freezes them between two requests unless it is told otherwise."""
    options = getattr(sys.modules.get("uwsgi"), "opt", None)
    return not isinstance(options, dict) or any(
        name in options for key in ("enable-threads", "threads") for name in (key, key.encode())
    )


# -- who and where we are ----------------------------------------------------------------------------------------------


def boot_id() -> bytes:
    """16 bytes that differ after every start of the machine; zeros where nobody knows."""
    try:
        return bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip().replace("-", ""))[:16]
    except (OSError, ValueError):
        return bytes(16)


def identity() -> dict[str, Any]:
    """Who this process is, for people: a pid says little where containers share a volume."""
    who: dict[str, Any] = {"pid": os.getpid(), "host": platform.node()}
    with contextlib.suppress(OSError, AttributeError):
        who["pid_namespace"] = str(Path("/proc/self/ns/pid").readlink())
    return who


_LOCAL = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})


_OCTAL = re.compile(r"\\([0-7]{3})")  # how a blank, a tab, a newline and a backslash stand in a mount's path


def is_local(path: str) -> bool:
    """Whether a folder is known to lie on a file system of this machine's kernel."""
    try:
        real = os.path.realpath(path)
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return False
    found = ("", "")
    for mount in mounts:  # proc(5): `36 35 98:0 /root /mount/point options … - type source options`
        left, _, right = mount.partition(" - ")
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), left.split(" ")[4])
        within = real == point or real.startswith(point.rstrip("/") + "/")
        if within and len(point) >= len(found[0]):
            found = (point, right.partition(" ")[0])
    return found[1] in _LOCAL


def state_home() -> Path | None:
    """The folder where this user's programs keep state, by the platform's custom; ``None`` without a home."""
    named = os.environ.get("XDG_STATE_HOME", "")
    # The XDG base directory specification: relative paths are invalid and must be ignored.
    if sys.platform != "darwin" and named.startswith("/"):
        return Path(named)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if not home.is_absolute():
        return None
    return home / ("Library/Application Support" if sys.platform == "darwin" else ".local/state")
