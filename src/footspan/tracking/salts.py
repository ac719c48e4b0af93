"""The salt of a day: random, shared by a service's processes, and gone when the day is over."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from footspan import _guard, _platform
from footspan.tracking.in_force import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE: Final = 32
_PREFIX: Final = "visitor-salt-"


class DailySalt:
    """A salt per day (UTC), in a file per day that only this user can read.

    The first process of a day makes the salt and removes those of the days before; a service that nobody visits any
    more keeps its last one until it is next asked. Where no file can be had, every process has a salt of its own.

    Args:
        folder: Where the files are; ``None``: nowhere.
        clock: Says what time it is (seconds since the epoch).
    """

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._known: tuple[str, bytes] = ("", b"")

    def today(self) -> bytes:
        """Today's salt. Never raises."""
        day = dt.datetime.fromtimestamp(self._clock(), dt.timezone.utc).strftime("%Y-%m-%d")
        known = self._known  # one look: another thread may be replacing it
        if known[0] != day:
            known = self._known = (day, self._shared(day) or os.urandom(SIZE))
        return known[1]

    def _shared(self, day: str) -> bytes | None:
        if self._folder is None:
            return None
        path = self._folder / f"{_PREFIX}{day}"
        try:
            salt = _read(path) or _make(path)
            self._forget_before(day)
        except OSError as error:
            _guard.warn_once(
                "daily salt",
                "footspan: the salt of the day cannot be kept under %s (%s): each process has one of its own, and a "
                "visitor an id in each",
                self._folder,
                error.strerror or type(error).__name__,
            )
            return None
        return salt

    def _forget_before(self, day: str) -> None:
        """Remove the salts of earlier days; a clock that is behind must not remove today's."""
        assert self._folder is not None
        for path in self._folder.glob(f"{_PREFIX}*"):
            if path.name < f"{_PREFIX}{day}":
                path.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | _platform.OPEN_FLAGS)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        salt = file.read(SIZE + 1)
    if len(salt) != SIZE:
        raise OSError(0, "damaged")
    return salt


def _make(path: Path) -> bytes:
    """Write a salt of our own, unless another process was quicker: then take that one's."""
    descriptor, draft = tempfile.mkstemp(prefix=".salt-", dir=path.parent)  # 0600 from the start
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(SIZE))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)  # noqa: PTH108 - mkstemp gives a name, no path
    return _read(path) or b""


_ALONE: Final = DailySalt(None)
_service: list[tuple[object, DailySalt]] = []


def service_salt() -> DailySalt:
    """The salt of this process's service, beside its spool; found anew when other settings come into force."""
    with _guard.guard("daily salt"):
        settings = settings_in_force()
        if not _service or _service[0][0] is not settings:
            folder: Path | None = None
            if _platform.DURABLE:
                from footspan.spool.location import locate  # noqa: PLC0415 - few need it

                layout = locate(settings)
                folder = None if layout is None else Path(layout.root)
            _service[:] = [(settings, DailySalt(folder))]
        return _service[0][1]
    return _ALONE


def reset() -> None:
    """Look for the service's folder anew; for tests."""
    _service.clear()
