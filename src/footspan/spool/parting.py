"""A batch parted: the lines that were dealt with, and those that go back, in doubt or not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from footspan.spool.base import Range
from footspan.spool.blank import Blank

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Batch
    from footspan.spool.sight import Item


class Parts(NamedTuple):
    """The ranges of each part.

    Attributes:
        done: Lines whose events were dealt with, and lines without any.
        untouched: Lines that go back and certainly did not arrive.
        skipped: How many events of the lines that go back the destination does not take.
        forgotten: How many events that were to go back were made blank meanwhile; they are done.
    """

    done: list[Range]
    untouched: list[Range]
    skipped: int
    forgotten: int = 0


def part(
    batch: Batch, left: Sequence[LogLine], unsure: Container[bytes], items: Callable[[Range], Iterable[Item] | None]
) -> Parts | None:
    """Find the lines of a batch that hold the events that are left. Reads the batch's lines once more.

    Args:
        batch: The batch.
        left: Events of it that were not dealt with.
        unsure: Lines of those that may have arrived.
        items: The lines of a range; ``None`` when its segment is gone.

    Returns:
        The parts; ``None`` when a segment is gone, or when a foreign line holds events of both kinds.
    """
    stay = Counter(event.line for event in left)
    done: list[Range] = []
    untouched: list[Range] = []
    skipped = 0
    blanks: list[LogLine] = []
    for r in batch.ranges:
        found = items(r)
        if found is None:
            return None
        for item in found:
            blanks += [event for event in item.events if isinstance(event, Blank)]
            staying = [event.line for event in item.events if stay[event.line]]
            if len(staying) not in (0, len(item.events)):
                return None
            stay.subtract(staying)
            if not staying:
                _extend(done, r.segment, item)
            elif not any(line in unsure for line in staying):
                _extend(untouched, r.segment, item)
            skipped += item.skipped if staying else 0
    # What is left over was found as blank records, which are done.
    blank = sum(isinstance(event, Blank) for event in blanks) - sum(isinstance(event, Blank) for event in batch.events)
    return Parts(done, untouched, skipped, max(0, min(blank, sum(stay.values()))))


def _extend(ranges: list[Range], segment: str, item: Item) -> None:
    """Add a line, joined to the one before it if it follows at once."""
    last = ranges[-1] if ranges else None
    if last is not None and (last.segment, last.end) == (segment, item.start):
        ranges[-1] = Range(segment, last.start, item.end, last.events + len(item.events))
    else:
        ranges.append(Range(segment, item.start, item.end, len(item.events)))
