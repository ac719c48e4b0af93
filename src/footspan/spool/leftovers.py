"""Files that nobody reads and nobody else takes away: what was being written, or deleted, when its process died."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from footspan.spool import files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.spool.layout import Layout

EVERY = 3600.0
"""Seconds between two looks."""

_OLD = 3600.0
"""Seconds after which whoever was writing such a file is gone or has given up."""


class Leftovers:
    """Deletes them now and then.

    Args:
        layout: The spool.
    """

    __slots__ = ("_layout", "_next")

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._next = 0.0

    def tidy(self) -> None:
        """Look, if it is time to.

        Raises:
            OSError: One cannot be deleted.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        for path in self._asides():
            with suppress(FileNotFoundError):
                if time.time() - os.stat(path).st_mtime > _OLD:
                    files.discard(path)

    def _asides(self) -> Iterator[str]:
        folders = [self._layout.root, self._layout.pipelines, self._layout.counters]
        with suppress(FileNotFoundError):
            folders += (f"{self._layout.destinations}/{name}" for name in os.listdir(self._layout.destinations))
        for folder in folders:
            with suppress(FileNotFoundError, NotADirectoryError):
                yield from (f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(".tmp"))
        with suppress(FileNotFoundError):
            for name in os.listdir(self._layout.counters):
                stem, _, kind = name.rpartition(".")
                if kind == "events" and not os.path.exists(self._layout.segment(stem)):
                    yield f"{self._layout.counters}/{name}"
