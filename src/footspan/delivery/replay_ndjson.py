"""The way back: what still waits for TraceTelemetry, as lines of the queue file that its own SDK reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from heapq import merge
from typing import TYPE_CHECKING, Final

from footspan.delivery.replay_feed import Figures
from footspan.delivery.replay_source import Source, is_spool
from footspan.delivery.routing import accepts
from footspan.delivery.suppression import Gate
from footspan.destinations.trace_telemetry.encoding import Form, encode
from footspan.spool.layout import Layout
from footspan.spool.pipelines import Pipelines
from footspan.spool.register import Register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from footspan.delivery.replay_feed import Selection
    from footspan.delivery.replay_source import Found
    from footspan.otlp_json import LogLine

KIND: Final = "trace_telemetry"
_FORM: Final = Form()


def line_of(event: LogLine) -> bytes:
    """An event as a line of the queue file: as it is sent, but for letters beyond ASCII, which stand as they are."""
    return json.dumps(json.loads(encode(event, _FORM)), ensure_ascii=False).encode() + b"\n"


def write_queue(
    source: Source,
    selection: Selection,
    write: Callable[[bytes], object],
    stopped: Callable[[], bool] = lambda: False,
    roots: Iterable[str] = (),
) -> Figures:
    """Write a source's events in the order of their times.

    Args:
        source: What is read; nothing in it is changed.
        selection: What is chosen of it.
        write: Takes each line.
        stopped: Whether to end.
        roots: The spools whose lists say who is left out.

    Returns:
        How many events there were.

    Raises:
        OSError: The source or a list cannot be read, or ``write`` raised it.
    """
    figures = Figures()
    gate = Gate(roots)
    listed = gate.version
    pieces = [_events(source.only(piece), figures) for piece in source.pieces]
    for event in merge(*pieces, key=lambda each: each.time_ns):
        if stopped():
            break
        if selection.takes(event):
            figures.choose(event)
            if listed and (reason := gate.reason(event)):
                figures.tally.refuse(reason)
                continue
            write(line_of(event))
            figures.tally.delivered += 1
        else:
            figures.passed_over += 1
    return figures


def _events(source: Source, figures: Figures) -> Iterator[LogLine]:
    for found in source.read({}):
        figures.damaged += found.damaged
        yield from found.events


@dataclass(slots=True)
class Waiting(Source):
    """A spool's events, without those that every TraceTelemetry endpoint they are for has.

    Attributes:
        gaps: Stretches of each file that count, by its key.
    """

    gaps: Mapping[str, list[tuple[int, int]]] = field(default_factory=dict)

    def read(self, offsets: Mapping[str, int]) -> Iterator[Found]:
        """The lines behind the offsets that count."""
        ends: dict[str, int] = {}
        for found in super(Waiting, self).read(offsets):
            key = found.piece.key
            begin, ends[key] = ends.get(key, offsets.get(key, 0)), found.end
            if any(start <= begin < end for start, end in self.gaps.get(key, ())):
                yield found


def waiting_in(source: Source, folder: Path) -> Source:
    """What of a spool still waits for TraceTelemetry; all of a source that is no spool, or of one for others."""
    if not is_spool(folder):
        return source
    layout = Layout(folder)
    pipelines = Pipelines(layout)
    register = Register(layout, pipelines, (), accepts)
    gaps: dict[str, list[tuple[int, int]]] = {}
    for piece in source.pieces:
        name = piece.key.removesuffix(".jsonl")
        targets = pipelines.targets(name.partition("-")[0]) or ()
        ours = {each.id for each in targets if each.type == KIND}
        found = [gap for each in ours for gap in register.fold(each).gaps(name, 0, piece.size)]
        gaps[piece.key] = found if ours else [(0, piece.size)]
    return Waiting(source.name, source.identity, source.pieces, source.foreign, gaps=gaps)
