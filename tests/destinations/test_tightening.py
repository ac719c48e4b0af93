"""A destination's own rules: applied to what it is sent, in whatever way it is sent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan import _guard
from footspan import conventions as c
from footspan.destinations import sending, tightening
from footspan.destinations.base import Destination, Outcome, Verdict
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from servers.otlp import OtlpSink

POLICY = """
identity: {}
destinations:
  otlp: {classes: {location: drop, contact: drop}, identity: {user_id: hash}}
  logging: {classes: {location: mask}}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A policy with rules for destinations."""
    path = tmp_path / "privacy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return str(path)


def test_what_is_sent_is_less_than_what_is_stored(
    file: str, otlp_sink: OtlpSink, caplog: pytest.LogCaptureFixture
) -> None:
    """The spool holds what the policy allows; each destination gets what its own rules leave."""
    footspan.init(
        privacy={"policy": file}, destinations={"otlp": {"endpoint": otlp_sink.url}, "logging": {"enabled": True}}
    )
    with caplog.at_level(logging.INFO):
        footspan.track("seen", user_id="u_1", city="Ulm", phone="+49 30 1234567", n=1)
    assert footspan.flush(10.0) == {"otlp": 0}

    (stored,) = spooled()
    (sent,) = otlp_sink.events
    assert (stored.attributes["user.id"], stored.attributes["city"]) == ("u_1", "Ulm")
    assert sent["attributes"]["user.id"].startswith("h_")
    assert not {"city", "phone"} & set(sent["attributes"])
    assert sent["attributes"]["n"] == 1
    assert sent["uid"] == stored.uid
    assert {"city", "phone", "user.id"} == set(sent["attributes"][c.REDACTED])
    assert 'city="[location]"' in caplog.text


class Collects(Destination):
    """Keeps what it is given."""

    type = "collects"

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.got: list[LogLine] = []

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        self.got += events
        return Outcome(Verdict.DELIVERED, items={len(events) - 1: Outcome(Verdict.REFUSED, "last")})


class Settings:
    """Settings with or without rules."""

    def __init__(self, privacy: Any) -> None:
        self.privacy = privacy
        self.campaigns = None


def lines(count: int) -> list[LogLine]:
    """Some events."""
    suffix = encode_suffix({}, "s")
    return [
        LogLine(encode_line(encode_record(name=f"e{n}", time_ns=1, attributes={"log.record.uid": str(n)}), suffix))
        for n in range(count)
    ]


def test_without_rules_the_very_events_are_sent() -> None:
    """It costs nothing who has none."""
    destination = Collects(Settings(None))
    events = lines(2)
    sending.send(destination, events, 1.0)

    assert [id(each) for each in destination.got] == [id(each) for each in events]


def test_what_cannot_be_examined_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused, and outcomes are those of the events that were given."""
    from footspan.config.policy import DEFAULT  # noqa: PLC0415 - one test needs it

    _guard.reraise_in_tests(False)
    whole = tightening._tightened

    def broken(event: LogLine, redactor: Any) -> LogLine:
        if event.name == "e1":
            raise RuntimeError("hunter2")
        return whole(event, redactor)

    monkeypatch.setattr(tightening, "_tightened", broken)
    destination = Collects(Settings(DEFAULT))
    outcome = sending.send(destination, lines(3), 1.0)

    assert [each.name for each in destination.got] == ["e0", "e2"]
    assert {at: item.reason for at, item in outcome.items.items()} == {1: "redaction_failed", 2: "last"}
    assert sending.send(destination, lines(2)[1:], 1.0).items[0].reason == "redaction_failed"


def test_spans_are_held_to_the_rules_as_well() -> None:
    """Name, attributes, events, status and resource of a stored span."""
    from footspan.config.policy import DEFAULT  # noqa: PLC0415 - two tests need it
    from footspan.otlp_json.span_lines import SpanLine, span_line  # noqa: PLC0415 - one test needs it

    attributes = '[{"key":"note","value":{"stringValue":"to bob@example.com"}}]'
    line = (
        '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01","name":"mail bob@example.com",'
        '"endTimeUnixNano":"5",'
        f'"attributes":{attributes},"events":[{{"name":"bob@example.com","attributes":{attributes}}}],'
        f'"links":[{{"attributes":{attributes}}}],"status":{{"message":"bob@example.com"}}}}],'
        f'"scope":{{"name":"s"}}}}],'
        f'"resource":{{"attributes":{attributes}}}}}]}}'
    )
    destination = Collects(Settings(DEFAULT))
    sending.send(destination, [SpanLine(line.encode())], 1.0)

    (sent,) = destination.got
    assert b"bob" not in sent.line
    assert sent.line.count(b"[contact]") == 7
    assert span_line(sent.line) is not None
    assert sent.time_ns == 5
