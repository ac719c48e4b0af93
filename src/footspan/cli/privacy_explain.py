"""``footspan privacy explain``: what the policy removes from some data, and by which rule."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, get_args

import click

from footspan.cli.privacy_common import settings_for, with_settings
from footspan.cli.privacy_reading import Form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.cli.privacy_reading import Reader
    from footspan.config import DestinationSettings, Settings

EXIT_FOUND: Final = 1
"""With ``--check``: something would be removed."""


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--as",
    "form",
    type=click.Choice(get_args(Form)),
    default="auto",
    show_default=True,
    help="What a line is: text, a JSON object of properties, or OTLP JSON; auto: told line by line.",
)
@click.option("--to", "names", metavar="NAME", multiple=True, help="Only this destination; may be repeated.  [all]")
@click.option("--check", is_flag=True, help="Print only what is found, and end with 1 where anything is.")
@click.option(
    "--show-values", is_flag=True, help="Show what was found, too. On a terminal only: it is what is to be kept secret."
)
@with_settings
def explain(
    *,
    source: Path,
    form: Form,
    names: tuple[str, ...],
    check: bool,
    show_values: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Show what is removed from data, by which rule, and what each destination gets less. Nothing is stored or sent.

    FILE, or - for standard input, holds one item a line: text, a JSON object (properties, or an event with a name and
    properties), or OTLP JSON. Below each line as it would be stored stand the rules that found something, with class,
    action and place. Values that are removed are not shown. Identity that passes is named.

    \b
    Examples:
      footspan privacy explain notes.txt                  text, line by line
      echo '{"note": "call bob@example.com"}' | footspan privacy explain -
      footspan privacy explain events.jsonl --to umami    what would umami get?
      footspan privacy explain app.log --as text --check  does our log hold personal data?
      footspan privacy explain - --config prod.yaml --json < events.jsonl | jq -c .hits

    With --json one object a line: `line`, `form`, `redacted`, `hits` (`path`, `rule`, `class`, `action`), `identity`,
    and `destinations` with `redacted` and `hits` of each that gets less.

    \b
    Exit codes:
      0  all was read (with --check: and nothing would be removed)
      1  with --check: something would be removed
      2  an option or setting cannot be used, or the file cannot be read
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    from footspan.cli import privacy_explain_view as view  # noqa: PLC0415 - only what the command needs
    from footspan.cli.privacy_reading import Reader  # noqa: PLC0415 - the same

    if show_values and (as_json or not sys.stdout.isatty()):
        raise click.UsageError("--show-values is for a terminal: elsewhere what it shows would stay.")
    settings = settings_for(config)
    reader = Reader(settings, _destinations(settings, names))
    try:
        found = _explain(source, reader, form, as_json=as_json, check=check, show_values=show_values)
    except OSError as error:
        raise click.UsageError(f"Cannot read {str(source)!r}: {error.strerror or type(error).__name__}.") from None
    if not as_json:
        view.total(found)
    if check and found:
        raise SystemExit(EXIT_FOUND)


def _explain(source: Path, reader: Reader, form: Form, *, as_json: bool, check: bool, show_values: bool) -> int:
    """Print what becomes of each line; how often something was found."""
    from footspan.cli import privacy_explain_view as view  # noqa: PLC0415 - only what the command needs

    found = 0
    with click.open_file(str(source), "rb") as file:
        for number, line in _lines(file):
            for answer in reader.read(line, form):
                found += answer.touched
                if as_json:
                    click.echo(json.dumps({"line": number, **answer.as_json()}, ensure_ascii=False, default=str))
                elif not check or answer.touched:
                    view.show(number, answer, show_values=show_values)
    return found


def _destinations(settings: Settings, names: tuple[str, ...]) -> list[DestinationSettings]:
    there = {each.name: each for each in settings.destinations}
    for name in names:
        if name not in there:
            listed = ", ".join(sorted(there)) or "none"
            raise click.UsageError(f"There is no destination {name!r} in the settings; there are: {listed}.")
    return [there[name] for name in dict.fromkeys(names or there)]


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, by their number; one that is too long is cut."""
    from footspan.delivery.replay_source import MAX_LINE  # noqa: PLC0415 - only what the command needs

    number = 0
    whole = True
    while line := file.readline(MAX_LINE):
        number += whole
        whole = line.endswith(b"\n")
        if line.strip():
            yield number, line.rstrip(b"\r\n")
