"""Cuts: batches in the making."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from footspan.otlp_json import Lines
from footspan.spool.base import Batch, Range
from footspan.spool.blocks import in_order, time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from footspan.otlp_json import LogLine
    from footspan.spool.blocks import Strip
    from footspan.spool.sight import Item

FOREVER: Final = 2**64
"""A time after all others."""

_PULSE_LINES: Final = 2048


class Cut:
    """A batch in the making.

    Args:
        max_items: Events it may hold.
        max_bytes: Bytes of stored lines it may hold.
        pulse: Called now and then during long work.

    Attributes:
        full: Something was left out for want of room.
        garbage: Segment, offset and bytes of what is no event.
    """

    __slots__ = (
        "_clean",
        "_lines",
        "_max_bytes",
        "_max_items",
        "_ordinary",
        "_parts",
        "_pulse",
        "_pulse_at",
        "_segment",
        "_size",
        "_skipped",
        "_stretch",
        "_stretches",
        "_suffixes",
        "full",
        "garbage",
    )

    def __init__(self, max_items: int, max_bytes: int, pulse: Callable[[], None] = lambda: None) -> None:
        self.full = False
        self.garbage: list[tuple[str, int, bytes]] = []
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._pulse = pulse
        self._pulse_at = _PULSE_LINES
        self._parts: list[bytes | LogLine] = []
        self._suffixes: list[bytes] = []
        self._clean = True
        self._ordinary = True
        self._stretches: dict[str, list[list[int]]] = {}  # start, end, events taken
        self._segment = ""
        self._stretch = [-1, -1, 0]
        self._lines = self._size = self._skipped = 0

    def take(self, segment: str, item: Item) -> bool:
        """Add a line if there is room; the first one always fits, however many events it holds."""
        start, end, events, skipped, garbage, _ = item
        if events:
            size = self._size + end - start
            if self._parts and (len(self._parts) + len(events) > self._max_items or size > self._max_bytes):
                return False
            self._parts += events
            self._suffixes += [b""] * len(events)
            self._clean = self._ordinary = False
            self._size = size
        self._skipped += skipped
        if garbage:
            self.garbage.append((segment, start, garbage))
        self._note(segment, start, end, 1, len(events))
        return True

    def take_strip(self, segment: str, strip: Strip, at: int, until: int) -> tuple[int, bool]:
        """Add lines from the one at ``at`` on, as long as there is room and they are not younger than ``until``.

        Returns:
            Which line comes next, and whether it is left out for want of room.
        """
        if strip.takes is not None:
            return self._take_some(segment, strip, at, until)
        stop = len(strip)
        if until < FOREVER:
            times = strip.times
            stop = next((index for index in range(at, stop) if times[index] > until), stop)
        begin = strip.begin(at)
        room = min(
            at + self._max_items - len(self._parts),
            bisect_right(strip.ends, begin + self._max_bytes - self._size, at, stop),
        )
        if not self._parts:
            room = max(room, at + 1)
        end = min(stop, room)
        if end > at:
            self._add(segment, strip, at, end, strip.parts[at:end])
            self._size += strip.ends[end - 1] - begin
        return max(at, end), end < stop

    def _take_some(self, segment: str, strip: Strip, at: int, until: int) -> tuple[int, bool]:
        """The same for a strip of which the destination takes only some lines."""
        taken: list[bytes] = []
        takes, ends, parts = strip.takes or [], strip.ends, strip.parts
        count, size, full, end = len(self._parts), self._size, False, len(strip)
        for index in range(at, end):
            if takes[index]:
                if until < FOREVER and strip.times[index] > until:
                    end = index
                    break
                larger = size + ends[index] - strip.begin(index)
                if count and (count >= self._max_items or larger > self._max_bytes):
                    end, full = index, True
                    break
                count, size = count + 1, larger
                taken.append(parts[index])
        if end > at:
            self._add(segment, strip, at, end, taken)
            self._size = size
        return end, full

    def _add(self, segment: str, strip: Strip, at: int, end: int, taken: list[bytes]) -> None:
        self._parts += taken
        self._suffixes += [strip.suffix] * len(taken)
        self._clean = self._clean and strip.clean
        self._ordinary = self._ordinary and strip.ordinary
        self._skipped += end - at - len(taken)
        self._note(segment, strip.begin(at), strip.ends[end - 1], end - at, len(taken))

    def _note(self, segment: str, start: int, end: int, lines: int, events: int) -> None:
        """Remember where lines were read."""
        if segment is self._segment and self._stretch[1] == start:
            self._stretch[1] = end
        else:
            stretches = self._stretches.setdefault(segment, [])
            if not stretches or stretches[-1][1] != start:
                stretches.append([start, end, 0])
            stretches[-1][1] = end
            self._segment, self._stretch = segment, stretches[-1]
        self._stretch[2] += events
        self._lines += lines
        if self._lines >= self._pulse_at:
            self._pulse_at = self._lines + _PULSE_LINES
            self._pulse()

    @property
    def segments(self) -> Collection[str]:
        """Where its lines stand."""
        return self._stretches.keys()

    @property
    def empty(self) -> bool:
        """Whether no line is in it, taken or skipped."""
        return not self._stretches

    def batch(self, *, ambiguous: bool = False) -> Batch:
        """The batch, its events in the order of their times."""
        parts, suffixes = self._parts, self._suffixes
        if not in_order(parts):
            times = [time_of(part) if isinstance(part, bytes) else part.time_ns for part in parts]
            order = sorted(range(len(parts)), key=times.__getitem__)
            parts, suffixes = [parts[index] for index in order], [suffixes[index] for index in order]
        ranges = [Range(name, *stretch) for name, stretches in self._stretches.items() for stretch in stretches]
        lines = Lines(parts, suffixes, clean=self._clean, ordinary=self._ordinary)
        return Batch(lines, ranges, self._skipped, ambiguous)
