"""The last step before a destination: what must stay behind, and what goes on as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from destinations.making import line, settings
from footspan import _guard
from footspan import conventions as c
from footspan.destinations import build_destination, sending
from footspan.destinations.base import Verdict

if TYPE_CHECKING:
    import pytest

    from servers.otlp import OtlpSink


def test_otlp_does_not_get_what_only_an_old_clients_wire_needs(otlp_sink: OtlpSink) -> None:
    """Its stored lines leave as they are, but for that; others' are untouched."""
    destination = build_destination(settings("otlp", endpoint=otlp_sink.url))
    events = [line("a", {"k": 1}), line("b", {"k": 2, c.WIRE: {"opentrace": {"parity": True}}}), line("c")]
    assert sending.send(destination, events, 5.0).verdict is Verdict.DELIVERED
    destination.close()
    assert [(each["name"], each["uid"]) for each in otlp_sink.events] == [(e.name, e.uid) for e in events]
    assert {key for each in otlp_sink.events for key in each["attributes"]} == {"k", c.LOG_RECORD_UID}


def test_a_failure_of_ours_costs_no_event(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events go as they are."""

    def fail(*_: object) -> None:
        raise RuntimeError

    _guard.reraise_in_tests(False)
    monkeypatch.setattr(sending, "_campaigns", fail)
    destination = build_destination(settings("otlp", endpoint=otlp_sink.url))
    assert sending.send(destination, [line("a", {c.WIRE: {}})], 5.0).verdict is Verdict.DELIVERED
    destination.close()
    assert [each["name"] for each in otlp_sink.events] == ["a"]
