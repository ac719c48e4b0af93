"""``footspan explain``: where an event goes, why, and what exactly would leave."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.cli.explain_event import Subject
    from footspan.cli.explain_request import Fate
    from footspan.config import Settings

EXIT_NOWHERE: Final = 1
"""No destination takes the event."""


def _properties(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dict[str, Any]:
    fix = "Write a JSON object, in single quotes for the shell: '{\"amount\": 9.99}'."
    try:
        found = {} if value is None else json.loads(value)
    except ValueError:
        raise click.BadParameter(f"This is no JSON. {fix}") from None
    if not isinstance(found, dict):
        raise click.BadParameter(f"This is no JSON object. {fix}")
    return found


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    from footspan.cli.replay_values import moment  # noqa: PLC0415 - only what the command needs

    try:
        return None if value is None else moment(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no time. Write 2026-05-04, 2026-05-04T18:30+02:00, or how long ago: 90m, 7d."
        ) from None


@click.command()
@click.argument("event", metavar="[EVENT]", required=False)
@click.option("--name", metavar="NAME", help="Make an event of this name instead of reading one.")
@click.option(
    "--props", "properties", metavar="JSON", callback=_properties, help="Its properties, as `track` takes them."
)
@click.option("--category", metavar="NAME", help="Its category.  [default: what its name stands for]")
@click.option("--at", "time_ns", metavar="TIME", callback=_moment, help="When it happened.  [default: now]")
@click.option(
    "--to", "names", metavar="NAME", multiple=True, help="Destination in the settings; may be repeated.  [all of them]"
)
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(  # noqa: PLR0913 - one parameter an option
    *,
    event: str | None,
    name: str | None,
    properties: dict[str, Any],
    category: str | None,
    time_ns: int | None,
    names: tuple[str, ...],
    service: str | None,
    directory: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Say where an event goes, why, and what would leave. Nothing is sent, and nothing is written.

    EVENT is the id of an event that waits in the spool or was refused (log.record.uid), a file of OTLP JSON, of which
    the first event counts, or - for standard input. With --name an event is made, as `track` would make it in a service
    with these settings.

    For each destination it shows the pattern that decided and the request as it would leave. Values that redaction
    removed are shown nowhere; keys, tokens and headers that may be secret are ***.

    \b
    Examples:
      footspan explain --name payment.completed --props '{"amount": 9.99}'
      footspan explain --name signup --props '{"note": "call a@b.example"}'
                                                 what does redaction do to it?
      footspan explain 01936c5e-7a3b-7c41-8e2f-6b1d0a9c4f52
                                                 why was this event refused?
      footspan explain events.jsonl --to umami   what would umami get?
      tail -n1 events.jsonl | footspan explain - --json | jq .destinations
      footspan explain --name debug.x --to umami && echo umami takes it

    \b
    Exit codes:
      0  at least one of the destinations takes the event
      1  none of them does
      2  an option or setting cannot be used, or there is no such event
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    if (event is None) == (name is None):
        raise click.UsageError("Say which event: its id, a file or - for standard input; or make one with --name.")
    if event is not None and (properties or category or time_ns is not None):
        raise click.UsageError("--props, --category and --at describe an event that is made with --name.")
    settings = _settings(service, directory, config)
    subject = _subject(settings, event, name, properties, category, time_ns)
    fates = _fates(settings, names, subject)
    from footspan.cli import explain_view as view  # noqa: PLC0415 - only what the command needs

    if as_json:
        click.echo(json.dumps(view.as_json(subject, fates, settings), indent=2, ensure_ascii=False))
    else:
        view.show(subject, fates, settings)
    if not any(fate.goes for fate in fates):
        raise SystemExit(EXIT_NOWHERE)


def _settings(service: str | None, directory: Path | None, config: Path | None) -> Settings:
    from footspan.config import ConfigurationError, load_settings  # noqa: PLC0415 - only what the command needs
    from footspan.config.coherence import incoherent  # noqa: PLC0415 - the same

    overrides: dict[str, Any] = {}
    if service is not None:
        overrides["service_name"] = service
    if directory is not None:
        overrides["spool"] = {"directory": str(directory)}
    try:
        settings = load_settings(config=config, overrides=overrides)
        for error in incoherent(settings):
            raise error
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    if not settings.enabled:
        raise click.UsageError("footspan is switched off: TELEMETRY_ENABLED or OTEL_SDK_DISABLED, or `enabled`.")
    return settings


def _subject(
    settings: Settings,
    event: str | None,
    name: str | None,
    properties: dict[str, Any],
    category: str | None,
    time_ns: int | None,
) -> Subject:
    from footspan.cli import explain_event as events  # noqa: PLC0415 - only what the command needs

    if name is not None:
        return events.made(settings, name, properties, category=category, time_ns=time_ns)
    assert event is not None
    if event == "-":
        found = events.read(sys.stdin.buffer.read(events.LARGEST), "standard input", settings.privacy.rules)
    elif Path(event).is_file():
        try:
            found = events.read_file(Path(event), settings.privacy.rules)
        except OSError as error:
            raise click.UsageError(f"Cannot read {event!r}: {error.strerror or type(error).__name__}.") from None
    elif "/" in event or event.endswith((".json", ".jsonl")):
        raise click.UsageError(f"There is no file {event!r}.")
    else:
        found = events.find(settings, event)
        if found is None:
            raise click.UsageError(
                f"No event {event!r} waits in a spool or was refused. A spool keeps an event until every destination "
                "has it; whose spools are looked at, --service, --directory and the settings say."
            )
    if found is None:
        raise click.UsageError(
            f"There is no event in {'standard input' if event == '-' else repr(event)}. What can be read is one OTLP "
            "JSON request a line, as a Collector's `file` exporter writes it (format: json), or footspan."
        )
    return found


def _fates(settings: Settings, names: Sequence[str], subject: Subject) -> list[Fate]:
    from footspan.cli.explain_request import fate_of, secrets_of  # noqa: PLC0415 - only what the command needs
    from footspan.config import ConfigurationError  # noqa: PLC0415 - the same

    there = {each.name: each for each in settings.destinations}
    for name in names:
        if name not in there:
            listed = ", ".join(sorted(there)) or "none"
            raise click.UsageError(f"There is no destination {name!r} in the settings; there are: {listed}.")
    try:
        secrets = secrets_of(there.values())
        fates = [fate_of(there[name], subject.line, secrets) for name in dict.fromkeys(names or there)]
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    if subject.sampled is not None and subject.sampled.kept is False:
        for fate in fates:
            fate.dropped("sampled_out", "but sampling drops it before")
    if subject.refused:
        for fate in fates:
            fate.dropped("no_consent", f"but nobody agreed to its purpose, {subject.refused}, so it is not stored")
    return fates
