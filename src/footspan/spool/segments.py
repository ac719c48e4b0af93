"""Segments: their names, and which of them there are."""

from __future__ import annotations

import os
import re
import secrets
import time
from typing import NamedTuple

_NAME = re.compile(r"([0-9a-f]{12})-([0-9a-f]{12})-([0-9]{8})")
_LOCK = re.compile(r"[0-9a-f]{12}-[0-9a-f]{12}")
_SETTLED = 0.1
"""Seconds after which a directory's time stamp can be trusted to differ from the next change's."""
_SETTLED_COARSELY = 2.5
"""The same where the file system may count whole seconds (ext3, HFS+), or two of them (FAT)."""
_SECOND = 1_000_000_000

DIGITS = 8


class Segment(NamedTuple):
    """The name of a segment, in the order in which its writer wrote it. A name is never used twice.

    Attributes:
        fingerprint: 12 hex digits that name the set of destinations its events are for.
        writer: 12 random hex digits: whoever holds this writer's lock appends.
        seq: 1, 2, 3, …
    """

    fingerprint: str
    writer: str
    seq: int

    @property
    def owner(self) -> str:
        """``<fingerprint>-<writer>``: names the lock and the counters."""
        return f"{self.fingerprint}-{self.writer}"

    @property
    def name(self) -> str:
        """The file's name without its ending; names the segment in journals."""
        return f"{self.fingerprint}-{self.writer}-{self.seq:08d}"

    def next(self) -> Segment:
        """The same writer's following segment."""
        return self._replace(seq=self.seq + 1)


def new_owner(fingerprint: str) -> str:
    """The name of a writer that never was."""
    return f"{fingerprint}-{secrets.token_hex(6)}"


def first(owner: str) -> Segment:
    """A writer's first segment."""
    fingerprint, _, writer = owner.partition("-")
    return Segment(fingerprint, writer, 1)


def parse(name: str) -> Segment | None:
    """The segment of a name without ending, or ``None`` for any other text."""
    match = _NAME.fullmatch(name)
    return Segment(match[1], match[2], int(match[3])) if match else None


class Listing(NamedTuple):
    """What lies in ``events/``.

    Attributes:
        segments: Sorted by fingerprint, writer, number.
        owners: Every writer that has a lock file.
    """

    segments: tuple[Segment, ...]
    owners: frozenset[str]

    def latest(self) -> dict[str, Segment]:
        """Each writer's last segment: the one it may still be writing."""
        return {segment.owner: segment for segment in self.segments}


def scan(directory: str) -> Listing:
    """List a directory of segments, anything else in it left out.

    Raises:
        OSError: It cannot be read; that says nothing about the segments.
    """
    segments: list[Segment] = []
    owners: set[str] = set()
    for entry in os.listdir(directory):
        if entry.endswith(".jsonl"):
            segment = parse(entry[:-6])
            if segment is not None:
                segments.append(segment)
        elif entry.endswith(".lock") and _LOCK.fullmatch(entry[:-5]):
            owners.add(entry[:-5])
    return Listing(tuple(sorted(segments)), frozenset(owners))


class Watch:
    """A listing that is read again only when the directory changed."""

    __slots__ = ("_directory", "_listing", "_stamp")

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._listing = Listing((), frozenset())
        self._stamp = -1

    def listing(self) -> Listing:
        """What lies there now.

        Raises:
            OSError: The directory cannot be read.
        """
        stamp = os.stat(self._directory).st_mtime_ns
        if stamp != self._stamp:
            settled = (
                time.time_ns() - stamp > (_SETTLED if stamp % _SECOND else _SETTLED_COARSELY) * 1e9
            )  # asked first: the scan may take long
            self._listing = scan(self._directory)
            # Time stamps come in ticks: one that is this young may cover a change that the scan did not see.
            self._stamp = stamp if settled else -1
        return self._listing
