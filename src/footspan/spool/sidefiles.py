"""What is kept beside the road: refused events, bytes that are no event, and the record of what was evicted."""

from __future__ import annotations

import base64
import contextlib
import os
from typing import TYPE_CHECKING, Any

from footspan.otlp_json.text import dumps, loads
from footspan.spool import files

if TYPE_CHECKING:
    from collections.abc import Callable, Container

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
    """The record of segments that were deleted before every destination had them.

    It says how many events each destination takes of such a segment: a request may have been under way when the segment
    went, so how many it lost, only its journal can tell.
    """

    __slots__ = ("_layout", "_position", "_segments")

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._segments: dict[str, dict[str, Any]] = {}
        self._position = 0

    def write(self, segment: str, reason: str, lost: dict[str, int], taken: dict[str, int] | None = None) -> None:
        """Record a segment that is about to be deleted; of several records the last one counts.

        Args:
            segment: Its name.
            reason: ``max_age`` or ``max_bytes``.
            lost: How many events each destination will not get, by its id, as far as can be told now; for people.
            taken: How many of the segment's events each destination takes.

        Raises:
            OSError: It cannot be written.
        """
        entry: dict[str, Any] = {"segment": segment, "reason": reason, "time": files.now(), "destinations": lost}
        if taken is not None:
            entry["taken"] = taken
        files.append_line(self._layout.evictions, dumps(entry) + b"\n")

    def __contains__(self, segment: str) -> bool:
        """Whether there is a record of a segment."""
        self._read()
        return segment in self._segments

    @property
    def last(self) -> dict[str, Any] | None:
        """The newest record."""
        self._read()
        return next(reversed(self._segments.values()), None)

    def lost(self, identifier: str, there: Container[str], dealt_with: Callable[[str], int]) -> dict[str, int]:
        """How many events a destination never got, by reason.

        Args:
            identifier: The destination's id.
            there: The segments there are. A record of one of them says nothing: its writer died before the deletion.
            dealt_with: How many events of a segment the destination has delivered or refused.
        """
        self._read()
        total: dict[str, int] = {}
        for name, entry in self._segments.items():
            taken = int((entry.get("taken") or entry["destinations"]).get(identifier, 0))
            if taken and name not in there:
                lost = taken - dealt_with(name)
                if lost > 0:
                    total[entry["reason"]] = total.get(entry["reason"], 0) + lost
        return total

    def _read(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            size = os.stat(self._layout.evictions).st_size
            if size < self._position:
                self._position, self._segments = 0, {}
            if size == self._position:
                return
            data = files.read_all(self._layout.evictions, self._position)
            whole = data.rfind(b"\n") + 1
            self._position += whole
            for entry in _parse(data[:whole], "segment", "reason", "destinations"):
                self._segments.pop(entry["segment"], None)  # the newest stand last
                self._segments[entry["segment"]] = entry


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
