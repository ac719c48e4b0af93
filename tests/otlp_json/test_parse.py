"""OTLP JSON as anybody may write it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.otlp_json import encode_line, encode_record, encode_suffix, parse_logs
from footspan.otlp_json.sanitise import TOO_DEEP
from otlp_json import normal
from otlp_json.strategies import ATTRIBUTES, NAMES, UINT64, VALUES


def event_of(record: dict[str, Any]) -> Any:
    """The one event of a record."""
    (event,) = parse_logs(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode())
    return event


def value_of(value: Any) -> Any:
    """What an ``AnyValue`` reads as."""
    return event_of({"attributes": [{"key": "a", "value": value}]}).attributes["a"]


@given(name=NAMES, time_ns=UINT64, attributes=ATTRIBUTES, body=VALUES, trace_id=st.integers(1, 2**128 - 1))
def test_what_was_written_is_read(
    name: str, time_ns: int, attributes: dict[str, Any], body: Any, trace_id: int
) -> None:
    """Every field makes the round trip."""
    record = encode_record(
        name=name,
        time_ns=time_ns,
        attributes=attributes,
        observed_ns=time_ns,
        body=body,
        severity_number=17,
        severity_text="ERROR",
        trace_id=trace_id,
        span_id=7,
        flags=1,
    )
    (event,) = parse_logs(encode_line(record, encode_suffix({"service.name": "shop"}, "app", "2")))
    assert normal.same(event.attributes, attributes)
    assert normal.same(event.body, body)
    assert (name, time_ns, time_ns, f"{trace_id:032x}", f"{7:016x}", 1, 17, "ERROR", "app", "2", "shop") == (
        event.name,
        event.time_ns,
        event.observed_ns,
        event.trace_id,
        event.span_id,
        event.flags,
        event.severity_number,
        event.severity_text,
        event.scope_name,
        event.scope_version,
        event.resource["service.name"],
    )


def test_snake_case_and_unknown_members() -> None:
    """Protobuf's own names are names too, and news from a later protocol is passed over."""
    data = {
        "resource_logs": [
            {
                "future": {},
                "scope_logs": [
                    {
                        "scope": {"name": "app"},
                        "log_records": [
                            {
                                "time_unix_nano": 5,
                                "observed_time_unix_nano": "6",
                                "event_name": "buy",
                                "severity_number": "SEVERITY_NUMBER_WARN2",
                                "severity_text": "w",
                                "trace_id": "0AF7651916CD43DD8448EB211C80319C",
                                "span_id": "B7AD6B7169203331",
                                "body": {"string_value": "b"},
                                "attributes": [{"key": "a", "value": {"int_value": 5}, "future": 1}],
                            }
                        ],
                    }
                ],
            }
        ]
    }
    (event,) = parse_logs(json.dumps(data).encode())
    assert (5, 6, "buy", 14, "w", "b", {"a": 5}) == (
        event.time_ns,
        event.observed_ns,
        event.name,
        event.severity_number,
        event.severity_text,
        event.body,
        event.attributes,
    )
    assert ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331") == (event.trace_id, event.span_id)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"stringValue": "a"}, "a"),
        ({"stringValue": 5}, "5"),
        ({"boolValue": False}, False),
        ({"boolValue": "True"}, True),
        ({"boolValue": 1}, None),
        ({"intValue": "-5"}, -5),
        ({"intValue": 5}, 5),
        ({"intValue": 5.0}, 5),
        ({"intValue": "1e3"}, 1000),
        ({"intValue": 2**63}, "9223372036854775808"),
        ({"intValue": "9223372036854775808"}, "9223372036854775808"),
        ({"intValue": "five"}, "five"),
        ({"intValue": "9" * 9_000}, "9" * 399 + "…"),
        ({"intValue": True}, None),
        ({"intValue": []}, None),
        ({"doubleValue": 1}, 1.0),
        ({"doubleValue": "1.5"}, 1.5),
        ({"doubleValue": "Infinity"}, math.inf),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"doubleValue": "NaN"}, math.nan),
        ({"doubleValue": "much"}, None),
        ({"doubleValue": True}, None),
        ({"bytesValue": "AP8="}, b"\x00\xff"),
        ({"bytesValue": "AP8"}, b"\x00\xff"),
        ({"bytesValue": "-_8="}, b"\xfb\xff"),
        ({"bytesValue": "!"}, None),
        ({"bytesValue": 5}, None),
        ({"arrayValue": {"values": [{"intValue": "1"}, {}]}}, [1, None]),
        ({"arrayValue": {}}, []),
        ({"arrayValue": 5}, []),
        ({"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}, {"key": ""}]}}, {"k": True}),
        ({"kvlistValue": None}, None),
        ({"kvlistValue": 5}, {}),
        ({"newValue": 5}, None),
        ({}, None),
        (None, None),
        ("bare", "bare"),
        ([1], None),
    ],
)
def test_values_are_read_patiently(value: Any, read: Any) -> None:
    """Every spelling that a writer of protobuf's JSON may choose, and nothing raises."""
    assert normal.same(value_of(value), read)


@pytest.mark.parametrize(
    ("member", "attribute", "bad"),
    [
        ("timeUnixNano", "time_ns", -1),
        ("timeUnixNano", "time_ns", 2**64),
        ("timeUnixNano", "time_ns", "soon"),
        ("timeUnixNano", "time_ns", 1.5),
        ("severityNumber", "severity_number", 99),
        ("severityNumber", "severity_number", "LOUD"),
        ("flags", "flags", [1]),
        ("traceId", "trace_id", "0" * 32),
        ("traceId", "trace_id", "xyz"),
        ("traceId", "trace_id", "g" * 32),
        ("spanId", "span_id", 5),
        ("eventName", "name", 5),
        ("attributes", "attributes", 5),
        ("body", "body", []),
    ],
)
def test_a_member_of_a_wrong_type_is_missing(member: str, attribute: str, bad: Any) -> None:
    """It costs neither the record nor its other members."""
    event = event_of({"severityText": "kept", member: bad})
    assert not getattr(event, attribute)
    assert "kept" == event.severity_text


@pytest.mark.parametrize(
    ("severity", "number"), [(9, 9), ("9", 9), ("SEVERITY_NUMBER_INFO", 9), ("FATAL4", 24), ("TRACE", 1), (None, 0)]
)
def test_severities_by_number_or_name(severity: Any, number: int) -> None:
    """Enums are numbers in OTLP, but names are met."""
    assert number == event_of({"severityNumber": severity}).severity_number


@pytest.mark.parametrize("attribute", ["otel.event.name", "event.name"])
def test_the_name_may_stand_in_an_attribute(attribute: str) -> None:
    """Formats and SDKs without a place for it put it there; the place itself wins."""
    pair = {"key": attribute, "value": {"stringValue": "buy"}}
    assert "buy" == event_of({"attributes": [pair]}).name
    assert "sell" == event_of({"attributes": [pair], "eventName": "sell"}).name


def test_of_equal_keys_the_last_one_counts() -> None:
    """OTLP leaves it open; a dict has one value."""
    pairs = [{"key": "a", "value": {"intValue": number}} for number in (1, 2)]
    assert {"a": 2} == event_of({"attributes": pairs}).attributes


def test_depth_is_bounded() -> None:
    """Deep values are cut, absurd ones refused as a whole, neither by a crash."""
    value: Any = {"stringValue": "deep"}
    for _ in range(200):
        value = {"arrayValue": {"values": [value]}}
    assert TOO_DEEP in str(value_of(value))
    with pytest.raises(ValueError, match=r"."):
        parse_logs(b'{"resourceLogs":' + b"[" * 200_000)


@pytest.mark.parametrize("data", [b"", b"5", b"[]", b"null", b'"x"', b"{", b'{"a":1}}', b"\xff\xfe{}"])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    """With a ``ValueError``."""
    with pytest.raises(ValueError, match=r"."):
        parse_logs(data)


@pytest.mark.parametrize("data", [b"{}", b'{"resourceLogs":null}', b'{"resourceLogs":[{"scopeLogs":[null]}]}'])
def test_a_request_without_records_has_no_events(data: bytes) -> None:
    """It is no error."""
    assert [] == parse_logs(data)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                (
                    *("resourceLogs", "scopeLogs", "logRecords", "resource", "attributes", "key", "value", "values"),
                    *("intValue", "bytesValue", "doubleValue", "arrayValue", "kvlistValue", "body", "traceId"),
                )
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


@given(st.one_of(JSON, JSON.map(lambda value: {"resourceLogs": [{"scopeLogs": [{"logRecords": [value]}]}]})))
def test_any_json_is_events_or_a_value_error(value: Any) -> None:
    """Known members in unexpected places and of unexpected types."""
    try:
        events = parse_logs(json.dumps(value).encode())
    except ValueError:
        assert not isinstance(value, dict)
    else:
        assert all(isinstance(event.attributes, dict) for event in events)
