"""One destination by itself: the same sources, in the same order, and nothing of other destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from footspan.config import ConfigurationError
from footspan.config.one import load_destination
from footspan.destinations.otlp_spans import for_traces

if TYPE_CHECKING:
    from pathlib import Path

UMAMI = {"url": "https://u.example", "website": "w"}
URL = "FOOTSPAN_DESTINATIONS_UMAMI_URL"


def options_of(environ: dict[str, str], kind: str = "umami", /, **how: Any) -> dict[str, Any]:
    """The options that are loaded."""
    one = load_destination(kind, environ=environ, **how)
    assert one is not None
    return dict(one.destination.options)


def test_code_wins_over_environment_over_file(tmp_path: Path) -> None:
    """As for a pipeline."""
    file = tmp_path / "f.yaml"
    file.write_text(
        "telemetry: {page_views: {ignore_routes: [/x]}, destinations: {umami: {url: 'http://f', website: f, tag: f}}}"
    )
    environ = {"FOOTSPAN_CONFIG": str(file), URL: "http://e", "FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE": "e"}
    found = options_of(environ, options={"url": "http://c", "hostname": None})
    assert (found["url"], found["website"], found["tag"]) == ("http://c", "e", "f")
    assert "hostname" not in found
    one = load_destination("umami", environ=environ)
    assert one is not None
    assert one.page_views.ignore_routes == ("/x",)


def test_others_do_not_matter(tmp_path: Path) -> None:
    """Neither one at the same place nor one that cannot be used."""
    file = tmp_path / "f.yaml"
    file.write_text("telemetry: {destinations: {stats: {type: umami, url: 'http://c', website: w}, otlp: {}}}")
    found = options_of({"FOOTSPAN_CONFIG": str(file)}, options={"url": "http://c", "website": "w"})
    assert found["url"] == "http://c"


def test_keys_for_another_place_are_not_taken_along() -> None:
    """Headers of OpenTelemetry's variables belong to their endpoint."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318", "OTEL_EXPORTER_OTLP_HEADERS": "key=secret"}
    assert options_of(environ, "otlp")["headers"] == {"key": "secret"}
    assert "headers" not in options_of(environ, "otlp", options={"endpoint": "http://b:4318"})


def test_traces_have_variables_of_their_own() -> None:
    """And those for logs are not theirs."""
    environ = {
        "OTEL_EXPORTER_OTLP_HEADERS": "a=common",
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "a=logs",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://logs/x",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces/x",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "3",
    }
    spans = load_destination("otlp", environ=environ, traces=True)
    assert spans is not None
    assert spans.destination.timeout == 3.0
    assert spans.destination.options["headers"] == {"a": "common"}
    assert spans.destination.options["traces_endpoint"] == "http://traces/x"
    assert "logs_endpoint" not in spans.destination.options
    assert options_of(environ, "otlp")["headers"] == {"a": "logs"}


@pytest.mark.parametrize("switch", ["TELEMETRY_ENABLED", "FOOTSPAN_ENABLED"])
def test_switched_off(switch: str) -> None:
    """Nothing else is asked for then."""
    assert load_destination("umami", environ={switch: "false"}) is None


def test_errors_name_the_caller() -> None:
    """And quote nothing that may be secret."""
    with pytest.raises(ConfigurationError) as caught:
        load_destination("umami", None, {**UMAMI, "tga": "secret"}, caller="UmamiLogExporter", environ={})
    assert str(caught.value).startswith(
        "UmamiLogExporter(tga): found an unknown key. Did you mean UmamiLogExporter(tag)?"
    )
    assert "secret" not in str(caught.value)


def test_code_outranks_the_variables_for_spans() -> None:
    """A keyword means what it says, whichever signal it is for."""
    environ = {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "key=env", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "3"}
    one = load_destination("otlp", None, {"headers": {"key": "code"}}, traces=True, environ=environ)
    assert one is not None
    settings = for_traces(one.destination)
    assert (settings.options["headers"], settings.timeout) == ({"key": "code"}, 3.0)
