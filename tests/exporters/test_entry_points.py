"""The exporters by their names: as the SDK finds them, and as a declarative configuration file makes them."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.configuration import configure_sdk, load_config_file
from opentelemetry.sdk._configuration import _import_exporters
from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.trace.export import SpanExporter

from exporters.making import PAGE
from footspan import exporters
from footspan.instrumentation.choice import EXPORTERS, is_ours

if TYPE_CHECKING:
    from pathlib import Path

    from servers.umami import UmamiServer

GROUPS = {"opentelemetry_logs_exporter": LogRecordExporter, "opentelemetry_traces_exporter": SpanExporter}
CONFIGURATION = """
file_format: "1.0"
tracer_provider:
  processors:
    - simple: {{exporter: {{umami: {{url: "{url}", website: {website}, spans: ["db.*"]}}}}}}
logger_provider:
  processors:
    - batch: {{exporter: {{umami: {{url: "${{UMAMI_URL}}", website: {website}, events: ["order.*"], timeout: 5s}}}}}}
    - simple: {{exporter: {{footspan_console: }}}}
"""


def ours(group: str) -> dict[str, Any]:
    """The installed entry points that lead to footspan, loaded."""
    return {each.name: each.load() for each in entry_points(group=group) if each.value.startswith("footspan.")}


@pytest.mark.parametrize("group", GROUPS)
def test_every_name_leads_to_an_exporter(group: str) -> None:
    """Of its signal, and one that is public."""
    found = ours(group)
    assert set(found) == EXPORTERS
    for name, exporter in found.items():
        assert issubclass(exporter, GROUPS[group]), name
        assert getattr(exporters, exporter.__name__) is exporter
        assert is_ours(name)


def test_no_name_is_somebody_elses() -> None:
    """Two entry points of one name: whichever is found first would win."""
    for group in GROUPS:
        names = [each.name for each in entry_points(group=group)]
        assert not {name for name in EXPORTERS if names.count(name) > 1}


def test_the_sdk_takes_them(umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """``OTEL_LOGS_EXPORTER=umami``: imported by name, checked by class, called without arguments."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_URL", umami_server.url)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE", umami_server.website)
    for kind in ("DASH_TRACKER", "OPENTRACE", "TRACE_TELEMETRY"):
        monkeypatch.setenv(f"FOOTSPAN_DESTINATIONS_{kind}_URL", "http://127.0.0.1:9/never/asked")
    names = sorted(EXPORTERS)
    spans, _, logs = _import_exporters(names, [], names)
    assert set(spans) == set(logs) == EXPORTERS
    made: list[Any] = [*spans.values(), *logs.values()]
    for each in made:
        each().shutdown()


def test_a_configuration_file_makes_them(
    umami_server: UmamiServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Keywords under the exporter's name; variables in them are the file's own matter."""
    file = tmp_path / "otel.yaml"
    file.write_text(CONFIGURATION.format(url=umami_server.url, website=umami_server.website))
    monkeypatch.setenv("UMAMI_URL", umami_server.url)
    configure_sdk(load_config_file(str(file)))
    tracer = trace.get_tracer("tests")
    with tracer.start_as_current_span("GET /tea", kind=trace.SpanKind.SERVER, attributes=PAGE):
        tracer.start_span("SELECT users", attributes={"db.system.name": "x"}).end()
    provider: Any = get_logger_provider()
    for name in ("order.paid", "user.seen"):
        provider.get_logger("app").emit(timestamp=1, event_name=name)
    provider.force_flush()
    assert len(umami_server.page_views()) == 1
    assert sorted(row["event_name"] for row in umami_server.events()) == ["SELECT users", "order.paid"]
    assert "user.seen" in capsys.readouterr().err
    provider.shutdown()
