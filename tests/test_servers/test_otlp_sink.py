"""The OTLP sink: the official exporters pass, what breaks the specification does not."""

from __future__ import annotations

import gzip
import http.client
import json
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter as JsonLogExporter
from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter as JsonSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESOURCE = Resource({"service.name": "shop"})
_TRACE, _SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
_RECORD: dict[str, Any] = {"timeUnixNano": "1", "eventName": "e"}


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    """A running sink."""
    with OtlpSink() as server:
        yield server


def _logs(*records: object) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()


def _post(
    sink: OtlpSink, body: bytes, path: str = "/v1/logs", method: str = "POST", **headers: str | None
) -> tuple[int, dict[str, str], bytes]:
    given = {"content_type": "application/json", "user_agent": "test/1.0", **headers}
    connection = http.client.HTTPConnection("127.0.0.1", sink.port, timeout=5)
    try:
        kept = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
        connection.request(method, path, body, kept)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


# -- official exporters ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("kind", ["protobuf", "json"])
def test_official_log_exporters(sink: OtlpSink, monkeypatch: pytest.MonkeyPatch, kind: str, compression: str) -> None:
    """Events of both official exporters arrive whole, plain and compressed."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", compression)
    endpoint = f"{sink.url}/v1/logs"
    exporter = JsonLogExporter(endpoint) if kind == "json" else OTLPLogExporter(endpoint)
    provider = LoggerProvider(resource=_RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    context = trace.set_span_in_context(
        trace.NonRecordingSpan(trace.SpanContext(int(_TRACE, 16), int(_SPAN, 16), False, trace.TraceFlags(1)))
    )
    attributes: dict[str, Any] = {
        "log.record.uid": "u", "text": "ü\n", "yes": True, "int": -(2**63), "double": 0.1, "nan": math.nan,
        "bytes": b"\x00\xff", "list": [1, "a"], "map": {"a": {"b": None}},
    }  # fmt: skip
    provider.get_logger("scope", "1.0").emit(
        event_name="shop.paid", timestamp=5, observed_timestamp=6, severity_number=SeverityNumber.INFO,
        severity_text="INFO", body="text", attributes=attributes, context=context,
    )  # fmt: skip
    provider.shutdown()

    assert sink.problems == []
    assert [compression] == [request.headers.get("content-encoding", "none") for request in sink.requests]
    (event,) = sink.events
    assert math.isnan(event["attributes"].pop("nan"))
    del attributes["nan"]
    assert attributes == event["attributes"]
    assert tuple(
        event[key] for key in ("name", "uid", "time_ns", "observed_ns", "severity_number", "severity_text", "body")
    ) == ("shop.paid", "u", 5, 6, 9, "INFO", "text")
    assert (event["trace_id"], event["span_id"], event["flags"]) == (_TRACE, _SPAN, 1)
    assert (event["resource"]["service.name"], event["scope"]["name"]) == ("shop", "scope")


@pytest.mark.parametrize("kind", ["protobuf", "json"])
def test_official_span_exporters(sink: OtlpSink, kind: str) -> None:
    """Spans of both official exporters arrive with ids, parent, status and span events."""
    endpoint = f"{sink.url}/v1/traces"
    exporter = JsonSpanExporter(endpoint=endpoint) if kind == "json" else OTLPSpanExporter(endpoint=endpoint)
    provider = TracerProvider(resource=_RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("scope")
    with tracer.start_as_current_span("outer", kind=trace.SpanKind.SERVER) as outer:
        inner = tracer.start_span("inner", attributes={"a": 1})
        inner.add_event("seen", {"b": "c"})
        inner.set_status(trace.StatusCode.ERROR, "bad")
        inner.end()
    provider.shutdown()

    assert sink.problems == []
    first, second = sink.spans
    assert (format(outer.get_span_context().span_id, "016x"), "outer", 2) == (
        second["span_id"], second["name"], second["kind"],
    )  # fmt: skip
    assert (second["span_id"], second["trace_id"]) == (first["parent_span_id"], first["trace_id"])
    assert (first["attributes"], first["status"]) == ({"a": 1}, {"code": 2, "message": "bad"})
    assert [event["name"] for event in first["events"]] == ["seen"]
    assert first["start_ns"] <= first["end_ns"]


def test_official_metric_exporter(sink: OtlpSink) -> None:
    """Metrics are counted by name."""
    exporter = OTLPMetricExporter(endpoint=f"{sink.url}/v1/metrics")
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)
    provider = MeterProvider([reader], resource=_RESOURCE, shutdown_on_exit=False)
    provider.get_meter("scope").create_counter("paid", "1").add(1)
    provider.force_flush()
    provider.shutdown()
    assert ("paid", 1) in [(metric["name"], metric["points"]) for metric in sink.metrics]


# -- the contract ------------------------------------------------------------------------------------------------------


def test_json_forms_that_are_allowed(sink: OtlpSink) -> None:
    """64-bit numbers as digits or numbers, upper-case ids, null members, unknown members, a charset: all fine."""
    record = {
        "timeUnixNano": 18446744073709551615, "observedTimeUnixNano": "7", "eventName": "e", "body": None,
        "traceId": _TRACE.upper(), "spanId": _SPAN.upper(), "severityNumber": 9, "futureMember": {"x": []},
        "attributes": [
            {"key": "digits", "value": {"intValue": "-9223372036854775808"}}, {"key": "n", "value": {"intValue": 5}},
            {"key": "inf", "value": {"doubleValue": "-Infinity"}}, {"key": "null", "value": {}},
        ],
    }  # fmt: skip
    status, headers, body = _post(sink, _logs(record), content_type="application/json; charset=utf-8")
    assert (status, headers["content-type"], body) == (200, "application/json", b"{}")
    (event,) = sink.events
    assert {"digits": -(2**63), "n": 5, "inf": -math.inf, "null": None} == event["attributes"]
    assert tuple(event[k] for k in ("time_ns", "observed_ns", "trace_id", "span_id")) == (2**64 - 1, 7, _TRACE, _SPAN)


def test_a_log_record_without_a_name_is_no_event(sink: OtlpSink) -> None:
    """Plain log records are kept apart."""
    _post(sink, _logs({"timeUnixNano": "1", "body": {"stringValue": "x"}}, _RECORD))
    assert (len(sink.logs), [event["name"] for event in sink.events]) == (2, ["e"])


@pytest.mark.parametrize("body", [b"{}", b'{"resourceLogs":[]}', b'{"resourceLogs":null}'])
def test_empty_requests_are_fine(sink: OtlpSink, body: bytes) -> None:
    """A request without records is answered like any other."""
    assert _post(sink, body)[::2] == (200, b"{}")


@pytest.mark.parametrize(
    ("member", "problem"),
    [
        ({"traceId": "AAECAwQFBgcICQoLDA0ODw=="}, "traceId"),
        ({"traceId": _TRACE, "spanId": _SPAN[:-1]}, "spanId"),
        ({"spanId": _SPAN}, "span id needs a trace id"),
        ({"severityNumber": "SEVERITY_NUMBER_INFO"}, "enum"),
        ({"severityNumber": 25}, "severityNumber"),
        ({"timeUnixNano": "-1"}, "timeUnixNano"),
        ({"timeUnixNano": 1.5}, "timeUnixNano"),
        ({"timeUnixNano": "18446744073709551616"}, "timeUnixNano"),
        ({"eventName": 5}, "eventName"),
        ({"attributes": {"a": 1}}, "attributes"),
        ({"attributes": [{"key": "a", "value": 1}]}, "value"),
        ({"attributes": [{"key": "", "value": {"intValue": 1}}]}, "key is empty"),
        ({"attributes": [{"key": "a", "value": {}}, {"key": "a", "value": {}}]}, "key comes twice"),
        ({"attributes": [{"key": "a", "value": {"intValue": 1, "boolValue": True}}]}, "one kind"),
        ({"attributes": [{"key": "a", "value": {"intValue": 2**63}}]}, "intValue"),
        ({"attributes": [{"key": "a", "value": {"intValue": True}}]}, "intValue"),
        ({"attributes": [{"key": "a", "value": {"stringValue": 1}}]}, "stringValue"),
        ({"attributes": [{"key": "a", "value": {"boolValue": 1}}]}, "boolValue"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": "1.5x"}}]}, "doubleValue"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "%%%"}}]}, "base64"),
    ],
)
def test_broken_records(sink: OtlpSink, member: dict[str, Any], problem: str) -> None:
    """Each breach gets 400 with a status that says where, and nothing of the request is kept."""
    status, headers, body = _post(sink, _logs(_RECORD, _RECORD | member))
    answer = json.loads(body)
    assert (status, headers["content-type"], answer["code"]) == (400, "application/json", 3)
    assert problem in answer["message"]
    assert [answer["message"]] == sink.problems
    assert sink.logs == []


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"resourceLogs": NaN}', b"\xff", b'{"resourceLogs":[1]}'])
def test_bodies_that_are_no_request(sink: OtlpSink, body: bytes) -> None:
    """What is no JSON object is refused."""
    assert _post(sink, body)[0] == 400


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        (404, {"path": "/v1/logs/"}),
        (404, {"path": "/v1/events"}),
        (404, {"path": "/"}),
        (405, {"method": "GET"}),
        (405, {"method": "PUT"}),
        (415, {"content_type": None}),
        (415, {"content_type": "text/plain"}),
        (415, {"content_type": "application/x-www-form-urlencoded"}),
        (400, {"user_agent": None}),
        (400, {"content_encoding": "br"}),
        (400, {"content_encoding": "gzip"}),
    ],
)
def test_requests_that_break_the_contract(sink: OtlpSink, expected: int, change: dict[str, Any]) -> None:
    """Wrong path, method, type, encoding, or no User-Agent."""
    assert expected == _post(sink, _logs(_RECORD), **change)[0]
    assert sink.logs == []


def test_gzip(sink: OtlpSink) -> None:
    """A compressed body is read; one that is cut off or followed by something is refused."""
    packed = gzip.compress(_logs(_RECORD))
    assert _post(sink, packed, content_encoding="gzip")[0] == 200
    assert _post(sink, packed[:-4], content_encoding="gzip")[0] == 400
    assert _post(sink, packed + b"x", content_encoding="gzip")[0] == 400
    assert len(sink.logs) == 1


def test_refusal_in_protobuf(sink: OtlpSink) -> None:
    """A protobuf client gets its status in protobuf."""
    status, headers, body = _post(sink, b"\xff\xff", content_type="application/x-protobuf")
    assert (status, headers["content-type"]) == (400, "application/x-protobuf")
    answer = import_module("google.rpc.status_pb2").Status.FromString(body)
    assert (3, sink.problems) == (answer.code, [answer.message])


def test_bad_ids_in_protobuf(sink: OtlpSink) -> None:
    """Ids of a wrong length are found in protobuf too."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"123", event_name="e")
    assert _post(sink, request.SerializeToString(), content_type="application/x-protobuf")[0] == 400


def test_partial_success(sink: OtlpSink) -> None:
    """On order the answer says how many were rejected, in the client's encoding; the rest is kept."""
    sink.partial_success(1, "too many", times=2)
    body = _post(sink, _logs(_RECORD, _RECORD | {"eventName": "f"}))[2]
    assert json.loads(body) == {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "too many"}}
    assert [event["name"] for event in sink.events] == ["e"]

    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(event_name="g")
    body = _post(sink, request.SerializeToString(), content_type="application/x-protobuf")[2]
    partial = ExportLogsServiceResponse.FromString(body).partial_success
    assert (partial.rejected_log_records, partial.error_message) == (1, "too many")
    assert _post(sink, _logs(_RECORD))[2] == b"{}"


def test_a_sink_of_one_encoding(sink: OtlpSink) -> None:
    """A receiver that speaks protobuf only answers 415 to JSON."""
    sink.accepts = ("application/x-protobuf",)
    assert _post(sink, _logs(_RECORD))[0] == 415
    assert _post(sink, b"", content_type="application/x-protobuf")[0] == 200


def test_faults(sink: OtlpSink) -> None:
    """The common faults work here too."""
    sink.faults.answer(503, headers={"Retry-After": "2"})
    status, headers, _ = _post(sink, _logs(_RECORD))
    assert (status, headers["retry-after"]) == (503, "2")
    sink.faults.down()
    with pytest.raises(ConnectionRefusedError):
        _post(sink, _logs(_RECORD))
    sink.faults.clear()
    assert _post(sink, _logs(_RECORD))[0] == 200
