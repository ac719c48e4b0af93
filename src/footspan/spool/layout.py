"""The folder of one service's spool: what lies where. ``docs/spool-format.md`` is the reader's description."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from footspan.spool import files

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1

VISITS = "dash-visits.bin"
"""In a service's folder: the table in which the Dash instrumentor remembers where browsers are."""
VISITS_PLACE = 4_096
"""Bytes of one browser's place in it; one that is blank is a browser that is not known."""

_FOLDERS = ("events", "pipelines", "counters", "destinations", "rejected", "quarantine")


class FormatError(Exception):
    """The folder holds a spool of a format that this version does not know."""


class Layout:
    """The paths of one spool.

    Args:
        root: The service's folder.

    Attributes:
        root: The same, as text.
        events: Where the segments and their writers' locks are.
        evictions: The file that names every evicted segment.
    """

    __slots__ = ("counters", "destinations", "events", "evictions", "pipelines", "quarantine", "rejected", "root")

    def __init__(self, root: Path | str) -> None:
        self.root = os.path.abspath(root)
        self.events = f"{self.root}/events"
        self.pipelines = f"{self.root}/pipelines"
        self.counters = f"{self.root}/counters"
        self.destinations = f"{self.root}/destinations"
        self.rejected = f"{self.root}/rejected"
        self.quarantine = f"{self.root}/quarantine"
        self.evictions = f"{self.root}/evictions.jsonl"

    def prepare(self, *, sync: bool = False) -> None:
        """Make the folders that are missing, and check the format of what is there.

        Args:
            sync: Whether all that must be on the medium before this returns, the way there included.

        Raises:
            FormatError: It is not ours to touch.
            OSError: Something cannot be made.
        """
        files.make_directories(os.path.dirname(self.root))  # somebody may have deleted more than our folder
        for path in (self.root, *(f"{self.root}/{name}" for name in _FOLDERS)):
            if not files.own_directory(path):
                raise PermissionError(f"{path} belongs to another user")
        if not self.check():  # new, or its first writer died here, or the machine did, or the file was damaged
            files.replace(f"{self.root}/FORMAT", b"%d\n" % FORMAT)
        if sync:
            self._sync_way()

    def check(self) -> bool:
        """Whether the folder says which format it is of, which is then ours.

        Raises:
            FormatError: It is not ours to touch.
            OSError: That cannot be read.
        """
        try:
            found = files.read_all(f"{self.root}/FORMAT").strip(b"\0 \r\n")
        except FileNotFoundError:
            found = b""
        if found.isdigit() and found != b"%d" % FORMAT:
            raise FormatError("it is of another format, which needs another version of footspan")
        return found.isdigit()

    def _sync_way(self) -> None:
        """Sync the folder's names, and those of the folders above it as far as they are ours to make."""
        files.sync_file(f"{self.root}/FORMAT")
        files.sync_directory(self.root)
        above = os.path.dirname(self.root)
        while os.stat(above).st_uid == os.geteuid() or above == os.path.dirname(self.root):
            files.sync_directory(above)
            if above == os.path.dirname(above):
                break
            above = os.path.dirname(above)

    def segment(self, name: str) -> str:
        """A segment's file."""
        return f"{self.events}/{name}.jsonl"

    def writer_lock(self, writer: str) -> str:
        """The lock of a writer (``<fingerprint>-<writer>``)."""
        return f"{self.events}/{writer}.lock"

    def writer_counters(self, writer: str) -> str:
        """The counters of a writer."""
        return f"{self.counters}/{writer}.bin"

    def segment_counts(self, name: str) -> str:
        """What was counted of a segment's events."""
        return f"{self.counters}/{name}.events"

    def destination(self, identifier: str) -> str:
        """The folder of a destination's cursor, lock and heartbeat."""
        return f"{self.destinations}/{identifier}"

    def rejects(self, identifier: str) -> str:
        """The file of the events that a destination will never take."""
        return f"{self.rejected}/{identifier}.jsonl"
