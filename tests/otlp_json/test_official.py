"""Our encoder says what OpenTelemetry's own OTLP-JSON encoder says, for every legal log record."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.json.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from footspan import conventions as c
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix, merge
from otlp_json import normal
from otlp_json.strategies import ATTRIBUTES, NAMES, TEXT, UIDS, UINT64, VALUES

SEVERITIES = st.one_of(st.none(), st.sampled_from([severity for severity in SeverityNumber if severity.value]))


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """The arguments of ``encode_record``, all of them legal."""
    trace_id = draw(st.one_of(st.just(0), st.integers(1, 2**128 - 1)))
    severity = draw(SEVERITIES)
    attributes = {**draw(ATTRIBUTES), c.LOG_RECORD_UID: draw(UIDS), **draw(ATTRIBUTES)}
    return {
        "name": draw(NAMES),
        "time_ns": draw(UINT64),
        "observed_ns": draw(UINT64),
        "attributes": attributes,
        "body": draw(VALUES),
        "severity_number": severity.value if severity else 0,
        "severity_text": draw(TEXT),
        "trace_id": trace_id,
        "span_id": draw(UINT64) if trace_id else 0,
        "flags": draw(st.integers(0, 255)) if trace_id else 0,
    }


def official(record: dict[str, Any], resource: Resource, scope: InstrumentationScope) -> str:
    """What OpenTelemetry's encoder makes of the same record."""
    context = SpanContext(record["trace_id"], record["span_id"], False, TraceFlags(record["flags"]))
    log_record = LogRecord(
        timestamp=record["time_ns"],
        observed_timestamp=record["observed_ns"],
        context=set_span_in_context(NonRecordingSpan(context)),
        severity_text=record["severity_text"],
        severity_number=SeverityNumber(record["severity_number"]) if record["severity_number"] else None,
        body=record["body"],
        attributes=record["attributes"],
        event_name=record["name"],
    )
    return encode_logs([ReadableLogRecord(log_record, resource, scope)]).to_json()


RESOURCES = st.dictionaries(st.sampled_from(("service.name", "host.ip", "x")), TEXT, max_size=3)


@given(record=records(), resource=RESOURCES, schema=TEXT, scope_name=TEXT, version=TEXT, scope_attributes=RESOURCES)
def test_a_line_equals_the_official_encoding(
    record: dict[str, Any],
    resource: dict[str, str],
    schema: str,
    scope_name: str,
    version: str,
    scope_attributes: dict[str, str],
) -> None:
    """Fields, kinds of value, resource and scope are the same, whether the shape of the attributes is new or known."""
    expected = normal.logs(
        official(
            record,
            Resource(resource, schema),
            InstrumentationScope(scope_name, version, schema, scope_attributes),
        )
    )
    suffix = encode_suffix(resource, scope_name, version, scope_attributes, schema, schema)

    first, second = encode_record(**record), encode_record(**record)

    assert expected == normal.logs(encode_line(first, suffix))
    assert first == second


@given(batch=st.lists(records(), min_size=1, max_size=4))
def test_merged_lines_are_accepted_by_protobuf(batch: list[dict[str, Any]]) -> None:
    """Protobuf's own JSON parser takes a merged request, once the ids are in its own encoding."""
    suffix = encode_suffix({"service.name": "shop"}, "footspan")
    request = json.loads(merge([LogLine(encode_line(encode_record(**record), suffix)) for record in batch]))
    written = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    for record in written:
        for name in ("traceId", "spanId"):
            if name in record:
                record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()

    message = Parse(json.dumps(request), ExportLogsServiceRequest())

    parsed = message.resource_logs[0].scope_logs[0].log_records
    assert [record["name"] for record in batch] == [record.event_name for record in parsed]
    assert [record["time_ns"] for record in batch] == [record.time_unix_nano for record in parsed]
    assert [record["trace_id"] for record in batch] == [int.from_bytes(record.trace_id, "big") for record in parsed]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 0.1 + 0.2, 1e300, -0.0, 5e-324])
def test_floats_are_written_as_the_official_encoder_writes_them(value: float) -> None:
    """NaN and the infinities by name, every other float so that it reads back as the same one."""
    record = {
        "name": "x",
        "time_ns": 1,
        "observed_ns": 1,
        "attributes": {"value": value},
        "body": None,
        "severity_number": 0,
        "severity_text": "",
        "trace_id": 0,
        "span_id": 0,
        "flags": 0,
    }
    expected = normal.logs(official(record, Resource({}), InstrumentationScope("")))
    ours = normal.logs(encode_line(encode_record(**record), encode_suffix({}, "")))  # type: ignore[arg-type]
    assert expected == ours
