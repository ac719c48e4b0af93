"""OpenTelemetry's own exporters before the gateway, destinations behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.common.http import Compression
from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter as JsonExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as ProtobufExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

import footspan
from gateway.running import TIME, Gateway
from spooled import spooled

if TYPE_CHECKING:
    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer


def emit(exporter: Any, count: int = 3) -> None:
    """Some events and one plain log record, through the SDK as any application uses it."""
    provider = LoggerProvider(Resource({"service.name": "shop", "deployment.zone": "b"}), shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("shop.checkout", "2.1")
    span = NonRecordingSpan(SpanContext(0xABC, 0xDEF, False, TraceFlags(1)))
    for number in range(count):
        logger.emit(
            event_name="order.placed",
            timestamp=TIME + number,
            context=set_span_in_context(span),
            severity_number=SeverityNumber.INFO,
            attributes={
                "number": number,
                "ratio": 0.5,
                "paid": True,
                "items": [{"sku": "tea"}],
                "password": "hunter2",
                "user.id": "u_1",
            },
        )
    logger.emit(body="a plain log record")
    assert provider.force_flush()
    provider.shutdown()


@pytest.mark.parametrize("exporter", [JsonExporter, ProtobufExporter], ids=["json", "protobuf"])
@pytest.mark.parametrize("compression", list(Compression), ids=[each.value for each in Compression])
def test_what_the_official_exporters_send_arrives(exporter: Any, compression: Any, otlp_sink: OtlpSink) -> None:
    """In both encodings and every compression they have: cleaned, otherwise unchanged, in the spool and beyond."""
    with Gateway(destinations={"otlp": {"endpoint": otlp_sink.url}}) as gateway:
        emit(exporter(endpoint=f"{gateway.url}/v1/logs", compression=compression))

        assert ["[secret]"] * 3 == [event.attributes["password"] for event in spooled()]
        assert {"otlp": 0} == gateway.pipeline.flush(10.0)
    assert [TIME, TIME + 1, TIME + 2] == [event["time_ns"] for event in otlp_sink.events]
    first = otlp_sink.events[0]
    assert {"service.name": "shop", "deployment.zone": "b"} == first["resource"]
    assert ("shop.checkout", "2.1") == (first["scope"]["name"], first["scope"]["version"])
    assert (f"{0xABC:032x}", f"{0xDEF:016x}", 1) == (first["trace_id"], first["span_id"], first["flags"])
    attributes = first["attributes"]
    assert (0, 0.5, True, [{"sku": "tea"}]) == tuple(attributes[key] for key in ("number", "ratio", "paid", "items"))
    assert 3 == len({event["uid"] for event in otlp_sink.events} - {""})
    assert [] == otlp_sink.problems


def test_events_go_on_to_every_destination(otlp_sink: OtlpSink, umami_server: UmamiServer) -> None:
    """Each one gets what its patterns say, as it would from a process of footspan's own."""
    destinations = {
        "otlp": {"endpoint": otlp_sink.url, "events": ["nothing.*"]},
        "umami": {"url": umami_server.url, "website": umami_server.website},
    }
    with Gateway(destinations=destinations) as gateway:
        emit(ProtobufExporter(endpoint=f"{gateway.url}/v1/logs"))

        assert {"otlp": 0, "umami": 0} == gateway.pipeline.flush(10.0)
    (*_, last) = events = umami_server.events("order.placed")
    assert 3 == len(events)
    assert "[secret]" == umami_server.data_of(last["event_id"])["password"]
    assert [] == otlp_sink.logs


def test_footspan_itself_is_a_sender(otlp_sink: OtlpSink) -> None:
    """From one process's spool to the gateway's: the id stays, and what was redacted stays known."""
    with Gateway(destinations={"otlp": {"endpoint": otlp_sink.url}}) as gateway:
        footspan.init(service_name="shop", destinations={"otlp": {"endpoint": gateway.url}})
        uid = footspan.track("order.placed", password="hunter2", amount=9.5)
        assert {"otlp": 0} == footspan.flush(10.0)
        assert {"otlp": 0} == gateway.pipeline.flush(10.0)

    (event,) = otlp_sink.events
    assert (uid, "shop") == (event["uid"], event["resource"]["service.name"])
    assert (9.5, ["password"]) == (event["attributes"]["amount"], event["attributes"]["footspan.redacted"])


def test_traces_and_metrics_have_no_place_yet(otlp_sink: OtlpSink) -> None:
    """A sender of spans is told so with 404, and its logs arrive all the same."""
    with Gateway() as gateway:
        assert 404 == gateway.ask("POST", "/v1/traces", b"", {"Content-Type": "application/x-protobuf"}).status
        emit(ProtobufExporter(endpoint=f"{gateway.url}/v1/logs"), count=1)

    assert ["order.placed"] == [event.name for event in spooled()]
