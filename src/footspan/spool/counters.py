"""Counts that no file can be read back for: what was dropped, and why.

Each writer has a small file of fixed slots, changed in place, so that a count outlives a SIGKILL. It is written with
``pwrite`` rather than through a memory map: storing into a map of a file on a full disk can end the process with
SIGBUS, and counting a loss must never hurt the host.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import threading
from typing import TYPE_CHECKING, Final

from footspan import _platform
from footspan._guard import report
from footspan.otlp_json.text import dumps, loads
from footspan.spool import files

if TYPE_CHECKING:
    from footspan.spool.layout import Layout

NAMES: Final = (
    "unrouted",
    "sampled_out",
    "dropped",
    "torn",
    "overflow",
    "redaction_failed",
    "invalid_time",
    "short_write",
    "unreadable",
    "internal_error",
    "no_consent",
    "too_large",
    "other",
    "no_event_name",
    "invalid_call",
    "quarantine_deleted",
    "user_provider_failed",
    "withheld",
)
"""The slots in their order, which never changes; new names are added behind the last one. Unknown names count as
``other``."""

DROPS: Final = ("sampled_out", "dropped", "overflow", "redaction_failed", "internal_error", "no_consent", "too_large")
"""The counts of events that were not stored."""

SLOTS: Final = 56
SIZE: Final = 512

_HEADER: Final = struct.Struct("<4sHH16sQ32x")
_VALUES: Final = struct.Struct(f"<{SLOTS}Q")
_VALUE: Final = struct.Struct("<Q")
_MAGIC: Final = b"FSPC"
_VERSION: Final = 1
_SLOT: Final = {name: slot for slot, name in enumerate(NAMES)}


class Header:
    """What a writer's file says besides the counts.

    Attributes:
        boot: The machine's boot during which the writer last opened a segment.
        born: When it began its current segment, nanoseconds since the epoch.
    """

    __slots__ = ("boot", "born")

    def __init__(self, boot: bytes = bytes(16), born: int = 0) -> None:
        self.boot = boot
        self.born = born


def decode(data: bytes) -> tuple[Header, list[int]]:
    """Read a file of counters; a damaged one counts nothing."""
    if len(data) < SIZE:
        return Header(), [0] * SLOTS
    magic, version, _, boot, born = _HEADER.unpack_from(data)
    if magic != _MAGIC or version != _VERSION:
        return Header(), [0] * SLOTS
    return Header(boot, born), list(_VALUES.unpack_from(data, _HEADER.size))


class Counters:
    """This process's counts, in its writer's file once there is one.

    Attributes:
        header: The file's header as it was found, then as it was set.
    """

    __slots__ = ("_alias", "_descriptor", "_file", "_kept", "_lock", "_owed", "_own", "_path", "_values", "header")

    def __init__(self) -> None:
        self.header = Header()
        self._values = [0] * SLOTS
        self._own = [0] * SLOTS
        self._descriptor = -1
        self._file: files.Identity = (0, 0)
        self._path = ""
        self._alias = ""  # what stands for a writer where we have none
        self._kept = [0] * SLOTS  # under that name
        self._owed = False  # whether the file is behind
        self._lock = threading.RLock()  # a signal handler may count while its thread holds it

    def attach(self, path: str) -> None:
        """Continue a writer's file, and move there what was counted so far.

        Raises:
            OSError: It cannot be opened or written; the counts stay here.
        """
        descriptor = files.open_file(path, os.O_RDWR | os.O_CREAT | _platform.OPEN_FLAGS, files.FILE_MODE)
        descriptor = _platform.move_high(descriptor)
        self._path = path
        try:
            self.header, found = decode(os.pread(descriptor, SIZE, 0))
            self._join(descriptor, found)
        except BaseException:
            files.close(descriptor)
            raise

    def _join(self, descriptor: int, found: list[int]) -> None:
        while True:
            with self._lock:
                mine = list(self._values)
            both = [a + b for a, b in zip(found, mine, strict=True)]
            files.pwrite(descriptor, _pack(self.header) + _VALUES.pack(*both), 0)
            with self._lock:
                if mine == self._values:
                    self._values, self._file, self._descriptor = both, files.identity(descriptor), descriptor
                    return

    def mark(self, boot: bytes, born: int) -> None:
        """Set the header."""
        self.header = Header(boot, born)
        self._owed = True
        self._catch_up()

    def detach(self) -> None:
        """Leave the file to the next writer; what it holds is counted there from now on."""
        with contextlib.suppress(OSError):
            self._catch_up()
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
            self._values = [0] * SLOTS
        if descriptor >= 0 and files.is_still(descriptor, self._file):
            files.close_later(descriptor)

    def forked(self) -> None:
        """Start from nothing: what was counted is the parent's."""
        self._own = [0] * SLOTS
        self._alias, self._kept = "", [0] * SLOTS
        self._lock = threading.RLock()
        self._owed = False
        self.detach()

    def keep(self, layout: Layout) -> None:
        """Write down what a process counted that has no writer, so that it does not end with the process.

        Raises:
            OSError: That cannot be written; it stays here.
        """
        values = list(self._values)
        if self.attached or not any(values):
            return
        self._alias = self._alias or f"carrier-{secrets.token_hex(6)}"
        both = [a + b for a, b in zip(self._kept, values, strict=True)]
        files.append_line(_retired(layout), dumps({"writer": self._alias, "counters": both}) + b"\n")
        with self._lock:
            self._kept = both
            self._values = [now - kept for now, kept in zip(self._values, values, strict=True)]

    @property
    def attached(self) -> bool:
        """Whether there is a file."""
        return self._descriptor >= 0

    def add(self, name: str, n: int = 1) -> None:
        """Count. Never raises; no lock is held while the file is written."""
        slot = _SLOT.get(name, _SLOT["other"])
        with self._lock:
            self._values[slot] += n
            self._own[slot] += n
        while self._still_there():
            value = self._values[slot]
            try:
                files.pwrite(self._descriptor, _VALUE.pack(value), _HEADER.size + slot * _VALUE.size)
            except OSError as error:
                self._owed = True  # written with the whole file at the next occasion
                report("count", error)
                return
            if self._values[slot] == value:
                return
            # Another thread counted meanwhile and may have written first: the newest value must be the last.

    def _catch_up(self) -> None:
        """Write the whole file if a part of it could not be."""
        while self._owed and self._still_there():
            values = list(self._values)
            files.pwrite(self._descriptor, _pack(self.header) + _VALUES.pack(*values), 0)
            self._owed = values != self._values

    def _still_there(self) -> bool:
        """Whether there is a file. One that was closed behind our back is opened again; a deleted one is none."""
        descriptor = self._descriptor
        if descriptor < 0 or files.is_still(descriptor, self._file):
            return descriptor >= 0
        try:
            again = _platform.move_high(files.open_file(self._path, os.O_RDWR | _platform.OPEN_FLAGS))
        except OSError:
            return False
        with self._lock:
            if files.identity(again) == self._file and self._descriptor == descriptor:
                self._descriptor = again
                return True
        files.close(again)
        return False

    def dropped(self) -> dict[str, int]:
        """How many events this process did not store, by reason; unlike what its file says, which others began."""
        return {name: self._own[_SLOT[name]] for name in DROPS if self._own[_SLOT[name]]}

    def here(self) -> list[int]:
        """Counts that are in no file yet."""
        with contextlib.suppress(OSError):
            self._catch_up()
        return [0] * SLOTS if self.attached else list(self._values)


def _pack(header: Header) -> bytes:
    return _HEADER.pack(_MAGIC, _VERSION, SLOTS, header.boot, header.born)


def retire(layout: Layout, owner: str, path: str) -> None:
    """Keep the counts of a writer that is no more, then delete its file.

    A crash in between is harmless: while the file is there, the line about it is not counted.
    """
    try:
        _, values = decode(files.read_all(path))
    except FileNotFoundError:
        return
    if any(values):
        line = dumps({"writer": owner, "counters": values}) + b"\n"
        files.append_line(_retired(layout), line)
    files.discard(path)


def _retired(layout: Layout) -> str:
    return f"{layout.counters}/retired.jsonl"


def total(layout: Layout, here: list[int]) -> dict[str, int]:
    """The counts of every writer that ever was, by name.

    Args:
        layout: The spool.
        here: Counts of this process that are in no file yet.
    """
    by_owner = {**dict(_retired_counts(layout)), **_current_counts(layout), "": here}
    sums = [sum(column) for column in zip(*by_owner.values(), strict=True)]
    return dict(zip(NAMES, sums, strict=False))


def _current_counts(layout: Layout) -> dict[str, list[int]]:
    found = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(layout.counters):
            if name.endswith(".bin"):
                with contextlib.suppress(OSError):
                    _, found[name[:-4]] = decode(files.read_all(f"{layout.counters}/{name}"))
    return found


def _retired_counts(layout: Layout) -> list[tuple[str, list[int]]]:
    try:
        data = files.read_all(_retired(layout))
    except OSError:
        return []
    found = []
    for line in data.split(b"\n"):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            entry = loads(line)
            values = [int(value) for value in entry["counters"]][:SLOTS]
            found.append((str(entry["writer"]), values + [0] * (SLOTS - len(values))))
    return found
