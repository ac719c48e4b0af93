"""``footspan privacy``: what is collected of people, what is removed, and how somebody is forgotten."""

from __future__ import annotations

import click

from footspan.cli.privacy_explain import explain
from footspan.cli.privacy_forget import forget
from footspan.cli.privacy_keys import keys
from footspan.cli.privacy_report import report
from footspan.cli.privacy_suppressed import suppressed


@click.group()
def privacy() -> None:
    """See what is removed from data and why, report on it, and have somebody forgotten.

    \b
    Examples:
      footspan privacy explain notes.txt             what would be removed, by which rule?
      footspan privacy report > processing.md        the record of processing
      footspan privacy forget u_42 --dry-run         how much is there of this user?
      footspan privacy forget u_42                   make it blank, and send no more of it
      footspan privacy keys rotate                   another key for pseudonyms
      footspan privacy suppressed                    of how many people is nothing sent?
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are


privacy.add_command(explain)
privacy.add_command(forget)
privacy.add_command(keys)
privacy.add_command(report)
privacy.add_command(suppressed)
