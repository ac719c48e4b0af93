"""A declarative configuration file under our configurator: its providers are joined, its mistakes quoted nowhere."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import get_logger
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

import footspan
from footspan import _otel
from footspan.instrumentation import startup
from footspan.instrumentation.configurator import FootspanConfigurator
from footspan.pipeline import FootspanLogProcessor
from instrumentation.test_parts import PAGE
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from servers.otlp import OtlpSink

    Configure = Callable[[str], None]

CANARY = "hunter2secret"


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("REQUEST", "RESPONSE"):  # defaults that the configurator sets
        monkeypatch.setenv(f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_{name}", "accept")
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    startup.reset()
    yield
    startup.reset()
    provider: Any
    for provider in (trace.get_tracer_provider(), _otel.sdk_logger_provider()):
        if hasattr(provider, "shutdown"):
            provider.shutdown()


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Starts by a file with this content."""

    def start(text: str) -> None:
        file = tmp_path / "otel.yaml"
        file.write_text(
            f'file_format: "1.0"\nresource: {{attributes: [{{name: team, value: "{CANARY}@x.example"}}]}}\n{text}'
        )
        monkeypatch.setenv("OTEL_CONFIG_FILE", str(file))
        FootspanConfigurator().configure(auto_instrumentation_version="1")

    return start


def emit() -> None:
    """A span of a page, an event and a plain record, all with somebody's address."""
    note = {"note": f"write to {CANARY}@x.example"}
    tracer = trace.get_tracer("app")
    tracer.start_span("GET /", kind=SpanKind.SERVER, attributes={**PAGE, **note}).end()
    with footspan.context(tenant="t_1"):
        footspan.track("order.placed", **note)
    get_logger("app").emit(event_name="order.seen", attributes=note, body=note["note"])
    get_logger("app").emit(attributes=note, body=note["note"])


BOTH = """
tracer_provider:
  processors:
    - {kind}: {{exporter: {{otlp_http: {{endpoint: "{url}/v1/traces"}}}}}}
    - {kind}: {{exporter: {{footspan_otlp: {{endpoint: "{url}"}}}}}}
logger_provider:
  processors:
    - {kind}: {{exporter: {{otlp_http: {{endpoint: "{url}/v1/logs"}}}}}}
    - {kind}: {{exporter: {{footspan_otlp: {{endpoint: "{url}"}}}}}}
"""


@pytest.mark.parametrize("kind", ["batch", "simple"])
def test_what_every_exporter_gets_is_clean(kind: str, configure: Configure, otlp_sink: OtlpSink) -> None:
    """Ours and the SDK's, several processors of a kind; events, page views and context are there."""
    configure(BOTH.format(kind=kind, url=otlp_sink.url))
    emit()
    provider: Any
    for provider in (trace.get_tracer_provider(), _otel.sdk_logger_provider()):
        provider.force_flush()

    stored = {event.name: event for event in spooled()}
    assert sorted(stored) == ["footspan.page_view", "order.placed", "order.seen"]
    assert stored["order.placed"].attributes["tenant"] == "t_1"
    assert stored["order.placed"].resource["team"] == "[contact]"
    assert len(otlp_sink.spans) == 2
    assert len(otlp_sink.logs) == 8
    everything = str((otlp_sink.spans, otlp_sink.logs, [event.record for event in spooled()]))
    assert CANARY not in everything


def test_without_a_logger_provider_one_is_made(configure: Configure) -> None:
    """With the file's resource, since it tells of the same process."""
    configure("tracer_provider: {processors: [{simple: {exporter: {console: }}}]}")
    footspan.track("order.placed")

    provider = _otel.sdk_logger_provider()
    assert [type(each) for each in _otel.processors_of(provider)] == [FootspanLogProcessor]
    [event] = spooled()
    assert event.resource["team"] == "[contact]"


def test_with_no_provider_at_all(configure: Configure) -> None:
    """Events are kept all the same."""
    configure("")
    footspan.track("order.placed")
    assert [event.name for event in spooled()] == ["order.placed"]


def test_pages_count_at_any_rate(configure: Configure) -> None:
    """The file's sampler drops everything; tracers that its instrumentations hold do not."""
    configure("tracer_provider: {sampler: {always_off: }, processors: [{simple: {exporter: {console: }}}]}")
    emit()
    assert "footspan.page_view" in {event.name for event in spooled()}


def test_a_processor_that_is_added_later_sees_clean_spans(configure: Configure) -> None:
    """An app adds an exporter of its own in code."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415 - one test needs it
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: PLC0415 - the same

    configure("tracer_provider: {processors: [{simple: {exporter: {console: }}}]}")
    exporter = InMemorySpanExporter()
    provider: Any = trace.get_tracer_provider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    emit()
    [span] = exporter.get_finished_spans()
    assert (span.attributes or {})["note"] == "write to [contact]"


SPANS_TO = "tracer_provider: {{processors: [{{simple: {{exporter: {{{}}}}}}}]}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"tracer_provider: {CANARY}", "at tracer_provider: found what does not fit the schema (type object)"),
        (f"logger_provider: {{processors: [], {CANARY[:5]}limit: 1}}", "did you mean limits?"),
        (
            f"tracer_provider: {{processors: [{{batch: {{exporter: {{otlp_http: {{headers: {CANARY}}}}}}}}}]}}",
            "headers",
        ),
        (
            f"tracer_provider: {{processors: [{{simple: {{exporter: {{nobody: {{key: {CANARY}}}}}}}}}]}}",
            "load_entry_point",
        ),
        (
            f"tracer_provider: {{processors: [{{simple: {{exporter: {{umami: {{url: {CANARY}}}}}}}}}]}}",
            "UmamiSpanExporter",
        ),
    ],
)
def test_a_file_that_cannot_be_used(
    text: str, said: str, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    """One line tells the place, no line what stood there; the app runs on, and its events are kept."""
    caplog.set_level(logging.DEBUG)
    configure(text)
    footspan.track("order.placed", note=f"{CANARY}@x.example")

    assert [event.name for event in spooled()] == ["order.placed"]
    log = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    [line] = [record.getMessage() for record in caplog.records if "OTEL_CONFIG_FILE=" in record.getMessage()]
    assert said in line
    assert CANARY not in log


def test_one_that_is_no_yaml(configure: Configure, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows what it says of privacy, so nothing is recorded, and nothing of OpenTelemetry's is set up."""
    caplog.set_level(logging.DEBUG)
    configure(f"tracer_provider: [{CANARY}")
    footspan.track("order.placed")

    assert spooled() == []
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)
    log = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert "footspan is off" in log
    assert "not valid YAML" in log
    assert CANARY not in log


def test_refused_settings_leave_no_exporter_without_redaction(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake in our settings does not have the SDK send what our redaction would have removed."""
    monkeypatch.setenv("FOOTSPAN_COURIER", "pigeon")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    FootspanConfigurator().configure()
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)
    assert "OpenTelemetry is not set up either" in caplog.text


def test_disabled(configure: Configure) -> None:
    """``disabled: true`` is for us as well."""
    configure("disabled: true")
    footspan.track("order.placed")
    assert spooled() == []
