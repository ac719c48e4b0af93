"""The installed distribution: what it declares is there and works."""

from __future__ import annotations

import inspect
import re
from importlib import metadata
from pathlib import Path

import pytest

import footspan

PROJECT = Path(__file__).parent.parent.parent
ENTRY_POINTS = sorted(metadata.distribution("footspan").entry_points, key=lambda entry: (entry.group, entry.name))


def pins() -> dict[str, str]:
    """The pinned requirements, each with its first version."""
    text = (PROJECT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def test_the_installed_version_is_the_sources() -> None:
    """What runs is what is read."""
    assert metadata.version("footspan") == footspan.__version__


def test_there_is_no_instruments_extra() -> None:
    """Auto-instrumentation would read it and refuse all our instrumentors unless every framework were installed."""
    extras = metadata.metadata("footspan").get_all("Provides-Extra") or []

    assert "all" in extras
    assert "instruments" not in extras


@pytest.mark.parametrize("entry", ENTRY_POINTS, ids=lambda entry: f"{entry.group}:{entry.name}")
def test_every_entry_point_loads(entry: metadata.EntryPoint) -> None:
    """OpenTelemetry and the shell find what the metadata promises."""
    loaded = entry.load()

    if entry.group in {"opentelemetry_environment_variables", "dash_hooks"}:
        assert inspect.ismodule(loaded)
    else:
        assert callable(loaded)


def test_the_distro_declares_itself_to_opentelemetry() -> None:
    """Without these three names footspan would not be found without code."""
    declared = {(entry.group, entry.name) for entry in ENTRY_POINTS}

    for group in ("opentelemetry_distro", "opentelemetry_configurator", "opentelemetry_pre_instrument"):
        assert (group, "footspan") in declared
    assert ("console_scripts", "footspan") in declared


def test_every_requirement_is_pinned_with_a_hash() -> None:
    """What a fresh machine installs is what was tested, byte for byte."""
    text = (PROJECT / "requirements" / "dev.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line and not line.startswith("#")]

    assert len(requirements) > 50
    assert all("==" in line and "--hash=sha256:" in line for line in requirements)


def test_the_pins_cover_what_the_project_asks_for() -> None:
    """A requirement added to ``pyproject.toml`` needs ``make constraints``."""
    wanted = {
        re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")
        for requirement in metadata.requires("footspan") or []
    }

    assert wanted - {"footspan"} <= set(pins())


def test_the_pins_name_no_address() -> None:
    """They are read on every machine, whatever index it uses."""
    text = (PROJECT / "requirements" / "dev.txt").read_text(encoding="utf-8")

    assert "://" not in text
    assert not re.search(r"^(-i|-f|--(extra-)?index-url|--find-links)\b", text, re.MULTILINE)
