"""What is kept beside the road: refused events, bytes that are no event, and the record of what was evicted."""

from __future__ import annotations

import base64
import contextlib
import os
from typing import TYPE_CHECKING, Any

from footspan.otlp_json.text import dumps, loads
from footspan.spool import files

if TYPE_CHECKING:
    from footspan.spool.layout import Layout

SIDE_BYTES = 16 * 1024 * 1024
"""A side file that has grown to this is moved to ``<name>.old.jsonl``, in place of the one before it."""


def reject(layout: Layout, destination: str, line: bytes, reason: str, status: int | None) -> None:
    """Keep a refused event. What is written is still a legal line of OTLP JSON, so it can be sent again as it is.

    Raises:
        OSError: It cannot be written.
    """
    note = {"reason": reason, "status": status, "time": files.now(), "destination": destination}
    stored = b'%b,"footspanRejected":%b}\n' % (line.rstrip()[:-1], dumps(note))
    _append(layout.rejects(destination), stored)


class Quarantine:
    """Bytes found in segments that are no event, each place kept once."""

    __slots__ = ("_known", "_layout")

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[str, set[int]] = {}

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
        _append(path, dumps({**entry, "base64": base64.b64encode(garbage).decode()}) + b"\n")
        known.add(offset)
        return True

    def forget(self, segment: str) -> None:
        """The segment is gone."""
        self._known.pop(segment, None)


class Evictions:
    """The record of segments that were deleted before every destination had them."""

    __slots__ = ("_layout", "_position", "_segments")

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._segments: dict[str, dict[str, int]] = {}
        self._position = 0

    def write(self, segment: str, reason: str, lost: dict[str, int]) -> None:
        """Record a segment that is about to be deleted; recording it twice counts once.

        Raises:
            OSError: It cannot be written.
        """
        entry = {"segment": segment, "reason": reason, "time": files.now(), "destinations": lost}
        files.append_line(self._layout.evictions, dumps(entry) + b"\n")

    def lost(self) -> dict[str, int]:
        """How many events each destination never got, by its id."""
        with contextlib.suppress(FileNotFoundError):
            if os.stat(self._layout.evictions).st_size < self._position:
                self._position, self._segments = 0, {}
            data = files.read_all(self._layout.evictions, self._position)
            whole = data.rfind(b"\n") + 1
            self._position += whole
            for entry in _parse(data[:whole], "segment", "destinations"):
                self._segments[entry["segment"]] = entry["destinations"]
        total: dict[str, int] = {}
        for counts in self._segments.values():
            for identifier, count in counts.items():
                total[identifier] = total.get(identifier, 0) + count
        return total


def _append(path: str, line: bytes) -> None:
    if files.append_line(path, line) > SIDE_BYTES:
        files.rename(path, f"{path[:-6]}.old.jsonl")


def _entries(path: str, *members: str) -> list[dict[str, Any]]:
    try:
        return _parse(files.read_all(path), *members)
    except FileNotFoundError:
        return []


def _parse(data: bytes, *members: str) -> list[dict[str, Any]]:
    found = []
    for line in data.split(b"\n"):
        with contextlib.suppress(ValueError):
            entry = loads(line)
            if isinstance(entry, dict) and all(member in entry for member in members):
                found.append(entry)
    return found
