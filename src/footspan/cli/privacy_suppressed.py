"""``footspan privacy suppressed``: the list of people of whom nothing is sent."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from footspan.cli.privacy_common import roots_for, settings_for, show_table, with_settings, with_spools
from footspan.cli.privacy_forget_view import moment

if TYPE_CHECKING:
    from footspan.spool.forgetting.suppressed import Entry, Suppressed


@click.command()
@click.option("--remove", "ids", metavar="ENTRY", multiple=True, help="Take this entry off the list; may be repeated.")
@click.option("--user", "user", metavar="ID", help="Only entries that this id is in.")
@with_spools
@with_settings
def suppressed(
    *,
    ids: tuple[str, ...],
    user: str | None,
    service: str | None,
    directory: Path | None,
    spools: tuple[Path, ...],
    config: Path | None,
    as_json: bool,
) -> None:
    """Show of whom nothing is sent, or send of somebody again.

    `footspan privacy forget` makes an entry in each spool. It holds keyed digests and no id, so it cannot tell who is
    meant; --user finds the entries of a known id. Every process that sends from the spool looks at the list before each
    request. An entry that has expired does nothing and goes with the next change.

    \b
    Examples:
      footspan privacy suppressed                     how many, since when, until when
      footspan privacy suppressed --user u_42         is this one among them?
      footspan privacy suppressed --remove 5f3a9c01   they came back
      footspan privacy suppressed --json | jq .

    \b
    Exit codes:
      0  shown, or removed
      1  there is no such entry
      2  an option or setting cannot be used, there is no spool, or a list cannot be read
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    from footspan.cli.privacy_person import Given, person_of  # noqa: PLC0415 - only what the command needs

    settings = settings_for(config, service, directory)
    roots = roots_for(settings, spools)
    if ids:
        _remove(roots, ids, as_json=as_json)
        return
    now = time.time()
    texts = set()
    if user is not None:
        person = person_of(Given(anywhere=(user,)), settings)
        texts = {*person.ids, *person.emails, user}
    found: dict[str, list[dict[str, Any]]] = {}
    for root in roots:
        listed = _read(root)
        entries = listed.entries if listed is not None else ()
        if user is not None and listed is not None:
            digest = listed.digest()
            wanted = {digest(text) for text in texts}
            entries = tuple(
                each for each in entries if wanted & (each.person.ids | each.person.named | each.person.emails)
            )
        found[root] = [_as_json(each, now) for each in entries]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _show(found)
    if user is not None and not any(found.values()):
        raise SystemExit(1)


def _read(root: str) -> Suppressed | None:
    from footspan.spool.forgetting import suppressed as lists  # noqa: PLC0415 - only what the command needs

    try:
        return lists.read(root)
    except OSError as error:
        raise click.UsageError(str(error)) from None


def _remove(roots: list[str], ids: tuple[str, ...], *, as_json: bool) -> None:
    from footspan.spool.forgetting import suppressed as lists  # noqa: PLC0415 - only what the command needs

    gone: dict[str, list[str]] = {}
    try:
        for root in roots:
            gone[root] = [entry.id for entry in lists.remove(root, ids)]
    except OSError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        click.echo(json.dumps({"removed": gone}, indent=2))
    else:
        for root, removed in gone.items():
            for name in removed:
                click.echo(f"{Path(root).name}: {name} is removed")
    missing = set(ids).difference(*gone.values())
    if missing:
        click.echo(f"There is no entry {', '.join(sorted(missing))}.", err=True)
        raise SystemExit(1)


def _as_json(entry: Entry, now: float) -> dict[str, Any]:
    person = entry.person
    return {
        "entry": entry.id,
        "ids": len(person.ids) + len(person.named),
        "linked": len(person.linked),
        "since": moment(entry.created),
        "until": moment(entry.expires),
        "holds": entry.holds(now),
    }


def _show(found: dict[str, list[dict[str, Any]]]) -> None:
    rows = [
        [
            Path(root).name,
            each["entry"],
            str(each["since"]),
            ("" if each["holds"] else "expired ") + (each["until"] or "removed"),
            f"{each['ids']:,}",
        ]
        for root, entries in found.items()
        for each in entries
    ]
    if rows:
        show_table(["spool", "entry", "since", "until", "ids"], rows, right=4)
    else:
        click.echo("Nobody.")
