"""Exporters of ours in providers that a pipeline has joined: nothing arrives twice, and nothing is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import SpanKind

import footspan
from exporters.making import PAGE
from footspan import _otel
from footspan.config import load_settings
from footspan.exporters import OtlpLogExporter, UmamiLogExporter, UmamiSpanExporter
from footspan.instrumentation.parts import Parts
from footspan.pipeline import configure

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer


def spooled_umami(server: UmamiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline's destination, which the exporters' settings are too."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_URL", server.url)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE", server.website)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_SPANS", "db.*")


def join() -> None:
    """What the hook does beside another distro."""
    pipeline = configure(load_settings())
    assert pipeline is not None
    Parts(pipeline).attach(())


def providers(*log_exporters: Any, span_exporter: Any = None) -> tuple[LoggerProvider, TracerProvider]:
    """An application's providers, with exporters of ours."""
    logs, spans = LoggerProvider(), TracerProvider()
    for exporter in log_exporters:
        logs.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    set_logger_provider(logs)
    if span_exporter is not None:
        spans.add_span_processor(SimpleSpanProcessor(span_exporter))
    trace.set_tracer_provider(spans)
    return logs, spans


def test_events_leave_by_the_spool_alone(umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """``track`` starts a pipeline in a provider that exports to the same place."""
    spooled_umami(umami_server, monkeypatch)
    exporter = UmamiLogExporter()
    providers(exporter)
    footspan.track("order.paid")
    assert not any(footspan.flush(20).values())
    assert [row["event_name"] for row in umami_server.events()] == ["order.paid"]
    assert exporter.status()["passed_over"] == 1


def test_other_places_and_plain_logs_go_on(
    umami_server: UmamiServer, otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the pipeline carries is left to it."""
    spooled_umami(umami_server, monkeypatch)
    logs, _ = providers(OtlpLogExporter(endpoint=otlp_sink.url))
    footspan.track("order.paid")
    logs.get_logger("app").emit(body="plain")
    assert not any(footspan.flush(20).values())
    assert [each["name"] for each in otlp_sink.logs] == ["order.paid", ""]
    assert [row["event_name"] for row in umami_server.events()] == ["order.paid"]


def page_and_query(provider: TracerProvider) -> None:
    """A page, and a query for it."""
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span("GET /tea", kind=SpanKind.SERVER, attributes=PAGE):
        tracer.start_span("SELECT users", attributes={"db.system.name": "x"}).end()


def test_a_span_is_sent_once(umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page views and named spans are events of the pipeline's, so the span exporter leaves them."""
    spooled_umami(umami_server, monkeypatch)
    _, spans = providers(UmamiLogExporter(), span_exporter=UmamiSpanExporter())
    join()
    page_and_query(spans)
    assert not any(footspan.flush(20).values())
    assert len(umami_server.page_views()) == 1
    assert [row["event_name"] for row in umami_server.events()] == ["SELECT users"]


def test_a_page_view_that_a_log_exporter_sends_is_not_sent_again(
    umami_server: UmamiServer, otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline goes elsewhere; its page views pass the log exporter beside it, to the span exporter's place."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    there: dict[str, Any] = {"url": umami_server.url, "website": umami_server.website}
    _, spans = providers(UmamiLogExporter(**there), span_exporter=UmamiSpanExporter(**there, spans="db.*"))
    join()
    page_and_query(spans)
    assert not any(footspan.flush(20).values())
    assert len(umami_server.page_views()) == 1
    assert [row["event_name"] for row in umami_server.events()] == ["SELECT users"]
    assert [each["name"] for each in otlp_sink.events] == ["footspan.page_view"]


def test_without_another_way_the_span_exporter_goes_on(
    umami_server: UmamiServer, otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page views that reach Umami in no other way must not be left out."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    exporter = UmamiSpanExporter(url=umami_server.url, website=umami_server.website)
    _, spans = providers(span_exporter=exporter)
    join()
    page_and_query(spans)
    assert len(umami_server.page_views()) == 1


@pytest.mark.parametrize("log_processor", [BatchLogRecordProcessor, SimpleLogRecordProcessor])
@pytest.mark.parametrize("span_processor", [BatchSpanProcessor, SimpleSpanProcessor])
def test_the_exporters_of_the_sdks_processors_are_found(
    log_processor: Callable[..., Any], span_processor: Callable[..., Any], otlp_sink: OtlpSink
) -> None:
    """The private names that takes, for each processor the SDK has; behind our wrapper too."""
    logs, spans = LoggerProvider(), TracerProvider()
    log_exporter = OtlpLogExporter(endpoint=otlp_sink.url)
    span_exporter = UmamiSpanExporter(url=otlp_sink.url, website="6f3a1f0e-5f0a-4a52-9a6e-0f7a3f5f2c11")
    logs.add_log_record_processor(log_processor(log_exporter))
    spans.add_span_processor(span_processor(span_exporter))
    assert _otel.exporters_of(logs) == [log_exporter]
    assert _otel.exporters_of(spans) == [span_exporter]
    trace.set_tracer_provider(spans)
    join()
    assert _otel.exporters_of(spans) == [span_exporter]
    logs.shutdown()
    spans.shutdown()
