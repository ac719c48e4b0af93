"""``footspan replay --to ndjson``: what still waits for TraceTelemetry, as a queue file of its own SDK."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from footspan.cli.replay_run import NO_EVENTS, summary
from footspan.delivery.replay import Ended
from footspan.delivery.replay_feed import Selection
from footspan.delivery.replay_ndjson import KIND, waiting_in, write_queue
from footspan.delivery.stop import Stop
from footspan.spool.base import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from footspan.delivery.replay_source import Source

NAME: Final = "ndjson"
"""What stands behind ``--to``."""

_STANDARD: Final = "-"


def run(
    source: Source,
    output: str,
    *,
    since: int | None,
    until: int | None,
    patterns: Sequence[str],
    dry_run: bool,
    quiet: bool,
    roots: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the file, and say how many events went there.

    Args:
        source: What is read.
        output: Where to; ``-`` is standard output.
        since: Events of this time or later (nanoseconds since the epoch).
        until: Events before this time.
        patterns: Which events; all of them where none is given.
        dry_run: Whether nothing is written.
        quiet: Whether nothing is said.
        roots: The spools whose lists say who is left out.

    Returns:
        The outcome, as of any replay.
    """
    folder = source.pieces[0].path.parent.parent if source.pieces else Path()
    selection = Selection(Target(NAME, NAME, KIND), since, until, tuple(patterns) or None)
    with Stop() as stop:
        try:
            with _nowhere() if dry_run else _file(output) as write:
                figures = write_queue(waiting_in(source, folder), selection, write, lambda: stop.asked, roots)
                if stop.asked:
                    raise click.Abort  # half a queue is worse than none
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise click.UsageError(f"Cannot write {output!r} or read {source.name!r}: {cause}.") from None
    if not quiet:
        summary(NAME, figures, Ended.FINISHED)
    ended = NO_EVENTS if figures.damaged and not (figures.selected or figures.passed_over) else Ended.FINISHED.value
    return {**figures.as_json(), "ended": ended}


@contextmanager
def _nowhere() -> Iterator[Callable[[bytes], object]]:
    yield len


@contextmanager
def _file(output: str) -> Iterator[Callable[[bytes], object]]:
    """A new file, there under its name once it is whole; or standard output."""
    if output == _STANDARD:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    path = Path(output).expanduser().absolute()
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    _must_be_new(path)
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        _must_be_new(path)
        aside.rename(path)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()


def _must_be_new(path: Path) -> None:
    if path.exists():
        raise click.UsageError(f"There is a file {str(path)!r} already: name another, or move it away.")
