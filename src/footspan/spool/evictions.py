"""The record of segments that were deleted before every destination had them."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from footspan.otlp_json.text import dumps
from footspan.spool import files, locks
from footspan.spool.checked import decode, encode
from footspan.spool.sidefiles import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from footspan.spool.layout import Layout

COMPACT_BYTES: Final = 64 * 1024
"""The size from which records that will not change are summed up."""

SETTLED = 3600.0
"""Seconds after which a carrier that had a segment's events in hand has said so in its journal."""

_TRIES: Final = 40
_PAUSE: Final = 0.005
_HEAD: Final = 64


class Evictions:
    """Says how many events each destination takes of such a segment.

    A request may have been under way when the segment went, so how many a destination lost, only its journal can tell;
    once that is settled for all of them, the record becomes a part of a sum.

    Args:
        layout: The spool.
    """

    __slots__ = ("_generation", "_head", "_layout", "_position", "_segments", "_stamp", "_totals", "_try_at")

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._try_at = COMPACT_BYTES
        self._start()

    def _start(self) -> None:
        self._segments: dict[str, dict[str, Any]] = {}
        self._totals: dict[str, dict[str, int]] = {}
        self._generation = 0
        self._position = 0
        self._head = b""
        self._stamp = (0, 0, 0)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from writing the record.

        Raises:
            BlockingIOError: Somebody else does for long.
            OSError: It cannot be locked.
        """
        for _ in range(_TRIES):
            lock = locks.acquire(f"{self._layout.root}/evictions.lock")
            if lock is not None:
                break
            time.sleep(_PAUSE)
        else:
            raise BlockingIOError("the record of evictions is in use")
        try:
            yield
        finally:
            lock.release()

    def write(self, segment: str, reason: str, lost: dict[str, int], taken: dict[str, int] | None = None) -> None:
        """Record a segment that is about to be deleted; of several records the last one counts. Only while held.

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

    def compact(self, lost: Callable[[str, dict[str, int]], dict[str, int] | None]) -> None:
        """Sum up, if the record is large, what will not change any more; its newest entry stays for people to see.

        Args:
            lost: How many events of a segment each destination lost for good, from how many each takes; ``None`` while
                that may change.

        Raises:
            OSError: It cannot be read or written.
        """
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            if os.stat(self._layout.evictions).st_size < self._try_at:
                return
            with self.held():
                self._read()
                self._compact(lost)
                self._try_at = max(COMPACT_BYTES, 2 * os.stat(self._layout.evictions).st_size)

    def _compact(self, lost: Callable[[str, dict[str, int]], dict[str, int] | None]) -> None:
        totals = {key: dict(reasons) for key, reasons in self._totals.items()}
        kept = []
        if not self._segments:
            return
        *older, (_, newest) = self._segments.items()
        for name, entry in older:
            found = lost(name, _taken(entry)) if _age(entry) >= SETTLED else None
            if found is None:
                kept.append(entry)
            for key, count in (found or {}).items():
                if count:
                    reasons = totals.setdefault(key, {})
                    reasons[entry["reason"]] = reasons.get(entry["reason"], 0) + count
        if len(kept) < len(older):
            sums = encode({"generation": self._generation + 1, "totals": totals})
            records = b"".join(dumps(entry) + b"\n" for entry in (*kept, newest))
            files.replace(self._layout.evictions, sums + records, sync=True)

    def __contains__(self, segment: str) -> bool:
        """Whether there is a record of a segment that is not summed up."""
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
        total = dict(self._totals.get(identifier, {}))
        for name, entry in self._segments.items():
            taken = _taken(entry).get(identifier, 0)
            if taken and name not in there:
                lost = taken - dealt_with(name)
                if lost > 0:
                    total[entry["reason"]] = total.get(entry["reason"], 0) + lost
        return total

    def _read(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            state = os.stat(self._layout.evictions)
            stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
            if stamp == self._stamp:
                return
            data = files.read_all(self._layout.evictions)
            # Compacted, it is another file, but may have the number and the size of an older one: its start tells.
            if not data.startswith(self._head) or len(data) < self._position:
                self._start()
            whole = data.rfind(b"\n") + 1
            self._apply(data[self._position : whole])
            self._head, self._position, self._stamp = data[: min(whole, _HEAD)], whole, stamp

    def _apply(self, data: bytes) -> None:
        for line in data.split(b"\n"):
            sums = decode(line)
            if sums is not None and isinstance(sums.get("totals"), dict):
                self._generation, self._totals = int(sums["generation"]), sums["totals"]
        for entry in parse(data, "segment", "reason", "destinations"):
            if _is_sound(entry):
                self._segments.pop(entry["segment"], None)  # the newest stand last
                self._segments[entry["segment"]] = entry


def _taken(entry: dict[str, Any]) -> dict[str, int]:
    taken: dict[str, int] = entry.get("taken") or entry["destinations"]
    return taken


def _is_sound(entry: dict[str, Any]) -> bool:
    """Whether a record is as we write them: a changed byte must cost no more than that record."""
    figures = [entry["destinations"], entry.get("taken") or {}]
    return all(isinstance(entry[key], str) for key in ("segment", "reason")) and all(
        isinstance(each, dict) and all(isinstance(count, int) for count in each.values()) for each in figures
    )


def _age(entry: dict[str, Any]) -> float:
    """Seconds since a record was written; one whose time cannot be read is old."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return time.time() - datetime.fromisoformat(entry["time"].rstrip("Z") + "+00:00").timestamp()
    return SETTLED
