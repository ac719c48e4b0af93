"""A real Collector before the gateway, with the agent's own configuration."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from collector.agent import Agent
from footspan.spool import files
from gateway.running import Gateway, record, request
from programs import until
from spooled import spooled

if TYPE_CHECKING:
    from pathlib import Path

    from servers.otlp import OtlpSink

pytestmark = pytest.mark.collector


def test_events_pass_through_a_collector(otelcol: Path, tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """From an SDK's request through the agent and the gateway to a destination, unchanged but for redaction."""
    with (
        Gateway(destinations={"otlp": {"endpoint": otlp_sink.url}}) as gateway,
        Agent(otelcol, gateway.url, tmp_path) as agent,
    ):
        given = [record(uid=f"u-{n}", attributes={"password": "hunter2", "plan": "pro"}) for n in range(50)]
        assert 200 == agent.post("/v1/logs", request(*given, resource={"service.name": "shop"}))

        assert otlp_sink.wait_for(lambda: len(otlp_sink.events) == 50, timeout=20), agent.log[-3000:]
    assert {f"u-{n}" for n in range(50)} == {event["uid"] for event in otlp_sink.events}
    event = otlp_sink.events[0]
    assert ("[secret]", "pro") == (event["attributes"]["password"], event["attributes"]["plan"])
    assert "shop" == event["resource"]["service.name"]


def test_a_collector_waits_for_a_disk(otelcol: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the gateway cannot keep anything the Collector keeps it, and every event arrives once there is room."""

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Gateway() as gateway, Agent(otelcol, gateway.url, tmp_path) as agent:
        with monkeypatch.context() as patch:
            patch.setattr(files, "write", full)
            assert 200 == agent.post("/v1/logs", request(*(record(uid=f"u-{n}") for n in range(20))))
            assert until(lambda: gateway.pipeline.spool.degraded)
        assert until(lambda: {f"u-{n}" for n in range(20)} <= {event.uid for event in spooled()}, 40), agent.log[-3000:]


def test_plain_logs_are_a_warning(otelcol: Path, tmp_path: Path) -> None:
    """The Collector says how many were rejected and does not try again."""
    with Gateway() as gateway, Agent(otelcol, gateway.url, tmp_path) as agent:
        assert 200 == agent.post("/v1/logs", request(record(uid="u"), record(None), record(None)))

        assert until(lambda: "without an event name" in agent.log), agent.log[-3000:]
    assert ["u"] == [event.uid for event in spooled()]
