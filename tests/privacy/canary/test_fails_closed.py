"""A rule that raises: what it was to look at is replaced by a constant and counted, on every path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import footspan
from footspan import _guard
from footspan.exporters import OtlpLogExporter, OtlpSpanExporter
from footspan.pipeline import get_pipeline
from footspan.privacy import texts
from spooled import spooled

if TYPE_CHECKING:
    from servers.otlp import OtlpSink

NOTE = "write to jane@canary.example"
FAILED = "[redacted]"


@pytest.fixture(autouse=True)
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of e-mail addresses raises, with the text in its message."""

    def fail(text: str, *_: Any) -> str:
        raise RuntimeError(text)

    _guard.reraise_in_tests(False)
    monkeypatch.setattr(texts, "FINDERS", {**texts.FINDERS, "email": fail})


def failures() -> int:
    """How often the process's pipeline counted one."""
    pipeline = get_pipeline()
    assert pipeline is not None
    counters: Any = pipeline.spool.status()["counters"]
    return int(counters.get("redaction_failed", 0))


def test_an_event(caplog: pytest.LogCaptureFixture) -> None:
    """Name, key, value, nested value, body: a constant in the place of each, and the event is kept."""
    footspan.track("order.placed", note=NOTE, deep={"a": [NOTE], NOTE: 1}, innocent="tea")
    footspan.track(NOTE, **{NOTE: 1})
    _logs.get_logger("app").emit(event_name="order.seen", body=NOTE)

    placed, named, seen = spooled()
    assert placed.attributes["note"] == FAILED
    assert placed.attributes["deep"] == FAILED
    assert placed.attributes["innocent"] == "tea"
    assert (named.name, named.attributes[FAILED]) == (FAILED, 1)
    assert seen.record["body"] == {"stringValue": FAILED}
    assert failures() >= 5
    assert "canary" not in caplog.text


def test_the_resource_and_the_scope() -> None:
    """Of an app's own provider, for events and for spans."""
    resource = Resource({"note": NOTE, "team": "tea"})
    _logs.set_logger_provider(LoggerProvider(resource, shutdown_on_exit=False))
    footspan.init(service_name="shop")
    _logs.get_logger(NOTE).emit(event_name="order.seen")

    [event] = spooled()
    assert (event.resource["note"], event.resource["team"]) == (FAILED, "tea")
    assert failures() >= 2


def test_a_span() -> None:
    """Everything in it, for an exporter that is not ours."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"note": NOTE}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    footspan.init(service_name="shop")
    with provider.get_tracer(NOTE).start_as_current_span(NOTE, attributes={"note": NOTE, "team": "tea"}) as span:
        span.add_event(NOTE, {"note": NOTE})
        span.set_status(trace.StatusCode.ERROR, NOTE)

    [clean] = exporter.get_finished_spans()
    assert clean.name == clean.status.description == clean.events[0].name == FAILED
    assert dict(clean.attributes or {}) == {"note": FAILED, "team": "tea", "footspan.redacted": ["note"]}
    assert dict(clean.resource.attributes) == {"note": FAILED}
    assert failures() >= 6


def test_plain_exporters(otlp_sink: OtlpSink) -> None:
    """Without a pipeline they count for themselves."""
    logs, spans = LoggerProvider(shutdown_on_exit=False), TracerProvider(shutdown_on_exit=False)
    of_logs, of_spans = OtlpLogExporter(endpoint=otlp_sink.url), OtlpSpanExporter(endpoint=otlp_sink.url)
    logs.add_log_record_processor(SimpleLogRecordProcessor(of_logs))
    spans.add_span_processor(SimpleSpanProcessor(of_spans))
    logs.get_logger("app").emit(event_name="order.seen", body=NOTE, attributes={"note": NOTE})
    spans.get_tracer("app").start_span(NOTE).end()

    [event], [span] = otlp_sink.logs, otlp_sink.spans
    assert (event["body"], event["attributes"]["note"], span["name"]) == (FAILED, FAILED, FAILED)
    assert of_logs.status()["redaction_failed"] >= 2
    assert of_spans.status()["redaction_failed"] >= 1
    logs.shutdown()
    spans.shutdown()
