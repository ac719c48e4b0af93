"""Key files of pseudonyms, changed: a new key is added, an old one destroyed."""

from __future__ import annotations

import os
import re
import secrets
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from footspan import _platform
from footspan.config.pseudonyms import Key, read_keys, written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

KEY_BYTES: Final = 32

_PATIENCE: Final = 30.0
"""Seconds that one change waits for another."""
_PAUSE: Final = 0.02


def rotate(path: Path, now: float, *, every: float = 0.0, keep: int | None = None) -> tuple[Key | None, list[str]]:
    """Add a key, which makes tokens from now on; in a new file if there is none.

    Args:
        path: The file.
        now: The time (seconds since the epoch).
        every: Only if the newest key is at least as old (seconds).
        keep: How many keys stay; older ones are destroyed.

    Returns:
        The new key, if one was due, and the ids of those that were destroyed.

    Raises:
        ConfigurationError: There is a file that cannot be used.
        OSError: It cannot be written.
    """
    with _alone(path) as file:
        keys = list(read_keys(file)) if os.path.lexists(file) else []
        made: Key | None = None
        if (
            not keys or not every or now - keys[-1].created >= every
        ):  # the newest may be of a moment ago, or still to come
            taken = {key.id for key in keys}
            name = next(each for each in iter(lambda: secrets.token_hex(4), None) if each not in taken)
            made = Key(name, secrets.token_bytes(KEY_BYTES), now)
            keys.append(made)
        gone = [] if keep is None else [key.id for key in keys[: max(0, len(keys) - keep)]]
        if made is not None or gone:
            _replace(file, tuple(key for key in keys if key.id not in gone))
    return made, gone


def destroy(path: Path, ids: Collection[str]) -> list[str]:
    """Destroy keys: whatever they made a token of, nobody can tell any more.

    Returns:
        The ids of those that were there.

    Raises:
        ConfigurationError: The file cannot be used.
        OSError: It cannot be written.
    """
    with _alone(path) as file:
        keys = read_keys(file)
        gone = [key.id for key in keys if key.id in ids]
        if gone:
            _replace(file, tuple(key for key in keys if key.id not in gone))
    return gone


@contextmanager
def _alone(path: Path) -> Iterator[Path]:
    """The file itself, a link's target where it is one, while no other process changes it."""
    path = path.resolve()
    guard = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | _platform.OPEN_FLAGS, 0o600)
    try:
        end = time.monotonic() + _PATIENCE
        while _platform.DURABLE and not _platform.try_lock(guard):
            if time.monotonic() > end:
                raise BlockingIOError(None, "another process is changing it")
            time.sleep(_PAUSE)
        _blank_leftovers(path)
        yield path
    finally:
        os.close(guard)


def _blank_leftovers(path: Path) -> None:
    """Blank what a change that was killed has left beside the file: copies of keys that may be destroyed by now."""
    form = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}")
    for left in path.parent.iterdir():
        if form.fullmatch(left.name):
            descriptor = os.open(left, os.O_RDWR | _platform.OPEN_FLAGS)
            try:
                _blank(descriptor)
            finally:
                os.close(descriptor)
            left.unlink()


def _replace(path: Path, keys: tuple[Key, ...]) -> None:
    """Put other content in a file's place at once, then blank what it held."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    old = -1
    with suppress(FileNotFoundError):
        old = os.open(path, os.O_RDWR)
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(written(keys))
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        _sync(path.parent)
        if old >= 0:
            _blank(old)
    finally:
        if old >= 0:
            os.close(old)


def _blank(descriptor: int) -> None:
    left = os.fstat(descriptor).st_size
    while left > 0:
        left -= os.write(descriptor, b"\0" * left)
    os.fsync(descriptor)


def _sync(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
