"""Protobuf written by hand against protobuf's own reader: the same request, byte for byte what it means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.making import line
from footspan import conventions as c
from footspan.destinations.otlp_protobuf import request_bytes, request_message
from footspan.destinations.otlp_wire import UnusualError, logs_request
from footspan.otlp_json import merge
from footspan.otlp_json.text import dumps, loads

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=40)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=140), inner, max_size=4)
)


def same(body: bytes) -> None:
    """Both ways make the same message of a request."""
    expected: Any = request_message(body, "logs")
    assert type(expected).FromString(logs_request(loads(body))) == expected


@given(st.dictionaries(st.text(max_size=300), VALUES, max_size=8), VALUES)
def test_any_event(attributes: dict[str, Any], body: Any) -> None:
    """Whatever a stored line can hold, `body` and long names included."""
    same(merge([line("any.event", attributes, body=body), line("other", attributes)]))


def test_every_field_of_a_record() -> None:
    """Ids, flags, severity, counts; several scopes and resources."""
    record = {
        "timeUnixNano": "1767225600123456789",
        "observedTimeUnixNano": 1767225600123456789,
        "eventName": "n" * 200,
        "severityNumber": 17,
        "severityText": "ERROR",
        "body": {"stringValue": ""},
        "attributes": [
            {"key": "", "value": {"stringValue": ""}},
            {"key": "none", "value": {}},
            {"key": "nan", "value": {"doubleValue": "NaN"}},
            {"key": "least", "value": {"intValue": str(-(2**63))}},
            {"key": "zero", "value": {"intValue": 0}},
            {"key": "empty", "value": {"arrayValue": {}}},
            {"key": "k" * 500, "value": {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": False}}]}}},
        ],
        "droppedAttributesCount": 300,
        "flags": 257,
        "traceId": "0AF7651916CD43DD8448EB211C80319C",
        "spanId": "b7ad6b7169203331",
    }
    owner = {"attributes": [{"key": "a", "value": {"intValue": "1"}}], "droppedAttributesCount": 2}
    scope = {"name": "s", "version": "1", **owner}
    scopes = [{"logRecords": [record, {}], "scope": scope, "schemaUrl": "https://s.example/1"}, {"logRecords": []}]
    same(dumps({"resourceLogs": [{"resource": owner, "scopeLogs": scopes, "schemaUrl": "u"}, {"scopeLogs": []}]}))
    same(b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"no hex","spanId":""}]}]}]}')
    same(b"{}")


@pytest.mark.parametrize(
    "record",
    [
        '{"severityNumber":"SEVERITY_NUMBER_INFO"}',
        '{"time_unix_nano":"5"}',
        '{"someday":1}',
        '{"attributes":[{"key":"a","value":{"stringValue":"x","intValue":"1"}}]}',
        '{"attributes":[{"key":"a","value":{"bytesValue":"_-_-"}}]}',
        '{"attributes":[{"key":"a","value":{"intValue":"99999999999999999999"}}]}',
        '{"attributes":[{"key":"a","value":{"intValue":1.5}}]}',
        '{"attributes":[{"key":"a","value":{"boolValue":"true"}}]}',
        '{"attributes":[{"key":"a","value":{"stringValue":5}}]}',
        '{"timeUnixNano":"-1"}',
        '{"flags":4294967296}',
        '{"attributes":{"a":1}}',
    ],
)
def test_what_is_unusual_is_left_to_protobuf_itself(record: str) -> None:
    """It reads it or refuses it; nothing is guessed."""
    body = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}'.encode()
    with pytest.raises(UnusualError):
        logs_request(loads(body))
    try:
        expected = request_message(body, "logs").SerializeToString()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the same both ways
        with pytest.raises(type(error)):
            request_bytes(body, "logs")
    else:
        assert request_bytes(body, "logs") == expected


def test_names_are_remembered_within_bounds() -> None:
    """Events with a new name each do not fill the memory."""
    from footspan.destinations import otlp_wire  # noqa: PLC0415 - its inner state

    for number in range(10_000):
        otlp_wire._key(f"key-{number}")
    assert len(otlp_wire._KEYS) <= 4_096
    same(merge([line("a", {c.USER_ID: "u", "x": 1})]))
