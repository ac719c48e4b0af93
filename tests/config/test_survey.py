"""The survey: every problem at once, each value with its source, and nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.samples import sample
from config.test_schema import PLACES, block
from config.yaml_pool import POOL
from footspan.config import ConfigurationError, load_settings
from footspan.config.coherence import incoherent
from footspan.config.declarations import environment_name, general, of_type
from footspan.config.survey import Survey, survey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = """
telemetry:
  courir: thread
  spool: {max_bytes: plenty, max_age: 1d, max_age: 2d}
  service: shop
  sampling: {rate: 2, rules: [{events: a}]}
  destinations:
    umami: {url: nowhere, website: w, colour: red}
    second: {url: https://h}
    Third: {type: console}
    console: {format: "${broken reference}"}
    logging: {level: loud}
    store: {path: x.db}
"""
ENVIRON = {
    "FOOTSPAN_DEBUGG": "1",
    "FOOTSPAN_COURIER": "train",
    "FOOTSPAN_DESTINATIONS_OTLP_HEADERS": "x",
    "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": "https://h",
    "TELEMETRY_ENABLED": "perhaps",
}


def source_of(found: Survey, name: str) -> tuple[str, str, str]:
    """Value, source and place of one setting."""
    (value,) = [each for each in found.values if each.name == name]
    return value.text, value.origin, value.by


def test_every_problem_is_named_at_once(settings_file: Callable[[str], Path]) -> None:
    """In the file, in the environment, in whatever comes after what could not be read; each of them once."""
    settings_file(FILE)
    found = survey(environ=ENVIRON)
    keys = [error.key for error in found.problems]

    assert len(set(keys)) == len(keys)
    assert sorted(keys) == sorted(
        [
            "FOOTSPAN_COURIER",
            "FOOTSPAN_DEBUGG",
            "FOOTSPAN_DESTINATIONS_OTLP_HEADERS",
            "TELEMETRY_ENABLED",
            "footspan.yaml, line 4",
            "telemetry.courir",
            "telemetry.destinations.Third",
            "telemetry.destinations.console.format",
            "telemetry.destinations.logging.level",
            "telemetry.destinations.second",
            "telemetry.destinations.store",
            "telemetry.destinations.umami.colour",
            "telemetry.destinations.umami.url",
            "telemetry.sampling.rate",
            "telemetry.sampling.rules",
            "telemetry.service",
            "telemetry.spool.max_bytes",
        ]
    )
    assert all(error.fix for error in found.problems)


def test_the_first_of_them_is_what_loading_raises(settings_file: Callable[[str], Path]) -> None:
    """What is said of a mistake does not depend on who says it."""
    settings_file(FILE)
    environ = {name: value for name, value in ENVIRON.items() if name != "TELEMETRY_ENABLED"}
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ=environ)

    assert str(caught.value) in [str(error) for error in survey(environ=environ).problems]


@pytest.mark.parametrize("content", [None, b"telemetry: [", b"\xff", b"a: b: c", b"[]"])
def test_a_file_that_cannot_be_read_is_one_problem_of_many(content: bytes | None, working_directory: Path) -> None:
    """The environment is looked at all the same."""
    file = working_directory / "f.yaml"
    if content is not None:
        file.write_bytes(content)
    found = survey(config=file, environ={"FOOTSPAN_COURIER": "train"})

    assert len(found.problems) == 2
    assert found.problems[-1].key == "FOOTSPAN_COURIER"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(path=st.sampled_from(PLACES), raw=st.sampled_from(POOL))
def test_there_is_no_problem_where_it_can_be_loaded(path: tuple[str, ...], raw: str, working_directory: Path) -> None:
    """For every setting and values good and bad; and then the settings are the same."""
    file = working_directory / "f.yaml"
    file.write_text(block(path, raw), encoding="utf-8")
    found = survey(config=file, environ={})
    try:
        loaded = load_settings(config=file, environ={})
    except ConfigurationError:
        assert found.problems
    else:
        assert [str(error) for error in found.problems] == [str(error) for error in incoherent(loaded)]
        assert found.settings == loaded


def test_every_value_has_its_source(settings_file: Callable[[str], Path]) -> None:
    """Code over environment over file over default; what could not be read has its default."""
    settings_file("telemetry: {courier: external, spool: {max_age: 1d, max_bytes: 1GiB}, sampling: {rate: 7}}")
    environ = {
        "FOOTSPAN_SPOOL_MAX_AGE": "2d",
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318",
    }
    found = survey(environ=environ, overrides={"spool": {"max_bytes": "2GiB"}, "service_version": "1.10"})

    assert source_of(found, "courier") == ("external", "file", "footspan.yaml")
    assert source_of(found, "spool.max_age") == ("2d", "environment", "FOOTSPAN_SPOOL_MAX_AGE")
    assert source_of(found, "spool.max_bytes") == ("2GiB", "code", "init(spool.max_bytes)")
    assert source_of(found, "service.version") == ("1.10", "code", "init(service_version)")
    assert source_of(found, "service.name") == ("shop", "environment", "OTEL_SERVICE_NAME")
    assert source_of(found, "sampling.rate") == ("1.0", "default", "")
    assert source_of(found, "destinations.otlp.endpoint")[1:] == ("environment", "OTEL_EXPORTER_OTLP_ENDPOINT")
    assert source_of(found, "destinations.otlp.timeout") == ("10s", "default", "")
    assert found.file is not None
    assert found.file.name == "footspan.yaml"


def test_every_setting_is_shown() -> None:
    """The general ones, and those of each destination there is, an own name's type among them."""
    destinations = {"umami": {"enabled": False}, "second": {"type": "console"}}
    found = survey(environ={}, overrides={"destinations": destinations})
    names = {each.path for each in found.values}

    assert names == {
        *general(),
        *(("destinations", "umami", *path) for path in of_type("umami")),
        *(("destinations", "second", *path) for path in (*of_type("console"), ("type",))),
    }
    assert source_of(found, "destinations.second.type") == ("console", "code", "init(destinations.second.type)")


def test_what_debugging_changes_is_its_doing() -> None:
    """A console that nobody named, and no sampling."""
    found = survey(environ={"TELEMETRY_DEBUG": "1"}, overrides={"sampling": {"enabled": True}})

    assert source_of(found, "debug") == ("true", "environment", "TELEMETRY_DEBUG")
    assert source_of(found, "sampling.enabled") == ("false", "debug", "debug")
    assert source_of(found, "destinations.console.enabled") == ("true", "debug", "debug")


@pytest.mark.parametrize("switch", [{"TELEMETRY_ENABLED": "false"}, {"OTEL_SDK_DISABLED": "true"}])
def test_what_is_switched_off_is_looked_at_all_the_same(switch: dict[str, str]) -> None:
    """It will be switched on again."""
    found = survey(environ={**switch, "FOOTSPAN_COURIER": "train"}, overrides={"enabled": True})
    (name,) = switch

    assert [error.key for error in found.problems] == ["FOOTSPAN_COURIER"]
    assert found.settings.enabled is False
    assert source_of(found, "enabled") == ("false", "environment", name)
    assert found.warnings[0] == f"{name} switches telemetry off, whatever else is set."


@pytest.mark.parametrize(
    ("environ", "warning"),
    [
        ({}, "No destination is enabled"),
        ({"FOOTSPAN_ENABLED": "false"}, "`enabled` is false"),
        ({"footspan_debug": "1"}, "footspan_debug is no variable of footspan's. Did you mean FOOTSPAN_DEBUG?"),
        ({"FOTSPAN_DEBUG": "1"}, "Did you mean FOOTSPAN_DEBUG?"),
        ({"FOOT_SPAN_DEBUG": "1"}, "Did you mean FOOTSPAN_DEBUG?"),
        (
            {
                "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": "https://h",
                "FOOTSPAN_DESTINATIONS_OTLP_CERTIFICATE": "/nowhere/ca.pem",
            },
            "destinations.otlp.certificate names no file that is there.",
        ),
    ],
)
def test_what_is_most_likely_not_meant(environ: dict[str, str], warning: str) -> None:
    """It is allowed, and said."""
    found = survey(environ=environ)

    assert not found.problems
    assert any(warning in each for each in found.warnings)


def test_nothing_odd_is_said_of_other_peoples_variables() -> None:
    """Nor of an ordinary environment."""
    environ = {"HOME": "/h", "PATH": "/p", "FOOT_PRINT": "1", "TELEMETRY_ID": "x", "FOO_SPAN": "1", "FOTSPAN_X": ""}
    found = survey(environ=environ, overrides={"destinations": {"console": {}}})

    assert (found.problems, found.warnings) == ((), ())


SECRET = "s3cret-" * 4


@pytest.mark.parametrize(
    "environ",
    [
        {"FOOTSPAN_DESTINATIONS_OTLP_HEADERS": f"x-key={SECRET}", "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": "https://h"},
        {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": f"https://h/x?token={SECRET}"},
        {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": f"https://h/{SECRET}/x"},
        {"FOOTSPAN_IDENTITY_SECRET": SECRET},
        {"FOOTSPAN_SESSIONS_SECRET": SECRET, "FOOTSPAN_SESSIONS_PREVIOUS_SECRET": SECRET},
        {"FOOTSPAN_DESTINATIONS_TRACE_TELEMETRY_API_KEY": SECRET},
        {"FOOTSPAN_DESTINATIONS_OTLP_HEADERS": SECRET, "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": "https://h"},
    ],
)
def test_nothing_secret_is_shown(environ: dict[str, str]) -> None:
    """Neither as a value nor in a problem."""
    found = survey(environ={**environ, "FOOTSPAN_DESTINATIONS_TRACE_TELEMETRY_ENABLED": "false"})

    assert SECRET not in repr(found)
    assert SECRET not in "".join(map(str, [*found.problems, *found.warnings, *(each.text for each in found.values)]))


@pytest.mark.parametrize("path", PLACES, ids=".".join)
def test_a_value_is_shown_as_it_is_written(path: tuple[str, ...]) -> None:
    """What is shown can be put into the environment again, unless a part of it is secret."""
    declared = general()[path] if path in general() else of_type(path[1])[path[2:]]
    text, value = sample(declared.kind)
    off: dict[str, Any] = {"destinations": {path[1]: {"enabled": False}}} if path[0] == "destinations" else {}
    found = survey(environ={environment_name(path): text}, overrides=off)
    (shown,) = [each for each in found.values if each.path == path]

    if declared.kind.mask is None:
        assert declared.kind.read(shown.text) == value
    else:
        assert shown.text == declared.kind.show(declared.kind.mask(value))
