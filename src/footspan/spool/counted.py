"""What a census found, beside the counters: so that a large backlog is read once, and not by each process that asks.

A file says how many events of a segment each destination of its pipeline takes, up to some places in it. It holds for
a segment of that very size and time of change; whatever else is found there says nothing, and the segment is counted
again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from footspan.spool import files
from footspan.spool.checked import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION: Final = 1
"""Another one counted by other rules."""

WORTH: Final = 1024 * 1024
"""Bytes that are counted again rather than looked up."""

_APART: Final = 1024 * 1024
"""Bytes between two places whose counts are kept."""


class Mark(NamedTuple):
    """Counts up to a place.

    Attributes:
        offset: Where a line starts, or the segment's end.
        counts: How many events before it each destination takes.
    """

    offset: int
    counts: tuple[int, ...]


def load(path: str, segment: str, ids: Sequence[str]) -> list[Mark]:
    """The marks of a segment, from its start to its end; none where nothing certain is known.

    Args:
        path: The file.
        segment: The segment's file.
        ids: The destinations that are counted.
    """
    try:
        state = os.stat(segment)
        if state.st_size < WORTH:
            return []
        found = decode(files.read_all(path).rstrip(b"\n"))
        if not found or [found.get(key) for key in ("version", "size", "changed", "ids")] != [
            VERSION,
            state.st_size,
            state.st_mtime_ns,
            list(ids),
        ]:
            return []
        return [Mark(int(offset), tuple(map(int, counts))) for offset, *counts in found["marks"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def save(path: str, segment: str, ids: Sequence[str], marks: Sequence[Mark]) -> None:
    """Keep the marks of a segment that was counted to its end, for whoever asks next; nothing if that cannot be."""
    with suppress(OSError):
        state = os.stat(segment)
        home = os.stat(os.path.dirname(path))
        if state.st_size != marks[-1].offset or home.st_uid != os.geteuid():  # it grew; they could not read it
            return
        kept = [marks[0]]
        for mark in marks[1:-1]:
            if mark.offset - kept[-1].offset >= _APART:
                kept.append(mark)
        kept.append(marks[-1])
        content = {
            "version": VERSION,
            "size": state.st_size,
            "changed": state.st_mtime_ns,
            "ids": list(ids),
            "marks": [[mark.offset, *mark.counts] for mark in kept],
        }
        files.replace(path, encode(content))


def forget(path: str) -> None:
    """Its segment is gone.

    Raises:
        OSError: It cannot be deleted.
    """
    if os.path.exists(path):
        files.discard(path)
