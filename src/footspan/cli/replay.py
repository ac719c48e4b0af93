"""``footspan replay``: events of the past, sent again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.cli.replay_run import Job
    from footspan.config import DestinationSettings, Settings
    from footspan.delivery.replay_source import Source

EXIT_REFUSED: Final = 1
EXIT_STOPPED: Final = 3

_PLACES: Final = ("spool", "rejected")


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    from footspan.cli.replay_values import moment  # noqa: PLC0415 - only what the command needs

    try:
        return None if value is None else moment(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no time. Write 2026-05-04, 2026-05-04T18:30+02:00, or how long ago: 90m, 7d."
        ) from None


def _rate(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    from footspan.cli.replay_values import rate  # noqa: PLC0415 - only what the command needs

    try:
        return None if value is None else rate(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no rate. Write 500/s, 10000/m or 50000/h.") from None


@click.command()
@click.option(
    "--from",
    "source",
    metavar="SOURCE",
    required=True,
    help="`spool`: the service's spool; `rejected`: what was refused; a spool's folder; a file of OTLP JSON lines.",
)
@click.option(
    "--to",
    "names",
    metavar="NAME",
    multiple=True,
    help="Destination in the settings; may be repeated.  [the only one]  `ndjson`: a file, see below.",
)
@click.option(
    "--output",
    metavar="FILE",
    help="Where `--to ndjson` writes; a file that is not there yet.  [default: standard output]",
)
@click.option("--since", callback=_moment, metavar="TIME", help="Events of this time or later.")
@click.option("--until", callback=_moment, metavar="TIME", help="Events before this time.")
@click.option(
    "--events",
    "patterns",
    metavar="PATTERN",
    multiple=True,
    help="Events to send, as under `events:` in the settings; may be repeated.  [the destination's own patterns]",
)
@click.option("--rate", callback=_rate, metavar="RATE", help="Send at most so many events: 500/s, 10000/m.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up when a destination has taken nothing for so long.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--restart", is_flag=True, help="Begin at the start, whatever an earlier replay has sent.")
@click.option("--service", metavar="NAME", help="Service whose spool is meant.  [default: the setting service.name]")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that holds the services' spools.  [default: the setting spool.directory, else the state home]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of settings.  [default: FOOTSPAN_CONFIG, else footspan.yaml here]",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON on standard output.")
def replay(  # noqa: PLR0913 - one parameter an option
    *,
    source: str,
    names: tuple[str, ...],
    output: str | None,
    since: int | None,
    until: int | None,
    patterns: tuple[str, ...],
    rate: float | None,
    patience: float,
    service: str | None,
    directory: Path | None,
    config: Path | None,
    dry_run: bool,
    restart: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Send events of the past to a destination again.

    Every event keeps its time and its id, so a destination that stores ids can tell what it has already; others store
    an event twice that they get twice. Nothing is taken out of the source, and ordinary delivery goes on beside it.

    \b
    Examples:
      footspan replay --from spool --to umami --dry-run           what would be sent?
      footspan replay --from spool --to umami --since 7d          a new destination gets the last week
      footspan replay --from rejected --to umami                  what was refused, after the cause is gone
      footspan replay --from ./events.jsonl --to otlp --rate 500/s
      footspan replay --from /var/lib/footspan/shop --to archive --events 'payment.*' --events '!payment.test'
      footspan replay --from spool --to otlp --since 2026-05-01 --until 2026-06-01 --json | jq .
      footspan replay --from telemetry-queue.ndjson.d --to ndjson --output telemetry-queue.ndjson

    A spool holds an event until every destination has it and no longer than max_age. A file may be another program's
    (a Collector's file exporter); its events are redacted before they leave, and get an id if they have none. Times
    without a zone are this machine's.

    `--to ndjson` writes a queue file for TraceTelemetry's own Python SDK, the way back from its drop-in client: of a
    spool, the events that still wait for a TraceTelemetry endpoint.

    Ctrl-C finishes the requests under way and notes how far the replay is. The same command goes on there, and sends
    only what is new if it had come to the end; --restart begins again. The notes are in footspan-replay/ in the state
    home ($XDG_STATE_HOME, ~/.local/state).

    \b
    Exit codes:
      0  everything was sent (or, with --dry-run, read)
      1  the destination refused some of the events
      2  an option or setting cannot be used, or the same replay is running
      3  ended early, by Ctrl-C, SIGTERM or --patience: the same command goes on
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    from footspan.cli.replay_run import Job, run  # noqa: PLC0415 - only what the command needs
    from footspan.config import ConfigurationError  # noqa: PLC0415 - the same
    from footspan.delivery.replay_feed import Selection  # noqa: PLC0415 - the same
    from footspan.destinations import build_destination  # noqa: PLC0415 - the same
    from footspan.spool.base import Target  # noqa: PLC0415 - the same

    settings = _settings(service, directory, config)
    if _is_queue_file(settings, names):
        outcome = _write_queue_file(
            settings,
            source,
            output,
            as_json=as_json,
            since=since,
            until=until,
            patterns=patterns,
            dry_run=dry_run,
            quiet=quiet,
        )
        _end(source, outcome, dry_run=dry_run, as_json=as_json)
        return
    if output is not None:
        raise click.UsageError("--output goes with --to ndjson alone.")
    jobs: list[Job] = []
    for chosen in _destinations(settings, names):
        try:
            destination = build_destination(chosen)
        except ConfigurationError as error:
            raise click.UsageError(str(error)) from None
        target = Target(destination.id, chosen.name, chosen.type, chosen.events, chosen.consent.passes)
        selection = Selection(target, since, until, patterns or None)
        jobs.append(Job(destination, selection, _source(settings, source, destination.id), _roots(settings, source)))
    outcome = run(jobs, rate=rate, patience=patience, dry_run=dry_run, restart=restart, quiet=quiet)
    _end(source, outcome, dry_run=dry_run, as_json=as_json)


def _end(source: str, outcome: dict[str, dict[str, Any]], *, dry_run: bool, as_json: bool) -> None:
    """Say what became of it, with the exit code."""
    from footspan.cli.replay_run import NO_EVENTS  # noqa: PLC0415 - only what the command needs

    if as_json:
        click.echo(json.dumps({"from": source, "dry_run": dry_run, "destinations": outcome}, indent=2))
    if any(each["ended"] == NO_EVENTS for each in outcome.values()):
        raise click.UsageError(
            f"There is no event in {source!r}, and lines that are none. What can be read is one OTLP JSON request a "
            "line, as a Collector's `file` exporter writes it (format: json), or footspan."
        )
    if any(each["ended"] != "finished" for each in outcome.values()):
        raise SystemExit(EXIT_STOPPED)
    from footspan.delivery.suppression import without_withheld  # noqa: PLC0415 - as above

    if any(without_withheld(each["refused"]) for each in outcome.values()):
        raise SystemExit(EXIT_REFUSED)


def _is_queue_file(settings: Settings, names: Sequence[str]) -> bool:
    """Whether a file is meant rather than a destination."""
    from footspan.cli.replay_ndjson import NAME  # noqa: PLC0415 - only what the command needs

    if NAME not in names or any(each.name == NAME for each in settings.destinations):
        return False
    if len(set(names)) > 1:
        raise click.UsageError(f"`--to {NAME}` writes a file: it goes with no other --to.")
    return True


def _write_queue_file(
    settings: Settings, source: str, output: str | None, *, as_json: bool, **choice: Any
) -> dict[str, dict[str, Any]]:
    from footspan.cli.replay_ndjson import NAME, run  # noqa: PLC0415 - only what the command needs

    if source == "rejected":
        raise click.UsageError(f"`--to {NAME}` takes no `--from rejected`: name the file in the spool's rejected/.")
    if as_json and output is None and not choice["dry_run"]:
        raise click.UsageError("--json prints on standard output: name the file with --output.")
    return {NAME: run(_source(settings, source, ""), output or "-", roots=_roots(settings, source), **choice)}


def _settings(service: str | None, directory: Path | None, config: Path | None) -> Settings:
    from footspan.config import ConfigurationError, load_settings  # noqa: PLC0415 - only what the command needs

    overrides: dict[str, Any] = {}
    if service is not None:
        overrides["service_name"] = service
    if directory is not None:
        overrides["spool"] = {"directory": str(directory)}
    try:
        settings = load_settings(config=config, overrides=overrides)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    if not settings.enabled:
        raise click.UsageError("footspan is switched off: TELEMETRY_ENABLED or OTEL_SDK_DISABLED, or `enabled`.")
    return settings


def _destinations(settings: Settings, names: Sequence[str]) -> list[DestinationSettings]:
    """The destinations that are meant."""
    # One that writes in the calling process has no past to catch up with.
    there = {each.name: each for each in settings.destinations if each.type != "logging"}
    if not there:
        raise click.UsageError(
            "The settings name no destination to send to. Use the settings of the service: --config FILE, "
            "FOOTSPAN_CONFIG, or FOOTSPAN_DESTINATIONS_... variables."
        )
    listed = ", ".join(sorted(there))
    for name in names:
        if name not in there:
            raise click.UsageError(f"There is no destination {name!r} in the settings; there are: {listed}.")
    if names:
        return [there[name] for name in dict.fromkeys(names)]
    enabled = [each for each in there.values() if each.enabled]
    if len(enabled) != 1:
        raise click.UsageError(f"Say where to, with --to: {listed}.")
    return enabled


def _source(settings: Settings, name: str, destination: str) -> Source:
    """What is to be read."""
    from footspan.delivery.replay_source import open_source, rejected_of  # noqa: PLC0415 - only what is needed
    from footspan.privacy.epochs import epochs_for  # noqa: PLC0415 - the same

    try:
        if name == "rejected":
            return rejected_of(_spool(settings), destination)
        privacy = settings.privacy
        path = _spool(settings) if name == "spool" else Path(name).expanduser()
        return open_source(path, privacy.rules, epochs_for(privacy.pseudonyms))
    except FileNotFoundError:
        words = " or ".join(f"`{place}`" for place in _PLACES)
        raise click.UsageError(f"There is no file or folder {name!r} to read from; {words} is the service's.") from None
    except OSError as error:
        raise click.UsageError(f"Cannot read {name!r}: {error.strerror or type(error).__name__}.") from None
    except ValueError as error:
        raise click.UsageError(f"Cannot read from {name!r}: {error}.") from None


def _roots(settings: Settings, name: str) -> tuple[str, ...]:
    """The spools whose people are not to be sent: the service's, and the one that is read."""
    from footspan.delivery.replay_source import is_spool, spool_in  # noqa: PLC0415 - only what is needed
    from footspan.spool.location import existing  # noqa: PLC0415 - the same

    found = [layout.root for layout in existing(settings)]
    if name not in _PLACES:
        path = spool_in(Path(name).expanduser().absolute())
        there = next((each for each in (path, path.parent.parent) if is_spool(each)), None)
        found += [] if there is None else [str(there)]
    return tuple(dict.fromkeys(found))


def _spool(settings: Settings) -> Path:
    from footspan.spool.location import existing  # noqa: PLC0415 - only what the command needs

    found = [Path(layout.root) for layout in existing(settings)]
    if len(found) == 1:
        return found[0]
    if found:
        services = ", ".join(sorted(path.name for path in found))
        raise click.UsageError(f"There are spools of {services}: name the service with --service.")
    raise click.UsageError("There is no spool. Name the service with --service, or the folder with --directory.")
