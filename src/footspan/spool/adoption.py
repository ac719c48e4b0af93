"""Where a new writer begins: in the segment of one that is gone, or in a new one."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from footspan import _platform
from footspan.spool import counters, files, locks, segments

if TYPE_CHECKING:
    from collections.abc import Container

    from footspan.spool.layout import Layout
    from footspan.spool.locks import RecordLock
    from footspan.spool.segments import Segment

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | _platform.OPEN_FLAGS  # without blocking: see writer
_ATTEMPTS = 8


@dataclass(slots=True)
class Place:
    """An open segment that nobody else writes.

    Attributes:
        segment: Its name.
        descriptor: Open for appending (and reading).
        lock: Its writer's lock.
        size: Bytes it has.
        torn: How many torn lines were ended.
        file: Device and number of the open file.
    """

    segment: Segment
    descriptor: int
    lock: RecordLock
    size: int = 0
    torn: int = 0
    file: files.Identity = (0, 0)

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Note which file the descriptor leads to now."""
        self.file = files.identity(self.descriptor)

    def ours(self) -> bool:
        """Whether the descriptor still leads to our file, and was not closed and given to another."""
        return files.is_still(self.descriptor, self.file)

    def intact(self, path: str) -> bool:
        """Whether what is appended here is found under ``path`` and nobody else appends."""
        try:
            found = os.stat(path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self.file and self.ours() and self.lock.valid()

    def let_go(self) -> None:
        """Leave it to the next writer."""
        if self.ours():
            files.close_later(self.descriptor)
        self.lock.release()

    def forked(self) -> None:
        """Close a forked child's copy; the parent's lock and file stay as they are."""
        files.close_ours(self.descriptor, self.file)


def open_place(
    layout: Layout, fingerprint: str, limit: int, *, sync: bool = False, avoid: Container[str] = ()
) -> Place:
    """Continue an orphaned writer of the same pipeline, else begin as a new one.

    So the number of files follows how many processes ran at once, not how many ever ran.

    Args:
        layout: The spool, prepared.
        fingerprint: The writer's pipeline.
        limit: A segment of this many bytes is full.
        sync: Whether new names must be on the medium before this returns.
        avoid: Names of segments that must not be continued; their writer is, in its next one.

    Raises:
        OSError: Nothing can be opened.
    """
    listing = segments.scan(layout.events)
    for owner, latest in listing.latest().items():
        if latest.fingerprint == fingerprint and owner in listing.owners:
            place = _adopt(layout, owner, limit, sync=sync, avoid=avoid)
            if place is not None:
                return place
    for _ in range(_ATTEMPTS):
        owner = segments.new_owner(fingerprint)
        # None: somebody who tidies up took the file between our making it and our locking it.
        lock = locks.acquire(layout.writer_lock(owner))
        if lock is not None:
            return _begin(layout, segments.first(owner), lock, sync=sync)
    raise BlockingIOError("no writer's lock could be had")


def create(layout: Layout, segment: Segment, *, sync: bool = False) -> int:
    """Make a segment, open for appending.

    Raises:
        OSError: ``FileExistsError`` when there is one of this name: a name is never used twice.
    """
    descriptor = files.open_file(layout.segment(segment.name), _FLAGS | os.O_CREAT | os.O_EXCL, files.FILE_MODE)
    descriptor = _platform.move_high(descriptor)
    if sync:
        try:
            files.sync_directory(layout.events)
        except BaseException:
            files.close(descriptor)
            raise
    return descriptor


def _begin(layout: Layout, segment: Segment, lock: RecordLock, *, sync: bool, torn: int = 0) -> Place:
    try:
        return Place(segment, create(layout, segment, sync=sync), lock, torn=torn)
    except BaseException:
        lock.release()
        raise


def _adopt(layout: Layout, owner: str, limit: int, *, sync: bool, avoid: Container[str]) -> Place | None:
    lock = locks.acquire(layout.writer_lock(owner), create=False)
    if lock is None:
        return None
    try:
        # Its last segment may have been deleted, or followed by another, before we had the lock.
        latest = segments.scan(layout.events).latest().get(owner)
        if latest is None:
            lock.release()
            return None
        path = layout.segment(latest.name)
        descriptor = _platform.move_high(files.open_file(path, _FLAGS))
    except BaseException:
        lock.release()
        raise
    try:
        if not _same_boot(layout, owner):  # retention ends it when everybody has its events
            files.close(descriptor)
            lock.release()
            return None
        torn = int(files.end_torn_line(descriptor))
        size = os.fstat(descriptor).st_size
        if size < limit and latest.name not in avoid and size >= _reached(layout, latest.name):
            return Place(latest, descriptor, lock, size, torn)
    except BaseException:
        files.close(descriptor)
        lock.release()
        raise
    files.close(descriptor)
    return _begin(layout, latest.next(), lock, sync=sync, torn=torn)


def _reached(layout: Layout, name: str) -> int:
    """The furthest offset of a segment that a journal speaks of: one that is shorter by now was cut off.

    What was appended there would count as delivered. A look at the bytes will do: it is made when a process begins.
    """
    mentions = re.compile(rb'"%b",(?:\d+,|"offset":)(\d+)' % name.encode())
    furthest = 0
    with contextlib.suppress(OSError):
        for folder in os.listdir(layout.destinations):
            with contextlib.suppress(OSError):
                found = mentions.findall(files.read_all(f"{layout.destination(folder)}/cursor.jsonl"))
                furthest = max(furthest, *map(int, found), 0)
    return furthest


def _same_boot(layout: Layout, owner: str) -> bool:
    """Whether the segment was last opened during this run of the machine.

    After a power cut a segment can be shorter than the cursors that were already behind its end say, and the one after
    it can be gone. What is appended there, or under that name, would count as delivered; under a new one it does not.
    """
    try:
        header, _ = counters.decode(files.read_all(layout.writer_counters(owner)))
    except OSError:
        return False
    return header.boot == _platform.boot_id()
