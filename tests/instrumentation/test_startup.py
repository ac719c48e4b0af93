"""Settings under auto-instrumentation: read once, and never an exception for the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import footspan
from footspan.instrumentation import startup, web_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    startup.reset()
    yield
    startup.reset()


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Distro, configurator and hook work by the same settings, whatever changes in between."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    first = startup.settings_in_force()
    monkeypatch.setenv("OTEL_SERVICE_NAME", "another")
    assert first is not None
    assert first.service.name == "shop"
    assert startup.settings_in_force() is first


@pytest.mark.parametrize(
    ("name", "value"), [("TELEMETRY_ENABLED", "false"), ("OTEL_SDK_DISABLED", "True"), ("FOOTSPAN_ENABLED", "no")]
)
def test_off_switches(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Switched off means no settings, so nothing of ours is set up."""
    monkeypatch.setenv(name, value)
    assert startup.settings_in_force() is None


def test_a_bad_configuration_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Key, finding and fix stand in one log line; the app's own calls do nothing and say nothing more."""
    monkeypatch.setenv("FOOTSPAN_COURIER", "carrier-pigeon")
    assert startup.settings_in_force() is None
    assert startup.settings_in_force() is None
    footspan.track("order.placed")
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert "FOOTSPAN_COURIER" in record.getMessage()
    assert "thread" in record.getMessage()


@pytest.mark.parametrize(("enabled", "expected"), [("true", 1), ("false", 0)])
def test_sessions_are_given_if_the_settings_say_so(
    monkeypatch: pytest.MonkeyPatch, enabled: str, expected: int
) -> None:
    """Once, whoever asks how often."""
    monkeypatch.setenv("FOOTSPAN_SESSIONS_ENABLED", enabled)
    settings = startup.settings_in_force()
    assert settings is not None
    startup.give_sessions(settings)
    startup.give_sessions(settings)
    assert expected == len(web_sessions._installed)
    web_sessions.reset()
