"""What ``footspan privacy explain`` prints: lines as they would be stored, and the rules below them."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from footspan.cli.privacy_common import visible
from footspan.privacy.actions import FAILED, MARKS
from footspan.privacy.pseudonym import TOKEN

if TYPE_CHECKING:
    from footspan.cli.privacy_reading import Answer, Held

_COLOURS: Final = {
    "secret": "red",
    "payment": "magenta",
    "contact": "yellow",
    "identifier": "cyan",
    "location": "green",
    "free_text": "blue",
}
_BY_MARK: Final = {mark[1:-1]: _COLOURS[cls] for cls, mark in MARKS.items()}
_MARK: Final = re.compile(
    rf"\[(?P<mark>{'|'.join(map(re.escape, _BY_MARK))})(?: [^\[\]]*)?\]|{re.escape(FAILED)}|{TOKEN}|\bh_[a-p]{{32}}\b"
)


def show(number: int, answer: Answer, *, show_values: bool) -> None:
    """Print one item."""
    click.echo(f"{number:>5}  {_coloured(_text(answer.stored.redacted))}")
    _hits(answer.stored, show_values=show_values)
    if answer.identity:
        click.echo(f"       identity passes: {', '.join(map(visible, answer.identity))}")
    for name, held in answer.destinations.items():
        click.echo(f"  {name} gets")
        click.echo(f"       {_coloured(_text(held.redacted))}")
        _hits(held, show_values=show_values)


def total(found: int) -> None:
    """Print the sum, where nobody pipes the lines on."""
    click.echo(f"{found:,} found" if found else "nothing found", err=True)


def _hits(held: Held, *, show_values: bool) -> None:
    for hit in held.hits:
        where = f" at {visible(hit.path)}" if hit.path else ""
        what = f": {visible(hit.found)}" if show_values else ""
        label = click.style(hit.cls, fg=_COLOURS[hit.cls]) if sys.stdout.isatty() else hit.cls
        click.echo(f"       - {label}, rule {hit.rule}: {hit.action}{where}{what}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _coloured(text: str) -> str:
    text = visible(text)
    if not sys.stdout.isatty():
        return text
    return _MARK.sub(lambda match: click.style(match[0], fg=_BY_MARK.get(match["mark"] or "", "red"), bold=True), text)
