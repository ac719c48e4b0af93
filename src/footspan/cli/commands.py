"""The commands: each one loads what it needs when it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from footspan._version import __version__
from footspan.cli.deliver import deliver
from footspan.cli.gateway import gateway

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from footspan.config import Settings

EXIT_TROUBLE = 1
EXIT_USAGE = 2

_PIPED_WIDTH = 200
_COLUMNS = ("accepted", "delivered", "waiting", "refused", "evicted", "redacted")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="footspan %(version)s")
def footspan() -> None:
    """Product analytics on OpenTelemetry: what was tracked, and did it arrive?

    \b
    Examples:
      footspan status                     every service's events, per destination
      footspan status --service shop      one service
      footspan status --json | jq .       for programs
      footspan deliver --service shop     deliver in a process of its own
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are


footspan.add_command(deliver)
footspan.add_command(gateway)


@footspan.command()
@click.option("--service", metavar="NAME", help="Only this service.  [default: every service found]")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that holds the services' spools.  [default: the setting spool.directory, else the state home]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object with a member for each service.")
def status(service: str | None, directory: Path | None, *, as_json: bool) -> None:
    """Show what became of every event of this machine's services.

    For each destination: how many events it takes (accepted), and of those how many were delivered, wait, were refused
    (with the reason) or given up by age or size (evicted); in how many of them something was redacted; and what its
    carrier is doing.

    \b
    Exit codes:
      0  every destination is being delivered to
      1  a destination is parked or unreachable, or nobody carries for one that has events waiting
      2  no spool was found, or an option or setting cannot be used
    """  # noqa: D301 - as above
    ledgers = _ledgers(service, directory)
    if not ledgers:
        place = f"under {directory}" if directory else "where the settings say"
        whose = f"of a service named {service!r} " if service else ""
        raise click.UsageError(
            f"There is no spool {whose}{place}. Name the service with --service or OTEL_SERVICE_NAME, or the folder "
            "with --directory or FOOTSPAN_SPOOL_DIRECTORY; a service has a spool once it has tracked an event."
        )
    if as_json:
        click.echo(json.dumps(ledgers, indent=2))
    else:
        _print(ledgers)
    if any(_in_trouble(entry) for ledger in ledgers.values() for entry in ledger["destinations"].values()):
        raise SystemExit(EXIT_TROUBLE)


def _ledgers(service: str | None, directory: Path | None) -> dict[str, dict[str, Any]]:
    """Each service's ledger, by the name of its folder."""
    from footspan.delivery import accepts  # noqa: PLC0415 - only what the command needs
    from footspan.delivery.ledger import shape  # noqa: PLC0415
    from footspan.spool.disk import DiskSpool  # noqa: PLC0415
    from footspan.spool.location import existing  # noqa: PLC0415

    found = {}
    for layout in existing(_settings(service, directory)):
        spool = DiskSpool(layout, (), accepts)
        found[Path(layout.root).name] = shape(spool.status(), (), {})
    return found


def _settings(service: str | None, directory: Path | None) -> Settings:
    """Where to look: what the options say, else what environment and file say."""
    from footspan.config import ConfigurationError, load_settings  # noqa: PLC0415 - only what the command needs

    overrides: dict[str, Any] = {}
    if service is not None:
        overrides["service_name"] = service
    if directory is not None:
        overrides["spool"] = {"directory": str(directory)}
    try:
        return load_settings(overrides=overrides)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None


def _in_trouble(entry: Mapping[str, Any]) -> bool:
    if entry["state"] in {"parked", "waiting"} or entry["carrier"].get("stalled"):
        return True
    return bool(entry["waiting"]) and entry["state"] == "unattended"


def _print(ledgers: Mapping[str, Mapping[str, Any]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only for people

    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPED_WIDTH)  # for files and other programs a line is a line
    for service, ledger in ledgers.items():
        console.print(f"[bold]{service}[/bold]  {ledger['directory']}", highlight=False)
        if ledger["destinations"]:
            console.print(_table(ledger["destinations"]))
        else:
            console.print("  no destination: events are kept until max_age")
        counters = ", ".join(f"{name} {count}" for name, count in ledger["counters"].items() if count)
        console.print(
            f"  {ledger['segments']} segments, {ledger['bytes']:,} bytes" + (f"; {counters}" if counters else ""),
            highlight=False,
        )


def _table(destinations: Mapping[str, Mapping[str, Any]]) -> Table:
    from rich.table import Table  # noqa: PLC0415 - only for people

    columns = [name for name in _COLUMNS if name != "evicted" or any(each[name] for each in destinations.values())]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("  destination")
    for column in columns:
        table.add_column(column, justify="right")
    table.add_column("state")
    for name, entry in destinations.items():
        state = " ".join(filter(None, (entry["state"], f"({entry['reason']})" if entry["reason"] else "")))
        style = "red" if _in_trouble(entry) else ""
        table.add_row(
            f"  {name}", *(_cell(entry[column]) for column in columns), f"[{style}]{state}[/]" if style else state
        )
    return table


def _cell(value: Any) -> str:
    """A number, or numbers by reason."""
    if isinstance(value, dict):
        return ", ".join(f"{reason} {count:,}" for reason, count in sorted(value.items())) or "0"
    return f"{value:,}"
