"""What ``footspan status`` shows to people: a table, in colours on a terminal if rich is there."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from footspan.cli.status import troubles
from footspan.delivery.advice import state_of, trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Group

    Ledgers = Mapping[str, Mapping[str, Any]]

_COLUMNS: Final = ("accepted", "delivered", "waiting", "oldest", "refused", "evicted", "redacted")
_OFTEN_EMPTY: Final = frozenset({"oldest", "evicted"})
_NOTHING: Final = ("", "0")
_RATES: Final = ("in/s", "out/s")
_EXPENDABLE: Final = ("redacted", "in/s", "out/s", "accepted", "oldest")
"""Columns that a narrow terminal does without, this one first, once those are gone that say nothing."""

_SILENT: Final = ("redacted", "refused", "evicted")
"""Columns that say nothing where all of them are 0."""

_GAP: Final = 2
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def show(ledgers: Ledgers) -> None:
    """Print the ledgers once."""
    if _is_rich():
        from rich.console import Console  # noqa: PLC0415 - it is there

        console = Console()
        console.print(_renderable(ledgers, console.width))
    else:
        click.echo(_text(ledgers))


@contextmanager
def live() -> Iterator[Callable[[Ledgers], None]]:
    """Show ledgers again and again: in place on a terminal, else one below the other with the time."""
    if _is_rich():
        from rich.live import Live  # noqa: PLC0415 - it is there

        with Live(auto_refresh=False, vertical_overflow="visible") as shown:
            shown.console.show_cursor()  # a signal that ends the process at once could not give it back
            yield lambda ledgers: shown.update(_renderable(ledgers, shown.console.width), refresh=True)
        return

    def repeat(ledgers: Ledgers) -> None:
        if sys.stdout.isatty():
            click.clear()
        click.echo(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}\n{_text(ledgers)}\n")
        sys.stdout.flush()

    yield repeat


def _is_rich() -> bool:
    if not sys.stdout.isatty():
        return False
    try:
        import rich  # noqa: F401, PLC0415 - whether it can be had
    except ImportError:
        return False
    return True


# -- the contents ------------------------------------------------------------------------------------------------------


def _parts(ledger: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The destinations' lines: the events', then each lane's."""
    rows = list(ledger["destinations"].items())
    for lane, part in ledger.get("lanes", {}).items():
        rows += [(f"{name} ({lane})", entry) for name, entry in part["destinations"].items()]
    return rows


def _rows(ledger: Mapping[str, Any]) -> tuple[list[str], list[tuple[list[str], bool]]]:
    """The head, and a line for each destination with whether it is in trouble."""
    parts = _parts(ledger)
    columns = [
        c for c in _COLUMNS if c not in _OFTEN_EMPTY or any(_cell(entry, c) not in _NOTHING for _, entry in parts)
    ]
    rates = any("rates" in entry for _, entry in parts)
    head = ["destination", *columns, *(_RATES if rates else ()), "state"]
    rows = []
    for name, entry in parts:
        told = f" ({entry['reason']})" if entry["reason"] else ""
        pid = f" (pid {entry['carrier'].get('pid')})" if state_of(entry) == "stalled" else told
        found = entry.get("rates", {})
        speed = [f"{found.get(which, 0.0):,.1f}" for which in ("accepted", "delivered")] if rates else []
        cells = [name, *(_cell(entry, column) for column in columns), *speed, f"{state_of(entry)}{pid}"]
        rows.append((cells, bool(trouble(entry))))
    return head, rows


def _cell(entry: Mapping[str, Any], column: str) -> str:
    """A number, numbers by reason, or an age."""
    if column == "oldest":
        return _age(entry["oldest_age"])
    value = entry["evicted_by"] if column == "evicted" else entry[column]
    if isinstance(value, dict):
        return ", ".join(f"{reason} {count:,}" for reason, count in sorted(value.items())) or "0"
    return f"{value:,}"


def _age(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _foot(ledger: Mapping[str, Any]) -> str:
    counters = [f"{name} {count:,}" for name, count in ledger["counters"].items() if count]
    sizes = [f"{ledger['segments']} segments, {ledger['bytes']:,} bytes"]
    sizes += [f"{lane}: {part['bytes']:,} bytes" for lane, part in ledger.get("lanes", {}).items()]
    return "; ".join([*sizes, *([", ".join(counters)] if counters else [])])


def _text(ledgers: Ledgers) -> str:
    """Everything as plain lines."""
    lines = []
    for service, ledger in ledgers.items():
        lines.append(f"{service}  {ledger['directory']}")
        head, rows = _rows(ledger)
        if rows:
            table = [head, *(cells for cells, _ in rows)]
            widths = [max(len(row[at]) for row in table) for at in range(len(head))]
            for row in table:
                cells = [
                    cell.ljust(width) if at in (0, len(head) - 1) else cell.rjust(width)
                    for at, (cell, width) in enumerate(zip(row, widths, strict=True))
                ]
                lines.append(f"  {'  '.join(cells)}".rstrip())
        else:
            lines.append("  no destination: events are kept until max_age")
        lines.append(f"  {_foot(ledger)}")
        lines += [f"  ! {sentence}" for sentence in troubles(ledger)]
    return "\n".join(lines)


def _fitting(head: list[str], rows: list[tuple[list[str], bool]], width: int) -> list[int]:
    """The columns that have room, by number: a figure is shown whole or not at all."""
    table = [head, *(cells for cells, _ in rows)]
    widths = {name: max(len(row[at]) for row in table) + _GAP for at, name in enumerate(head)}
    silent = [name for name in _SILENT if name in head and {cells[head.index(name)] for cells, _ in rows} == {"0"}]
    kept = list(head)
    for name in (*silent, *_EXPENDABLE):
        if sum(widths[each] for each in kept) <= width:
            break
        if name in kept:
            kept.remove(name)
    return [head.index(name) for name in kept]


def _renderable(ledgers: Ledgers, width: int) -> Group:
    """The same for a terminal of a width."""
    from rich.console import Group  # noqa: PLC0415 - it is there
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    parts: list[Any] = []
    for service, ledger in ledgers.items():
        parts.append(Text.assemble((service, "bold"), f"  {ledger['directory']}"))
        head, rows = _rows(ledger)
        if rows:
            table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold")
            shown = _fitting(head, rows, width)
            for at in shown:
                words = at in (0, len(head) - 1)
                table.add_column(head[at], justify="left" if words else "right", no_wrap=not words, overflow="fold")
            for cells, bad in rows:
                table.add_row(*(Text(cells[at]) for at in shown), style="red" if bad else "")
            parts.append(table)
        else:
            parts.append(Text("  no destination: events are kept until max_age"))
        parts.append(Text(f"  {_foot(ledger)}", style="dim"))
        parts += [Text(f"  ! {sentence}", style="yellow") for sentence in troubles(ledger)]
    return Group(*parts)
