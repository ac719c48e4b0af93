"""Spans are recorded where page views need them, and leave redacted or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from footspan import _guard
from footspan.processors.spans import RecordServerSpans, RedactingSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECRET = "jane@doe.example"


class Upper:
    """A redactor that blanks the secret out."""

    def mapping(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Blank every value that holds the secret."""
        touched = [key for key, value in attributes.items() if SECRET in str(value)]
        return {key: "gone" if key in touched else value for key, value in attributes.items()}, touched

    def text(self, value: str) -> str:
        """Blank the secret."""
        return value.replace(SECRET, "gone")


class Broken(Upper):
    """A redactor that fails."""

    def mapping(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Fail with the data in the message."""
        raise RuntimeError(str(attributes))


@pytest.fixture
def exported() -> InMemorySpanExporter:
    """What left."""
    return InMemorySpanExporter()


@pytest.fixture
def _not_reraising() -> Iterator[None]:
    _guard.reraise_in_tests(False)
    _guard.reset()
    yield
    _guard.reraise_in_tests(True)
    _guard.reset()


class TestRedactingSpanProcessor:
    """No part of a span leaves unexamined."""

    def test_every_part_is_redacted(self, exported: InMemorySpanExporter) -> None:
        """Name, attributes, events, links and status text are cleaned; identity and times stay."""
        resource = Resource({"service.name": "shop", "owner": SECRET})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(RedactingSpanProcessor(SimpleSpanProcessor(exported), Upper()))
        linked = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
        live = provider.get_tracer("t", "1").start_span(
            f"GET /reset/{SECRET}",
            kind=SpanKind.SERVER,
            links=[Link(linked, {"to": SECRET})],
            attributes={"mail": SECRET},
        )
        live.add_event(f"sent to {SECRET}", {"exception.message": SECRET, "n": 1})
        live.set_status(Status(StatusCode.ERROR, f"no such user {SECRET}"))
        live.end()

        [span] = exported.get_finished_spans()
        assert SECRET not in span.to_json()
        assert span.name == "GET /reset/gone"
        assert dict(span.attributes or {}) == {"mail": "gone", "footspan.redacted": ["mail"]}
        assert [(event.name, dict(event.attributes or {})) for event in span.events] == [
            ("sent to gone", {"exception.message": "gone", "n": 1})
        ]
        assert [dict(link.attributes or {}) for link in span.links] == [{"to": "gone"}]
        assert span.links[0].context == linked
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "no such user gone")
        assert span.context == live.get_span_context()
        assert span.kind is SpanKind.SERVER
        assert span.resource.attributes["service.name"] == "shop"
        assert span.resource.attributes["owner"] == "gone"
        assert span.instrumentation_scope is not None
        assert (span.instrumentation_scope.name, span.instrumentation_scope.version) == ("t", "1")
        assert isinstance(live, ReadableSpan)
        assert (span.start_time, span.end_time) == (live.start_time, live.end_time)

    def test_counts_of_dropped_parts_stay(
        self, exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the SDK's own limits cut off stays visible as a number."""
        monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1")
        monkeypatch.setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "1")
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(RedactingSpanProcessor(SimpleSpanProcessor(exported), Upper()))
        live = provider.get_tracer("t").start_span("x", attributes={"a": 1, "b": 2, "c": 3})
        live.add_event("one")
        live.add_event("two")
        live.end()
        [span] = exported.get_finished_spans()
        assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (2, 1, 0)

    @pytest.mark.usefixtures("_not_reraising")
    def test_fails_closed(self, exported: InMemorySpanExporter, caplog: pytest.LogCaptureFixture) -> None:
        """A span that cannot be redacted does not leave, and neither does its content in the log."""
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(RedactingSpanProcessor(SimpleSpanProcessor(exported), Broken()))
        with provider.get_tracer("t").start_as_current_span("x", attributes={"mail": SECRET}):
            pass
        assert exported.get_finished_spans() == ()
        assert "RuntimeError" in caplog.text
        assert SECRET not in caplog.text

    def test_only_sampled_spans_are_handed_on(self) -> None:
        """A span that is recorded for page views only reaches no exporter, whatever the wrapped processor does."""
        seen: list[str] = []

        class Greedy(SpanProcessor):
            def on_end(self, span: ReadableSpan) -> None:
                seen.append(span.name)

        provider = TracerProvider(sampler=RecordServerSpans(ALWAYS_OFF), shutdown_on_exit=False)
        provider.add_span_processor(RedactingSpanProcessor(Greedy(), Upper()))
        provider.get_tracer("t").start_span("x", kind=SpanKind.SERVER).end()
        assert seen == []

    def test_flush_and_shutdown_reach_the_wrapped_processor(self) -> None:
        """The wrapper stands in the way of nothing."""
        calls: list[object] = []

        class Wrapped(SpanProcessor):
            def shutdown(self) -> None:
                calls.append("shutdown")

            def force_flush(self, timeout_millis: int = 30_000) -> bool:
                calls.append(timeout_millis)
                return False

        processor = RedactingSpanProcessor(Wrapped(), Upper())
        assert processor.force_flush(7) is False
        processor.shutdown()
        assert calls == [7, "shutdown"]


class Fixed(Sampler):
    """Decides as told, with a trace state."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision

    def should_sample(self, *_: Any, **__: Any) -> SamplingResult:
        """The decision given."""
        return SamplingResult(self.decision, {"sampler": "fixed"}, TraceState([("k", "v")]))

    def get_description(self) -> str:
        """A name."""
        return "Fixed"


def in_span(*, remote: bool, sampled: bool = False) -> Any:
    """A context with a parent span."""
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return trace.set_span_in_context(NonRecordingSpan(SpanContext(1, 2, is_remote=remote, trace_flags=flags)))


class TestRecordServerSpans:
    """Every visit is seen; what is exported stays the operator's choice."""

    @pytest.mark.parametrize(
        ("chosen", "kind", "context", "expected"),
        [
            (Decision.DROP, SpanKind.SERVER, None, Decision.RECORD_ONLY),
            (Decision.DROP, SpanKind.SERVER, in_span(remote=True), Decision.RECORD_ONLY),
            (Decision.DROP, SpanKind.SERVER, in_span(remote=False), Decision.DROP),
            (Decision.DROP, SpanKind.INTERNAL, None, Decision.DROP),
            (Decision.DROP, SpanKind.CLIENT, None, Decision.DROP),
            (Decision.DROP, None, None, Decision.DROP),
            (Decision.RECORD_ONLY, SpanKind.SERVER, None, Decision.RECORD_ONLY),
            (Decision.RECORD_AND_SAMPLE, SpanKind.SERVER, None, Decision.RECORD_AND_SAMPLE),
            (Decision.RECORD_AND_SAMPLE, SpanKind.CLIENT, None, Decision.RECORD_AND_SAMPLE),
        ],
    )
    def test_decision(self, chosen: Decision, kind: SpanKind | None, context: Any, expected: Decision) -> None:
        """Only a dropped server span without a local parent is decided anew."""
        result = RecordServerSpans(Fixed(chosen)).should_sample(context, 1, "x", kind, {"url.path": "/"})
        assert result.decision is expected
        assert result.trace_state == TraceState([("k", "v")])
        assert dict(result.attributes or {})["sampler"] == "fixed"

    def test_a_recorded_span_keeps_its_attributes(self) -> None:
        """Samplers that drop return no attributes; the span has those it was started with all the same."""
        result = RecordServerSpans(ALWAYS_OFF).should_sample(None, 1, "x", SpanKind.SERVER, {"url.path": "/"})
        assert dict(result.attributes or {}) == {"url.path": "/"}

    def test_description_is_the_chosen_samplers(self) -> None:
        """Reports of the sampling in force name what the operator chose."""
        assert RecordServerSpans(ALWAYS_ON).get_description() == ALWAYS_ON.get_description()

    def test_children_of_a_recorded_span_stay_dropped(self, exported: InMemorySpanExporter) -> None:
        """Recording the server span brings none of its children back."""
        provider = TracerProvider(sampler=RecordServerSpans(ParentBased(ALWAYS_OFF)), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exported))
        tracer = provider.get_tracer("t")
        with tracer.start_as_current_span("request", kind=SpanKind.SERVER) as server:
            assert server.is_recording()
            assert not server.get_span_context().trace_flags.sampled
            with tracer.start_as_current_span("query", kind=SpanKind.CLIENT) as child:
                assert not child.is_recording()
        assert exported.get_finished_spans() == ()
