"""``footspan status``: what became of every event, once or live."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.config import Settings
    from footspan.spool.disk import DiskSpool
    from footspan.spool.layout import Layout

EXIT_TROUBLE: Final = 1
"""Something needs somebody: see :mod:`footspan.delivery.advice`."""


@click.command()
@click.option("--service", metavar="NAME", help="Only this service.  [default: every service found]")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that holds the services' spools.  [default: the setting spool.directory, else the state home]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object with a member for each service.")
@click.option(
    "--watch",
    metavar="[SECONDS]",
    is_flag=False,
    flag_value="2",
    type=click.FloatRange(min=0.1),
    help="Look again every so many seconds (2), until Ctrl-C; with --json, one object a line.",
)
def status(service: str | None, directory: Path | None, *, as_json: bool, watch: float | None) -> None:
    """Show what became of every event of this machine's services, and what to do where something is wrong.

    For each destination: how many events it takes (accepted), and of those how many were delivered, wait (and for how
    long the oldest), were refused (with the reason) or given up by age or size (evicted); in how many of them something
    was redacted; and what its carrier is doing. Spans and plain logs that wait in the spool have lines of their own.
    It only reads: no service needs to run, and nothing is made where there is no spool.

    \b
    Exit codes:
      0  every destination is being delivered to; or --watch was ended by Ctrl-C
      1  a destination is parked, unreachable or stalled, nobody carries for one that has events waiting, or
         undelivered events were deleted within the last hour
      2  no spool was found, or an option or setting cannot be used
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    books = Books(service, directory)
    ledgers = books.read()
    if not ledgers:
        place = f"under {directory}" if directory else "where the settings say"
        whose = f"of a service named {service!r} " if service else ""
        raise click.UsageError(
            f"There is no spool {whose}{place}. Name the service with --service or OTEL_SERVICE_NAME, or the folder "
            "with --directory or FOOTSPAN_SPOOL_DIRECTORY; a service has a spool once it has tracked an event."
        )
    if watch is not None:
        _watch(books, ledgers, watch, as_json=as_json)
        return
    if as_json:
        click.echo(json.dumps(ledgers, indent=2))
    else:
        from footspan.cli.status_view import show  # noqa: PLC0415 - only for people

        show(ledgers)
    if any(troubles(ledger) for ledger in ledgers.values()):
        raise SystemExit(EXIT_TROUBLE)


class Books:
    """The ledgers of this machine's services, read again and again: what was counted once is not counted anew.

    Args:
        service: Only this one.
        directory: Where to look; the settings say where by default.
    """

    def __init__(self, service: str | None, directory: Path | None) -> None:
        self._settings = _settings(service, directory)
        self._spools: dict[str, DiskSpool] = {}
        self._before: dict[tuple[str, str, str], tuple[float, int, int]] = {}

    def read(self) -> dict[str, dict[str, Any]]:
        """Each service's ledger by the name of its folder, its lanes among it.

        From the second time on destinations have ``rates``: events a second ``accepted`` and ``delivered`` since the
        time before.
        """
        from footspan.delivery.lanes import lane_layouts, takes_all  # noqa: PLC0415 - only what the command needs
        from footspan.delivery.routing import accepts  # noqa: PLC0415
        from footspan.spool.location import existing  # noqa: PLC0415

        found = {}
        for layout in existing(self._settings):
            name = Path(layout.root).name
            ledger = found[name] = self._ledger(layout, name, "", accepts)
            for lane, there in lane_layouts(layout).items():
                ledger.setdefault("lanes", {})[lane] = self._ledger(there, name, lane, takes_all)
        return found

    def _ledger(self, layout: Layout, service: str, lane: str, accepts: Any) -> dict[str, Any]:
        from footspan.delivery.ledger import shape  # noqa: PLC0415 - as above
        from footspan.spool.disk import DiskSpool  # noqa: PLC0415

        if layout.root not in self._spools:
            self._spools[layout.root] = DiskSpool(layout, (), accepts)
        ledger = shape(self._spools[layout.root].status(), (), {})
        now = time.monotonic()
        for name, entry in ledger["destinations"].items():
            key = (service, lane, name)
            if key in self._before:
                then, accepted, delivered = self._before[key]
                seconds = max(now - then, 1e-3)
                entry["rates"] = {
                    "accepted": round((entry["accepted"] - accepted) / seconds, 1),
                    "delivered": round((entry["delivered"] - delivered) / seconds, 1),
                }
            self._before[key] = (now, entry["accepted"], entry["delivered"])
        return ledger


def troubles(ledger: Mapping[str, Any]) -> list[str]:
    """What is wrong with a service, lane by lane, in sentences."""
    from footspan.delivery.advice import evicting, trouble  # noqa: PLC0415 - only what the command needs

    found = []
    for lane, part in {"": ledger, **ledger.get("lanes", {})}.items():
        for name, entry in part["destinations"].items():
            sentence = trouble(entry)
            if sentence:
                found.append(f"{name}{f' ({lane})' if lane else ''}: {sentence}")
        lost = evicting(part, time.time())
        if lost:
            found.append(f"{lane}: {lost}" if lane else lost)
    return found


def _watch(books: Books, ledgers: dict[str, dict[str, Any]], seconds: float, *, as_json: bool) -> None:
    """Show the ledgers until Ctrl-C, which is no error."""
    from footspan.cli.status_view import live  # noqa: PLC0415 - only for people

    try:
        if as_json:
            while True:
                click.echo(json.dumps(ledgers))
                sys.stdout.flush()
                time.sleep(seconds)
                ledgers = books.read()
        with live() as update:
            while True:
                update(ledgers)
                time.sleep(seconds)
                ledgers = books.read()
    except KeyboardInterrupt:
        return


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
