"""``footspan privacy forget``: a person's events made blank where they wait, and nothing of them sent any more."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from footspan.cli.privacy_common import roots_for, settings_for, with_settings, with_spools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from footspan.cli.privacy_forget_view import Outcome
    from footspan.delivery.stop import Stop
    from footspan.spool.forgetting.person import Person

EXIT_LEFT: Final = 1
"""Something of them may be left."""
EXIT_STOPPED: Final = 3
"""Ended by a signal."""

_MONTH: Final = 30 * 86_400.0


def _suppress(_ctx: click.Context, _param: click.Parameter, value: str) -> float | None:
    """Seconds; infinite for ever, ``None`` for not at all."""
    from footspan.config.kinds import BadValueError  # noqa: PLC0415 - only what the command needs
    from footspan.config.values import read_duration  # noqa: PLC0415 - the same

    word = value.strip().lower()
    if word in {"no", "forever"}:
        return None if word == "no" else float("inf")
    try:
        seconds = read_duration(word)
    except BadValueError:
        seconds = 0.0
    if seconds <= 0:
        raise click.BadParameter(f"{value!r} is no time. Write 30d, 12h, forever or no.")
    return seconds


@click.command()
@click.argument("users", metavar="[USER]...", nargs=-1)
@click.option(
    "--user-id", "user_ids", metavar="ID", multiple=True, help="An id that counts only where identity stands."
)
@click.option("--email", "emails", metavar="ADDRESS", multiple=True, help="An address, in capitals or not.")
@click.option("--session", "sessions", metavar="ID", multiple=True, help="A session or a visitor.")
@click.option(
    "--linked", is_flag=True, help="Their sessions and visitor ids as well, where no other user is named in them."
)
@click.option(
    "--suppress",
    "seconds",
    metavar="TIME",
    default="30d",
    show_default=True,
    callback=_suppress,
    help="For how long nothing of them is sent: 30d, forever, no.",
)
@click.option("--dry-run", is_flag=True, help="Count, and change nothing.")
@with_spools
@click.option("--quiet", is_flag=True, help="Show no progress.")
@with_settings
def forget(  # noqa: PLR0913 - one parameter an option
    *,
    users: tuple[str, ...],
    user_ids: tuple[str, ...],
    emails: tuple[str, ...],
    sessions: tuple[str, ...],
    linked: bool,
    seconds: float | None,
    dry_run: bool,
    service: str | None,
    directory: Path | None,
    spools: tuple[Path, ...],
    quiet: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Forget people: make their events blank in every spool, and send nothing of them any more.

    USER is an id or an e-mail address; - reads one a line from standard input. An event is theirs if one of its values
    is that id as a whole: an attribute, a value inside another, in JSON or in an address. A text that only contains it
    is not. Pseudonyms are found by the keys that still exist (privacy.pseudonyms). Short ids such as 42 may be somebody
    else's amount: use --user-id, which looks at user.id, user.email, session.id and their like alone.

    Services go on meanwhile. Lines are overwritten where they are, in segments, among refused events and in quarantine;
    a destination that had not had such an event counts it as refused: forgotten. What a carrier holds in memory is not
    sent either, because of an entry in the spool's list of people: suppressed. A request that is under way just then
    may still arrive.

    What the destinations have already is theirs to delete; the command says where and by which id.

    \b
    Examples:
      footspan privacy forget u_42 --dry-run          how much is there?
      footspan privacy forget u_42 ada@shop.example   all of it, by both
      footspan privacy forget --user-id 42 --linked   with the sessions before the login
      footspan privacy forget - < leavers.txt         one id a line
      footspan privacy forget u_42 --spool telemetry-queue.ndjson.d
      footspan privacy forget u_42 --json | jq .destinations

    Ctrl-C ends it after the block in hand; the same command goes on.

    \b
    Exit codes:
      0  nothing of them is left in these spools (with --dry-run: everything could be read)
      1  something may be left: a file or line could not be changed, or another process is at work on the spool
      2  an option or setting cannot be used, or there is no spool
      3  ended early, by Ctrl-C or SIGTERM
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    from footspan.cli import privacy_forget_view as view  # noqa: PLC0415 - only what the command needs
    from footspan.cli.privacy_deletion import deletions  # noqa: PLC0415 - only what the command needs
    from footspan.cli.privacy_person import person_of, read_given  # noqa: PLC0415 - the same
    from footspan.delivery.stop import Stop  # noqa: PLC0415 - the same
    from footspan.spool.forgetting.sweep import Stopped, linked_to  # noqa: PLC0415 - the same

    given = read_given(users, user_ids, emails, sessions)
    settings = settings_for(config, service, directory)
    roots = roots_for(settings, spools)
    person = person_of(given, settings)
    theirs: frozenset[str] = frozenset()
    with Stop() as stop:
        if linked:
            with suppress(Stopped), _progress("sessions", stop, quiet=quiet) as progress:
                theirs = linked_to(roots, person, progress)
            person = person_of(given, settings, theirs)
        outcomes = _forget(roots, person, seconds, stop, dry=dry_run, quiet=quiet)
    there = deletions(settings, given, sorted(theirs))
    if as_json:
        click.echo(json.dumps(view.as_json(outcomes, there, len(given), len(theirs), dry=dry_run), indent=2))
    else:
        view.show(outcomes, theirs, dry=dry_run)
        view.show_deletions(there)
    if stop.asked:
        raise SystemExit(EXIT_STOPPED)
    if any(each.problem or each.found is None or not each.found.clean for each in outcomes):
        raise SystemExit(EXIT_LEFT)


def _forget(
    roots: Sequence[str], person: Person, seconds: float | None, stop: Stop, *, dry: bool, quiet: bool
) -> list[Outcome]:
    from footspan.cli.privacy_forget_view import Outcome  # noqa: PLC0415 - only what the command needs
    from footspan.compat.trace_telemetry.forgetting import beside  # noqa: PLC0415 - the same
    from footspan.spool.forgetting import suppressed  # noqa: PLC0415 - the same
    from footspan.spool.forgetting.sweep import BusyError, Stopped, Sweep  # noqa: PLC0415 - the same

    outcomes = []
    for root in roots:
        outcome = Outcome(root)
        outcomes.append(outcome)
        if stop.asked:
            outcome.problem = "not looked at"
            continue
        try:
            if seconds is not None and not dry:
                # First: what is read from here on is looked at before it is sent.
                expires = None if seconds == float("inf") else time.time() + seconds
                outcome.entry = suppressed.add(root, person, expires=expires)
            with _progress(Path(root).name, stop, quiet=quiet) as progress:
                outcome.found = Sweep(root, person, progress, dry=dry, beside=beside(root)).run()
            if outcome.found.heads:
                _note_heads(outcome.found.heads)
        except BusyError:
            outcome.problem = (
                "another process is forgetting somebody in this spool, or taking a queue file over: try again"
            )
        except Stopped:
            outcome.problem = "stopped: the same command goes on"
        except OSError as error:
            outcome.problem = f"{error.strerror or error}"
    return outcomes


def _note_heads(heads: Sequence[tuple[bytes, bytes]]) -> None:
    """Tell the notes of replays what files are called now that are known by their first line."""
    from footspan.delivery.replay_notes import rename_pieces  # noqa: PLC0415 - only what the command needs
    from footspan.delivery.replay_source import key_of  # noqa: PLC0415 - the same

    rename_pieces({key_of(before): key_of(after) for before, after in heads})


@contextmanager
def _progress(name: str, stop: Stop, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal."""
    from footspan.spool.forgetting.sweep import Stopped  # noqa: PLC0415 - only what the command needs

    def look() -> None:
        if stop.asked:
            raise Stopped

    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: look()
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - only on a terminal
        from rich.progress import Progress  # noqa: PLC0415 - the same
    except ImportError:
        yield lambda _done, _total: look()
        return
    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(name, total=None)

        def show(done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total)
            look()

        yield show
