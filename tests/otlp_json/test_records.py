"""Whatever ``encode_record`` is given, an event comes out, in the stored order and inside its limits."""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan import conventions as c
from footspan.otlp_json import NO_NAME, encode_line, encode_record, encode_suffix, parse_logs
from footspan.otlp_json.records import (
    _CACHE_SIZE,
    MAX_ATTRIBUTES,
    MAX_RECORD,
    TOO_LARGE,
    _names,
    _severities,
    _traces,
)
from otlp_json.hazards import OUTCOMES, RaisesOnText, RaisingMapping

NOW = 1_755_692_400_000_000_000


class Severity(enum.Enum):
    """What ``SeverityNumber`` looks like."""

    INFO = 9


class Moment(int):
    """A time of a library's own class."""


def written(**fields: Any) -> dict[str, Any]:
    """The record that comes of some fields, decoded."""
    record = encode_record(**{"name": "x", "time_ns": NOW, "attributes": {}, **fields})
    decoded = json.loads(record)
    assert isinstance(decoded, dict)
    return decoded


def names(record: dict[str, Any]) -> list[str]:
    """The attributes' names, in their order."""
    return [pair["key"] for pair in record["attributes"]]


def test_the_stored_order() -> None:
    """Byte for byte: the order that readers by position rely on."""
    record = encode_record(
        name='say "hi"',
        time_ns=NOW,
        attributes={"amount": 9.99, c.LOG_RECORD_UID: "u-1", "n": 3, "ok": True, "none": None},
        observed_ns=NOW + 1,
        severity_number=9,
        severity_text="INFO",
        body="text",
        flags=1,
        trace_id=0xA,
        span_id=0xB,
        dropped=2,
    )
    suffix = encode_suffix(
        {"service.name": "shop"}, "footspan", "1.0", {"k": 1}, "https://r.example", "https://s.example"
    )
    assert encode_line(record, suffix).decode() == (
        '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1755692400000000000",'
        '"eventName":"say \\"hi\\"","attributes":[{"key":"log.record.uid","value":{"stringValue":"u-1"}},'
        '{"key":"amount","value":{"doubleValue":9.99}},{"key":"n","value":{"intValue":"3"}},'
        '{"key":"ok","value":{"boolValue":true}},{"key":"none","value":{}}],'
        '"observedTimeUnixNano":"1755692400000000001","severityNumber":9,"severityText":"INFO",'
        '"body":{"stringValue":"text"},"flags":1,"traceId":"0000000000000000000000000000000a",'
        '"spanId":"000000000000000b","droppedAttributesCount":2}],'
        '"scope":{"name":"footspan","version":"1.0","attributes":[{"key":"k","value":{"intValue":"1"}}]},'
        '"schemaUrl":"https://s.example"}],"resource":{"attributes":[{"key":"service.name",'
        '"value":{"stringValue":"shop"}}]},"schemaUrl":"https://r.example"}]}\n'
    )


def test_what_is_unset_is_left_out() -> None:
    """A bare event is its time, its name and its attributes."""
    assert b'{"timeUnixNano":"1","eventName":"x","attributes":[]}' == encode_record(name="x", time_ns=1, attributes={})


@pytest.mark.parametrize("bad", [-1, 2**64, 1.5, "now", None, True, 0, RaisesOnText(), Severity.INFO.name])
def test_a_time_that_is_none_gives_way(bad: Any) -> None:
    """To the observed time, and that to the clock."""
    assert str(NOW) == written(time_ns=bad, observed_ns=NOW)["timeUnixNano"]
    before = time.time_ns()
    assert before <= int(written(time_ns=bad, observed_ns=bad)["timeUnixNano"]) <= time.time_ns()
    assert "observedTimeUnixNano" not in written(observed_ns=bad)


def test_numbers_of_other_classes_count() -> None:
    """An ``int`` subclass is a time, a ``SeverityNumber`` a severity."""
    record = written(time_ns=Moment(NOW), severity_number=Severity.INFO)
    assert (str(NOW), 9) == (record["timeUnixNano"], record["severityNumber"])


@pytest.mark.parametrize(
    ("field", "member", "bad"),
    [
        ("severity_number", "severityNumber", 25),
        ("severity_number", "severityNumber", -1),
        ("severity_number", "severityNumber", "INFO"),
        ("trace_id", "traceId", 2**128),
        ("trace_id", "traceId", "ab"),
        ("span_id", "spanId", 2**64),
        ("span_id", "spanId", [1]),
        ("flags", "flags", 2**32),
        ("flags", "flags", RaisesOnText()),
        ("dropped", "droppedAttributesCount", -3),
        ("severity_text", "severityText", None),
    ],
)
def test_members_out_of_range_are_left_out(field: str, member: str, bad: Any) -> None:
    """They cost neither the event nor the other members."""
    record = written(**{"attributes": {"a": 1}, field: bad})
    assert member not in record
    assert ["a"] == names(record)


def test_a_severity_text_is_bounded() -> None:
    """A name, not a novel; hostile ones included."""
    assert "x" * 255 + "…" == written(severity_text="x" * 300)["severityText"]
    assert "[unserialisable RaisesOnText]" == written(severity_text=RaisesOnText())["severityText"]


def test_a_plain_log_record_gets_no_name() -> None:
    """``NO_NAME`` is not the same as an empty name."""
    assert "" == written(name=NO_NAME)["eventName"]
    assert "footspan.unnamed" == written(name="")["eventName"]


@pytest.mark.parametrize(("value", "_"), OUTCOMES, ids=lambda value: type(value).__name__)
def test_a_hazard_keeps_its_event_and_its_neighbours(value: Any, _: Any) -> None:
    """As an attribute, as a body, and as a name."""
    for _round in range(2):  # the shape is new, then known
        record = written(attributes={"a": 1, "value": value, c.LOG_RECORD_UID: "u", "z": 2}, body=value, name=value)
        assert [c.LOG_RECORD_UID, "a", "value", "z"] == names(record)


def test_the_known_shape_is_written_like_the_new_one() -> None:
    """A percent sign in a name is no placeholder, and the id comes first."""
    attributes = {"100%": 1, "%b": "x", "nested": {"a": [1]}, "none": None, c.LOG_RECORD_UID: "u", "f": 0.5}
    first = encode_record(name="x", time_ns=1, attributes=attributes)
    second = encode_record(name="x", time_ns=1, attributes=attributes)
    assert first == second
    assert [c.LOG_RECORD_UID, "100%", "%b", "nested", "none", "f"] == names(json.loads(second))


@pytest.mark.parametrize(
    ("usual", "unusual", "expected"),
    [
        (1, 2**63, {"stringValue": "9223372036854775808"}),
        (1, -(2**63) - 1, {"stringValue": "-9223372036854775809"}),
        (1, 10**30, {"stringValue": "1" + "0" * 30}),
        (0.5, float("nan"), {"doubleValue": "NaN"}),
        (0.5, float("-inf"), {"doubleValue": "-Infinity"}),
        ("a", "\ud800", {"stringValue": "\ufffd"}),
        ("a", "x" * 70_000, {"stringValue": "x" * 65_535 + "…"}),
        ([1], [2**63], {"arrayValue": {"values": [{"stringValue": "9223372036854775808"}]}}),
    ],
)
def test_a_known_shape_does_not_hide_a_hazard(usual: Any, unusual: Any, expected: Any) -> None:
    """The template is for usual values only."""
    for value in (usual, usual, unusual):
        record = written(attributes={"known": value, c.LOG_RECORD_UID: "u"})
    assert [expected] == [pair["value"] for pair in record["attributes"] if pair["key"] == "known"]


@given(
    st.dictionaries(
        st.sampled_from((c.LOG_RECORD_UID, "a", "b", "%s", 'quote"', "ü")),
        st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers(), max_size=2)),
    )
)
def test_every_shape_is_written_the_same_twice(attributes: dict[str, Any]) -> None:
    """What is learnt changes the cost, never the bytes."""
    first, second, third = (encode_record(name="x", time_ns=1, attributes=dict(attributes)) for _ in range(3))
    assert first == second == third


def test_surplus_attributes_are_counted() -> None:
    """The last ones go; the id and what routing reads stay, wherever they stand."""
    surplus = {f"k{n}": n for n in range(600)} | {c.DESTINATION: "umami", c.LOG_RECORD_UID: "u"}
    record = written(attributes=surplus, dropped=1)
    assert [c.LOG_RECORD_UID, c.DESTINATION, "k0"] == names(record)[:3]
    assert MAX_ATTRIBUTES == len(record["attributes"])
    assert 602 - 512 + 1 == record["droppedAttributesCount"]


def test_a_record_too_large_loses_its_largest_attributes() -> None:
    """The small ones and the id stay, and the loss is counted."""
    attributes = {f"large{n:02}": "x" * 60_000 for n in range(20)} | {"small": 1, c.LOG_RECORD_UID: "u"}
    encoded = encode_record(name="x", time_ns=1, attributes=attributes)
    record = json.loads(encoded)
    assert MAX_RECORD - 61_000 < len(encoded) <= MAX_RECORD
    assert {"small", c.LOG_RECORD_UID} < set(names(record))
    assert 22 == len(record["attributes"]) + record["droppedAttributesCount"]


@pytest.mark.parametrize("name", [c.DESTINATION, c.WIRE])
def test_what_routing_reads_goes_last(name: str) -> None:
    """A large destination attribute outlives larger company, and more of it than there is room for."""
    attributes = {f"k{n}": "x" * 50_000 for n in range(40)} | {name: "d" * 60_000}
    assert name in names(written(attributes=attributes))
    assert name in names(written(attributes={f"k{n}": n for n in range(600)} | {name: "d"}))


def test_a_body_too_large_is_named() -> None:
    """It is no attribute, so it is not counted as one."""
    record = written(body=["\x01" * 1_000] * 1_000, attributes={"a": 1})
    assert {"stringValue": TOO_LARGE} == record["body"]
    assert ["a"] == names(record)
    assert "droppedAttributesCount" not in record


@given(st.integers(1, 12), st.integers(1, 65_536), st.integers(1, 65_536))
def test_a_record_never_exceeds_its_limit(count: int, size: int, body: int) -> None:
    """Control characters take six bytes each; the limit counts bytes."""
    attributes = {c.LOG_RECORD_UID: "u", **{f"k{n}": "\x01" * size for n in range(count)}}
    encoded = encode_record(name="x", time_ns=1, attributes=attributes, body="\x01" * body, severity_text="\x02" * 300)
    assert len(encoded) <= MAX_RECORD
    assert "u" == parse_logs(encode_line(encoded, encode_suffix({}, "")))[0].uid


class OnlyItems(Mapping[str, Any]):
    """A mapping that tells single values and nothing else."""

    def __getitem__(self, key: str) -> Any:
        return {c.LOG_RECORD_UID: "u", "a": 1}[key]

    def __iter__(self) -> Iterator[str]:
        raise OSError

    def __len__(self) -> int:
        raise OSError


@pytest.mark.parametrize("attributes", [None, 5, [1, 2], RaisingMapping({"a": 1}), "text"])
def test_attributes_that_cannot_be_read_cost_only_themselves(attributes: Any) -> None:
    """The event stays, and the loss is counted as one."""
    assert (0, 1) == (len((record := written(attributes=attributes))["attributes"]), record["droppedAttributesCount"])


def test_the_id_survives_an_unreadable_mapping() -> None:
    """What can still be asked is asked."""
    assert [c.LOG_RECORD_UID] == names(written(attributes=OnlyItems()))


def test_other_mappings_are_read_too() -> None:
    """A mapping that is no dict takes the careful way."""

    class Own(dict[str, Any]):
        pass

    assert [c.LOG_RECORD_UID, "a"] == names(written(attributes=Own({"a": 1, c.LOG_RECORD_UID: "u"})))


def test_what_is_kept_between_calls_is_bounded() -> None:
    """Names, severities and traces without end do not fill the memory."""
    for n in range(2 * _CACHE_SIZE + 5):
        encode_record(name=f"n{n}", time_ns=1, attributes={f"k{n}": 1}, severity_text=str(n), trace_id=n + 1, span_id=1)
    assert max(len(_names), len(_severities), len(_traces)) <= _CACHE_SIZE


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_passes(error: type[BaseException]) -> None:
    """What is no ``Exception`` is not ours to hold back."""

    class Interrupted:
        def __str__(self) -> str:
            raise error

    with pytest.raises(error):
        written(attributes={"a": Interrupted()})


def test_a_suffix_takes_anything() -> None:
    """A resource and a scope of the host's own making too."""
    suffix = encode_suffix(RaisingMapping({"a": 1}), RaisesOnText(), 5, RaisingMapping({"a": 1}))  # type: ignore[arg-type]
    (event,) = parse_logs(encode_line(encode_record(name="x", time_ns=1, attributes={}), suffix))
    assert ({}, "[unserialisable RaisesOnText]", "5") == (event.resource, event.scope_name, event.scope_version)
