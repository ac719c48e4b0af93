"""Stored lines: read by position, merged without parsing, foreign ones written anew."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan import conventions as c
from footspan.otlp_json import NO_NAME, LogLine, encode_line, encode_record, encode_suffix, explode, merge, parse_logs
from otlp_json import normal
from otlp_json.strategies import ATTRIBUTES, MARKS, NAMES, TEXT, UIDS, UINT64

SUFFIX = encode_suffix({"service.name": "shop", c.CATEGORY: "of the resource"}, "footspan", "1.0")
CONTROL = st.fixed_dictionaries(
    {},
    optional={
        c.CATEGORY: st.one_of(TEXT, st.integers()),
        c.DESTINATION: st.one_of(TEXT, st.lists(TEXT)),
        c.REDACTED: st.one_of(st.lists(TEXT, max_size=4), st.lists(st.one_of(st.integers(), st.lists(TEXT))), TEXT),
        "nested": st.fixed_dictionaries({c.CATEGORY: TEXT, c.DESTINATION: TEXT, c.REDACTED: st.lists(TEXT)}),
        c.OTEL_EVENT_NAME: TEXT,
    },
)


def line_of(name: Any = "x", attributes: dict[str, Any] | None = None, suffix: bytes = SUFFIX, **fields: Any) -> bytes:
    """A stored line."""
    return encode_line(encode_record(name=name, time_ns=1, attributes=attributes or {}, **fields), suffix)


def check(line: LogLine) -> None:
    """What is read by position is what parsing finds."""
    (event,) = parse_logs(line.line)
    redacted = event.attributes.get(c.REDACTED)
    destination = event.attributes.get(c.DESTINATION)
    assert (event.name, event.uid, event.time_ns) == (line.name, line.uid, line.time_ns)
    assert event.category == line.category
    assert (destination if isinstance(destination, str) else "") == line.destination
    assert (sum(isinstance(key, str) for key in redacted) if isinstance(redacted, list) else 0) == line.redacted


@given(name=NAMES, time_ns=UINT64, uid=UIDS, control=CONTROL, more=ATTRIBUTES, body=TEXT, order=st.booleans())
def test_reading_by_position_equals_parsing(
    name: str,
    time_ns: int,
    uid: str,
    control: dict[str, Any],
    more: dict[str, Any],
    body: str,
    order: bool,
) -> None:
    """Whatever names, values and bodies hold, pieces of our own structure included."""
    attributes = {**control, **more, c.LOG_RECORD_UID: uid} if order else {c.LOG_RECORD_UID: uid, **more, **control}
    written = encode_line(encode_record(name=name, time_ns=time_ns, attributes=attributes, body=body), SUFFIX)
    line = LogLine(written)
    assert (name, uid, time_ns) == (line.name, line.uid, line.time_ns)
    check(line)
    check(LogLine(json.dumps(json.loads(written), indent=1).replace("\n", "").encode()))
    assert written == encode_line(line.record, line.suffix)
    assert [line.line] == [found.line for found in explode(written)]


@pytest.mark.parametrize("mark", MARKS)
def test_marks_in_data_are_data(mark: str) -> None:
    """As a name, an id, a key, a value, and in a resource."""
    suffix = encode_suffix({mark: mark}, mark, mark)
    written = line_of(mark, {c.LOG_RECORD_UID: mark, mark: mark, c.CATEGORY: mark, c.DESTINATION: mark}, suffix)
    line = LogLine(written)
    assert (mark, mark, mark, mark) == (line.name, line.uid, line.category, line.destination)
    assert suffix == line.suffix
    assert mark == line.event.resource[mark]
    assert [written[:-1]] == [found.line for found in explode(written)]


@given(st.lists(st.tuples(NAMES, ATTRIBUTES, st.sampled_from(("shop", "blog", MARKS[0]))), max_size=6))
def test_merged_lines_parse_to_their_events(events: list[tuple[str, dict[str, Any], str]]) -> None:
    """Each once, in their order inside each resource, under the resource they came with."""
    lines = [
        LogLine(line_of(name, attributes, encode_suffix({"service.name": service}, "footspan")))
        for name, attributes, service in events
    ]
    services = list(dict.fromkeys(service for _, _, service in events))

    request = merge(lines)

    expected = [(name, service) for wanted in services for name, _, service in events if service == wanted]
    assert expected == [(event.name, event.resource["service.name"]) for event in parse_logs(request)]
    assert len(services) == len(json.loads(request)["resourceLogs"])
    assert sorted(map(repr, normal.logs(request))) == sorted(
        repr(record) for line in lines for record in normal.logs(line.line)
    )


@given(st.lists(st.tuples(NAMES, ATTRIBUTES, UIDS), min_size=2, max_size=5))
def test_a_merged_request_explodes_to_its_lines(events: list[tuple[str, dict[str, Any], str]]) -> None:
    """Many records in a line that begins like ours are told from one."""
    lines = [LogLine(line_of(name, {c.LOG_RECORD_UID: uid, **attributes})) for name, attributes, uid in events]
    found = explode(merge(lines))
    assert len(lines) == len(found)
    assert all(
        normal.same(one.event.attributes, other.event.attributes) for one, other in zip(lines, found, strict=True)
    )


def test_a_foreign_line_keeps_everything() -> None:
    """Scope attributes, schemas, counts and ids survive being written anew."""
    foreign = {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                "schemaUrl": "https://r.example",
                "scopeLogs": [
                    {
                        "scope": {
                            "name": "app",
                            "version": "2",
                            "attributes": [{"key": "k", "value": {"boolValue": True}}],
                        },
                        "schemaUrl": "https://s.example",
                        "logRecords": [
                            {
                                "observedTimeUnixNano": "7",
                                "timeUnixNano": "5",
                                "severityNumber": 13,
                                "severityText": "Warn",
                                "eventName": "buy",
                                "body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}},
                                "attributes": [
                                    {"key": "z", "value": {"doubleValue": 1.5}},
                                    {"key": c.LOG_RECORD_UID, "value": {"stringValue": "u-1"}},
                                ],
                                "droppedAttributesCount": 3,
                                "flags": 1,
                                "traceId": "0AF7651916CD43DD8448EB211C80319C".lower(),
                                "spanId": "b7ad6b7169203331",
                            },
                            {"timeUnixNano": "6", "body": {"stringValue": "a plain log record"}},
                        ],
                    }
                ],
            }
        ]
    }
    data = json.dumps(foreign).encode()

    first, second = explode(data)

    assert normal.logs(data) == [*normal.logs(first.line), *_without_name(normal.logs(second.line))]
    assert ("buy", "u-1", 5) == (first.name, first.uid, first.time_ns)
    assert ("", "", 6) == (second.name, second.uid, second.time_ns)
    assert first.suffix == second.suffix
    assert first.line == explode(first.line)[0].line
    assert "buy" == LogLine(data).name


def _without_name(records: list[Any]) -> list[Any]:
    """A plain log record of ours spells its empty name out."""
    for _, _, record in records:
        assert "" == record.pop("eventName")
    return records


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"garbage",
        b"{}",
        b"5",
        b"[]",
        b"\0" * 100,
        b"\xff\xfe",
        b'{"resourceLogs":5}',
        b'{"resourceLogs":[5,{"scopeLogs":[{"logRecords":[[]]}]}]}',
        line_of("x")[:-20],
        line_of("x").replace(b'"eventName"', b"\0\0\0\0\0\0\0\0\0\0\0"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_garbage_explodes_to_nothing(line: bytes) -> None:
    """And reading it anyway gives an empty event, not an exception."""
    assert [] == explode(line)
    read = LogLine(line)
    assert ("", "", "", 0) == (read.uid, read.destination, read.event.uid, read.redacted)
    assert 1 == len(parse_logs(merge([read])))


@pytest.mark.parametrize("cut", [1, 40, 100, 150, 190])
def test_a_torn_line_does_not_take_the_next_one_along(cut: int) -> None:
    """Where a writer died in a line and the next went on in it, the whole event is found."""
    torn = line_of("torn", {c.LOG_RECORD_UID: "t"})[:cut]
    assert ["whole"] == [found.name for found in explode(torn + line_of("whole"))]


def test_lines_without_a_newline_between_them_are_two() -> None:
    """Nothing is lost when only the newline is."""
    assert ["a", "b"] == [found.name for found in explode(line_of("a")[:-1] + line_of("b"))]


def test_a_line_with_zeros_in_it_is_garbage() -> None:
    """A crash of the machine leaves them where data had not reached the disk; JSON has none."""
    written = line_of("x", {"a": "text"})
    assert explode(written)
    assert not explode(written.replace(b"text", bytes(4)))


def test_a_line_damaged_in_the_middle_tells_what_it_can() -> None:
    """Name, id and time stand at its beginning."""
    written = line_of("x", {c.LOG_RECORD_UID: "u", "a": "b"}).replace(b'"key":"a"', b'"key":,,,')
    line = LogLine(written)
    assert ("x", "u", 1) == (line.event.name, line.event.uid, line.event.time_ns)


def test_the_event_is_parsed_once() -> None:
    """Readers share it."""
    line = LogLine(line_of("x"))
    assert line.event is line.event


def test_lines_of_one_writer_share_their_resource() -> None:
    """It is read once; a suffix that differs is another one, and a damaged one costs its own line alone."""
    suffix = encode_suffix({"service.name": "shop"}, "scope", "1")
    records = [encode_record(name=f"e{n}", time_ns=n + 1, attributes={"log.record.uid": f"u{n}"}) for n in range(3)]
    one, two = (LogLine(encode_line(record, suffix)).event for record in records[:2])
    other = LogLine(encode_line(records[2], encode_suffix({"service.name": "bank"}, "scope", "1"))).event
    damaged = LogLine(encode_line(records[0], suffix.replace(b'"key"', b'"key'))).event
    assert one.resource is two.resource
    assert [each.resource.get("service.name") for each in (one, other, damaged)] == ["shop", "bank", None]
    assert (damaged.name, damaged.uid, damaged.time_ns) == ("e0", "u0", 1)


def test_a_plain_log_record_takes_its_name_from_the_attribute() -> None:
    """By position and by parsing."""
    line = LogLine(line_of(NO_NAME, {"event.name": "old.way"}))
    assert ("old.way", "old.way") == (line.name, line.event.name)


def test_an_id_that_is_no_text_is_none() -> None:
    """By position and by parsing."""
    line = LogLine(line_of("x", {c.LOG_RECORD_UID: 5}))
    assert ("", "") == (line.uid, line.event.uid)


def test_a_lines_text_does_not_show_its_content() -> None:
    """Logs and assertion messages hold no payload."""
    assert "<LogLine of" in repr(LogLine(line_of("secret")))
    assert "secret" not in repr(LogLine(line_of("secret")))


def test_nothing_merges_to_an_empty_request() -> None:
    """Valid, and without events."""
    assert b'{"resourceLogs":[]}' == merge([])


def test_a_text_attribute_by_its_name() -> None:
    """The record's own, by position or parsed; what is no text is none."""
    attributes = {c.LOG_RECORD_UID: "u", "user.id": 'Zoë "Z"', "count": 7, "map": {"session.id": "inner"}}
    line = LogLine(encode_line(encode_record(name="x", time_ns=1, attributes=attributes), encode_suffix({}, "s")))

    assert line.text("user.id") == 'Zoë "Z"'
    assert (line.text("count"), line.text("session.id"), line.text("missing")) == ("", "", "")
