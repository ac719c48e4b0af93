"""``footspan privacy report``: the record of processing, from policy, settings and destinations."""

from __future__ import annotations

from pathlib import Path

import click

from footspan.cli.privacy_common import settings_for


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of settings.  [default: FOOTSPAN_CONFIG, else footspan.yaml here]",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False, writable=True), help="File.  [default: standard output]"
)
@click.option("--check", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Compare with this file.")
def report(*, config: Path | None, output: Path | None, check: Path | None) -> None:
    """Write the record of processing as Markdown: what is collected, why, where it goes, and how it is removed.

    It is made from the settings, the privacy policy and the destinations that are found here, so it says what an app
    with them does. The same settings give the same text, without a date: keep it beside the code and see in a diff what
    a change means for people. No key, password or address beyond its host stands in it.

    \b
    Examples:
      footspan privacy report                                      to the terminal
      footspan privacy report --config prod.yaml --output docs/processing.md
      footspan privacy report --config prod.yaml --check docs/processing.md
                                                                   is the record up to date?

    \b
    Exit codes:
      0  written; with --check: the file says the same
      1  with --check: the file says something else
      2  an option or setting cannot be used
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    from footspan.cli.privacy_record import record_of  # noqa: PLC0415 - only what the command needs

    text = record_of(settings_for(config))
    if check is not None:
        if check.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n") != text:
            click.echo(f"{check} is not what the settings say. Write it anew: --output {check}", err=True)
            raise SystemExit(1)
        return
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"Cannot write {str(output)!r}: {error.strerror or type(error).__name__}.") from None
