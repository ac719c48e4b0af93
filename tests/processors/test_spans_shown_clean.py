"""Processors of others: they take part in living spans, and see clean copies of ended ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, TraceFlags
from opentelemetry.trace.span import TraceState

import footspan
from footspan import _guard, _otel
from footspan.processors.page_views import PageViewSpanProcessor
from footspan.processors.redaction import Redactor
from footspan.processors.spans import CleanEndings, RedactingSpanProcessor, redacted, shown_clean

if TYPE_CHECKING:
    import pytest

NOTE = "write to jane@private.example"


class Exporting(SpanProcessor):
    """Somebody's own: adds an attribute at the start, keeps what it sees at the end."""

    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []
        self.calls: list[str] = []

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        span.set_attribute("added", NOTE)

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)

    def shutdown(self) -> None:
        self.calls.append("shutdown")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self.calls.append(f"flush {timeout_millis}")
        return False


def test_who_needs_a_wrapper() -> None:
    """Batch and simple ones, and whatever does something with ended spans; not ours, not twice."""
    redactor, exporter = Redactor(), InMemorySpanExporter()
    batch = BatchSpanProcessor(exporter)
    assert isinstance(shown_clean(batch, redactor), RedactingSpanProcessor)
    assert isinstance(shown_clean(SimpleSpanProcessor(exporter), redactor), RedactingSpanProcessor)
    theirs = shown_clean(Exporting(), redactor)
    assert isinstance(theirs, CleanEndings)
    assert shown_clean(theirs, redactor) is theirs
    for unchanged in (SpanProcessor(), PageViewSpanProcessor(None)):  # type: ignore[arg-type] # not used
        assert shown_clean(unchanged, redactor) is unchanged
    batch.shutdown()  # type: ignore[no-untyped-call] # upstream


def test_it_takes_part_and_sees_clean_copies() -> None:
    """Its attribute is on the span; unsampled spans come by as well; flush and shutdown get through."""
    theirs = Exporting()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(CleanEndings(theirs, Redactor()))
    provider.get_tracer("app").start_span("work", attributes={"note": NOTE}).end()

    [span] = theirs.ended
    attributes = dict(span.attributes or {})
    assert (attributes["note"], attributes["added"]) == ("write to [contact]", "write to [contact]")
    assert not provider.force_flush(7_000)
    provider.shutdown()
    assert [call.split()[0] for call in theirs.calls] == ["flush", "shutdown"]


def test_a_span_that_cannot_be_cleaned_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails closed, and the host does not notice."""
    _guard.reraise_in_tests(False)
    theirs, redactor = Exporting(), Redactor()

    def fail(_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(redactor, "mapping", fail)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(CleanEndings(theirs, redactor))
    provider.get_tracer("app").start_span("work").end()
    assert theirs.ended == []


def test_trace_states() -> None:
    """Entries that must not leave are taken out, of the span's own and of its links'; ids and the rest stay."""
    state = TraceState([("vendor", "00f067aa0ba902b7"), ("other", "jane@private.example")])
    place = SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    collecting = Exporting()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(collecting)
    parent = trace.set_span_in_context(trace.NonRecordingSpan(place))
    provider.get_tracer("app").start_span("work", parent, links=[Link(place)]).end()
    span = redacted(collecting.ended[0], Redactor())
    for each in (span.get_span_context(), span.parent, span.links[0].context):
        assert each is not None
        assert dict(each.trace_state) == {"vendor": "00f067aa0ba902b7"}
        assert each.trace_id == 0xABC


def test_an_app_that_starts_in_code() -> None:
    """``init`` has the processors of the provider that is there, and of those added later, see clean spans."""
    first, second = Exporting(), Exporting()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(first)
    trace.set_tracer_provider(provider)
    for _ in range(2):
        footspan.init(service_name="shop")
    provider.add_span_processor(second)
    provider.get_tracer("app").start_span(NOTE).end()

    assert [span.name for span in (*first.ended, *second.ended)] == ["write to [contact]"] * 2
    kinds = [type(each) for each in _otel.span_processors_of(provider)]
    assert kinds == [CleanEndings, CleanEndings]


def test_a_tracer_provider_that_is_not_the_sdks() -> None:
    """Where nobody has made one there is nothing to join."""
    assert _otel.sdk_tracer_provider() is None
    footspan.init(service_name="shop")
    assert _otel.sdk_tracer_provider() is None
