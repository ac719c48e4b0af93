"""Record locks: who writes a segment, who carries for a destination.

POSIX record locks end with their process, however it ends, which is why they were chosen. They have two traps. They do
not exclude threads or objects of one process from each other; and closing *any* descriptor of the file drops them. So
a file that is locked is opened for nothing else, and one table says what this process holds.
"""

from __future__ import annotations

import contextlib
import os
import threading

from footspan import _platform
from footspan.spool import files

_Key = tuple[int, int]

_FLAGS = os.O_RDWR | _platform.OPEN_FLAGS

_mutex = threading.RLock()  # a signal handler may come by here while its thread holds it
_held: dict[_Key, RecordLock] = {}


class RecordLock:
    """A lock that this process holds. Made by :func:`acquire`.

    Attributes:
        path: The locked file.
    """

    __slots__ = ("_descriptors", "_key", "path")

    def __init__(self, path: str, descriptor: int, key: _Key) -> None:
        self.path = path
        self._descriptors = [descriptor]
        self._key = key

    @property
    def held(self) -> bool:
        """Whether it was not released; a forked child holds nothing."""
        return bool(self._descriptors)

    def valid(self) -> bool:
        """Whether it still excludes others: the file is where it was, and nobody closed it behind our back."""
        with _mutex:
            try:
                return self.held and self._key == _key_of(os.fstat(self._descriptors[0])) == _key_of(os.stat(self.path))
            except OSError:
                return False

    def release(self, *, delete: bool = False) -> None:
        """Give it up; with ``delete``, take its file away before anybody else can lock it."""
        with _mutex:
            if not self.held:
                return
            if delete:
                with contextlib.suppress(OSError):
                    if _key_of(os.stat(self.path)) == self._key:
                        files.unlink(self.path)
            self._forget()

    def _forget(self) -> None:
        _held.pop(self._key, None)
        descriptors, self._descriptors = self._descriptors, []
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                # Whoever closed it behind our back may have given the number to a file of their own.
                if _key_of(os.fstat(descriptor)) == self._key:
                    files.close(descriptor)


def acquire(path: str, *, create: bool = True) -> RecordLock | None:
    """Take a file's lock if it is free.

    Args:
        path: The file.
        create: Whether to make it when it is missing.

    Returns:
        The lock, or ``None`` when somebody has it, in this process or another, or there is no such file.

    Raises:
        OSError: The file cannot be made, opened or locked.
    """
    with _mutex:
        # Asked before opening: to close a second descriptor would drop the lock.
        with contextlib.suppress(FileNotFoundError):
            if _key_of(os.stat(path)) in _held:
                return None
        try:
            descriptor = files.open_file(path, _FLAGS | (os.O_CREAT if create else 0), files.FILE_MODE)
        except FileNotFoundError:
            if create:
                raise
            return None
        # Before locking, since it closes a descriptor.
        return _lock(path, _platform.move_high(descriptor))


def _lock(path: str, descriptor: int) -> RecordLock | None:
    key = _key_of(os.fstat(descriptor))
    holder = _held.get(key)
    if holder is not None:  # the name moved to a file we hold in between: keep this one until that one is released
        holder._descriptors.append(descriptor)  # noqa: SLF001 - one module
        return None
    lock = RecordLock(path, descriptor, key)
    try:
        # Whoever had the lock may have deleted the file: then it guards nothing any more.
        if _platform.try_lock(descriptor) and _key_of(os.stat(path)) == key:
            _held[key] = lock
            return lock
    except FileNotFoundError:
        pass
    except BaseException:
        lock._forget()  # noqa: SLF001 - one module
        raise
    lock._forget()  # noqa: SLF001 - one module
    return None


def is_held(path: str, *, elsewhere: bool = False) -> bool:
    """Whether anybody holds a file's lock, this process included unless ``elsewhere``. Takes no lock.

    Raises:
        OSError: The file cannot be opened, other than for not being there.
    """
    with _mutex:
        try:
            if _key_of(os.stat(path)) in _held:
                return not elsewhere
            descriptor = files.open_file(path, _FLAGS)
        except FileNotFoundError:
            return False
        try:
            return _platform.is_locked(descriptor)
        finally:
            files.close(descriptor)


def _key_of(found: os.stat_result) -> _Key:
    return found.st_dev, found.st_ino


def _forked() -> None:
    """A child inherits descriptors but no locks; closing its copies leaves the parent's locks alone."""
    global _mutex  # noqa: PLW0603 - its owner may be a thread that the child does not have
    _mutex = threading.RLock()
    for lock in list(_held.values()):
        lock._forget()  # noqa: SLF001 - one module


_platform.on_fork(_forked)
