"""No error and no settings object shows a value that may be secret."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

from footspan.config import ConfigurationError, load_settings
from footspan.config.options import DESTINATION_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "hunter2"
MARK = "hunter"
SECRETS = [(name, option.name) for name, kind in DESTINATION_TYPES.items() for option in kind.options if option.secret]
# Each is refused by some kind, or lands in a place where another type of value must stand.
DAMAGED = [
    f"https://user:{SECRET}@host",
    f"{SECRET}\n{SECRET}",
    f"{SECRET} {SECRET}€",
    f"authorization: {SECRET}",
    f"https://host:{SECRET}/",
    f"ftp://{SECRET}",
    f"{SECRET}://host",
    f"https://[{SECRET}",
    [SECRET],
    {SECRET: [SECRET]},
    {"a": f"{SECRET}\n"},
]


def rendered(overrides: dict[str, Any], environ: dict[str, str]) -> str:
    """All that a refusal would put into a log, chained exceptions included; empty if nothing is refused."""
    try:
        settings = load_settings(environ=environ, overrides=overrides)
    except ConfigurationError as error:
        lines = traceback.TracebackException.from_exception(error).format(chain=True)
        # The source lines of a traceback are this file's and the loader's own; values come after the class's name.
        text = "".join(line for line in lines if not line.startswith("  File"))
        return f"{text}{error!r}{error.key}{error.found}{error.fix}"
    return repr(settings)


@pytest.mark.parametrize(("name", "option"), SECRETS)
@pytest.mark.parametrize("value", DAMAGED, ids=range(len(DAMAGED)))
def test_no_secret_in_an_error(name: str, option: str, value: object, settings_file: Callable[[str], Path]) -> None:
    """From code, environment and file, whatever is wrong with the value."""
    destination: dict[str, Any] = {"enabled": False, option: value}
    assert MARK not in rendered({"destinations": {name: destination}}, {})
    if isinstance(value, str):
        variable = f"FOOTSPAN_DESTINATIONS_{name.upper()}_{option.upper()}"
        off = {"destinations": {name: {"enabled": False}}}
        assert MARK not in rendered(off, {variable: value})
        settings_file(f"telemetry: {{destinations: {{{name}: {{enabled: false, {option}: '${{env:S}}'}}}}}}")
        assert MARK not in rendered({}, {"S": value})


@pytest.mark.parametrize(
    "variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_LOGS_HEADERS"]
)
@pytest.mark.parametrize("value", [each for each in DAMAGED if isinstance(each, str)])
def test_no_secret_of_opentelemetry_in_an_error(variable: str, value: str) -> None:
    """The same for the variables that are not ours."""
    assert MARK not in rendered({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", variable: value})


@pytest.mark.parametrize("place", ["courier", "exit_timeout", "enabled"])
def test_a_long_key_in_the_wrong_place_is_not_quoted(place: str) -> None:
    """Where short values are quoted, anything long enough to be a key is described."""
    key = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
    text = rendered({place: key}, {})

    assert key not in text
    assert "a string of 32 characters" in text


def test_settings_do_not_print_options() -> None:
    """A settings object may be logged."""
    options = {"endpoint": f"http://h?key={SECRET}", "headers": {"authorization": f"Bearer {SECRET}"}}
    settings = load_settings(environ={}, overrides={"destinations": {"otlp": options}})

    assert settings.destinations[0].options["headers"] == {"authorization": f"Bearer {SECRET}"}
    assert MARK not in repr(settings)
    assert MARK not in str(settings.destinations[0])
