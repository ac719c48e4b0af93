"""``footspan config``: what the settings are, where each comes from, and what is wrong with them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from footspan.config.errors import ConfigurationError
    from footspan.config.survey import Survey

EXIT_PROBLEMS: Final = 1
"""An application with these settings would run without telemetry."""

_FILE = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of settings.  [default: FOOTSPAN_CONFIG, else footspan.yaml here]",
)


@click.group()
def config() -> None:
    """Look at the settings: check them, show them, describe them to an editor.

    Settings come from code, the environment (FOOTSPAN_..., some of OTEL_...) and a YAML file. These commands see the
    last two, as an application that is started here and now would.

    \b
    Examples:
      footspan config check                        everything that is wrong, at once
      footspan config check deploy/*.yaml          these files, each with this environment
      FOOTSPAN_CONFIG=prod.yaml footspan config show --changed
      footspan config show --yaml > footspan.yaml  a whole file to start from
      footspan config schema > footspan.schema.json
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are


@config.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--strict", is_flag=True, help="Take warnings for problems.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list with an object for each file.")
def check(files: tuple[Path, ...], *, strict: bool, as_json: bool) -> None:
    """Name everything that is wrong with the settings, and what to write instead.

    Without FILES it looks at the file that an application here would read (FOOTSPAN_CONFIG, else footspan.yaml) and at
    the environment. Each of FILES is looked at together with the environment. Nothing is started or sent, and nothing
    that may be secret is printed.

    \b
    Examples:
      footspan config check
      footspan config check --strict deploy/prod.yaml      in a pipeline of continuous integration
      env -i PATH="$PATH" footspan config check prod.yaml  the file alone
      footspan config check --json | jq -r '.[].problems[].key'

    \b
    Exit codes:
      0  the settings can be used; there may be warnings
      1  there are problems, with --strict also: or warnings
      2  an option cannot be used
    """  # noqa: D301 - as above
    looks = [_survey(file) for file in files or (None,)]
    wrong = any(problems or (strict and survey.warnings) for survey, problems in looks)
    if as_json:
        click.echo(json.dumps([_report(survey, problems) for survey, problems in looks], indent=2))
    else:
        for survey, problems in looks:
            _print_check(survey, problems)
    raise SystemExit(EXIT_PROBLEMS if wrong else 0)


@config.command()
@_FILE
@click.option("--changed", is_flag=True, help="Leave out what has its default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: values with their sources; seconds and bytes.")
@click.option("--yaml", "as_yaml", is_flag=True, help="Print a file of settings, with the sources as comments.")
def show(file: Path | None, *, changed: bool, as_json: bool, as_yaml: bool) -> None:
    """Show the settings in force, and where each comes from: environment, file or default.

    Keys, headers and parts of addresses that may be secret are shown as ***; a file by --yaml names a variable for each
    instead. What an application sets in code is not known here.

    \b
    Examples:
      footspan config show --changed
      footspan config show --config prod.yaml
      footspan config show --json | jq '.settings["spool.max_bytes"]'
      footspan config show --yaml > footspan.yaml

    \b
    Exit codes:
      0  shown
      1  shown, but with problems, which stand on standard error; in their place are defaults
      2  an option cannot be used
    """  # noqa: D301 - as above
    if as_json and as_yaml:
        raise click.UsageError("--json and --yaml exclude each other.")
    from footspan.cli import config_view as view  # noqa: PLC0415 - only what the command needs

    survey, problems = _survey(file)
    values = [each for each in survey.values if not changed or each.origin != "default"]
    if as_json:
        settings = {each.name: view.as_json(each) for each in values}
        click.echo(json.dumps({**_report(survey, problems), "settings": settings}, indent=2))
    elif as_yaml:
        click.echo(view.as_yaml(values), nl=False)
    else:
        view.table(values)
    for problem in problems:
        click.echo(f"problem: {problem}", err=True)
    raise SystemExit(EXIT_PROBLEMS if problems else 0)


@config.command()
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of the configuration file, for editors and other checks.

    Editors that know YAML complete keys with it and show what they mean. It cannot know the environment: whether an
    address is set at all, `footspan config check` says.

    \b
    Examples:
      footspan config schema > footspan.schema.json

    \b
    Then, as the first line of footspan.yaml:
      # yaml-language-server: $schema=footspan.schema.json
    """  # noqa: D301 - as above
    from footspan.config.schema import json_schema  # noqa: PLC0415 - only what the command needs

    click.echo(json.dumps(json_schema(), indent=2))


def _survey(file: Path | None) -> tuple[Survey, list[ConfigurationError]]:
    """Everything about the settings, and all that is wrong: with them, or with what would be built from them."""
    from footspan.config.errors import ConfigurationError as Wrong  # noqa: PLC0415 - only what the command needs
    from footspan.config.survey import survey  # noqa: PLC0415 - the same
    from footspan.destinations import build_destination  # noqa: PLC0415 - the same

    found = survey(config=file)
    problems = list(found.problems)
    known = {each.key for each in problems}
    for destination in found.settings.destinations:
        if destination.enabled and not any(f"destinations.{destination.name}" in key for key in known):
            try:
                build_destination(destination).close()
            except Wrong as error:
                problems.append(error)
    return found, problems


def _report(survey: Survey, problems: list[ConfigurationError]) -> dict[str, Any]:
    return {
        "file": None if survey.file is None else str(survey.file),
        "problems": [{"key": each.key, "found": each.found, "fix": each.fix} for each in problems],
        "warnings": list(survey.warnings),
        "notes": _notes(),
    }


_OPTIONAL: Final = {
    "phonenumbers": "national telephone numbers other than North American ones are not found in text",
    "re2": "a privacy policy cannot have patterns of its own",
}


def _notes() -> list[str]:
    """What is not installed that the privacy policy would use, and what that means."""
    return [
        f"The package {name} is not installed: {means}. pip install 'footspan[privacy]'"
        for name, means in _OPTIONAL.items()
        if not _is_installed(name)
    ]


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # it is there in name only
        return False


def _print_check(survey: Survey, problems: list[ConfigurationError]) -> None:
    what = "the environment" if survey.file is None else f"{survey.file} and the environment"
    counts = [f"{len(problems)} problem{'s' * (len(problems) != 1)}"] if problems else ["no problems"]
    if survey.warnings:
        counts.append(f"{len(survey.warnings)} warning{'s' * (len(survey.warnings) != 1)}")
    click.echo(f"{what}: {', '.join(counts)}")
    for each in problems:
        click.echo(f"  {click.style('problem', fg='red')}  {each}")
    for warning in survey.warnings:
        click.echo(f"  {click.style('warning', fg='yellow')}  {warning}")
    for note in _notes():
        click.echo(f"  note  {note}")
