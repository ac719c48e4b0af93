"""What ``footspan deliver`` shows, on standard error: a table that lives, or now and then a line."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.table import Table
    from typing_extensions import Self


LINE_EVERY: Final = 10.0
"""Seconds between two lines where there is no terminal."""

_REDRAW_EVERY: Final = 0.5


class View:
    """Says nothing but what must be said."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def say(self, text: str) -> None:
        """One line about a change."""

    def show(self, figures: Callable[[], Any]) -> None:
        """Show how far the run is; ``figures`` is called only if they are wanted."""

    def end(self, figures: Callable[[], Any]) -> None:
        """Show where the run ended."""


class Lines(View):
    """For files and other programs: a line at each change, and while something moves."""

    def __init__(self) -> None:
        self._shown = time.monotonic()
        self._last: dict[tuple[str, str], tuple[int, int]] = {}

    def say(self, text: str) -> None:
        """One line."""
        click.echo(f"footspan deliver: {text}", err=True)

    def show(self, figures: Callable[[], Any]) -> None:
        """A line for each destination that moved, every :data:`LINE_EVERY` seconds."""
        now = time.monotonic()
        if now - self._shown >= LINE_EVERY:
            self._print(figures(), now - self._shown)
            self._shown = now

    def end(self, figures: Callable[[], Any]) -> None:
        """A line for each destination."""
        self._last.clear()
        self._print(figures(), None)

    def _print(self, figures: Mapping[str, Mapping[str, Mapping[str, Any]]], seconds: float | None) -> None:
        for service, destinations in figures.items():
            for name, entry in destinations.items():
                now = (entry["delivered"], entry["waiting"])
                last = self._last.get((service, name))
                if now != last:
                    self._last[service, name] = now
                    rate = f" ({(now[0] - (last or (0, 0))[0]) / seconds:,.0f}/s)" if seconds else ""
                    self.say(f"{service}: {name}: delivered {now[0]:,}{rate}, waiting {now[1]:,}{_trouble(entry)}")


class Live(View):
    """For people: a table with a row for each destination."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - only for people
        from rich.live import Live as RichLive  # noqa: PLC0415 - the same

        self._live = RichLive(console=Console(stderr=True), auto_refresh=False)
        self._drawn = 0.0
        self._before: dict[tuple[str, str], tuple[float, int]] = {}

    def __enter__(self) -> Self:
        """Begin to draw. The cursor stays: whatever ends the process at once could not give it back."""
        self._live.start()
        self._live.console.show_cursor()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last table where it is."""
        self._live.stop()

    def say(self, text: str) -> None:
        """One line above the table."""
        self._live.console.print(text, highlight=False, markup=False)

    def show(self, figures: Callable[[], Any]) -> None:
        """Draw the table anew, twice a second."""
        now = time.monotonic()
        if now - self._drawn >= _REDRAW_EVERY:
            self._drawn = now
            self._live.update(self._table(figures(), now), refresh=True)

    def end(self, figures: Callable[[], Any]) -> None:
        """Draw the last table."""
        self._live.update(self._table(figures(), time.monotonic()), refresh=True)

    def _table(self, figures: Mapping[str, Mapping[str, Mapping[str, Any]]], now: float) -> Table:
        from rich.table import Table  # noqa: PLC0415 - only for people

        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("destination")
        for column in ("waiting", "delivered", "per second"):
            table.add_column(column, justify="right")
        table.add_column("state")
        for service, destinations in figures.items():
            for name, entry in destinations.items():
                rate = self._rate((service, name), entry["delivered"], now)
                table.add_row(
                    f"{service}: {name}",
                    f"{entry['waiting']:,}",
                    f"{entry['delivered']:,}",
                    f"{rate:,.0f}",
                    f"{_state(entry)}{_refused(entry)}",
                )
        return table

    def _rate(self, place: tuple[str, str], delivered: int, now: float) -> float:
        then, before = self._before.get(place, (now, delivered))
        self._before[place] = (now, delivered)
        return (delivered - before) / (now - then) if now > then else 0.0


def _state(entry: Mapping[str, Any]) -> str:
    return f"{entry['state']} ({entry['reason']})" if entry["reason"] else str(entry["state"])


def _trouble(entry: Mapping[str, Any]) -> str:
    """What is not as it should be, for the end of a line."""
    return (f", {_state(entry)}" if entry["reason"] else "") + _refused(entry)


def _refused(entry: Mapping[str, Any]) -> str:
    return "".join(f", refused {count:,} ({reason})" for reason, count in sorted(entry["refused"].items()))


def view_for(*, quiet: bool) -> View:
    """What suits where standard error goes."""
    if quiet:
        return View()
    return Live() if sys.stderr.isatty() else Lines()
