"""Log records to destinations as standard exporters: honest results, tries inside the time, a quick end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExportResult, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from destinations.making import settings
from exporters.making import Scripted, otlp, record, records
from footspan import conventions as c
from footspan.destinations import Outcome, Verdict, build_destination
from footspan.exporters import DestinationLogExporter, line_of
from servers.umami import UmamiServer

if TYPE_CHECKING:
    from servers.otlp import OtlpSink

SUCCESS, FAILURE = LogRecordExportResult.SUCCESS, LogRecordExportResult.FAILURE


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


def test_a_logger_provider_exports_to_a_real_destination(otlp_sink: OtlpSink) -> None:
    """In any OpenTelemetry application, without a spool."""
    provider = LoggerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(DestinationLogExporter(otlp(otlp_sink.url))))
    provider.get_logger("tests").emit(timestamp=1, event_name="order.paid", attributes={"cart": [{"sku": "x"}]})
    provider.shutdown()
    (event,) = otlp_sink.events
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
    """The others arrive; what nobody could have delivered is counted, and is no failure."""
    refused = Outcome(Verdict.REFUSED, "http_400")
    destination = Scripted(refused, refused, Outcome(Verdict.DELIVERED), refused)
    exporter = DestinationLogExporter(destination)
    assert exporter.export(records(4)) is SUCCESS
    assert destination.sent == [["0", "1", "2", "3"], ["0", "1"], ["0"], ["1"], ["2", "3"]]
    assert exporter.status() == {"delivered": 3, "failed": 0, "passed_over": 0, "refused": {"http_400": 1}}


def test_items_of_an_answer_are_taken_one_by_one() -> None:
    """Only what is neither delivered nor refused goes again."""
    destination = Scripted(
        Outcome(
            Verdict.DELIVERED,
            items={0: Outcome(Verdict.REFUSED, "bot"), 2: Outcome(Verdict.RETRY, "later", 0.01)},
        )
    )
    exporter = DestinationLogExporter(destination)
    assert exporter.export(records(4)) is SUCCESS
    assert destination.sent == [["0", "1", "2", "3"], ["2"]]
    assert exporter.status()["refused"] == {"bot": 1}


def test_a_destination_that_refuses_everything_is_a_failure() -> None:
    """Three single events in a row, one export or several: then it is not the events' fault."""
    refused = Outcome(Verdict.REFUSED, "http_400")
    destination = Scripted(*[refused] * 20)
    exporter = DestinationLogExporter(destination)
    assert exporter.export(records(16)) is FAILURE
    assert destination.sent == [["0", "1", "2", "3"], ["0", "1"], ["0"], ["1"], ["2", "3"], ["2"]]
    again = DestinationLogExporter(Scripted(*[refused] * 20))
    assert [again.export(records(1)) for _ in range(4)] == [SUCCESS, SUCCESS, FAILURE, FAILURE]


@pytest.mark.parametrize("reason", ["http_413", "unencodable"])
def test_events_that_are_too_large_cast_no_doubt(reason: str) -> None:
    """However many there are: the destination is not at fault."""
    destination = Scripted(*[Outcome(Verdict.REFUSED, reason)] * 7)
    exporter = DestinationLogExporter(destination)
    assert exporter.export(records(4)) is SUCCESS
    assert exporter.status()["refused"] == {reason: 4}


def test_a_refusal_is_said_once_for_each_reason(caplog: pytest.LogCaptureFixture) -> None:
    """With the event's name, and nothing that it holds."""
    items = {0: Outcome(Verdict.REFUSED, "bot"), 1: Outcome(Verdict.REFUSED, "bot")}
    destination = Scripted(Outcome(Verdict.DELIVERED, items=items), Outcome(Verdict.DELIVERED, items=items))
    exporter = DestinationLogExporter(destination)
    for _ in range(2):
        exporter.export([record("seen", attributes={"card": "4111-secret"}), record("seen"), record("other")])
    [said] = [each.getMessage() for each in caplog.records if "refuses" in each.getMessage()]
    assert "event seen (bot)" in said
    assert "secret" not in said
    assert exporter.status()["refused"] == {"bot": 4}


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


def test_a_deadline_ends_an_export_that_waits(otlp_sink: OtlpSink) -> None:
    """For log records as for spans."""
    otlp_sink.faults.hang(3.0)
    exporter = DestinationLogExporter(otlp(otlp_sink.url), timeout=30.0)
    results: list[LogRecordExportResult] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export(records(1))))
    thread.start()
    assert otlp_sink.wait_for(lambda: len(otlp_sink.requests) == 1)
    started = time.monotonic()
    exporter.deadline = started + 0.2
    thread.join(5)
    assert results == [FAILURE]
    assert time.monotonic() - started < 1
