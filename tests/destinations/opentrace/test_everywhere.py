"""A start code from the spool to every destination: OpenTrace, Umami, an OTLP backend, the console."""

from __future__ import annotations

import io
import json
import sys
import time
from typing import TYPE_CHECKING

import pytest

from delivery.rig import Rig
from destinations.making import line
from footspan import conventions as c
from footspan.config.load import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from servers.opentrace import OpenTraceServer
    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

CODE = c.CAMPAIGN_START_CODE


@pytest.mark.parametrize("durable", [True, False], ids=["disk", "memory"])
def test_every_destination_gets_the_campaign(
    opentrace_server: OpenTraceServer,
    umami_server: UmamiServer,
    otlp_sink: OtlpSink,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    durable: bool,
) -> None:
    """One code among other events: asked once, there everywhere; what is in the spool stays as it was."""
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", printed)
    found = load_settings(
        environ={},
        overrides={
            "destinations": {
                "opentrace": {"url": opentrace_server.url, "project_id": "p"},
                "umami": {"url": umami_server.url, "website": umami_server.website},
                "otlp": {"endpoint": otlp_sink.url},
                "console": {"format": "json"},
            }
        },
    ).destinations
    rig = Rig(tmp_path if durable else None, found)
    try:
        for number in range(20):
            rig.spool.append(line("e", {"n": number, c.SESSION_ID: "s"}).line + b"\n")
        wire = {"opentrace": {"parity": True, "endpoint": "event", "session": "s", "given": [CODE]}}
        start = line("bot_start", {CODE: "utm_a1B2c3", c.WIRE: wire, c.SESSION_ID: "s"})
        rig.spool.append(start.line + b"\n")
        rig.courier.wake()
        deadline = time.monotonic() + 60.0
        while any(waiting := rig.courier.flush(5.0).values()):
            assert time.monotonic() < deadline, waiting
    finally:
        rig.close()

    assert opentrace_server.asked == ["a1B2c3"]
    (row,) = [each for each in opentrace_server.rows if each["event_type"] == "bot_start"]
    assert (row["utm_source"], row["utm_medium"], row["utm_campaign"]) == ("telegram", "bot", "spring")
    assert json.loads(row["payload"]) == {"bot_param": "utm_a1B2c3"}
    (event,) = umami_server.events("bot_start")
    assert (event["utm_source"], event["utm_content"], event["utm_term"]) == ("telegram", "banner", "vpn")
    (record,) = [each for each in otlp_sink.events if each["name"] == "bot_start"]
    assert record["uid"] == start.uid
    assert record["attributes"]["footspan.utm.campaign"] == "spring"
    assert record["attributes"][CODE] == "utm_a1B2c3"
    assert c.WIRE not in record["attributes"]
    shown = [json.loads(each) for each in printed.getvalue().splitlines() if "bot_start" in each]
    assert [each["properties"]["utm_medium"] for each in shown] == ["bot"]
    for segment in tmp_path.rglob("events/*.jsonl"):
        assert b"telegram" not in segment.read_bytes()
