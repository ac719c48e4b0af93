"""All files of one spool, swept: lines that hold a person's data are overwritten in place.

Nobody is stopped for that. A line keeps its place and its length, so cursors, journals and whoever appends are not
disturbed, and every destination goes on counting the event until its carrier comes to the blank record. Whoever is
killed in the middle leaves lines that are whole, blank, or marked as half blank; the next sweep ends what was begun.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from footspan import _platform
from footspan.spool import files, locks
from footspan.spool.forgetting.lines import Blanking
from footspan.spool.forgetting.person import SESSIONS, Person, names_a_user, said_by
from footspan.spool.forgetting.suppressed import LANES
from footspan.spool.layout import VISITS, VISITS_PLACE, Layout
from footspan.spool.reading import read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from footspan.spool.forgetting.lines import Blanked

    Progress: TypeAlias = Callable[[int, int], None]

BLOCK: Final = 1024 * 1024
PLACES: Final = ("events", "rejected", "quarantine")
"""Folders with files that may hold somebody's data, in the order in which data moves from one to the next."""

QUEUE: Final = "queue"
"""The kind of the files beside a spool that are no segments."""

_HEAD: Final = 512
"""Bytes that are written first: they hold the mark, and what the blank record says."""
_LINE: Final = 4096
"""Bytes of a first line by which replays know a file that may be renamed."""
_SETTLED: Final = 1.0
"""Seconds after which an end without newline is not being written any more."""


class BusyError(Exception):
    """Another process is at work on what is to be swept."""


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """The sweep was to end."""


@dataclass(slots=True)
class Found:
    """What a sweep did, in numbers.

    Attributes:
        events: Events made blank, by folder.
        damaged: Damaged stretches made blank.
        failed: Lines that hold their data still: there is no room in them for what must stay.
        unreadable: Files that could not be read or written.
        files: Files looked at.
        size: Bytes looked at.
        heads: What the beginnings of files were known by, before and after.
    """

    events: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    failed: int = 0
    unreadable: int = 0
    files: int = 0
    size: int = 0
    heads: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing of them is left that the sweep knows of."""
        return not (self.failed or self.unreadable)


class Beside(Protocol):
    """Files beside a spool that hold what will be in it."""

    def files(self) -> Sequence[tuple[str, str]]:
        """Each with its kind: ``events`` for segments, ``queue`` for files whose lines :meth:`line` knows."""
        ...

    def held(self) -> AbstractContextManager[object]:
        """Keeps others from moving them.

        Raises:
            BusyError: Another process moves them.
        """
        ...

    def line(self, line: bytes, blanking: Blanking) -> Blanked:
        """What becomes of a line."""
        ...


def layouts_of(root: str) -> list[Layout]:
    """A spool and its lanes."""
    return [Layout(root), *(Layout(f"{root}/{lane}") for lane in LANES if os.path.exists(f"{root}/{lane}/FORMAT"))]


class Sweep:
    """Makes a person's data blank in one spool, its lanes included.

    Args:
        root: The spool's folder.
        person: Who, by plain values.
        progress: Told how many bytes of how many were looked at; raises :class:`Stopped` to end the sweep.
        dry: Only count.
        beside: Files beside it; they are swept first, for what is in them may get into the spool meanwhile.
    """

    def __init__(
        self,
        root: str,
        person: Person,
        progress: Progress = lambda *_: None,
        *,
        dry: bool = False,
        beside: Beside | None = None,
    ) -> None:
        self._root = root
        self._beside = beside
        self._blanking = Blanking(person)
        self._progress = progress
        self._dry = dry
        self._found = Found()
        self._seen: dict[tuple[int, int], int] = {}  # by file: how much of it was looked at
        self._closed: set[str] = set()
        self._total = 0

    def run(self) -> Found:
        """Sweep everything, then what came meanwhile.

        Raises:
            BusyError: Another process sweeps it.
            Stopped: By ``progress``.
        """
        with ExitStack() as held:
            if not self._dry:
                held.enter_context(_held(self._root))
                if self._beside is not None:
                    held.enter_context(self._beside.held())
            for _ in range(2):  # what moved on while the first round went by is where the second one comes to
                layouts = layouts_of(self._root)
                self._total = self._found.size + sum(self._left(path) for _, path in self._paths(layouts))
                for place, path in self._paths(layouts):
                    self._attempt(place, path)
        self._found.unreadable = len(self._closed)
        return self._found

    def _paths(self, layouts: list[Layout]) -> Iterator[tuple[str, str]]:
        if self._beside is not None:
            yield from self._beside.files()
        yield from _files(layouts)
        yield VISITS, f"{self._root}/{VISITS}"

    def _work_of(self, place: str) -> Callable[[bytes], Blanked]:
        if place == QUEUE and self._beside is not None:
            beside, blanking = self._beside, self._blanking
            return lambda line: beside.line(line, blanking)
        return self._blanking.kept_garbage if place == "quarantine" else self._blanking.event_line

    def _attempt(self, place: str, path: str) -> None:
        """Sweep one file; one that cannot be swept holds up no other."""
        self._closed.discard(path)
        try:
            self._file(place, path)
        except FileNotFoundError:  # delivered to everybody just now
            return
        except OSError:
            self._closed.add(path)

    def _left(self, path: str) -> int:
        with suppress(OSError):
            state = os.stat(path)
            return max(0, state.st_size - self._seen.get((state.st_dev, state.st_ino), 0))
        return 0

    def _file(self, place: str, path: str) -> None:
        # Not for appending: what is written at a place would go to the end.
        flags = (os.O_RDONLY if self._dry else os.O_RDWR) | _platform.OPEN_FLAGS
        descriptor = files.open_file(path, flags)
        try:
            state = os.fstat(descriptor)
            key = (state.st_dev, state.st_ino)
            start = self._seen.get(key, 0)
            if not start:
                self._found.files += 1
            head = _first_line(descriptor) if place == "rejected" else b""
            if place == VISITS:
                self._places(descriptor, state.st_size)
                return
            changed = self._lines(descriptor, place, start, state.st_size, key)
            if changed:
                # The age of a segment counts from its last event, and what others counted of it still holds.
                files.utime(descriptor, ns=(state.st_atime_ns, state.st_mtime_ns))
                files.sync_data(descriptor)
                if head and not start:
                    self._found.heads.append((head, _first_line(descriptor)))
        finally:
            files.close(descriptor)

    def _places(self, descriptor: int, end: int) -> None:
        """A table of browsers: whoever was at an address with an id in it is not known any more."""
        for offset in range(0, end, VISITS_PLACE):
            place = os.pread(descriptor, VISITS_PLACE, offset)
            if self._blanking.names(place) and not self._dry:
                _write_at(descriptor, bytes(len(place)), offset)

    def _lines(self, descriptor: int, place: str, start: int, end: int, key: tuple[int, int]) -> bool:
        changed = False
        work = self._work_of(place)
        for offset, block in _blocks(descriptor, start, end):
            # What is overwritten is in the file already, so that a stop after a block loses nothing but the rest.
            every = place == "quarantine"  # there it is in base64
            if every or self._blanking.concerns(block):
                at = offset
                for line in block.split(b"\n")[:-1]:
                    if every or self._blanking.concerns(line):
                        changed = self._overwrite(descriptor, place, at, line, work(line)) or changed
                    at += len(line) + 1
            self._seen[key] = offset + len(block)
            self._found.size += len(block)
            self._progress(self._found.size, max(self._total, self._found.size))
        position = self._seen.get(key, start)
        tail = os.pread(descriptor, max(0, end - position), position)
        if tail and b"\n" not in tail and time.time() - os.fstat(descriptor).st_mtime > _SETTLED:
            blanked = work(tail) if place == QUEUE else self._blanking.torn_end(tail)  # it may be a whole event there
            changed = self._overwrite(descriptor, place, position, tail, blanked) or changed
        return changed

    def _overwrite(self, descriptor: int, place: str, offset: int, line: bytes, blanked: Blanked) -> bool:
        found = self._found
        found.failed += blanked.failed
        found.damaged += blanked.damaged
        if blanked.events and not blanked.failed:
            found.events[place] = found.events.get(place, 0) + blanked.events
        if blanked.line is None or self._dry:
            return False
        assert len(blanked.line) == len(line)
        if place == QUEUE and os.pread(descriptor, len(line), offset) != line:  # written anew by another SDK
            found.failed += 1
            return False
        _write_at(descriptor, blanked.line[:_HEAD], offset)
        _write_at(descriptor, blanked.line[_HEAD:], offset + _HEAD)
        return True


def _first_line(descriptor: int) -> bytes:
    """A file's first line with its newline, or the first part of it."""
    line, newline, _ = os.pread(descriptor, _LINE, 0).partition(b"\n")
    return line + newline


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = files.pwrite(descriptor, view, offset)  # type: ignore[arg-type] # a buffer is all it takes
        view, offset = view[written:], offset + written


def _blocks(descriptor: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines up to a place, a block at a time, each with where it starts."""
    size = BLOCK
    while start < end:
        data = os.pread(descriptor, min(size, end - start), start)
        whole = data.rfind(b"\n") + 1
        if whole:
            yield start, data[:whole]
            start, size = start + whole, BLOCK
        elif len(data) < min(size, end - start) or start + len(data) >= end:
            return  # an end without newline
        else:
            size *= 2  # a line longer than that


def _files(layouts: list[Layout]) -> Iterator[tuple[str, str]]:
    """The files of a spool with their folder; a file that may be renamed comes before the one it would be then."""
    for layout in layouts:
        for place in PLACES:
            names: list[str] = []
            with suppress(OSError):
                names = [name for name in os.listdir(f"{layout.root}/{place}") if name.endswith(".jsonl")]
            for name in sorted(names, key=lambda each: (each.endswith(".old.jsonl"), each)):
                yield place, f"{layout.root}/{place}/{name}"


@contextmanager
def _held(root: str) -> Iterator[None]:
    lock = locks.acquire(f"{root}/forgetting.lock")
    if lock is None:
        raise BusyError
    try:
        yield
    finally:
        lock.release()


def linked_to(roots: list[str], person: Person, progress: Progress = lambda *_: None) -> frozenset[str]:
    """The sessions and visitor ids of a person's events, without those that an event of another user bears.

    Args:
        roots: The spools' folders.
        person: Who, by plain values.
        progress: As for :class:`Sweep`.

    Raises:
        Stopped: By ``progress``.
    """
    theirs: set[str] = set()
    others: set[str] = set()
    paths = [path for root in roots for place, path in _files(layouts_of(root)) if place != "quarantine"]
    total = sum(map(_size, paths))
    read = 0
    for path in paths:
        for size, block in _read(path):
            for said in _said_in(block):
                found = {text for key, text in said if key in SESSIONS}
                if person.is_in(said):
                    theirs |= found
                elif names_a_user(said):
                    others |= found
            read += size
            progress(read, max(total, read))
    return frozenset(theirs - others - {""})


def _size(path: str) -> int:
    with suppress(OSError):
        return os.stat(path).st_size
    return 0


def _read(path: str) -> Iterator[tuple[int, bytes]]:
    """A file's whole lines, a block at a time, with its size; nothing of a file that is gone."""
    with suppress(OSError):
        descriptor = files.open_file(path, os.O_RDONLY | _platform.OPEN_FLAGS)
        try:
            for _, block in _blocks(descriptor, 0, os.fstat(descriptor).st_size):
                yield len(block), block
        finally:
            files.close(descriptor)


def _said_in(block: bytes) -> Iterator[list[tuple[str, str]]]:
    """What each event says that bears a session or a visitor."""
    marks = [each.encode() for each in SESSIONS]
    for line in block.split(b"\n"):
        if any(mark in line for mark in marks):
            for event in read_line(line).events:
                with suppress(ValueError):
                    yield list(said_by(event))
