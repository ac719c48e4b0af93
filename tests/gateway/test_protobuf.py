"""Tests for footspan.gateway.protobuf."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.json.common._log_encoder import encode_logs as encode_json
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs as encode_protobuf
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from footspan.gateway.protobuf import decode_protobuf
from footspan.otlp_json.parse import decode
from otlp_json import normal
from otlp_json.strategies import ATTRIBUTES, NAMES, TEXT, UINT64, VALUES

RESOURCES = st.dictionaries(st.sampled_from(("service.name", "host.ip", "x")), TEXT, max_size=3)


@given(
    name=st.one_of(NAMES, st.just("")),
    attributes=ATTRIBUTES,
    body=VALUES,
    times=st.tuples(UINT64, UINT64),
    ids=st.tuples(st.integers(1, 2**128 - 1), UINT64, st.integers(0, 255)),
    severity=st.integers(1, 24),
    text=TEXT,
    resource=RESOURCES,
)
def test_both_encodings_give_the_same_record(
    name: str,
    attributes: dict[str, Any],
    body: Any,
    times: tuple[int, int],
    ids: tuple[int, int, int],
    severity: int,
    text: str,
    resource: dict[str, str],
) -> None:
    """What OpenTelemetry's two encoders write for one record is read as one and the same."""
    context = SpanContext(ids[0], ids[1], False, TraceFlags(ids[2]))
    record = ReadableLogRecord(
        LogRecord(
            timestamp=times[0],
            observed_timestamp=times[1],
            context=set_span_in_context(NonRecordingSpan(context)),
            severity_text=text,
            severity_number=SeverityNumber(severity),
            body=body,
            attributes=attributes,
            event_name=name,
        ),
        Resource(resource, text),
        InstrumentationScope(text, text, text, resource),
    )
    expected = [asdict(each) for each in decode(encode_json([record]).to_json().encode())]
    found = [asdict(each) for each in decode_protobuf(encode_protobuf([record]).SerializeToString())]

    assert normal.same(expected, found), (expected, found)


def test_a_name_in_the_attributes_counts() -> None:
    """As in JSON: older SDKs have no other place for it."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for key in ("otel.event.name", "event.name"):
        attribute = records.add().attributes.add()
        attribute.key, attribute.value.string_value = key, "order.placed"

    assert ["order.placed"] * 2 == [each.event.name for each in decode_protobuf(request.SerializeToString())]


def test_ids_of_another_length_are_none() -> None:
    """And so are ids of zeros."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(trace_id=b"abc", span_id=bytes(8))
    (found,) = decode_protobuf(request.SerializeToString())

    assert ("", "") == (found.event.trace_id, found.event.span_id)


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"{}", b"\x0a\x05ab"])
def test_anything_else_is_an_error(body: bytes) -> None:
    """One kind of exception, which quotes nothing."""
    with pytest.raises(ValueError, match="not an ExportLogsServiceRequest"):
        decode_protobuf(body)
