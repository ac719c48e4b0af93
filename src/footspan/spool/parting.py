"""A batch parted in two: the lines that were dealt with, and those that go back to be cut anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from footspan.spool.base import Range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Batch
    from footspan.spool.sight import Item


class Parts(NamedTuple):
    """The ranges of both parts.

    Attributes:
        done: Lines whose events were dealt with, and lines without any.
        left: Lines that go back.
        skipped: How many events of the lines that go back the destination does not take.
    """

    done: list[Range]
    left: list[Range]
    skipped: int


def part(batch: Batch, left: Sequence[LogLine], items: Callable[[Range], Iterable[Item] | None]) -> Parts | None:
    """Find the lines of a batch that hold the events that are left. Reads the batch's lines once more.

    Args:
        batch: The batch.
        left: Events of it that were not dealt with.
        items: The lines of a range; ``None`` when its segment is gone.

    Returns:
        Both parts; ``None`` when a segment is gone, or when a foreign line holds events of both kinds.
    """
    stay = {event.line for event in left}
    done: list[Range] = []
    back: list[Range] = []
    skipped = 0
    for r in batch.ranges:
        found = items(r)
        if found is None:
            return None
        for item in found:
            staying = sum(event.line in stay for event in item.events)
            if staying not in (0, len(item.events)):
                return None
            _extend(back if staying else done, r.segment, item)
            skipped += item.skipped if staying else 0
    return Parts(done, back, skipped)


def _extend(ranges: list[Range], segment: str, item: Item) -> None:
    """Add a line, joined to the one before it if it follows at once."""
    last = ranges[-1] if ranges else None
    if last is not None and (last.segment, last.end) == (segment, item.start):
        ranges[-1] = Range(segment, last.start, item.end, last.events + len(item.events))
    else:
        ranges.append(Range(segment, item.start, item.end, len(item.events)))
