"""The environment: names, switches, what is unknown and what is not ours."""

from __future__ import annotations

import pytest

from footspan.config import ConfigurationError, load_settings
from footspan.config.declarations import environment_name, general, of_type
from footspan.config.options import DESTINATION_TYPES


def refusal(environ: dict[str, str]) -> ConfigurationError:
    """What loading raises."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ=environ)
    return caught.value


def test_every_name_means_one_setting() -> None:
    """No two settings share a variable."""
    paths = [*general(), *(("destinations", name, *path) for name in DESTINATION_TYPES for path in of_type(name))]

    assert len({environment_name(path) for path in paths}) == len(paths)


@pytest.mark.parametrize("switch", [{"TELEMETRY_ENABLED": "false"}, {"TELEMETRY_ENABLED": " OFF "}])
def test_the_old_switch_wins_over_everything(switch: dict[str, str]) -> None:
    """Code, environment and a broken file cannot switch on what this switches off."""
    environ = {**switch, "FOOTSPAN_ENABLED": "true", "FOOTSPAN_NONSENSE": "1", "FOOTSPAN_CONFIG": "missing.yaml"}

    assert load_settings(environ=environ, overrides={"enabled": True}).enabled is False


@pytest.mark.parametrize(("value", "enabled"), [("true", False), ("TRUE", False), ("1", True), ("no", True)])
def test_the_sdk_switch_wins_over_everything(value: str, enabled: bool) -> None:
    """As OpenTelemetry has it, only the word true counts."""
    assert load_settings(environ={"OTEL_SDK_DISABLED": value}, overrides={"enabled": True}).enabled is enabled


def test_a_switch_that_cannot_be_read_is_an_error() -> None:
    """A switch must not be guessed at."""
    assert refusal({"TELEMETRY_ENABLED": "perhaps"}).key == "TELEMETRY_ENABLED"
    assert refusal({"TELEMETRY_DEBUG": "perhaps"}).key == "TELEMETRY_DEBUG"


def test_old_names_stand_in_for_new_ones() -> None:
    """They rank as the environment does, below the new names."""
    assert load_settings(environ={"TELEMETRY_DEBUG": "true"}).debug
    assert not load_settings(environ={"TELEMETRY_DEBUG": "true", "FOOTSPAN_DEBUG": "false"}).debug
    assert load_settings(environ={"TELEMETRY_ENABLED": "true"}, overrides={"enabled": False}).enabled is False
    assert load_settings(environ={"TELEMETRY_ENABLED": "true", "FOOTSPAN_ENABLED": "0"}).enabled is False


@pytest.mark.parametrize(
    ("variable", "guess"),
    [
        ("FOOTSPAN_SPOOL_DIRECTRY", "FOOTSPAN_SPOOL_DIRECTORY"),
        ("FOOTSPAN_SERVICENAME", "FOOTSPAN_SERVICE_NAME"),
        ("FOOTSPAN_CONFIGURATION", "FOOTSPAN_CONFIG"),
        ("FOOTSPAN_spool_spans", "FOOTSPAN_SPOOL_SPANS"),
        ("FOOTSPAN_DESTINATIONS_UMAMI_WEBSIT", "FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE"),
        ("FOOTSPAN_DESTINATION_UMAMI_URL", "FOOTSPAN_DESTINATIONS_UMAMI_URL"),
        ("FOOTSPAN_DESTINATIONS_TRACE_TELEMETRY_APIKEY", "FOOTSPAN_DESTINATIONS_TRACE_TELEMETRY_API_KEY"),
    ],
)
def test_unknown_names_are_errors_with_the_nearest(variable: str, guess: str) -> None:
    """A mistyped variable must not be passed over."""
    error = refusal({variable: "s3cret"})

    assert error.key == variable
    assert error.fix == f"Did you mean {guess}?"
    assert "s3cret" not in str(error)


def test_an_unknown_key_of_an_own_name() -> None:
    """Names of destinations that the code declares are suggested, too, and keys are checked against their type."""
    overrides = {"destinations": {"second": {"type": "umami", "url": "http://h", "website": "w"}}}
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ={"FOOTSPAN_DESTINATIONS_SECOND_WEBSIT": "x"}, overrides=overrides)
    assert caught.value.fix == "Did you mean FOOTSPAN_DESTINATIONS_SECOND_WEBSITE?"

    with pytest.raises(ConfigurationError) as caught:
        load_settings(
            environ={"FOOTSPAN_DESTINATIONS_SECOND_LOGGER": "x"},
            overrides={"destinations": {"second": {"type": "otlp", "endpoint": "http://h"}}},
        )
    assert caught.value.key == "FOOTSPAN_DESTINATIONS_SECOND_LOGGER"

    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ={"FOOTSPAN_DESTINATIONS_SECOND_API_KEY": "x"}, overrides=overrides)
    assert caught.value.key == "FOOTSPAN_DESTINATIONS_SECOND_API_KEY"
    assert "Known keys of this destination: url, website" in caught.value.fix


def test_a_mistyped_destination() -> None:
    """A name that is no type needs one; the type that was probably meant is named."""
    error = refusal({"FOOTSPAN_DESTINATIONS_UMAMY_URL": "http://h"})

    assert error.key == "FOOTSPAN_DESTINATIONS_UMAMY_URL"
    assert "Did you mean umami?" in error.fix
    assert "FOOTSPAN_DESTINATIONS_UMAMY_TYPE" in error.fix


@pytest.mark.parametrize(
    "variable",
    [
        "FOOTSPAN_SEED_DOCS",
        "FOOTSPAN_TEST_ANYTHING",
        "FOOTSPAN_SERVICE_HOST",
        "FOOTSPAN_SERVICE_PORT",
        "FOOTSPAN_SERVICE_PORT_OTLP_HTTP",
        "FOOTSPAN_PORT",
        "FOOTSPAN_PORT_4318_TCP",
        "FOOTSPAN_PORT_4318_TCP_ADDR",
        "FOOTSPAN_GATEWAY_SERVICE_HOST",
    ],
)
def test_names_that_are_no_settings(variable: str) -> None:
    """What tests use and what Kubernetes puts beside a Service called footspan is passed over."""
    assert load_settings(environ={variable: "tcp://10.0.0.1:4318"}) == load_settings(environ={})


def test_an_empty_variable_is_not_set() -> None:
    """As in OpenTelemetry, whatever its name."""
    environ = {"FOOTSPAN_COURIER": "", "FOOTSPAN_SPOOL_MAX_AGE": "  ", "FOOTSPAN_NONSENSE": "", "TELEMETRY_ENABLED": ""}

    assert load_settings(environ=environ) == load_settings(environ={})


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument the process's own variables are read."""
    monkeypatch.setenv("FOOTSPAN_SERVICE_NAME", "shop")

    assert load_settings().service.name == "shop"
