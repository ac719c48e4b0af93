"""``footspan privacy keys``: the keys that pseudonyms are made with."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.config.pseudonyms import Key

_FILE = click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file of keys.  [default: the setting privacy.pseudonyms.key_file]",
)
_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of settings.  [default: FOOTSPAN_CONFIG, else footspan.yaml here]",
)


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float:
    from footspan.config.kinds import BadValueError  # noqa: PLC0415 - only what the command needs
    from footspan.config.values import read_duration  # noqa: PLC0415 - the same

    try:
        return 0.0 if value is None else read_duration(value)
    except BadValueError as bad:
        raise click.BadParameter(bad.fix) from None


@click.group()
def keys() -> None:
    """See, rotate and destroy the keys of pseudonyms. No key is ever shown.

    \b
    Examples:
      footspan privacy keys rotate --file keys.json        make the file, or add a key to it
      footspan privacy keys rotate --every 90d --keep 4    as a daily job: one quarter, one key
      footspan privacy keys list                           which key makes tokens now?
      footspan privacy keys destroy 3f9a01c2               unlink all that it has made
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are


@keys.command("list")
@_FILE
@_CONFIG
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_keys(*, path: Path | None, config: Path | None, as_json: bool) -> None:
    """Show the ids of the keys, when they were made, and which one makes tokens."""
    from footspan.config.pseudonyms import read_keys  # noqa: PLC0415 - only what the command needs

    found: tuple[Key, ...] = _try(lambda: read_keys(_path(path, config)))
    now = time.time()
    there = [key for key in found if key.created <= now and (key.expires is None or now < key.expires)]
    used = max(there, key=lambda key: key.created, default=None)
    rows = [
        {"id": key.id, "created": _time(key.created), "expires": _time(key.expires), "in_use": key is used}
        for key in found
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        until = f", until {row['expires']}" if row["expires"] else ""
        click.echo(f"{row['id']}  made {row['created']}{until}{'  (makes tokens)' if row['in_use'] else ''}")


@keys.command()
@_FILE
@_CONFIG
@click.option("--every", metavar="TIME", callback=_seconds, help="Only if the newest key is as old, such as 90d.")
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="Destroy all keys but the newest N.")
def rotate(*, path: Path | None, config: Path | None, every: float, keep: int | None) -> None:
    """Add a key, which makes tokens from now on. Services that run see it within seconds."""
    from footspan.privacy import key_files  # noqa: PLC0415 - only what the command needs

    file = _path(path, config)
    made, gone = _try(lambda: key_files.rotate(file, time.time(), every=every, keep=keep))
    click.echo(f"{made.id} makes tokens from now on ({file})." if made else "No key is due yet.")
    for each in gone:
        click.echo(f"{each} is destroyed: what it made is nobody's any more.")


@keys.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@_FILE
@_CONFIG
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(*, ids: tuple[str, ...], path: Path | None, config: Path | None, yes: bool) -> None:
    """Destroy keys. Tokens that they made stay where they are, and nobody can tell any more whose they are."""
    from footspan.privacy import key_files  # noqa: PLC0415 - only what the command needs

    file = _path(path, config)
    if not yes:
        click.confirm(f"Destroy {', '.join(ids)} in {file}? Backups of the file keep them", abort=True)
    gone = _try(lambda: key_files.destroy(file, ids))
    for each in gone:
        click.echo(f"{each} is destroyed: what it made is nobody's any more.")
    missing = [each for each in ids if each not in gone]
    if missing:
        raise click.UsageError(f"There is no key {', '.join(missing)} in {file}.")


def _path(path: Path | None, config: Path | None) -> Path:
    from footspan.config import load_settings  # noqa: PLC0415 - only what the command needs

    found: Path | None = path or _try(lambda: load_settings(config=config)).privacy.pseudonyms.key_file
    if found is None:
        raise click.UsageError("No file of keys: name one with --file, or set privacy.pseudonyms.key_file.")
    return found


def _try(attempt: Callable[[], Any]) -> Any:
    from footspan.config import ConfigurationError  # noqa: PLC0415 - only what the command needs

    try:
        return attempt()
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise click.UsageError(f"The file of keys cannot be written: {why}.") from None


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
