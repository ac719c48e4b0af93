"""Our settings in OpenTelemetry's declarative configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from footspan.config import ConfigurationError, load_settings
from footspan.config.one import load_destination
from footspan.config.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the file, which the environment names."""
    file = tmp_path / "otel.yaml"
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(file))
    monkeypatch.chdir(tmp_path)

    def written(text: str) -> None:
        file.write_text(f'file_format: "1.0"\n{text}')

    return written


def test_the_section_of_the_distribution_is_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys are those of our own file; references are filled."""
    monkeypatch.setenv("SITE", "7c3f9f2e-0000-4000-8000-000000000000")
    write(
        "distribution:\n  footspan:\n    exit_timeout: 3s\n"
        "    destinations: {umami: {url: 'https://u.example', website: '${env:SITE}'}}\n"
    )
    settings = load_settings()
    [umami] = settings.destinations
    assert (settings.exit_timeout, umami.options["website"]) == (3.0, "7c3f9f2e-0000-4000-8000-000000000000")


def test_what_wins(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code, then the environment, then our file, then this one, then the default."""
    write("distribution: {footspan: {exit_timeout: 1s}}")
    assert load_settings().exit_timeout == 1.0
    (tmp_path / "footspan.yaml").write_text("telemetry: {exit_timeout: 2s}")
    assert load_settings().exit_timeout == 2.0
    monkeypatch.setenv("FOOTSPAN_EXIT_TIMEOUT", "3s")
    assert load_settings().exit_timeout == 3.0
    assert load_settings(overrides={"exit_timeout": 4}).exit_timeout == 4.0


def test_an_exporter_by_itself_obeys_it_too(write: Write) -> None:
    """Its destination's options, and page views."""
    write("distribution: {footspan: {page_views: {enabled: false}, destinations: {console: {format: json}}}}")
    one = load_destination("console")
    assert one is not None
    assert (one.destination.options["format"], one.page_views.enabled) == ("json", False)


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("distribution: {footspan: {exit_timeut: 1s}}", "distribution.footspan.exit_timeut", "exit_timeout"),
        ("distribution: {fotspan: {exit_timeout: 1s}}", "distribution.footspan", "`fotspan`"),
        ("distribution: {footspan: {courier: pigeon}}", "distribution.footspan.courier", "thread"),
        ("distribution: {footspan: hunter2}", "distribution.footspan", "Write a mapping"),
        ("distribution: hunter2", "distribution", "no mapping"),
        ("distribution: {footspan: {debug: true, debug: false}}", "otel.yaml, line 2", "second time"),
        ("distribution: {footspan: [hunter2", "otel.yaml, line", "not valid YAML"),
        ("disabled: maybe", "disabled", "Write true or false"),
    ],
)
def test_mistakes_are_named(write: Write, text: str, key: str, said: str) -> None:
    """With the nearest key; no value is quoted."""
    write(text)
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    assert key in raised.value.key
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_what_is_not_ours_is_not_examined(write: Write) -> None:
    """Keys twice and other distributions in the rest of the file are the SDK's matter."""
    write("propagator: {composite: [{b3: }], composite: []}\ndistribution: {other: {x: 1}}\ntracer_provider: 7\n")
    assert load_settings().destinations == ()


@pytest.mark.parametrize(
    "resource", ["attributes: [{name: service.name, value: shop}]", "attributes_list: service.name=shop"]
)
def test_the_service_is_the_resources(write: Write, monkeypatch: pytest.MonkeyPatch, resource: str) -> None:
    """Unless somebody names it for footspan or for OpenTelemetry as a whole."""
    write(f"resource: {{{resource}}}")
    assert load_settings().service.name == "shop"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "kiosk")
    assert load_settings().service.name == "kiosk"


def test_an_sdk_that_is_disabled_is_footspan_disabled(write: Write) -> None:
    """As by ``OTEL_SDK_DISABLED``: whatever else is set; it is shown where that comes from."""
    write("disabled: true\ndistribution: {footspan: {enabled: true}}")
    assert not load_settings(overrides={"enabled": True}).enabled
    [shown] = [each for each in survey().values if each.name == "enabled"]
    assert (shown.value, shown.by.endswith("otel.yaml")) == (False, True)


def test_no_file_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What names it is named."""
    monkeypatch.setenv("OTEL_CONFIG_FILE", "/nowhere/otel.yaml")
    with pytest.raises(ConfigurationError, match="OTEL_CONFIG_FILE"):
        load_settings()
