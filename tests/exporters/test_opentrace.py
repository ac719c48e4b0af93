"""OpenTrace's exporters in any application of OpenTelemetry's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.trace.export import SpanExportResult

from exporters.making import page, record
from footspan import conventions as c
from footspan.exporters import OpenTraceLogExporter, OpenTraceSpanExporter

if TYPE_CHECKING:
    import pytest

    from servers.opentrace import OpenTraceServer


def test_events_and_page_views(opentrace_server: OpenTraceServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment alone; a start code is resolved on the way, as by the courier."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OPENTRACE_URL", opentrace_server.url)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OPENTRACE_PROJECT_ID", "p")
    events = OpenTraceLogExporter()
    start = record("bot_start", attributes={c.CAMPAIGN_START_CODE: "utm_a1B2c3", "revenue": "9.50"})
    assert events.export([start, record("second")]) is LogRecordExportResult.SUCCESS
    assert OpenTraceSpanExporter().export([page()]) is SpanExportResult.SUCCESS
    first, second, seen = opentrace_server.rows
    assert (first["event_type"], first["utm_source"]) == ("bot_start", "telegram")
    assert json.loads(first["payload"])["amount"] == "9.50"
    assert (second["event_type"], seen["event_type"]) == ("second", "page_view")
    assert seen["url"].startswith("http")


def test_a_refusal_is_counted(opentrace_server: OpenTraceServer) -> None:
    """What nobody could deliver is no failure of the export."""
    opentrace_server.faults.answer(422, b"{}", {"Content-Type": "application/json"})
    exporter = OpenTraceLogExporter(url=opentrace_server.url, project_id="p")
    assert exporter.export([record("a"), record("b")]) is LogRecordExportResult.SUCCESS
    assert exporter.status()["refused"] == {"http_422": 1}
    assert exporter.status()["delivered"] == 1
