"""Destinations as standard exporters: honest results, tries inside the time, a quick end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from destinations.making import settings
from footspan import conventions as c
from footspan.destinations import Destination, Outcome, Verdict, build_destination
from footspan.destinations.otlp import OtlpDestination
from footspan.exporters import DestinationLogExporter, OtlpJsonSpanExporter, line_of
from servers.otlp import OtlpSink
from servers.umami import UmamiServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from footspan.otlp_json import LogLine

SUCCESS, FAILURE = LogRecordExportResult.SUCCESS, LogRecordExportResult.FAILURE


class Scripted(Destination):
    """A destination that answers what it is told to, and remembers what it was given."""

    type: ClassVar[str] = "scripted"
    default_max_items: ClassVar[int] = 4

    def __init__(self, *outcomes: Outcome, on_ambiguous: str | None = None) -> None:
        super().__init__(settings("scripted", on_ambiguous=on_ambiguous))
        self.outcomes = list(outcomes)
        self.sent: list[list[str]] = []
        self.closed = False

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        """The next outcome, then delivered."""
        assert timeout > 0
        self.sent.append([event.name for event in events])
        return self.outcomes.pop(0) if self.outcomes else Outcome(Verdict.DELIVERED)

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def record(name: str = "a", **fields: Any) -> ReadableLogRecord:
    """One SDK record."""
    return ReadableLogRecord(
        log_record=LogRecord(timestamp=1_767_225_600_000_000_000, event_name=name, **fields),
        resource=Resource({"service.name": "shop"}),
        instrumentation_scope=InstrumentationScope("tests", "1.0"),
    )


def records(count: int) -> list[ReadableLogRecord]:
    """Records named by their number."""
    return [record(str(number)) for number in range(count)]


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    """A running OTLP receiver."""
    with OtlpSink() as running:
        yield running


def otlp(endpoint: str, **options: Any) -> OtlpDestination:
    """An OTLP destination."""
    destination = build_destination(settings("otlp", endpoint=endpoint, **options))
    assert isinstance(destination, OtlpDestination)
    return destination


# -- log records -------------------------------------------------------------------------------------------------------


def test_a_record_becomes_a_line_with_everything_it_has() -> None:
    """Name, time, attributes, body, severity, resource and scope; an id if it has none."""
    line = line_of(
        record("a", attributes={"n": 1}, body="text", severity_number=SeverityNumber.ERROR, severity_text="ERROR")
    )
    event = line.event
    assert (event.name, event.time_ns, event.body) == ("a", 1_767_225_600_000_000_000, "text")
    assert (event.severity_number, event.severity_text) == (17, "ERROR")
    assert (event.attributes["n"], event.resource[c.SERVICE_NAME]) == (1, "shop")
    assert (event.scope_name, event.scope_version) == ("tests", "1.0")
    assert len(event.uid) == 36
    assert line_of(record("a", attributes={c.LOG_RECORD_UID: "mine"})).uid == "mine"
    assert line_of(record("")).event.name == ""


def test_a_logger_provider_exports_to_a_real_destination(sink: OtlpSink) -> None:
    """In any OpenTelemetry application, without a spool."""
    provider = LoggerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(DestinationLogExporter(otlp(sink.url))))
    provider.get_logger("tests").emit(timestamp=1, event_name="order.paid", attributes={"cart": [{"sku": "x"}]})
    provider.shutdown()
    (event,) = sink.events
    assert (event["name"], event["attributes"]["cart"]) == ("order.paid", [{"sku": "x"}])


def test_events_reach_umami() -> None:
    """The same encoders as behind the spool."""
    with UmamiServer() as server:
        exporter = DestinationLogExporter(build_destination(settings("umami", url=server.url, website=server.website)))
        assert exporter.export([record("a", attributes={"n": 1}), record(c.EVENT_PAGE_VIEW)]) is SUCCESS
        exporter.shutdown()
        assert [row["event_name"] for row in server.events()] == ["a"]
        assert len(server.page_views()) == 1


def test_records_are_sent_in_cuts_of_the_destinations_size() -> None:
    """However many a batch processor hands over, in their order."""
    destination = Scripted()
    assert DestinationLogExporter(destination).export(records(10)) is SUCCESS
    assert destination.sent == [["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8", "9"]]


def test_nothing_is_a_success() -> None:
    """An empty batch needs no request."""
    destination = Scripted()
    assert DestinationLogExporter(destination).export([]) is SUCCESS
    assert destination.sent == []


def test_an_overloaded_destination_is_tried_again_inside_the_time() -> None:
    """As long as it asks us to wait, and no longer than the export may take."""
    destination = Scripted(Outcome(Verdict.RETRY, "http_503", 0.05), Outcome(Verdict.RETRY, "http_503", 0.05))
    assert DestinationLogExporter(destination, timeout=5.0).export(records(1)) is SUCCESS
    assert len(destination.sent) == 3
    destination = Scripted(Outcome(Verdict.RETRY, "http_503", 60.0))
    started = time.monotonic()
    assert DestinationLogExporter(destination, timeout=2.0).export(records(1)) is FAILURE
    assert time.monotonic() - started < 1
    assert len(destination.sent) == 1


@pytest.mark.parametrize("verdict", [Verdict.PARK, Verdict.RETRY, Verdict.AMBIGUOUS])
def test_a_destination_in_trouble_is_a_failure(verdict: Verdict) -> None:
    """There is no spool to keep the events in; saying SUCCESS would be a lie."""
    destination = Scripted(*[Outcome(verdict, "trouble", 0.2)] * 20)
    assert DestinationLogExporter(destination, timeout=0.5).export(records(1)) is FAILURE
    assert len(destination.sent) == (1 if verdict is Verdict.PARK else len(destination.sent))


def test_a_refused_request_is_cut_down_to_the_event() -> None:
    """The others arrive; the result says that not all did."""
    refused = Outcome(Verdict.REFUSED, "http_400")
    destination = Scripted(refused, refused, Outcome(Verdict.DELIVERED), refused)
    assert DestinationLogExporter(destination).export(records(4)) is FAILURE
    assert destination.sent == [["0", "1", "2", "3"], ["0", "1"], ["0"], ["1"], ["2", "3"]]


def test_items_of_an_answer_are_taken_one_by_one() -> None:
    """Only what is neither delivered nor refused goes again."""
    destination = Scripted(
        Outcome(
            Verdict.DELIVERED,
            items={0: Outcome(Verdict.REFUSED, "bot"), 2: Outcome(Verdict.RETRY, "later", 0.01)},
        )
    )
    assert DestinationLogExporter(destination).export(records(4)) is FAILURE
    assert destination.sent == [["0", "1", "2", "3"], ["2"]]


def test_another_encoding_is_tried_at_once() -> None:
    """And not for ever."""
    destination = Scripted(Outcome(Verdict.AGAIN, "protobuf"))
    started = time.monotonic()
    assert DestinationLogExporter(destination).export(records(1)) is SUCCESS
    assert time.monotonic() - started < 0.4
    assert DestinationLogExporter(Scripted(*[Outcome(Verdict.AGAIN)] * 99), timeout=0.2).export(records(1)) is FAILURE


def test_ambiguous_events_are_dropped_where_the_settings_say_so() -> None:
    """At most once."""
    destination = Scripted(Outcome(Verdict.AMBIGUOUS, "read_timeout"), on_ambiguous="drop")
    assert DestinationLogExporter(destination).export(records(2)) is FAILURE
    assert destination.sent == [["0", "1"]]


def test_shutdown_ends_a_pause_and_closes() -> None:
    """A process that ends does not wait for a destination that asked for a minute."""
    destination = Scripted(Outcome(Verdict.RETRY, "http_503", 20.0))
    exporter = DestinationLogExporter(destination, timeout=30.0)
    results: list[LogRecordExportResult] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export(records(1))))
    thread.start()
    deadline = time.monotonic() + 5
    while not destination.sent and time.monotonic() < deadline:
        time.sleep(0.01)
    exporter.shutdown()
    thread.join(5)
    assert results == [FAILURE]
    assert destination.closed
    assert exporter.export(records(1)) is FAILURE
    assert exporter.force_flush()


def test_a_deadline_ends_an_export_that_waits(sink: OtlpSink) -> None:
    """For log records as for spans."""
    sink.faults.hang(3.0)
    exporter = DestinationLogExporter(otlp(sink.url), timeout=30.0)
    results: list[LogRecordExportResult] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export(records(1))))
    thread.start()
    assert sink.wait_for(lambda: len(sink.requests) == 1)
    started = time.monotonic()
    exporter.deadline = started + 0.2
    thread.join(5)
    assert results == [FAILURE]
    assert time.monotonic() - started < 1


# -- spans -------------------------------------------------------------------------------------------------------------


def spans(count: int = 2) -> list[ReadableSpan]:
    """Ended spans."""
    tracer = TracerProvider().get_tracer("tests")
    made: list[Any] = [tracer.start_span(f"s{number}") for number in range(count)]
    for span in made:
        span.end()
    return made


def test_spans_arrive_through_the_batch_processor(sink: OtlpSink) -> None:
    """As any other exporter of OpenTelemetry's."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OtlpJsonSpanExporter(otlp(sink.url))))
    with provider.get_tracer("tests").start_as_current_span("GET /"):
        pass
    provider.shutdown()
    assert [span["name"] for span in sink.spans] == ["GET /"]


def test_an_overloaded_backend_gets_the_spans_later(sink: OtlpSink) -> None:
    """Retry-After is honoured inside the time."""
    sink.faults.answer(503, headers={"Retry-After": "0"}, times=2)
    assert OtlpJsonSpanExporter(otlp(sink.url)).export(spans()) is SpanExportResult.SUCCESS
    assert len(sink.spans) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 500, 307])
def test_a_refusal_is_a_failure_at_once(sink: OtlpSink, status: int) -> None:
    """A redirect too: it is no success."""
    sink.faults.answer(status, times=5)
    assert OtlpJsonSpanExporter(otlp(sink.url)).export(spans()) is SpanExportResult.FAILURE
    assert len(sink.requests) == 1


def test_too_many_spans_for_one_request_are_cut(sink: OtlpSink) -> None:
    """413: halves."""
    sink.faults.answer(413)
    assert OtlpJsonSpanExporter(otlp(sink.url)).export(spans(5)) is SpanExportResult.SUCCESS
    assert sorted(span["name"] for span in sink.spans) == [f"s{number}" for number in range(5)]


def test_rejected_spans_are_a_failure(sink: OtlpSink) -> None:
    """Some of them are lost, and the result says so."""
    sink.partial_success(1)
    assert OtlpJsonSpanExporter(otlp(sink.url)).export(spans()) is SpanExportResult.FAILURE


def test_a_dead_backend_costs_no_more_than_the_time(sink: OtlpSink) -> None:
    """All tries together."""
    sink.faults.down()
    started = time.monotonic()
    assert OtlpJsonSpanExporter(otlp(sink.url), timeout=1.0).export(spans()) is SpanExportResult.FAILURE
    assert time.monotonic() - started < 1.5


def test_a_deadline_ends_an_export_that_waits_for_an_answer(sink: OtlpSink) -> None:
    """So that a process can end although its backend is silent."""
    sink.faults.hang(3.0)
    exporter = OtlpJsonSpanExporter(otlp(sink.url), timeout=30.0)
    results: list[SpanExportResult] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export(spans())))
    thread.start()
    assert sink.wait_for(lambda: len(sink.requests) == 1)
    started = time.monotonic()
    exporter.deadline = started + 0.2
    thread.join(5)
    assert results == [SpanExportResult.FAILURE]
    assert time.monotonic() - started < 1
    assert exporter.export(spans()) is SpanExportResult.FAILURE
    assert time.monotonic() - started < 1


def test_shutdown_ends_an_export(sink: OtlpSink) -> None:
    """At once, and nothing is exported any more."""
    sink.faults.hang(3.0)
    exporter = OtlpJsonSpanExporter(otlp(sink.url), timeout=30.0)
    thread = threading.Thread(target=exporter.export, args=(spans(),))
    thread.start()
    assert sink.wait_for(lambda: len(sink.requests) == 1)
    started = time.monotonic()
    exporter.shutdown()
    thread.join(5)
    assert time.monotonic() - started < 1
    assert exporter.export(spans()) is SpanExportResult.FAILURE
    assert exporter.force_flush()
