"""Sight: what of a segment's lines one destination takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from footspan.otlp_json import LogLine
from footspan.spool.blocks import BLOCK, routing_key
from footspan.spool.reading import Tape, line_start, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from footspan.spool.base import Target
    from footspan.spool.blocks import Strip

_MOST_ANSWERS: Final = 4096
"""Names are few by convention, and a caller who breaks it must not grow memory."""


class Item(NamedTuple):
    """One line, as a destination sees it.

    Attributes:
        start: Where it starts.
        end: Where the next one starts.
        events: What of it the destination takes.
        skipped: How many events of it the destination does not take.
        garbage: Bytes that are no event.
        time_ns: Where in time it belongs.
    """

    start: int
    end: int
    events: list[LogLine]
    skipped: int
    garbage: bytes
    time_ns: int


class Sight:
    """How one destination sees the lines of one pipeline.

    Args:
        targets: The destination, by every entry of the pipeline that has its id.
        accepts: Whether an entry takes an event. The event's name, its category and the destination it names decide;
            an entry without patterns takes every event that names none.
    """

    __slots__ = ("_accepts", "_answers", "_everything", "_target", "_targets")

    def __init__(self, targets: Sequence[Target], accepts: Callable[[Target, LogLine], bool]) -> None:
        self._targets = targets
        self._target = targets[0] if len(targets) == 1 else None
        self._accepts = accepts
        self._everything = any(target.events is None for target in targets)
        self._answers: dict[tuple[bytes, bytes], bool] = {}

    def takes(self, event: LogLine) -> bool:
        """Whether the destination takes an event."""
        return any(self._accepts(target, event) for target in self._targets)

    def taken(self, strip: Strip) -> list[bool] | None:
        """Which lines of a strip the destination takes; ``None`` for all."""
        if self._everything and not strip.marked:
            return None
        taken = [self._takes_part(strip, index, part) for index, part in enumerate(strip.parts)]
        return None if all(taken) else taken

    def _takes_part(self, strip: Strip, index: int, part: bytes) -> bool:
        key = routing_key(part)
        if key is None:
            return self.takes(LogLine(strip.line(index)))
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            answer = self._answers[key] = self.takes(LogLine(strip.line(index)))
        return answer

    def item(self, start: int, end: int, line: bytes, time_ns: int) -> Item:
        """Read a line; one that holds nothing for the destination belongs where the line before it does."""
        found, garbage = read_line(line)
        if self._target is not None and len(found) == 1:  # nearly always
            event = found[0]
            if self._accepts(self._target, event):
                return Item(start, end, found, 0, garbage, event.time_ns)
            return Item(start, end, [], 1, garbage, time_ns)
        events = [event for event in found if self.takes(event)]
        return Item(start, end, events, len(found) - len(events), garbage, events[0].time_ns if events else time_ns)

    def items(self, path: str, start: int, end: int) -> Iterator[Item]:
        """The whole lines of a stretch.

        Raises:
            OSError: The segment cannot be read.
        """
        if start < os.stat(path).st_size:  # else it was cut short
            start = line_start(path, start)
        tape = Tape(path, start, BLOCK)
        while tape.position < end:
            begin = tape.position
            line = tape.line()
            if line is None:
                line = tape.rest()  # a torn end that was taken for garbage before
                if line:
                    yield self.item(begin, begin + len(line), line, 0)
                return
            yield self.item(begin, tape.position, line, 0)
