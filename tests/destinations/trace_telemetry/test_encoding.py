"""One event as an element of the array: every key, and data of every kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from destinations.making import TIME_NS
from footspan import conventions as c
from footspan.destinations.trace_telemetry.encoding import Form, encode
from footspan.destinations.trace_telemetry.encoding import element as element_of
from footspan.destinations.trace_telemetry.wire import attribute
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from servers.trace_telemetry.contract import KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

UID = "0190a000-0000-7000-8000-00000000abcd"


def stored(
    name: str = "purchase",
    attributes: Mapping[str, Any] | None = None,
    resource: Mapping[str, Any] | None = None,
    **fields: Any,
) -> LogLine:
    """A stored event."""
    bearing = {c.LOG_RECORD_UID: UID, **(attributes or {})}
    record = encode_record(name=name, time_ns=fields.pop("time_ns", TIME_NS), attributes=bearing, **fields)
    return LogLine(encode_line(record, encode_suffix(resource or {}, "footspan", "0")).rstrip(b"\n"))


def element(line: LogLine, form: Form | None = None) -> dict[str, Any]:
    """An event as it arrives."""
    found: dict[str, Any] = json.loads(encode(line, form or Form()))
    return found


def data(attributes: Mapping[str, Any] | None = None, name: str = "purchase", **fields: Any) -> Any:
    """An event's data as they arrive."""
    return element(stored(name, attributes, **fields))["data"]


# -- keys --------------------------------------------------------------------------------------------------------------


def test_an_event_whole() -> None:
    """Every key in its order, spelt as the Python client spells JSON."""
    resource = {
        c.SERVICE_NAME: "shop",
        c.SERVICE_VERSION: "1.2",
        c.HOST_NAME: "till-7",
        c.OS_DESCRIPTION: "Linux-6.1",
        c.HOST_IP: ["192.0.2.10", "2001:db8::1"],
    }
    line = stored("k\u00e4se", {"order_id": "123", "amount": 99.90, "big": 1e22}, resource)
    assert encode(line, Form()) == (
        b'{"id": "0190a00000007000800000000000abcd", "name": "k\\u00e4se", '
        b'"timestampUtc": "2026-01-01T00:00:00.123456Z", '
        b'"data": {"order_id": "123", "amount": 99.9, "big": 1e+22}, '
        b'"applicationName": "shop", "applicationVersion": "1.2", "machineName": "till-7", '
        b'"osDescription": "Linux-6.1", "ipAddress": "192.0.2.10", "countryCode": ""}'
    )


def test_what_nobody_said_is_empty() -> None:
    """Never ``null``, but for the data."""
    found = element(stored())
    assert tuple(found) == KEYS
    assert found["data"] is None
    assert {found[key] for key in KEYS[4:]} == {""}


def test_capitals() -> None:
    """The keys of the .NET client; data keep theirs."""
    found = element(stored(attributes={"orderId": 1}), Form(pascal=True))
    assert list(found)[:4] == ["Id", "Name", "TimestampUtc", "Data"]
    assert list(found)[-2:] == ["IpAddress", "CountryCode"]
    assert found["Data"] == {"orderId": 1}


@pytest.mark.parametrize(
    ("uid", "written"),
    [
        (UID, "0190a00000007000800000000000abcd"),
        ("0190A00000007000800000000000ABCD", "0190a00000007000800000000000abcd"),
        ("01J9ZC5T7Q3W8X4Y6Z2A1B0C9D", None),
        ("x", None),
    ],
)
def test_ids(uid: str, written: str | None) -> None:
    """Of a UUID its digits; of anything else a digest in the same form, the same each time."""
    first, again = (element(stored(attributes={c.LOG_RECORD_UID: uid}))["id"] for _ in range(2))
    assert first == again
    assert len(first) == 32
    assert int(first, 16)
    assert written is None or first == written


def test_an_event_without_an_id_gets_one_that_stays() -> None:
    """As other SDKs write it; two events have two."""
    lines = [LogLine(each) for each in (_foreign(1), _foreign(1), _foreign(2))]
    ids = [element(line)["id"] for line in lines]
    assert ids[0] == ids[1] != ids[2]


def _foreign(number: int) -> bytes:
    record = {"timeUnixNano": str(TIME_NS), "eventName": "e", "body": {"intValue": str(number)}}
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()


@pytest.mark.parametrize(
    ("time_ns", "written"),
    [
        (1_738_268_968_543_062_999, "2025-01-30T20:29:28.543062Z"),
        (1_738_268_968_000_000_999, "2025-01-30T20:29:28Z"),
        (1_738_268_968_000_001_000, "2025-01-30T20:29:28.000001Z"),
        (2**64 - 1, "2554-07-21T23:34:33.709551Z"),
    ],
)
def test_times(time_ns: int, written: str) -> None:
    """Microseconds, cut and not rounded; no fraction where there is none."""
    assert element(stored(time_ns=time_ns))["timestampUtc"] == written


def test_the_moment_it_was_seen_stands_for_the_moment_it_happened() -> None:
    """Where only that is known."""
    assert element(stored(time_ns=0, observed_ns=10**18))["timestampUtc"] == "2001-09-09T01:46:40Z"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("", ""),
        ("user.signed_up", "user.signed_up"),
        (c.EVENT_PAGE_VIEW, "page_view"),
        (c.EVENT_IDENTIFY, "identify"),
    ],
)
def test_names(name: str, written: str) -> None:
    """Empty is a name, too; ours are called what users of the client call theirs."""
    assert element(stored(name))["name"] == written


def test_a_country_that_the_event_names() -> None:
    """It has a key of its own, and is no data."""
    found = element(stored(attributes={c.GEO_COUNTRY_ISO_CODE: "se"}))
    assert (found["countryCode"], found["data"]) == ("SE", None)


# -- data --------------------------------------------------------------------------------------------------------------


def test_properties_keep_their_names_and_standard_attributes_get_theirs() -> None:
    """What people write in ``track()`` is what arrives."""
    attributes = {
        c.USER_ID: "u1",
        c.SESSION_ID: "s1",
        c.CATEGORY: "payment",
        c.URL_FULL: "https://shop.example/",
        c.HTTP_REQUEST_HEADER_REFERER: ["https://find.example/"],
        c.DURATION_MS: 12,
        "orderId": 7,
        "nested": {"a": [1, None, {"b": True}]},
        "a.b": "c",
    }
    assert data(attributes) == {
        "user_id": "u1",
        "session_id": "s1",
        "category": "payment",
        "url": "https://shop.example/",
        "referrer": "https://find.example/",
        "duration_ms": 12,
        "orderId": 7,
        "nested": {"a": [1, None, {"b": True}]},
        "a.b": "c",
    }


def test_a_callers_own_name_wins() -> None:
    """Where two attributes would have one name."""
    assert data({c.USER_ID: "convention", "user_id": "own"}) == {"user_id": "own"}


def test_book_keeping_and_contact_data_stay_here() -> None:
    """A person's address and name have no place in the format."""
    attributes = {
        c.USER_EMAIL: "ann@shop.example",
        c.USER_FULL_NAME: "Ann",
        c.DESTINATION: "tracetelemetry",
        c.REDACTED: ["x"],
        c.WIRE: {"opentrace": {"sid": 1}},
    }
    assert data(attributes) is None


@pytest.mark.parametrize("value", ["text", 5, 1.5, True, False, 0, "", [1, 2], [], {}])
def test_a_body_that_is_all_there_is(value: Any) -> None:
    """Any JSON value is data, the empty ones too."""
    assert data(body=value) == value
    assert type(data(body=value)) is type(value)


def test_a_body_beside_properties() -> None:
    """A mapping joins them, anything else has a name; a property of that name wins."""
    assert data({"a": 1}, body={"a": 2, "b": 3}) == {"a": 1, "b": 3}
    assert data({"a": 1}, body="said") == {"body": "said", "a": 1}
    assert data({"body": 1}, body="said") == {"body": 1}


def test_what_json_has_no_word_for() -> None:
    """Numbers become text, bytes base64; the event is never lost, nor another value touched."""
    hazards = {"nan": float("nan"), "far": [float("inf"), {"x": -float("inf")}], "raw": b"\xff\0", "fine": 1.5}
    assert data(hazards) == {"nan": "NaN", "far": ["Infinity", {"x": "-Infinity"}], "raw": "/wA=", "fine": 1.5}
    assert data({"half": "\ud800", "pair": "\ud83e\uddc0"}) == {"half": "\ufffd", "pair": "\U0001f9c0"}


# -- exceptions --------------------------------------------------------------------------------------------------------

FAILED = {c.EXCEPTION_MESSAGE: "boom", c.EXCEPTION_STACKTRACE: "Traceback\n", c.EXCEPTION_TYPE: "shop.errors.Broken"}


def test_an_exception() -> None:
    """The client's names, in its order; the class without its module."""
    found = data({"step": "checkout", **FAILED}, "exception")
    assert found == {"message": "boom", "stackTrace": "Traceback\n", "exceptionType": "Broken", "step": "checkout"}
    assert list(found) == ["message", "stackTrace", "exceptionType", "step"]


def test_an_exception_as_the_tracker_records_it() -> None:
    """Its class is the ``error.type``; what is missing is empty."""
    assert data({c.ERROR_TYPE: "ValueError", c.EXCEPTION_MESSAGE: "boom"}) == {
        "message": "boom",
        "stackTrace": "",
        "exceptionType": "ValueError",
    }


def test_what_the_caller_adds_overrides() -> None:
    """As with the client; the key keeps its place."""
    found = data({**FAILED, "innerMessage": "cause", "message": "overridden"})
    assert next(iter(found.items())) == ("message", "overridden")
    assert found["innerMessage"] == "cause"


def test_an_error_that_is_no_exception() -> None:
    """A kind of error alone is a property like others."""
    assert data({c.ERROR_TYPE: "timeout"}) == {"error_type": "timeout"}


# -- what the drop-in client says --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, {}, [], "k", 0, False, {"user.id": 1, "a": None}, [None, {"b": 1}]])
def test_data_as_they_stand(value: Any) -> None:
    """Whatever else the event bears."""
    attributes = {c.USER_ID: "u1", "a": 1, **FAILED, **attribute(data=value)}
    assert data(attributes, body="said") == value


def test_nothing_ambient_is_added() -> None:
    """With ``parity``, what bears a name of a convention or of ours is none of the caller's data."""
    ambient = {c.USER_ID: "u1", c.URL_PATH: "/", c.SAMPLING_RATE: 0.5, c.ENDUSER_PSEUDO_ID: "v"}
    assert data({"b": 1, **ambient, "a": 2, **attribute(parity=True)}) == {"b": 1, "a": 2}
    assert data({**ambient, **attribute(parity=True)}) is None
    assert data({**ambient, **attribute(parity=True)}, body=[1]) == [1]
    assert data({**ambient, **FAILED, "step": 1, **attribute(parity=True)}) == {
        "message": "boom",
        "stackTrace": "Traceback\n",
        "exceptionType": "Broken",
        "step": 1,
    }


def test_only_the_callers_keys_in_the_callers_order() -> None:
    """With ``keys``, also where one is a convention's name, or the context has keys without one."""
    attributes = {"plan": "pro", c.USER_ID: "mine", "a": 1, **attribute(keys=["a", c.USER_ID, "gone"])}
    assert list(data(attributes).items()) == [("a", 1), (c.USER_ID, "mine")]
    assert data({"plan": "pro", **attribute(keys=[])}) is None


def test_what_the_client_found_out_itself() -> None:
    """It wins over the resource, and may be empty."""
    resource = {c.HOST_NAME: "h", c.OS_DESCRIPTION: "o", c.HOST_IP: ["i"], c.SERVICE_NAME: "s", c.SERVICE_VERSION: "v"}
    members = attribute(machine="M", os="O", ip="I", app="", version="")
    found = element(stored(attributes=members, resource=resource))
    assert [found[key] for key in KEYS[4:9]] == ["", "", "M", "O", "I"]


def test_an_event_out_of_an_old_queue_file() -> None:
    """What a record cannot hold stands as it stood there."""
    old = attribute(id="A1", name="n\n" * 200, time="2025-01-30T20:29:28.5430621Z", country="SE")
    found = element(stored("n", old))
    assert [found[key] for key in ("id", "name", "timestampUtc", "countryCode")] == [
        "A1",
        "n\n" * 200,
        "2025-01-30T20:29:28.5430621Z",
        "SE",
    ]


@pytest.mark.parametrize(
    "members",
    [7, None, {"trace_telemetry": 7}, {"trace_telemetry": {"keys": 7, "parity": "yes", "app": 1, "new": 2}}],
)
def test_members_that_are_none(members: Any) -> None:
    """Whoever wrote them: they are passed over."""
    assert element_of(stored(attributes={"a": 1, c.WIRE: members}, resource={c.SERVICE_NAME: "shop"}), Form()) == (
        element_of(stored(attributes={"a": 1}, resource={c.SERVICE_NAME: "shop"}), Form())
    )
