"""The work of ``footspan replay``, and what it shows of it on standard error."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

import click

from footspan.delivery.pace import Pace
from footspan.delivery.replay import Ended, Replay, rehearse
from footspan.delivery.replay_feed import ReplayFeed
from footspan.delivery.replay_notes import BusyError, notes_for
from footspan.delivery.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from footspan.delivery.replay_feed import Figures, Selection
    from footspan.delivery.replay_source import Source
    from footspan.destinations.base import Destination

LINE_EVERY: Final = 5.0
"""Seconds between two lines where there is no terminal."""

NO_EVENTS: Final = "no_events"
"""How a replay of a file ended that holds lines and no event: it is another kind of file."""

_MOST_NAMES: Final = 10
_ENDINGS: Final = {
    Ended.STOPPED: "stopped; the same command goes on here",
    Ended.UNAVAILABLE: "given up, since the destination takes nothing; the same command goes on here",
    Ended.UNREADABLE: "stopped, since the source or the notes cannot be used; the same command goes on here",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One source to one destination; ``roots`` are the spools whose lists say what may not be sent."""

    destination: Destination
    selection: Selection
    source: Source
    roots: tuple[str, ...] = ()


def run(
    jobs: Sequence[Job],
    *,
    rate: float | None,
    patience: float,
    dry_run: bool,
    restart: bool,
    quiet: bool,
) -> dict[str, dict[str, Any]]:
    """Do the jobs, one after the other.

    Returns:
        The outcome of each, by its destination's name.
    """
    outcome: dict[str, dict[str, Any]] = {}
    with Stop() as stop:
        for job in jobs:
            if dry_run:
                outcome[job.destination.name] = _rehearse(job, stop, restart=restart, quiet=quiet)
            else:
                outcome[job.destination.name] = _send(job, stop, rate, patience, restart=restart, quiet=quiet)
    return outcome


def _send(job: Job, stop: Stop, rate: float | None, patience: float, *, restart: bool, quiet: bool) -> dict[str, Any]:
    name = job.destination.name
    notes = notes_for(job.source.identity, job.destination.id, job.selection.text)
    try:
        notes.open(restart=restart)
    except BusyError:
        raise click.UsageError(f"The same replay to {name} is running already.") from None
    except OSError as error:
        raise click.UsageError(
            f"Cannot keep notes in {notes.path.parent} ({error.strerror or type(error).__name__}): set XDG_STATE_HOME."
        ) from None
    try:
        resumed = bool(notes.offsets)
        if resumed and not quiet:
            _say_resumed(name)
        pace = Pace(rate)
        feed = ReplayFeed(job.source, job.selection, notes, lambda: stop.asked, job.roots)
        going = Replay(job.destination, feed, pace, patience=patience, wait=stop.wait)
        with _progress(name, job.source.size, lambda: going.trouble, quiet=quiet) as show:
            ended = going.run(show)
    finally:
        notes.close()
    if not quiet:
        summary(name, feed.figures, ended)
    ending = _ending(feed.figures, ended, resumed=resumed)
    if ending == NO_EVENTS:
        notes.path.unlink(missing_ok=True)  # nothing was dealt with
    return {**feed.figures.as_json(), "ended": ending}


def _rehearse(job: Job, stop: Stop, *, restart: bool, quiet: bool) -> dict[str, Any]:
    notes = notes_for(job.source.identity, job.destination.id, job.selection.text)
    if not restart:
        notes.read()
    resumed = bool(notes.offsets)
    if resumed and not quiet:
        _say_resumed(job.destination.name)
    feed = ReplayFeed(job.source, job.selection, notes, lambda: stop.asked)
    rehearse(feed, lambda: stop.asked)
    figures = feed.figures
    ended = Ended.FINISHED if feed.finished else Ended.UNREADABLE if feed.error else Ended.STOPPED
    names = sorted(figures.names.items(), key=lambda item: (-item[1], item[0]))
    if not quiet:
        between = f", {_time(figures.first)} to {_time(figures.last)}" if figures.selected else ""
        _say(f"{job.destination.name}: would send {figures.selected:,} events{between}")
        for event, count in names[:_MOST_NAMES]:
            click.echo(f"  {count:>10,}  {event}", err=True)
        if len(names) > _MOST_NAMES:
            click.echo(f"  {'…':>10}  {len(names) - _MOST_NAMES} names more", err=True)
        _say(f"{job.destination.name}: {_beside(figures)}")
    return {**figures.as_json(), "names": dict(names), "ended": _ending(figures, ended, resumed=resumed)}


def _ending(figures: Figures, ended: Ended, *, resumed: bool) -> str:
    found = figures.selected or figures.passed_over
    return NO_EVENTS if figures.damaged and not (found or resumed) and ended is Ended.FINISHED else ended.value


def summary(name: str, figures: Figures, ended: Ended) -> None:
    """Say what became of what was read."""
    refused = figures.tally.refused
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(refused.items()))
    text = f"delivered {figures.tally.delivered:,}, refused {sum(refused.values()):,}"
    _say(f"{name}: {text}{f' ({reasons})' if reasons else ''}; {_beside(figures)}")
    if ended in _ENDINGS:
        _say(f"{name}: {_ENDINGS[ended]}")


def _beside(figures: Figures) -> str:
    return f"{figures.passed_over:,} events passed over, {figures.damaged:,} damaged lines"


def _say_resumed(name: str) -> None:
    _say(f"{name}: going on where an earlier replay stopped (--restart begins again)")


def _say(text: str) -> None:
    click.echo(f"footspan replay: {text}", err=True)


def _time(nanoseconds: int) -> str:
    try:
        return datetime.fromtimestamp(nanoseconds // 1_000_000_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return "-"


@contextmanager
def _progress(name: str, size: int, trouble: Callable[[], str], *, quiet: bool) -> Iterator[Callable[[Figures], None]]:
    """Show how far a replay is: a bar for people, a line now and then for files and programs."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415 - only for people
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[events]:,} events"),
            TimeRemainingColumn(),
            TextColumn("[red]{task.fields[trouble]}"),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            bar.console.show_cursor()  # whatever ends the process at once could not give it back
            task = bar.add_task(name, total=size or None, events=0, trouble="")
            yield lambda figures: bar.update(
                task, completed=figures.read, events=figures.tally.delivered, trouble=trouble()
            )
    else:
        last = time.monotonic()

        def line(figures: Figures) -> None:
            nonlocal last
            if time.monotonic() - last >= LINE_EVERY:
                last = time.monotonic()
                share = f"{min(100, 100 * figures.read // size)} %" if size else "-"
                _say(" ".join(filter(None, (f"{name}: {share}, {figures.tally.delivered:,} events", trouble()))))

        yield line
