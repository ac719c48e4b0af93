"""The agent's configuration in a real Collector: valid, and nothing it has acknowledged is ever lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from collector.agent import Agent
from collector.configs import AGENT
from footspan.otlp_json import encode_line, encode_record, encode_suffix
from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.collector

SUFFIX = encode_suffix({"service.name": "shop"}, "footspan", "1.0")


def line(uid: str, **attributes: Any) -> bytes:
    """One event as footspan stores and sends it."""
    values = {"log.record.uid": uid, **attributes}
    record = encode_record(name="checkout.completed", time_ns=1_700_000_000_000_000_000, attributes=values)
    return encode_line(record, SUFFIX)


def uids(sink: OtlpSink) -> set[str]:
    """The ids of the events that arrived."""
    return {event["uid"] for event in sink.events}


def validate(otelcol: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """``otelcol validate`` with these variables and no others."""
    command = [str(otelcol), "validate", "--config", str(AGENT)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_configuration_is_valid(otelcol: Path) -> None:
    """Every component, key and reference exists, with only the required variable set."""
    result = validate(otelcol, EVENTS_GATEWAY_URL="http://127.0.0.1:4318")

    assert (result.returncode, result.stderr) == (0, "")


def test_without_the_gateways_address_it_does_not_start(otelcol: Path) -> None:
    """A forgotten required variable stops the agent with a reason that names the exporter."""
    result = validate(otelcol)

    assert result.returncode == 1
    assert "otlp_http/events_gateway: at least one endpoint must be specified" in result.stderr


def test_events_pass_unchanged(otelcol: Path, tmp_path: Path) -> None:
    """A stored line posted as it is arrives with its name, id, nested values and resource, under the token."""
    with OtlpSink() as sink, Agent(otelcol, sink.url, tmp_path) as agent:
        status = agent.post("/v1/logs", line("uid-1", amount=9.5, cart=[{"sku": "a", "count": 2}]))

        assert status == 200
        assert sink.wait_for(lambda: uids(sink) == {"uid-1"}, timeout=20)
        (event,) = sink.events
        assert event["name"] == "checkout.completed"
        assert event["time_ns"] == 1_700_000_000_000_000_000
        assert event["attributes"]["amount"] == 9.5
        assert event["attributes"]["cart"] == [{"sku": "a", "count": 2}]
        assert event["resource"]["service.name"] == "shop"
        assert {request.headers["authorization"] for request in sink.requests} == {"Bearer not-a-real-token"}
        assert sink.problems == []


def test_spans_pass(otelcol: Path, tmp_path: Path) -> None:
    """The spans of auto-instrumentation go to the same address as the events."""
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "GET /cart",
        "kind": 2,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000500000000",
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()

    with OtlpSink() as sink, Agent(otelcol, sink.url, tmp_path) as agent:
        assert agent.post("/v1/traces", body) == 200
        assert sink.wait_for(lambda: [s["name"] for s in sink.spans] == ["GET /cart"], timeout=20)


def test_nothing_acknowledged_is_lost_by_a_killed_agent(otelcol: Path, tmp_path: Path) -> None:
    """The gateway is away and the agent is killed: a new one delivers whatever the old one had answered for."""
    with OtlpSink() as sink:
        sink.faults.down()
        with Agent(otelcol, sink.url, tmp_path) as agent:
            acknowledged = {uid for uid in (f"uid-{n}" for n in range(200)) if agent.post("/v1/logs", line(uid)) == 200}
            agent.kill()
            assert len(acknowledged) == 200
            assert uids(sink) == set()

            agent.start()
            sink.faults.up()

            assert sink.wait_for(lambda: acknowledged <= uids(sink), timeout=45), agent.log[-3000:]


def test_footspan_delivers_through_the_agent(otelcol: Path, tmp_path: Path) -> None:
    """An application needs nothing but the standard variable that names the agent."""
    program = "import footspan; footspan.track('checkout.completed', amount=9.5); print(footspan.flush(20.0))"
    with OtlpSink() as sink, Agent(otelcol, sink.url, tmp_path) as agent:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path / "app"),
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": agent.url,
        }
        result = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.strip() == "{'otlp': 0}"
        assert sink.wait_for(lambda: [event["name"] for event in sink.events] == ["checkout.completed"], timeout=20)
        (event,) = sink.events
        assert event["attributes"]["amount"] == 9.5
        assert event["resource"]["service.name"] == "shop"
