"""What ``footspan privacy forget`` prints: numbers, and what is left to delete elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from footspan.cli.privacy_common import heading, show_table, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.cli.privacy_deletion import Deletion
    from footspan.spool.forgetting.suppressed import Entry
    from footspan.spool.forgetting.sweep import Found

_COLUMNS = ("waiting_or_sent", "queue_files", "rejected", "damaged", "not_blank")


@dataclass(slots=True)
class Outcome:
    """What became of one spool."""

    root: str
    found: Found | None = None
    entry: Entry | None = None
    problem: str = ""


def _numbers(found: Found | None) -> dict[str, int]:
    if found is None:
        return {}
    return {
        "waiting_or_sent": found.events.get("events", 0),
        "queue_files": found.events.get("queue", 0),
        "rejected": found.events.get("rejected", 0),
        "damaged": found.damaged,
        "not_blank": found.failed,
        "unreadable_files": found.unreadable,
        "files": found.files,
        "bytes": found.size,
    }


def as_json(
    outcomes: Sequence[Outcome], there: Sequence[Deletion], ids: int, linked: int, *, dry: bool
) -> dict[str, Any]:
    """All of it, for programs."""
    return {
        "dry_run": dry,
        "ids": ids,
        "linked": linked,
        "spools": {
            each.root: {
                **_numbers(each.found),
                "suppressed": each.entry and {"id": each.entry.id, "until": moment(each.entry.expires)},
                "problem": each.problem or None,
            }
            for each in outcomes
        },
        "destinations": {each.name: each.as_json() for each in there},
    }


def show(outcomes: Sequence[Outcome], theirs: frozenset[str], *, dry: bool) -> None:
    """What was done here."""
    heading("In the spools" + (" (nothing was changed)" if dry else ""))
    rows = []
    for each in outcomes:
        found = _numbers(each.found)
        cells = [f"{found[key]:,}" if found else "-" for key in _COLUMNS]
        rows.append([Path(each.root).name, *cells])
    show_table(["spool", "events", "queue files", "refused", "damaged", "left"], rows, right=1)
    if theirs:
        click.echo(f"Sessions and visitors of theirs: {len(theirs):,}")
    for each in outcomes:
        if each.problem:
            click.echo(f"! {each.root}: {each.problem}")
        if each.found is not None and each.found.unreadable:
            click.echo(f"! {each.root}: {each.found.unreadable} files could not be read or changed")
        if each.entry is not None:
            until = "until it is removed" if each.entry.expires is None else f"until {moment(each.entry.expires)}"
            click.echo(f"Nothing of them is sent from {Path(each.root).name} {until} (entry {each.entry.id}).")


def show_deletions(there: Sequence[Deletion]) -> None:
    """What is to be done elsewhere."""
    click.echo()
    heading("At the destinations: not deleted by this command")
    if not there:
        click.echo("The settings name no destination.")
    for each in there:
        click.echo(f"{each.name} ({each.type}, {visible(each.place)})")
        for what, values in each.knows.items():
            click.echo(f"  {what}: {visible(', '.join(values))}")
        for sentence in each.how:
            click.echo(f"  {visible(sentence)}")


def moment(seconds: float | None) -> str | None:
    """A time for people and programs; ``None`` for none."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
