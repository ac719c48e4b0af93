"""Records that no pipeline of ours has cleaned."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from footspan.processors.foreign import cleaned
from footspan.processors.redaction import Redactor


def request(*records: dict[str, Any], resource: dict[str, str] | None = None, scope: str = "") -> bytes:
    """One request with some records."""
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in (resource or {}).items()]
    scope_logs = {"scope": {"name": scope}, "logRecords": list(records)}
    return json.dumps({"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [scope_logs]}]}).encode()


def record(name: str, body: str = "", **attributes: str) -> dict[str, Any]:
    """One record."""
    return {
        "timeUnixNano": "1500000000",
        "observedTimeUnixNano": "1600000000",
        "eventName": name,
        "severityText": "INFO",
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "flags": 1,
        "body": {"stringValue": body},
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }


def test_what_a_record_says_about_itself_stays() -> None:
    """Times, trace, severity, attributes, resource and scope."""
    (line,) = cleaned(
        request(record("a", "hello", plan="pro"), resource={"service.name": "shop"}, scope="s"), Redactor()
    )
    event = line.event

    assert (event.name, event.time_ns, event.observed_ns, event.body) == ("a", 1_500_000_000, 1_600_000_000, "hello")
    assert (event.trace_id, event.span_id, event.flags) == (
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
        1,
    )
    assert event.severity_text == "INFO"
    assert event.attributes["plan"] == "pro"
    assert event.resource == {"service.name": "shop"}
    assert event.scope_name == "s"


def test_personal_data_leaves_from_nowhere() -> None:
    """Attributes, body, name, resource, scope, and the two attributes that pass the redactor unseen."""
    address = "jane@example.org"
    attributes = {"note": address, "password": "hunter2", "log.record.uid": address, "footspan.redacted": address}
    hidden = record(f"name {address}", address, **attributes)
    lines = list(cleaned(request(hidden, resource={"owner": address}, scope=address), Redactor()))

    assert len(lines) == 1
    assert b"jane" not in lines[0].line
    assert b"hunter2" not in lines[0].line
    assert uuid.UUID(lines[0].uid).version == 8


def test_an_id_is_made_of_the_event_and_stays_the_same() -> None:
    """An event that is read twice is one event; another is another."""
    one, other = cleaned(request(record("a", x="1"), record("a", x="2")), Redactor())
    (again,) = cleaned(request(record("a", x="1")), Redactor())

    assert one.uid == again.uid != other.uid


def test_an_id_of_its_own_stays() -> None:
    """And so does the list of what another pipeline redacted."""
    (line,) = cleaned(request(record("a", **{"log.record.uid": "0190-x"})), Redactor())

    assert line.uid == "0190-x"


@pytest.mark.parametrize("garbage", [b"", b"[]", b"{", b"\xff", b"null"])
def test_what_is_no_request_is_said_to_be_none(garbage: bytes) -> None:
    """The caller counts it."""
    with pytest.raises(ValueError, match=r"."):
        list(cleaned(garbage, Redactor()))
