"""Where the visits of browsers are remembered: in one file for all processes of a service, else in this process.

The file is a table of fixed size with a place per browser, found by a digest of the browser. Whoever is displaced is
forgotten, as is a place that a crash left half written. Addresses are kept redacted, and the digest is made with the
salt of the day, so that from tomorrow on it leads to nobody. Nothing of who did not agree to analytics is in the file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from weakref import WeakValueDictionary

from footspan import _guard, _platform
from footspan.instrumentation.dash.visits import Visit
from footspan.spool.layout import VISITS, VISITS_PLACE
from footspan.tracking.consent import agrees_to_analytics

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

R = TypeVar("R")
Visits = tuple[Visit, ...]

FILE: Final = VISITS
PLACES: Final = 4_096
PLACE: Final = VISITS_PLACE
"""Bytes of a place; the file has no more on disk than the places in use."""
_HEAD: Final = 16 + 8
_PATIENCE: Final = 0.02
"""Seconds to wait for another process that is at the same place. A request must not wait for one that was stopped."""
_LONGEST: Final = 1_500
"""Characters of an address that is kept whole."""


class Memory(Protocol):
    """What remembers."""

    def change(self, browser: bytes, edit: Callable[[Visits], tuple[Visits, R]]) -> R:
        """Change what is known of a browser.

        Args:
            browser: A digest of 16 bytes.
            edit: Is given what is known; returns what is known from now on, and a result.

        Returns:
            The result.
        """
        ...


class InProcess:
    """Remembers in this process."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Visits] = OrderedDict()
        self._lock = threading.Lock()
        _platform.on_fork(self._forked)

    def _forked(self) -> None:
        self._lock = threading.Lock()

    def change(self, browser: bytes, edit: Callable[[Visits], tuple[Visits, R]]) -> R:
        """See :class:`Memory`."""
        with self._lock:
            visits, result = edit(self._known.pop(browser, ()))
            self._known[browser] = visits
            while len(self._known) > PLACES:
                self._known.popitem(last=False)
        return result


class InFile:
    """Remembers in a file that other processes use as well.

    Args:
        path: The file; made at the first use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._instead: InProcess | None = None
        _platform.on_fork(self._forked)

    def _forked(self) -> None:
        self._lock = threading.Lock()

    def change(self, browser: bytes, edit: Callable[[Visits], tuple[Visits, R]]) -> R:
        """See :class:`Memory`."""
        if self._instead is not None:
            return self._instead.change(browser, edit)
        try:
            # Locks of the operating system are a process's, so its threads need one of their own; and a file closed in
            # one thread would let go the lock of another.
            with self._lock:
                return self._change(browser, edit)
        except OSError as error:
            _guard.warn_once(
                "dash visits",
                "footspan: pages of Dash apps cannot be remembered in %s (%s): each process remembers its own",
                self._path,
                error.strerror or type(error).__name__,
            )
            self._instead = InProcess()
            return self._instead.change(browser, edit)

    def _change(self, browser: bytes, edit: Callable[[Visits], tuple[Visits, R]]) -> R:
        offset = int.from_bytes(browser[:8], "big") % PLACES * PLACE
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | _platform.OPEN_FLAGS, 0o600)
        try:
            _lock(descriptor, offset)
            visits, result = edit(_unpacked(browser, os.pread(descriptor, PLACE, offset)))
            os.pwrite(descriptor, _packed(browser, visits), offset)
            return result
        finally:
            os.close(descriptor)  # lets go of the lock as well


def _lock(descriptor: int, offset: int) -> None:
    """Lock a place, for a moment's patience: without the lock, one of two changes is lost at worst."""
    deadline = time.monotonic() + _PATIENCE
    while not _locked(descriptor, offset) and time.monotonic() < deadline:
        time.sleep(0.001)


def _locked(descriptor: int, offset: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, PLACE, offset)
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EAGAIN}:
            return False
        raise
    return True


def _packed(browser: bytes, visits: Visits) -> bytes:
    rows = [[v.page, v.url, v.at, v.loaded, v.tab, v.who, v.reports] for v in visits]
    while True:
        data = json.dumps(rows, separators=(",", ":")).encode()
        if len(data) <= PLACE - _HEAD:
            break
        rows = rows[1:]
    body = browser + data.ljust(PLACE - _HEAD)
    return _checksum(body) + body


def _unpacked(browser: bytes, place: bytes) -> Visits:
    body = place[8:]
    if len(place) != PLACE or body[:16] != browser or _checksum(body) != place[:8]:
        return ()
    try:
        return tuple(_visit(row) for row in json.loads(body[16:]))
    except (ValueError, TypeError):  # another version's
        return ()


def _visit(row: list[Any]) -> Visit:
    page, url, at, loaded, tab, who, reports = row
    return Visit(str(page), str(url), float(at), bool(loaded), str(tab), str(who), tuple(map(str, reports)))


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()


def short(text: str) -> str:
    """An address as it is remembered: one that is too long without its query, which is most of it."""
    return text if len(text) <= _LONGEST else text.partition("?")[0][:_LONGEST]


def digest(*parts: str) -> str:
    """A short name for a page, a callback or a person; leads back to none of them."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def browser_key(salt: bytes, *parts: str) -> bytes:
    """Stands for a browser, by what it sends with every request."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), key=salt, digest_size=16).digest()


class Heeding:
    """Remembers in a file those who agreed to it, and in this process those who did not.

    Args:
        file: Remembers the former.
    """

    def __init__(self, file: InFile) -> None:
        self._file = file
        self._here = InProcess()

    def change(self, browser: bytes, edit: Callable[[Visits], tuple[Visits, R]]) -> R:
        """See :class:`Memory`."""
        return (self._file if agrees_to_analytics() else self._here).change(browser, edit)


def open_memory(folder: Path | None) -> Memory:
    """What remembers for a service.

    Args:
        folder: The service's folder; ``None`` where there is none on disk.
    """
    if folder is None or not _platform.DURABLE:
        return InProcess()
    # One object for a file: closing it in one would let go the other's locks.
    return Heeding(_open.setdefault(folder / FILE, InFile(folder / FILE)))


_open: WeakValueDictionary[Path, InFile] = WeakValueDictionary()
