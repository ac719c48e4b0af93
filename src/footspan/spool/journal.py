"""The journal of one destination: what was sent, what became of it, how far its cursors are.

One JSON object a line, each ended by a checksum over what stands before it. A line that a crash tore or a disk damaged
is passed over: then something may be sent a second time, and nothing is ever skipped.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from footspan import _platform
from footspan._guard import report
from footspan.spool import files
from footspan.spool.base import Range, Tally
from footspan.spool.checked import decode, encode
from footspan.spool.cursor import Cursor, cursors_over, gaps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

COMPACT_BYTES = 256 * 1024
_HEAD = 64


def sending(ranges: Iterable[Range], count: int) -> dict[str, Any]:
    """A request with ``count`` events is about to leave."""
    return {"op": "sending", "ranges": _plain(ranges), "n": count}


def kept(ranges: Iterable[Range]) -> dict[str, Any]:
    """The request that ``sending`` announced has certainly stored nothing."""
    return {"op": "kept", "ranges": _plain(ranges)}


def done(ranges: Iterable[Range], tally: Tally, unreadable: int = 0) -> dict[str, Any]:
    """The lines of these ranges are dealt with, as the tally says."""
    return {"op": "done", "ranges": _plain(ranges), **_figures(tally, unreadable)}


def gone(segment: str, events: int = 0) -> dict[str, Any]:
    """The segment was deleted; with how many of its events were dealt with, if it was evicted."""
    return {"op": "gone", "segment": segment, **({"events": events} if events else {})}


def _plain(ranges: Iterable[Range]) -> list[list[Any]]:
    return [[r.segment, r.start, r.end, *([r.events] if r.events else ())] for r in ranges]


def _figures(tally: Tally, unreadable: int) -> dict[str, Any]:
    return {
        "delivered": tally.delivered,
        "skipped": tally.skipped,
        "redacted": tally.redacted,
        "refused": tally.refused,
        "unreadable": unreadable,
    }


class Pending:
    """A request whose outcome the journal does not tell: its lines may have arrived."""

    __slots__ = ("count", "ranges")

    def __init__(self, ranges: list[Range], count: int) -> None:
        self.ranges = ranges
        self.count = count


class Fold:
    """What a journal adds up to.

    Attributes:
        cursors: Segment name to cursor; a segment that is missing starts at 0.
        tally: The totals since the destination's first day.
        unreadable: Stretches of segments that were no event.
        pending: Requests without an outcome, oldest first.
        generation: How often the journal was rewritten.
        damaged: Journal lines that could not be read.
        parted: Evicted segment name to how many of its events were dealt with, where any were.
        held: What a request that stored nothing was made of: its carrier may try again, whatever became of it.
        changes: Odd while an operation is applied; another number afterwards.
    """

    __slots__ = ("changes", "cursors", "damaged", "generation", "held", "parted", "pending", "tally", "unreadable")

    def __init__(self) -> None:
        self.cursors: dict[str, Cursor] = {}
        self.tally = Tally()
        self.unreadable = 0
        self.pending: list[Pending] = []
        self.generation = 0
        self.damaged = 0
        self.parted: dict[str, int] = {}
        self.held: list[Range] = []
        self.changes = 0

    def read(self, data: bytes) -> None:
        """Apply whole lines."""
        for line in data.split(b"\n"):
            if not line:
                continue
            operation = decode(line)
            try:
                if operation is None:
                    self.damaged += 1
                else:
                    self.apply(operation)
            except (KeyError, TypeError, ValueError, AttributeError):
                self.damaged += 1

    def apply(self, operation: dict[str, Any]) -> None:
        """Apply one operation; one that is not known changes nothing."""
        self.changes += 1
        try:
            self._apply(operation)
        finally:
            self.changes += 1

    def _apply(self, operation: dict[str, Any]) -> None:
        kind = operation["op"]
        if kind == "sending":
            ranges = _ranges(operation)
            self._drop_pending(ranges)
            self.pending.append(Pending(ranges, int(operation["n"])))
            self.held = []
        elif kind == "kept":
            self.held = _ranges(operation)
            self._trim_pending(cursors_over(self.held))
        elif kind == "done":
            ranges = _ranges(operation)
            self._add(operation)
            for r in ranges:
                cursor = self.cursor(r.segment)
                cursor.add(r.start, r.end)
                cursor.events += r.events
            self._trim_pending(self.cursors)
        elif kind == "at":
            cursor = Cursor(int(operation["offset"]), int(operation.get("events", 0)))
            self.cursors[str(operation["segment"])] = cursor
            for start, end in operation.get("acked", ()):
                cursor.add(int(start), int(end))
        elif kind == "totals":
            self.tally, self.unreadable = Tally(), 0
            self.generation = int(operation.get("generation", 0))
            self._add(operation)
        elif kind == "gone":
            self.cursors.pop(str(operation["segment"]), None)
            events = int(operation.get("events", 0))
            if events:
                self.parted[str(operation["segment"])] = events

    def dealt_with(self, segment: str) -> int:
        """How many events of a segment that is gone were delivered or refused."""
        cursor = self.cursors.get(segment)
        return self.parted.get(segment, 0) + (cursor.events if cursor else 0)

    def may_change(self, segment: str) -> bool:
        """Whether more may yet be dealt with of a segment that is gone: something of it may be under way."""
        under_way = [*self.held, *(r for pending in self.pending for r in pending.ranges)]
        return segment in self.cursors or any(r.segment == segment for r in under_way)

    def cursor(self, segment: str) -> Cursor:
        """A segment's cursor, made when there is none."""
        found = self.cursors.get(segment)
        if found is None:
            found = self.cursors[segment] = Cursor()
        return found

    def gaps(self, segment: str, start: int, end: int) -> list[tuple[int, int]]:
        """What of a stretch is not acknowledged."""
        return gaps_of(self.cursors, segment, start, end)

    def snapshot(self) -> Iterator[bytes]:
        """The shortest journal that adds up to the same."""
        yield encode({"op": "totals", "generation": self.generation, **_figures(self.tally, self.unreadable)})
        for segment, count in self.parted.items():
            yield encode(gone(segment, count))
        for segment, cursor in self.cursors.items():
            acked = [list(stretch) for stretch in cursor.acked]
            events = {"events": cursor.events} if cursor.events else {}
            yield encode({"op": "at", "segment": segment, "offset": cursor.offset, "acked": acked, **events})
        for pending in self.pending:
            yield encode(sending(pending.ranges, pending.count))
        if self.held:
            yield encode(kept(self.held))

    def _add(self, operation: dict[str, Any]) -> None:
        refused = {str(reason): int(count) for reason, count in operation.get("refused", {}).items()}
        self.tally.delivered += int(operation.get("delivered", 0))
        self.tally.skipped += int(operation.get("skipped", 0))
        self.tally.redacted += int(operation.get("redacted", 0))
        self.unreadable += int(operation.get("unreadable", 0))
        for reason, count in refused.items():
            self.tally.refuse(reason, count)

    def _drop_pending(self, ranges: list[Range]) -> None:
        self.pending = [pending for pending in self.pending if pending.ranges != ranges]

    def _trim_pending(self, known: Mapping[str, Cursor]) -> None:
        """Forget what is known by now of requests without an outcome."""
        for pending in self.pending:
            pending.ranges = [
                r if (start, end) == (r.start, r.end) else Range(r.segment, start, end)
                for r in pending.ranges
                for start, end in gaps_of(known, r.segment, r.start, r.end)
            ]
        self.pending = [pending for pending in self.pending if pending.ranges]


def _ranges(operation: dict[str, Any]) -> list[Range]:
    return [
        Range(str(segment), int(start), int(end), int(events[0]) if events else 0)
        for segment, start, end, *events in operation["ranges"]
    ]


class Journal:
    """A journal held for writing, by whoever has its destination's lock.

    A disk that takes no more stops neither delivery nor, by it, the freeing of space: what could not be written is kept
    in the sum, and the whole sum is written once that works again.

    Args:
        path: The file.
        compact_bytes: The size from which it is rewritten as its own sum.
        counted: Whether there is a record of a segment's eviction that needs what was dealt with of it.
        known: What an earlier holder in this process read and wrote, so that only what is new is read.

    Raises:
        OSError: It cannot be opened.
    """

    __slots__ = ("_compact_bytes", "_counted", "_descriptor", "_file", "_size", "_stale", "fold", "known", "path")

    def __init__(
        self,
        path: str,
        compact_bytes: int = COMPACT_BYTES,
        counted: Callable[[str], bool] = lambda _: True,
        known: JournalView | None = None,
    ) -> None:
        self._counted = counted
        self.path = path
        self._compact_bytes = compact_bytes
        self._stale = False
        self._open()
        self.known = known or JournalView(path)
        self.fold = self.known.refresh()
        self._size = self.known.position

    def write(self, *operations: dict[str, Any]) -> None:
        """Append operations in one go, then apply them. Never raises ``OSError``.

        In this order, so that whoever is told of an outcome by the sum can rely on it: other processes see it as well,
        and a death right afterwards does not undo it.
        """
        data = b"".join(map(encode, operations))
        if not self._stale:
            try:
                self._check()
                files.write_whole(self._descriptor, data)
                self._size += len(data)
                self.known.position = self._size
            except OSError as error:
                self._stale = True
                report("write of a journal", error)
        for operation in operations:
            self.fold.apply(operation)
        if self._stale or self._size > self._compact_bytes:
            self.compact()

    def compact(self) -> None:
        """Rewrite the journal as its sum. A crash at any point leaves the old or the new one, each whole."""
        self.fold.generation += 1
        with suppress(OSError):
            self.fold.parted = {name: events for name, events in self.fold.parted.items() if self._counted(name)}
        data = b"".join(self.fold.snapshot())
        try:
            # Synced: an empty journal after a power cut would send every waiting event again.
            files.replace(self.path, data, sync=True)
            former = self._descriptor, self._file
            self._open()
        except OSError as error:
            report("rewrite of a journal", error)
            self._compact_bytes += COMPACT_BYTES  # not again at once
            self._stale = self._stale or not self._is_there()
            return
        files.close_ours(*former)
        self._size = len(data)
        self.known.follow(self._file, data)
        self._stale = False
        # A sum that is large by itself must not be written again and again.
        self._compact_bytes = max(self._compact_bytes, 2 * len(data))

    def _open(self) -> None:
        descriptor = _platform.move_high(files.open_journal(self.path))
        self._file = files.identity(descriptor)
        self._descriptor = descriptor

    def _is_there(self) -> bool:
        """Whether the path leads to the file that we write: it may have been replaced before something failed."""
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._file

    def _check(self) -> None:
        """Open the file again if it was closed behind our back: its number may be the host's by now."""
        if not files.is_still(self._descriptor, self._file):
            former = self._file
            self._open()
            self._stale = self._file != former  # somebody deleted it: the sum must be written

    def close(self) -> None:
        """Close the file."""
        if self._stale:
            self.compact()
        if self._stale:
            self.known = JournalView(self.path)  # it tells less than the sum
        self._close()

    def forked(self) -> None:
        """Close a forked child's copy."""
        self._stale = False
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        files.close_ours(descriptor, self._file)


class JournalView:
    """A journal read along: only what is new each time.

    Attributes:
        fold: What it adds up to.
        position: How far it was read.
    """

    __slots__ = ("_file", "_head", "fold", "path", "position")

    def __init__(self, path: str) -> None:
        self.path = path
        self._start()

    def _start(self) -> None:
        self._file: files.Identity | None = None
        self._head, self.position, self.fold = b"", 0, Fold()

    def refresh(self) -> Fold:
        """The sum as of now. Rewriting replaces the file in one step, so an open one is always whole.

        Raises:
            OSError: It is there and cannot be read.
        """
        try:
            descriptor = files.open_file(self.path, os.O_RDONLY | _platform.OPEN_FLAGS)
        except FileNotFoundError:
            self._start()
            return self.fold
        try:
            # A rewritten journal is another file, but may have the number of an older one: its first line tells.
            file, head = files.identity(descriptor), os.pread(descriptor, _HEAD, 0)
            known = file == self._file and head.startswith(self._head)
            if not known or os.fstat(descriptor).st_size < self.position:
                self._start()
            self._file, self._head = file, head
            data = os.pread(descriptor, max(0, os.fstat(descriptor).st_size - self.position), self.position)
        finally:
            files.close(descriptor)
        whole = data.rfind(b"\n") + 1
        self.position += whole
        self.fold.read(data[:whole])
        return self.fold

    def follow(self, file: files.Identity, data: bytes) -> None:
        """Go on in another file, whose contents add up to the same."""
        self._file, self._head, self.position = file, data[:_HEAD], len(data)
