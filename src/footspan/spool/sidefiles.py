"""What is kept beside the road: refused events, and bytes that are no event."""

from __future__ import annotations

import base64
import contextlib
import os
from typing import TYPE_CHECKING, Any

from footspan.otlp_json.text import dumps, loads
from footspan.spool import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from footspan.spool.layout import Layout

SIDE_BYTES = 16 * 1024 * 1024
"""A side file that has grown to this is moved to ``<name>.old.jsonl``, in place of the one before it."""

QUARANTINE_BYTES = 64 * 1024 * 1024
"""The size of everything in quarantine at which the oldest files go."""

_LOOK_EVERY = 1024 * 1024
"""Bytes kept between two looks at that size."""


def reject(layout: Layout, destination: str, line: bytes, reason: str, status: int | None) -> None:
    """Keep a refused event. What is written is still a legal line of OTLP JSON, so it can be sent again as it is.

    Raises:
        OSError: It cannot be written.
    """
    note = {"reason": reason, "status": status, "time": files.now(), "destination": destination}
    stored = b'%b,"footspanRejected":%b}\n' % (line.rstrip()[:-1], dumps(note))
    _append(layout.rejects(destination), stored)


class Quarantine:
    """Bytes found in segments that are no event, each place kept once, as long as there is room.

    Args:
        layout: The spool.
        count: Adds to a counter.
    """

    __slots__ = ("_count", "_known", "_layout", "_unseen")

    def __init__(self, layout: Layout, count: Callable[[str, int], None] = lambda *_: None) -> None:
        self._layout = layout
        self._count = count
        self._known: dict[str, set[int]] = {}
        self._unseen = _LOOK_EVERY

    def keep(self, segment: str, offset: int, garbage: bytes) -> bool:
        """Keep some bytes and where they stood; whether that is new.

        Raises:
            OSError: They cannot be written.
        """
        path = f"{self._layout.quarantine}/{segment}.jsonl"
        known = self._known.get(segment)
        if known is None:
            # Carriers of other destinations come by the same bytes.
            known = self._known[segment] = {entry["offset"] for entry in _entries(path, "offset")}
        if offset in known:
            return False
        entry = {"segment": segment, "offset": offset, "time": files.now(), "size": len(garbage)}
        line = dumps({**entry, "base64": base64.b64encode(garbage).decode()}) + b"\n"
        _append(path, line)
        known.add(offset)
        self._unseen += len(line)
        if self._unseen > _LOOK_EVERY:
            self._unseen = 0
            self._make_room()
        return True

    def _make_room(self) -> None:
        """Delete the files that were last added to the longest ago, and count what was in them."""
        kept = sorted(self._files(), reverse=True)
        total = 0
        for position, (_, size, path) in enumerate(kept):
            total += size
            if position and total > QUARANTINE_BYTES:  # whatever was kept just now stays
                with contextlib.suppress(FileNotFoundError):
                    places = files.read_all(path).count(b"\n")
                    if files.discard(path):
                        self._count("quarantine_deleted", places)

    def _files(self) -> Iterable[tuple[int, int, str]]:
        for name in os.listdir(self._layout.quarantine):
            path = f"{self._layout.quarantine}/{name}"
            with contextlib.suppress(FileNotFoundError):
                state = os.stat(path)
                yield state.st_mtime_ns, state.st_size, path

    def forget(self, segment: str) -> None:
        """The segment is gone."""
        self._known.pop(segment, None)


def _append(path: str, line: bytes) -> None:
    if files.append_line(path, line) > SIDE_BYTES:
        files.rename(path, f"{path[:-6]}.old.jsonl")


def _entries(path: str, *members: str) -> list[dict[str, Any]]:
    try:
        return parse(files.read_all(path), *members)
    except FileNotFoundError:
        return []


def parse(data: bytes, *members: str) -> list[dict[str, Any]]:
    """The objects among some lines that have these members."""
    found = []
    for line in data.split(b"\n"):
        with contextlib.suppress(ValueError):
            entry = loads(line)
            if isinstance(entry, dict) and all(member in entry for member in members):
                found.append(entry)
    return found
