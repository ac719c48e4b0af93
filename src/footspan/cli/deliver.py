"""``footspan deliver``: a process whose whole work is delivery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from footspan.config import Settings
    from footspan.delivery.deliverer import Deliverer
    from footspan.spool.layout import Layout

EXIT_LEFT = 1
EXIT_TAKEN = 3


@click.command()
@click.option("--service", metavar="NAME", help="Deliver this service's events.  [default: the setting service.name]")
@click.option("--all", "every", is_flag=True, help="Deliver every service's events, also of those that come up later.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that holds the services' spools.  [default: the setting spool.directory, else the state home]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of settings.  [default: FOOTSPAN_CONFIG, else footspan.yaml here]",
)
@click.option("--once", is_flag=True, help="Deliver what waits now, then end.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="With --once: end after so long, whatever waits.  [default: when nothing has moved for 30 s]",
)
@click.option(
    "--idle-exit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End after so long with nothing to deliver.",
)
@click.option("--quiet", is_flag=True, help="Say nothing but warnings.")
@click.option("--json", "as_json", is_flag=True, help="At the end, print a summary as JSON on standard output.")
def deliver(  # noqa: PLR0913 - one parameter an option
    service: str | None,
    directory: Path | None,
    config: Path | None,
    timeout: float | None,
    idle_exit: float | None,
    *,
    every: bool,
    once: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Deliver events in a process of its own, in place of the apps that track them.

    Destinations and their keys come from the settings, as in an app: footspan.yaml, FOOTSPAN_... variables. Apps that
    run go on writing; within about a second each gives up what this process stands for, and takes it again within 2 s
    when this process dies. Start a second one and it stands by.

    \b
    Examples:
      footspan deliver --service shop             until Ctrl-C or SIGTERM
      footspan deliver --all --quiet              every service of this machine, as a daemon
      footspan deliver --service shop --once      what waits now; from cron, or before a machine goes away
      footspan deliver --service shop --once --timeout 20 --json | jq .
      footspan deliver --directory /spool --service shop --idle-exit 300
      footspan status --service shop              what became of the events

    The first SIGTERM or Ctrl-C finishes the requests under way, notes their outcome and ends; a second one ends it at
    once, which may repeat those requests.

    \b
    Exit codes:
      0  ended by a signal or --idle-exit; with --once: nothing is left, and nothing was refused
      1  with --once: events still wait, or some were refused (they are in the spool's rejected/ folder)
      2  an option or setting cannot be used, or there is no spool
      3  with --once: another `footspan deliver` is at work on this spool
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    from footspan.cli.deliver_run import Run  # noqa: PLC0415 - only what the command needs
    from footspan.cli.deliver_view import view_for  # noqa: PLC0415 - the same
    from footspan.delivery.stop import Stop  # noqa: PLC0415 - the same

    if every and service is not None:
        raise click.UsageError("--all and --service exclude each other.")
    if timeout is not None and not once:
        raise click.UsageError("--timeout goes with --once; --idle-exit ends a run that goes on.")
    if once and idle_exit is not None:
        raise click.UsageError("--once ends by itself: leave --idle-exit out.")
    settings = _settings(service, directory, config)
    with Stop() as stop, view_for(quiet=quiet) as view:
        lanes = any(each.type == "otlp" for each in settings.destinations)
        run = Run(
            lambda: _with_lanes(_layouts(settings, every=every, once=once), wanted=lanes), _maker(settings), stop, view
        )
        ended = run.once(timeout) if once else run.on(idle_exit, watch=every or lanes)
    if as_json:
        import json  # noqa: PLC0415 - only for programs

        click.echo(json.dumps({**run.summary(), "ended": ended}, indent=2))
    if once and ended != "signal":
        raise SystemExit(EXIT_LEFT if run.left() else EXIT_TAKEN if run.taken else 0)


def _settings(service: str | None, directory: Path | None, config: Path | None) -> Settings:
    from footspan.config import ConfigurationError, load_settings  # noqa: PLC0415 - only what the command needs
    from footspan.delivery.assignment import carried, refuse_memory  # noqa: PLC0415 - the same

    overrides: dict[str, Any] = {}
    if service is not None:
        overrides["service_name"] = service
    if directory is not None:
        overrides["spool"] = {"directory": str(directory)}
    try:
        settings = load_settings(config=config, overrides=overrides)
        refuse_memory(settings)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    if not settings.enabled:
        raise click.UsageError("footspan is switched off: TELEMETRY_ENABLED or OTEL_SDK_DISABLED, or `enabled`.")
    if not carried(settings):
        raise click.UsageError(
            "The settings name no destination to deliver to. Use the settings of the service: --config FILE, "
            "FOOTSPAN_CONFIG, or FOOTSPAN_DESTINATIONS_... variables."
        )
    return settings


def _layouts(settings: Settings, *, every: bool, once: bool) -> list[Layout]:
    """The spools to deliver.

    Raises:
        UsageError: It is not clear which, or there is none.
    """
    from dataclasses import replace  # noqa: PLC0415 - only what the command needs

    from footspan.spool.location import existing, locate  # noqa: PLC0415 - the same

    if every:
        return existing(replace(settings, service=replace(settings.service, name=None)))
    wanted = settings.spool.directory
    # Where a folder is named, the one that apps fall back to is another matter.
    found = [each for each in existing(settings) if wanted is None or Path(each.root).parent == wanted.absolute()]
    if settings.service.name is None and len(found) != 1:
        names = ", ".join(Path(layout.root).name for layout in found)
        there = f"There are spools of {names}" if found else "There is no spool yet"
        raise click.UsageError(f"{there}: name the service with --service or OTEL_SERVICE_NAME, or say --all.")
    if found:
        return found[:1]
    if once:
        raise click.UsageError(
            f"There is no spool of a service named {settings.service.name!r}. A service has one once it has tracked an "
            "event; --directory or FOOTSPAN_SPOOL_DIRECTORY says where."
        )
    layout = locate(settings)
    if layout is None or (wanted is not None and Path(layout.root).parent != wanted.absolute()):
        raise click.UsageError(
            "There is no folder for the spool. Name one with --directory or FOOTSPAN_SPOOL_DIRECTORY."
        )
    return [layout]


def _with_lanes(layouts: list[Layout], *, wanted: bool) -> list[Layout]:
    """The same, each followed by its lanes of spans and plain logs, if there is anybody to deliver them to."""
    from footspan.delivery.lanes import lane_layouts  # noqa: PLC0415 - only what the command needs

    return [each for layout in layouts for each in (layout, *(lane_layouts(layout).values() if wanted else ()))]


def _maker(settings: Settings) -> Any:
    from footspan.config import ConfigurationError  # noqa: PLC0415 - only what the command needs
    from footspan.delivery.assignment import carried  # noqa: PLC0415 - the same
    from footspan.delivery.deliverer import Deliverer  # noqa: PLC0415 - the same

    def make(layout: Layout) -> Deliverer:
        try:
            return Deliverer(layout, settings, carried(settings))
        except ConfigurationError as error:
            raise click.UsageError(str(error)) from None

    return make
