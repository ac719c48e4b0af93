"""The OTLP destination against a receiver that checks the specification."""

from __future__ import annotations

import gzip
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from destinations.making import TIME_NS, line, settings
from footspan import conventions as c
from footspan.config import ConfigurationError
from footspan.destinations import build_destination
from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.otlp import OtlpDestination
from footspan.otlp_json import LogLine, encode_spans
from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from collections.abc import Iterator

DELIVERED = Outcome(Verdict.DELIVERED)
REFUSED = Outcome(Verdict.REFUSED, "partial_success")


def otlp(endpoint: str, **options: Any) -> OtlpDestination:
    """The destination for an endpoint."""
    destination = build_destination(settings("otlp", endpoint=endpoint, **options))
    assert isinstance(destination, OtlpDestination)
    return destination


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    """A running receiver."""
    with OtlpSink() as running:
        yield running
        assert not running.problems


def spans(count: int = 2) -> list[ReadableSpan]:
    """Ended spans; the second is a child of the first and linked to it."""
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    tracer = provider.get_tracer("tests")
    made: list[Any] = []
    for number in range(count):
        span = tracer.start_span(f"GET /{number}", attributes={"n": number})
        span.end()
        made.append(span)
    return made


# -- what arrives ------------------------------------------------------------------------------------------------------


def test_events_arrive_as_they_were_stored(sink: OtlpSink) -> None:
    """Name, id, time, trace, attributes of every kind, resource and scope."""
    attributes = {
        "amount": 9.99,
        "items": [1, "a"],
        "card": {"brand": "visa"},
        "ok": True,
        "big": 2**60,
        "raw": b"\xff",
    }
    event = line("order.paid", attributes, trace_id=0xABC, span_id=0xDEF, flags=1, severity_number=9, body="paid")
    assert otlp(sink.url).send([event, line("b")], 5.0) == DELIVERED
    first, second = sink.events
    assert (first["name"], first["uid"], first["time_ns"]) == ("order.paid", event.uid, TIME_NS)
    assert (first["trace_id"], first["span_id"]) == (f"{0xABC:032x}", f"{0xDEF:016x}")
    assert {name: first["attributes"][name] for name in ("amount", "items", "card", "ok", "big")} == {
        name: attributes[name] for name in ("amount", "items", "card", "ok", "big")
    }
    assert (first["resource"][c.SERVICE_NAME], first["body"], second["name"]) == ("shop", "paid", "b")


def test_the_request_is_compressed_json_of_joined_lines(sink: OtlpSink) -> None:
    """One resource and one scope for all events that share them."""
    otlp(sink.url, headers={"x-key": "k"}).send([line("a"), line("b")], 5.0)
    (request,) = sink.requests
    assert request.path == "/v1/logs"
    assert (request.headers["content-type"], request.headers["content-encoding"]) == ("application/json", "gzip")
    assert request.headers["x-key"] == "k"
    (resource,) = json.loads(gzip.decompress(request.body))["resourceLogs"]
    (scope,) = resource["scopeLogs"]
    assert [record["eventName"] for record in scope["logRecords"]] == ["a", "b"]


def test_compression_can_be_switched_off(sink: OtlpSink) -> None:
    """`compression: none`."""
    otlp(sink.url, compression="none").send([line("a")], 5.0)
    (request,) = sink.requests
    assert "content-encoding" not in request.headers
    assert json.loads(request.body)


def test_our_content_type_wins_over_a_header_of_the_settings(sink: OtlpSink) -> None:
    """A header from a copied snippet must not make the body unreadable."""
    otlp(sink.url, headers={"X-A": "1"}).send([line("a")], 5.0)
    assert sink.requests[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("options", "logs", "traces"),
    [
        ({"endpoint": "http://h:4318"}, "http://h:4318/v1/logs", "http://h:4318/v1/traces"),
        ({"endpoint": "http://h:4318/"}, "http://h:4318/v1/logs", "http://h:4318/v1/traces"),
        ({"endpoint": "http://h/otlp"}, "http://h/otlp/v1/logs", "http://h/otlp/v1/traces"),
        ({"endpoint": "http://h", "logs_endpoint": "http://l/in/"}, "http://l/in/", "http://h/v1/traces"),
        ({"logs_endpoint": "http://l/in"}, "http://l/in", ""),
        ({"endpoint": "http://h", "traces_endpoint": "http://t/x"}, "http://h/v1/logs", "http://t/x"),
    ],
)
def test_endpoints(options: dict[str, Any], logs: str, traces: str) -> None:
    """The base gets the paths of the specification; a whole endpoint is taken as it is."""
    destination = build_destination(settings("otlp", **options))
    assert isinstance(destination, OtlpDestination)
    assert (logs, traces) == (destination.logs_url, destination.traces_url)


@pytest.mark.parametrize(
    ("options", "key"), [({}, "endpoint"), ({"endpoint": "http://h", "protocol": "carrier/pigeon"}, "protocol")]
)
def test_settings_that_cannot_work_are_errors_at_once(options: dict[str, Any], key: str) -> None:
    """With the key in the error."""
    with pytest.raises(ConfigurationError) as caught:
        build_destination(settings("otlp", **options))
    assert caught.value.key == f"telemetry.destinations.otlp.{key}"


# -- protobuf ----------------------------------------------------------------------------------------------------------


def test_protobuf_says_the_same_as_json(sink: OtlpSink) -> None:
    """Ids, 64-bit integers, bytes, nested values, NaN: equal after decoding."""
    attributes = {
        "i": 2**62,
        "f": 1.5,
        "nan": "text",
        "raw": b"\x00\xff",
        "list": [1, None, {"x": True}],
        "map": {"a": {"b": [1.0]}},
        "text": "\u20ac \U0001f600",
    }
    event = line(
        "a", attributes, trace_id=1 << 120, span_id=1 << 60, flags=1, severity_number=17, severity_text="ERROR"
    )
    assert otlp(sink.url).send([event], 5.0) == DELIVERED
    assert otlp(sink.url, protocol="http/protobuf").send([event], 5.0) == DELIVERED
    assert [request.headers["content-type"] for request in sink.requests] == [
        "application/json",
        "application/x-protobuf",
    ]
    one, two = sink.logs
    assert one == two


def test_a_415_switches_to_protobuf(sink: OtlpSink, caplog: pytest.LogCaptureFixture) -> None:
    """Once, said once, and for good."""
    sink.accepts = ("application/x-protobuf",)
    destination = otlp(sink.url)
    assert destination.send([line("a")], 5.0).verdict is Verdict.AGAIN
    assert destination.send([line("a")], 5.0) == DELIVERED
    assert destination.send([line("b")], 5.0) == DELIVERED
    assert [event["name"] for event in sink.events] == ["a", "b"]
    assert caplog.text.count("415") == 1


def test_a_415_for_protobuf_parks() -> None:
    """There is nothing left to try."""
    with OtlpSink(accepts=()) as sink:
        assert otlp(sink.url, protocol="http/protobuf").send([line("a")], 5.0) == Outcome(Verdict.PARK, "http_415")
        destination = otlp(sink.url)
        assert destination.send([line("a")], 5.0).verdict is Verdict.AGAIN
        assert destination.send([line("a")], 5.0) == Outcome(Verdict.PARK, "http_415")


def test_what_protobuf_cannot_hold_is_refused_alone(sink: OtlpSink) -> None:
    """A foreign line with an integer of 70 bits: refused as a whole, so that the courier cuts the batch."""
    from footspan import _guard  # noqa: PLC0415 - only here failures must not surface

    _guard.reraise_in_tests(False)
    foreign = line("a", {"n": 7}).line.replace(b'{"intValue":"7"}', b'{"intValue":"1180591620717411303424"}')
    destination = otlp(sink.url, protocol="http/protobuf")
    assert destination.send([LogLine(foreign)], 5.0) == Outcome(Verdict.REFUSED, "unencodable")
    assert destination.send([line("b")], 5.0) == DELIVERED


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (202, DELIVERED),
        (204, DELIVERED),
        (301, Outcome(Verdict.PARK, "http_301")),
        (307, Outcome(Verdict.PARK, "http_307")),
        (400, Outcome(Verdict.REFUSED, "http_400")),
        (401, Outcome(Verdict.PARK, "http_401")),
        (403, Outcome(Verdict.PARK, "http_403")),
        (404, Outcome(Verdict.PARK, "http_404")),
        (405, Outcome(Verdict.PARK, "http_405")),
        (413, Outcome(Verdict.REFUSED, "http_413")),
        (429, Outcome(Verdict.RETRY, "http_429", 9.0)),
        (500, Outcome(Verdict.PARK, "http_500")),
        (502, Outcome(Verdict.AMBIGUOUS, "http_502")),
        (503, Outcome(Verdict.RETRY, "http_503", 9.0)),
        (504, Outcome(Verdict.AMBIGUOUS, "http_504")),
    ],
)
def test_every_status(sink: OtlpSink, status: int, outcome: Outcome) -> None:
    """By the specification; a redirect is no success, and a 500 is not the event's fault."""
    sink.faults.answer(status, headers={"Retry-After": "9"})
    assert outcome == otlp(sink.url).send([line("a"), line("b")], 5.0)


PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "outcome"),
    [
        (b"", JSON, DELIVERED),
        (b"{}", JSON, DELIVERED),
        (b'{"partialSuccess":{}}', JSON, DELIVERED),
        (b'{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"slow down"}}', JSON, DELIVERED),
        (b"\n\x00", PROTOBUF, DELIVERED),
        (b"", PROTOBUF, DELIVERED),
        (b'{"partialSuccess":{"rejectedLogRecords":"1"}}', JSON, Outcome(Verdict.DELIVERED, items={2: REFUSED})),
        (
            b'{"partialSuccess":{"rejectedLogRecords":2}}',
            JSON,
            Outcome(Verdict.DELIVERED, items={1: REFUSED, 2: REFUSED}),
        ),
        (b'{"partialSuccess":{"rejectedLogRecords":3}}', JSON, REFUSED),
        (b'{"partialSuccess":{"rejectedLogRecords":99}}', JSON, REFUSED),
        (b'{"partialSuccess":{"rejectedLogRecords":-1}}', JSON, DELIVERED),
        (b'{"partialSuccess":', JSON, Outcome(Verdict.DELIVERED, "unreadable_answer")),
        (b"[]", JSON, Outcome(Verdict.DELIVERED, "unreadable_answer")),
        (b'{"partialSuccess":{"rejectedLogRecords":"x"}}', JSON, Outcome(Verdict.DELIVERED, "unreadable_answer")),
        (b"\xff\xff", PROTOBUF, Outcome(Verdict.DELIVERED, "unreadable_answer")),
        (b"ok", {"Content-Type": "text/plain"}, Outcome(Verdict.DELIVERED, "unreadable_answer")),
        (b"<html>sign in</html>", {"Content-Type": "text/html"}, Outcome(Verdict.PARK, "not_otlp")),
    ],
)
def test_every_successful_answer(sink: OtlpSink, body: bytes, headers: dict[str, str], outcome: Outcome) -> None:
    """A partial success is counted exactly; a broken answer to an acceptance stays an acceptance."""
    sink.faults.answer(200, body, headers=headers)
    assert outcome == otlp(sink.url).send([line("a"), line("b"), line("c")], 5.0)


def test_a_partial_success_in_protobuf_is_read(sink: OtlpSink) -> None:
    """The answer comes in the encoding of the request."""
    answer = ExportLogsServiceResponse()
    answer.partial_success.rejected_log_records = 1
    sink.faults.answer(200, answer.SerializeToString(), headers=PROTOBUF)
    outcome = otlp(sink.url, protocol="http/protobuf").send([line("a"), line("b")], 5.0)
    assert outcome == Outcome(Verdict.DELIVERED, items={1: REFUSED})


def test_a_partial_success_for_one_event_refuses_it(sink: OtlpSink) -> None:
    """Of one event it is known which; the words of the backend are not logged."""
    sink.partial_success(1, "ann@example.com is no e-mail address")
    assert otlp(sink.url).send([line("a")], 5.0) == REFUSED


def test_a_backends_words_are_not_logged(sink: OtlpSink, caplog: pytest.LogCaptureFixture) -> None:
    """They tend to quote what they refuse."""
    sink.partial_success(0, "secret words")
    sink.partial_success(1, "secret words")
    with caplog.at_level(logging.DEBUG, logger="footspan"):
        destination = otlp(sink.url)
        destination.send([line("a"), line("b")], 5.0)
        destination.send([line("a"), line("b")], 5.0)
    assert "secret" not in caplog.text
    assert "rejected 1 items" in caplog.text


def test_faults(sink: OtlpSink) -> None:
    """Refused is tried again; silence and a reset are ambiguous."""
    destination = otlp(sink.url)
    sink.faults.reset()
    assert destination.send([line("a")], 5.0).verdict is Verdict.AMBIGUOUS
    sink.faults.hang(1.0)
    assert destination.send([line("a")], 0.3) == Outcome(Verdict.AMBIGUOUS, "read_timeout")
    sink.faults.down()
    assert destination.send([line("a")], 5.0) == Outcome(Verdict.RETRY, "connection_refused")
    assert destination.on_ambiguous == "retry"


# -- spans -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf"])
def test_spans_arrive(sink: OtlpSink, protocol: str) -> None:
    """At the traces endpoint, in the destination's encoding."""
    ended = spans()
    assert otlp(sink.url, protocol=protocol).send_spans(encode_spans(ended), 5.0) == DELIVERED
    assert [request.path for request in sink.requests] == ["/v1/traces"]
    assert [(span["name"], span["attributes"]) for span in sink.spans] == [("GET /0", {"n": 0}), ("GET /1", {"n": 1})]
    context = ended[0].context
    assert context is not None
    assert sink.spans[0]["trace_id"] == f"{context.trace_id:032x}"


def test_spans_follow_a_415(sink: OtlpSink) -> None:
    """At once, in the same call; events then need not find out again."""
    sink.accepts = ("application/x-protobuf",)
    destination = otlp(sink.url)
    assert destination.send_spans(encode_spans(spans()), 5.0) == DELIVERED
    assert len(sink.spans) == 2
    assert destination.protocol == "http/protobuf"


def test_rejected_spans_are_no_success(sink: OtlpSink) -> None:
    """The answer says how many, and that is enough to say so."""
    sink.partial_success(1)
    assert otlp(sink.url).send_spans(encode_spans(spans()), 5.0) == REFUSED


def test_spans_without_an_address_park() -> None:
    """Only a logs endpoint was named."""
    destination = build_destination(settings("otlp", logs_endpoint="http://127.0.0.1:9/in"))
    assert isinstance(destination, OtlpDestination)
    assert destination.send_spans(b"{}", 1.0).verdict is Verdict.PARK
