"""Key files of pseudonyms, changed: a new key is added, an old one destroyed."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from footspan.config.pseudonyms import Key, read_keys, written

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

KEY_BYTES: Final = 32


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
    keys = list(read_keys(path)) if os.path.lexists(path) else []
    made: Key | None = None
    if not keys or now - keys[-1].created >= every:
        taken = {key.id for key in keys}
        name = next(each for each in iter(lambda: secrets.token_hex(4), None) if each not in taken)
        made = Key(name, secrets.token_bytes(KEY_BYTES), now)
        keys.append(made)
    gone = [] if keep is None else [key.id for key in keys[: max(0, len(keys) - keep)]]
    if made is not None or gone:
        _replace(path, tuple(key for key in keys if key.id not in gone))
    return made, gone


def destroy(path: Path, ids: Collection[str]) -> list[str]:
    """Destroy keys: whatever they made a token of, nobody can tell any more.

    Returns:
        The ids of those that were there.

    Raises:
        ConfigurationError: The file cannot be used.
        OSError: It cannot be written.
    """
    keys = read_keys(path)
    gone = [key.id for key in keys if key.id in ids]
    if gone:
        _replace(path, tuple(key for key in keys if key.id not in gone))
    return gone


def _replace(path: Path, keys: tuple[Key, ...]) -> None:
    """Put other content in a file's place at once, then blank what it held."""
    path = path.resolve()  # a link stays a link
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
            os.write(old, b"\0" * os.fstat(old).st_size)
            os.fsync(old)
    finally:
        if old >= 0:
            os.close(old)


def _sync(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
