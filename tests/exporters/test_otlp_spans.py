"""Spans to OTLP by an exporter of ours: honest results, tries inside the time, a quick end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from exporters.making import otlp, span
from footspan.exporters import OtlpJsonSpanExporter

if TYPE_CHECKING:
    from servers.otlp import OtlpSink


def test_spans_arrive_through_the_batch_processor(otlp_sink: OtlpSink) -> None:
    """As any other exporter of OpenTelemetry's."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OtlpJsonSpanExporter(otlp(otlp_sink.url))))
    with provider.get_tracer("tests").start_as_current_span("GET /"):
        pass
    provider.shutdown()
    assert [span["name"] for span in otlp_sink.spans] == ["GET /"]


def test_an_overloaded_backend_gets_the_spans_later(otlp_sink: OtlpSink) -> None:
    """Retry-After is honoured inside the time."""
    otlp_sink.faults.answer(503, headers={"Retry-After": "0"}, times=2)
    assert OtlpJsonSpanExporter(otlp(otlp_sink.url)).export([span("s0"), span("s1")]) is SpanExportResult.SUCCESS
    assert len(otlp_sink.spans) == 2


@pytest.mark.parametrize("status", [401, 404, 500, 307])
def test_a_refusal_is_a_failure_at_once(otlp_sink: OtlpSink, status: int) -> None:
    """A redirect too: it is no success."""
    otlp_sink.faults.answer(status, times=5)
    assert OtlpJsonSpanExporter(otlp(otlp_sink.url)).export([span("s0"), span("s1")]) is SpanExportResult.FAILURE
    assert len(otlp_sink.requests) == 1


def test_a_bad_span_does_not_cost_the_others(otlp_sink: OtlpSink) -> None:
    """A request refused for one of them is cut down to it, by the rule for events."""
    otlp_sink.faults.answer(400, times=2)
    exporter = OtlpJsonSpanExporter(otlp(otlp_sink.url))
    assert exporter.export([span("s0"), span("s1")]) is SpanExportResult.SUCCESS
    assert [each["name"] for each in otlp_sink.spans] == ["s1"]
    assert exporter.status()["refused"] == {"http_400": 1}


def test_too_many_spans_for_one_request_are_cut(otlp_sink: OtlpSink) -> None:
    """413: halves."""
    otlp_sink.faults.answer(413)
    assert (
        OtlpJsonSpanExporter(otlp(otlp_sink.url)).export([span(f"s{number}") for number in range(5)])
        is SpanExportResult.SUCCESS
    )
    assert sorted(span["name"] for span in otlp_sink.spans) == [f"s{number}" for number in range(5)]


def test_rejected_spans_are_counted(otlp_sink: OtlpSink) -> None:
    """A partial success says how many were refused, for their own sake."""
    otlp_sink.partial_success(1)
    exporter = OtlpJsonSpanExporter(otlp(otlp_sink.url))
    assert exporter.export([span("s0"), span("s1")]) is SpanExportResult.SUCCESS
    assert exporter.status() == {"delivered": 1, "failed": 0, "passed_over": 0, "refused": {"partial_success": 1}}


def test_a_dead_backend_costs_no_more_than_the_time(otlp_sink: OtlpSink) -> None:
    """All tries together."""
    otlp_sink.faults.down()
    started = time.monotonic()
    assert (
        OtlpJsonSpanExporter(otlp(otlp_sink.url), timeout=1.0).export([span("s0"), span("s1")])
        is SpanExportResult.FAILURE
    )
    assert time.monotonic() - started < 1.5


def test_a_deadline_ends_an_export_that_waits_for_an_answer(otlp_sink: OtlpSink) -> None:
    """So that a process can end although its backend is silent."""
    otlp_sink.faults.hang(3.0)
    exporter = OtlpJsonSpanExporter(otlp(otlp_sink.url), timeout=30.0)
    results: list[SpanExportResult] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export([span("s0"), span("s1")])))
    thread.start()
    assert otlp_sink.wait_for(lambda: len(otlp_sink.requests) == 1)
    started = time.monotonic()
    exporter.deadline = started + 0.2
    thread.join(5)
    assert results == [SpanExportResult.FAILURE]
    assert time.monotonic() - started < 1
    assert exporter.export([span("s0"), span("s1")]) is SpanExportResult.FAILURE
    assert time.monotonic() - started < 1


def test_shutdown_ends_an_export(otlp_sink: OtlpSink) -> None:
    """At once, and nothing is exported any more."""
    otlp_sink.faults.hang(3.0)
    exporter = OtlpJsonSpanExporter(otlp(otlp_sink.url), timeout=30.0)
    thread = threading.Thread(target=exporter.export, args=([span("s0"), span("s1")],))
    thread.start()
    assert otlp_sink.wait_for(lambda: len(otlp_sink.requests) == 1)
    started = time.monotonic()
    exporter.shutdown()
    thread.join(5)
    assert time.monotonic() - started < 1
    assert exporter.export([span("s0"), span("s1")]) is SpanExportResult.FAILURE
    assert exporter.force_flush()
