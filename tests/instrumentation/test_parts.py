"""Footspan's processors in providers that others have made, and the private names that takes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind

import footspan
from footspan import _otel
from footspan.config.load import load_settings
from footspan.instrumentation.parts import Parts
from footspan.pipeline import FootspanLogProcessor, configure
from footspan.processors.page_views import PageViewSpanProcessor
from footspan.processors.spans import RedactingSpanProcessor
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from servers.otlp import OtlpSink

PAGE: dict[str, Any] = {
    "http.request.method": "GET",
    "url.path": "/tea",
    "http.response.status_code": 200,
    "http.response.header.content_type": ["text/html"],
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}


class Collecting(LogRecordProcessor):
    """Keeps what it is given, as an exporter would see it later."""

    def __init__(self) -> None:
        self.attributes: list[dict[str, Any]] = []

    def on_emit(self, log_record: Any) -> None:
        self.attributes.append(dict(log_record.log_record.attributes))

    def shutdown(self) -> None:
        self.attributes.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def parts() -> Parts:
    """The parts of the process's pipeline."""
    pipeline = configure(load_settings())
    assert pipeline is not None
    return Parts(pipeline)


def provide(*processors: SpanProcessor, sampler: Any = ALWAYS_ON) -> TracerProvider:
    """An app's own tracer provider."""
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    for processor in processors:
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    return provider


def test_events_go_to_the_spool_before_others_see_them() -> None:
    """In an app's logger provider ours stands first, so that the app's exporters get clean records."""
    provider = LoggerProvider(shutdown_on_exit=False)
    other = Collecting()
    provider.add_log_record_processor(other)
    _otel.install_logger_provider(provider)
    parts().attach(())
    footspan.track("order.placed", note="for jane@private.example")

    assert [event.attributes["note"] for event in spooled()] == ["for [contact]"]
    assert [attributes["note"] for attributes in other.attributes] == ["for [contact]"]


def test_page_views_of_an_apps_own_provider_at_any_rate() -> None:
    """The app samples nothing; its pages are counted, and its exporter still gets no span."""
    exporter = InMemorySpanExporter()
    provider = provide(SimpleSpanProcessor(exporter), sampler=ALWAYS_OFF)
    parts().attach(())
    provider.get_tracer("app").start_span("GET /tea", kind=SpanKind.SERVER, attributes=PAGE).end()

    assert [event.name for event in spooled()] == ["footspan.page_view"]
    assert exporter.get_finished_spans() == ()


def test_what_an_apps_exporter_gets_is_redacted() -> None:
    """Its exporting processors are wrapped; others, which may change spans as they start, are left as they are."""
    exporter = InMemorySpanExporter()
    other = SpanProcessor()
    provider = provide(other, SimpleSpanProcessor(exporter))
    parts().attach(())
    provider.get_tracer("app").start_span("work", attributes={"note": "for jane@private.example"}).end()

    [span] = exporter.get_finished_spans()
    assert (span.attributes or {})["note"] == "for [contact]"
    processors = provider._active_span_processor._span_processors
    assert [type(each) for each in processors] == [PageViewSpanProcessor, SpanProcessor, RedactingSpanProcessor]
    assert processors[1] is other


def test_joining_twice_is_joining_once() -> None:
    """A second time nothing is wrapped again and nothing counted twice."""
    exporter = InMemorySpanExporter()
    provider = provide(SimpleSpanProcessor(exporter))
    _otel.install_logger_provider(LoggerProvider(shutdown_on_exit=False))
    for _ in range(2):
        parts().attach(())
    provider.get_tracer("app").start_span("GET /tea", kind=SpanKind.SERVER, attributes=PAGE).end()

    assert len(spooled()) == 1
    assert len(exporter.get_finished_spans()) == 1
    logger_provider = _otel.sdk_logger_provider()
    assert [type(each) for each in _otel.processors_of(logger_provider)] == [FootspanLogProcessor]


def test_without_providers_events_still_go_somewhere() -> None:
    """An app without OpenTelemetry gets a logger provider for its events, and no tracer provider."""
    parts().attach(())
    footspan.track("order.placed")

    assert [event.name for event in spooled()] == ["order.placed"]
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)


def test_no_page_views_means_none_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With page views switched off the sampler is the app's own."""
    monkeypatch.setenv("FOOTSPAN_PAGE_VIEWS_ENABLED", "false")
    provider = provide(sampler=ALWAYS_OFF)
    parts().attach(())

    assert provider.sampler is ALWAYS_OFF
    assert not provider.get_tracer("app").start_span("x", kind=SpanKind.SERVER).is_recording()


def test_spans_go_on_when_the_app_calls_init(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """New settings from code exchange the pipeline; spans still leave, redacted, and end with the new one."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp_sink.url)
    provider = provide()
    parts().attach([each for each in load_settings().destinations if each.type == "otlp"])
    footspan.init(service_name="by code")
    provider.get_tracer("app").start_span("work", attributes={"note": "for jane@private.example"}).end()
    footspan.shutdown(2.0)

    assert otlp_sink.wait_for(lambda: otlp_sink.spans)
    [span] = otlp_sink.spans
    assert span["attributes"]["note"] == "for [contact]"


class Hanging(SpanExporter):
    """Takes its time."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.leave = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Wait to be let go."""
        self.entered.set()
        self.leave.wait(20)
        return SpanExportResult.SUCCESS


def test_a_batch_processor_is_shut_down_in_time() -> None:
    """Its own shutdown would wait for half a minute; ours keeps the time it is given."""
    exporter = Hanging()
    batch = BatchSpanProcessor(exporter, schedule_delay_millis=20)
    provider = provide(batch)
    provider.get_tracer("app").start_span("x").end()
    assert exporter.entered.wait(10)
    began = time.monotonic()
    _otel.shut_down_batch(batch, 0.2)
    took = time.monotonic() - began
    exporter.leave.set()

    assert 0.15 < took < 2.0


def test_a_processor_that_is_no_batch_is_shut_down_plainly() -> None:
    """Without a time to give it is asked to stop as the SDK would."""
    exporter = InMemorySpanExporter()
    _otel.shut_down_batch(SimpleSpanProcessor(exporter), 1.0)
    assert exporter._stopped


def test_span_processors_of_a_strange_provider_stay() -> None:
    """Where the private names are gone, nothing is changed, and it says so."""
    assert not _otel.change_span_processors(object(), lambda there: there)
