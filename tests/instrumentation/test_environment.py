"""With several distros installed, footspan is chosen, unless somebody chose."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from footspan.instrumentation import environment

FOOTSPAN = EntryPoint("footspan", "footspan.instrumentation.distro:FootspanDistro", "opentelemetry_distro")
OTHER = EntryPoint("other", "other.distro:Other", "opentelemetry_distro")


def installed(monkeypatch: pytest.MonkeyPatch, *found: EntryPoint) -> None:
    """Say which distros are installed."""
    monkeypatch.setattr(environment, "entry_points", lambda *, group: EntryPoints(found).select(group=group))


def test_footspan_is_chosen_beside_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of them is found first."""
    installed(monkeypatch, OTHER, FOOTSPAN)
    environ: dict[str, str] = {}
    environment.prefer_footspan(environ)
    assert environ == {"OTEL_PYTHON_DISTRO": "footspan", "OTEL_PYTHON_CONFIGURATOR": "footspan"}


@pytest.mark.parametrize("chosen", [{"OTEL_PYTHON_DISTRO": "other"}, {"OTEL_PYTHON_CONFIGURATOR": "configurator"}])
def test_the_operators_choice_stands(monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str]) -> None:
    """One of the two variables is choice enough."""
    installed(monkeypatch, OTHER, FOOTSPAN)
    environ = dict(chosen)
    environment.prefer_footspan(environ)
    assert environ == chosen


def test_alone_there_is_nothing_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another distro the environment stays as it is."""
    installed(monkeypatch, FOOTSPAN)
    environ: dict[str, str] = {}
    environment.prefer_footspan(environ)
    assert environ == {}


def test_switched_off_it_stands_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A footspan that is off leaves the process to the other distro; a broken one takes it, to say what is wrong."""
    installed(monkeypatch, OTHER, FOOTSPAN)
    environ: dict[str, str] = {}
    monkeypatch.setenv("TELEMETRY_ENABLED", "false")
    environment.prefer_footspan(environ)
    assert environ == {}
    monkeypatch.setenv("TELEMETRY_ENABLED", "true")
    monkeypatch.setenv("FOOTSPAN_COURIER", "pigeon")
    environment.prefer_footspan(environ)
    assert environ["OTEL_PYTHON_DISTRO"] == "footspan"
