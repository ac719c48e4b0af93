"""What the commands of ``footspan privacy`` share: settings, spools, output."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.config import Settings

    Command = Callable[..., None]

_CONFIG: Final = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of settings.  [default: FOOTSPAN_CONFIG, else footspan.yaml here]",
)
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_SPOOLS: Final = (
    click.option("--service", metavar="NAME", help="Only this service's spool.  [default: every service found]"),
    click.option(
        "--directory",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="Folder that holds the services' spools.  [default: the setting spool.directory, else the state home]",
    ),
    click.option(
        "--spool",
        "spools",
        metavar="FOLDER",
        multiple=True,
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="This spool, such as a drop-in client's queue.ndjson.d; may be repeated.  [default: those found]",
    ),
)


def with_settings(command: Command) -> Command:
    """Give a command the options ``--config`` and ``--json``."""
    return _CONFIG(_JSON(command))


def with_spools(command: Command) -> Command:
    """Give a command the options that say which spools are meant."""
    for option in reversed(_SPOOLS):
        command = option(command)
    return command


def settings_for(config: Path | None, service: str | None = None, directory: Path | None = None) -> Settings:
    """The settings, as an app would have them here.

    Raises:
        UsageError: They cannot be used.
    """
    from footspan.config import ConfigurationError, load_settings  # noqa: PLC0415 - only what the command needs

    overrides: dict[str, Any] = {}
    if service is not None:
        overrides["service_name"] = service
    if directory is not None:
        overrides["spool"] = {"directory": str(directory)}
    try:
        return load_settings(config=config, overrides=overrides)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None


def roots_for(settings: Settings, spools: Sequence[Path]) -> list[str]:
    """The folders of the spools that are meant: those named, else those found, drop-in clients' queues here included.

    Raises:
        UsageError: There is none, or one is no spool.
    """
    from footspan.delivery.replay_source import is_spool, spool_in  # noqa: PLC0415 - only what the command needs
    from footspan.spool.layout import FormatError, Layout  # noqa: PLC0415 - the same
    from footspan.spool.location import existing  # noqa: PLC0415 - the same

    found: list[Path] = []
    for named in spools:
        path = spool_in(named.absolute())
        if not is_spool(path):
            raise click.UsageError(f"{str(named)!r} is no spool: it has no file FORMAT. Name a service's own folder.")
        try:
            Layout(path).check()
            if path.stat().st_uid != os.geteuid():  # a list that its service cannot read would stop it
                raise PermissionError(f"it belongs to the user with the id {path.stat().st_uid}: run as that one")
        except (FormatError, OSError) as error:
            raise click.UsageError(f"{str(named)!r} cannot be used: {error}.") from None
        found.append(path)
    if not spools:
        found = [Path(layout.root) for layout in existing(settings)]
        if settings.service.name is None:
            found += sorted(mark.parent for mark in Path.cwd().glob("*.d/*/FORMAT") if is_spool(mark.parent))
    if not found:
        raise click.UsageError(
            "There is no spool. Name the service with --service or OTEL_SERVICE_NAME, its folder with --spool, or the "
            "folder of all with --directory; a service has a spool once it has tracked an event."
        )
    return list(dict.fromkeys(str(path.resolve()) for path in found))


def is_rich() -> bool:
    """Whether colours and tables can be shown: on a terminal, where rich is there."""
    if not sys.stdout.isatty():
        return False
    try:
        import rich  # noqa: F401, PLC0415 - whether it can be had
    except ImportError:
        return False
    return True


def show_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", right: int | None = None
) -> None:
    """Print a table; without colours where standard output is no terminal.

    Args:
        head: The columns' names.
        rows: The cells.
        title: What it is about.
        right: From which column on cells are numbers.
    """
    ends = len(head) if right is None else right
    if is_rich():
        from rich.console import Console  # noqa: PLC0415 - it is there
        from rich.table import Table  # noqa: PLC0415 - the same
        from rich.text import Text  # noqa: PLC0415 - the same

        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for at, name in enumerate(head):
            table.add_column(name, justify="right" if at >= ends else "left", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        Console().print(table)
        return
    if title:
        click.echo(title)
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, *rows):
        cells = [
            cell.rjust(width) if at >= ends else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def visible(text: str) -> str:
    """Text without what a terminal would obey: what stands in events is anybody's."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def heading(text: str) -> None:
    """Print a heading."""
    click.echo(click.style(text, bold=True) if sys.stdout.isatty() else text)
