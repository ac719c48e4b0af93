"""Spans and plain logs that wait in the spool: kept before the call returns, redacted, apart from the events."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

import footspan
from footspan import _otel
from footspan.cli.commands import footspan as command
from footspan.config.load import load_settings
from footspan.delivery.lanes import lane_layouts
from footspan.instrumentation.parts import Parts
from footspan.pipeline import configure, get_pipeline
from footspan.spool.layout import Layout
from otel_globals import reset_providers
from spooled import spooled

if TYPE_CHECKING:
    from servers.otlp import OtlpSink


@pytest.fixture
def _spooled(monkeypatch: pytest.MonkeyPatch, otlp_sink: OtlpSink) -> None:
    """An ``otlp`` destination, and the switch."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp_sink.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("FOOTSPAN_SPOOL_SPANS", "true")


def provide() -> tuple[TracerProvider, LoggerProvider]:
    """Providers as our configurator makes them."""
    settings = load_settings()
    pipeline = configure(settings)
    assert pipeline is not None
    parts = Parts(pipeline)
    tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    for processor in parts.span_processors(settings.destinations):
        tracers.add_span_processor(processor)
    loggers.add_log_record_processor(parts.log_processor(settings.destinations))
    trace.set_tracer_provider(tracers)
    _otel.install_logger_provider(loggers)
    return tracers, loggers


def lane(name: str) -> list[dict[str, Any]]:
    """What is stored in a lane."""
    root = Path(os.environ["XDG_STATE_HOME"]) / "footspan" / "shop" / name / "events"
    return [json.loads(line) for path in sorted(root.glob("*.jsonl")) for line in path.read_bytes().splitlines()]


def say(loggers: LoggerProvider, body: str) -> None:
    """A plain log record."""
    loggers.get_logger("app").emit(_otel.LogRecord(body=body, severity_text="INFO"))


@pytest.mark.usefixtures("_spooled")
def test_an_ended_span_is_on_disk_and_arrives(otlp_sink: OtlpSink) -> None:
    """Redacted, one line a span, with its scope and resource; and it leaves as the batch processor's would."""
    tracers, _ = provide()
    with tracers.get_tracer("app", "1.0").start_as_current_span("order", attributes={"note": "jane@private.example"}):
        pass
    with tracers.get_tracer("app", "1.0").start_as_current_span("pay"):
        pass
    stored = lane("spans")

    assert [span["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] for span in stored] == ["order", "pay"]
    assert "private.example" not in json.dumps(stored)
    assert footspan.flush(10.0) == {"otlp": 0, "otlp/spans": 0, "otlp/logs": 0}
    assert [span["name"] for span in otlp_sink.spans] == ["order", "pay"]
    assert otlp_sink.spans[0]["attributes"]["note"] == "[contact]"
    assert {request.path for request in otlp_sink.requests} == {"/v1/traces"}
    assert footspan.status()["lanes"]["spans"]["destinations"]["otlp"]["delivered"] == 2
    assert spooled() == []


@pytest.mark.usefixtures("_spooled")
def test_plain_logs_have_a_lane_too(otlp_sink: OtlpSink) -> None:
    """Cleaned, kept apart from the events, and delivered without a name."""
    _, loggers = provide()
    say(loggers, "mail to jane@private.example")
    footspan.track("order.placed")
    [stored] = lane("logs")

    assert stored["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"]["stringValue"] == "mail to [contact]"
    assert [event.name for event in spooled()] == ["order.placed"]
    assert footspan.flush(10.0) == {"otlp": 0, "otlp/spans": 0, "otlp/logs": 0}
    assert sorted(record["name"] for record in otlp_sink.logs) == ["", "order.placed"]
    assert [record["body"] for record in otlp_sink.logs if not record["name"]] == ["mail to [contact]"]


@pytest.mark.usefixtures("_spooled")
def test_what_waited_is_delivered_by_the_next_process(otlp_sink: OtlpSink) -> None:
    """Spans and logs of a process that ended in an outage."""
    otlp_sink.faults.down()
    tracers, loggers = provide()
    tracers.get_tracer("app").start_span("lost?").end()
    say(loggers, "lost?")
    footspan.shutdown(0.0)
    assert otlp_sink.spans == []
    _guard_state_anew()
    otlp_sink.faults.up()
    provide()

    assert otlp_sink.wait_for(lambda: otlp_sink.spans and otlp_sink.logs)
    assert [span["name"] for span in otlp_sink.spans] == ["lost?"]


def _guard_state_anew() -> None:
    """As in a new process."""
    footspan.pipeline.reset()
    reset_providers()


@pytest.mark.usefixtures("_spooled")
def test_a_lane_that_is_full_costs_the_others_nothing(
    otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Eviction never crosses lanes: spans go, oldest first and counted; events and logs stay."""
    monkeypatch.setenv("FOOTSPAN_SPOOL_SPANS_MAX_BYTES", "200KiB")
    otlp_sink.faults.down()
    tracers, loggers = provide()
    footspan.track("order.placed")
    say(loggers, "kept")
    for number in range(400):
        tracers.get_tracer("app").start_span(f"s{number}", attributes={"text": "x" * 1500}).end()
    pipeline = get_pipeline()
    assert pipeline is not None
    with caplog.at_level(logging.WARNING, "footspan"):
        pipeline._lanes["spans"].spool.maintain()
    status = footspan.status()
    spans = status["lanes"]["spans"]["destinations"]["otlp"]

    assert spans["accepted"] == 400
    assert spans["evicted"] > 100
    assert spans["evicted_by"] == {"max_bytes": spans["evicted"]}
    assert status["lanes"]["spans"]["bytes"] <= 200 * 1024
    assert (status["destinations"]["otlp"]["evicted"], status["destinations"]["otlp"]["waiting"]) == (0, 1)
    assert status["lanes"]["logs"]["destinations"]["otlp"]["waiting"] == 1
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("_spooled")
def test_in_memory_lanes_work_as_well(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the events are in memory, so is the rest."""
    monkeypatch.setenv("FOOTSPAN_SPOOL_DURABILITY", "memory")
    tracers, _ = provide()
    tracers.get_tracer("app").start_span("order").end()

    assert footspan.flush(10.0) == {"otlp": 0, "otlp/spans": 0, "otlp/logs": 0}
    assert [span["name"] for span in otlp_sink.spans] == ["order"]
    assert footspan.status()["lanes"]["spans"]["kind"] == "memory"


@pytest.mark.usefixtures("_spooled")
def test_without_the_switch_there_is_no_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans then go through OpenTelemetry's batch processor."""
    monkeypatch.setenv("FOOTSPAN_SPOOL_SPANS", "false")
    provide()
    pipeline = get_pipeline()
    assert pipeline is not None

    assert "lanes" not in footspan.status()
    assert lane_layouts(Layout(footspan.status()["directory"])) == {}
    pipeline.shutdown(0.0)


@pytest.mark.usefixtures("_spooled")
def test_footspan_deliver_delivers_lanes(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an outside courier the app leaves spans and logs to it as well."""
    monkeypatch.setenv("FOOTSPAN_COURIER", "external")
    tracers, loggers = provide()
    tracers.get_tracer("app").start_span("order").end()
    say(loggers, "a line")
    footspan.track("order.placed")
    result = CliRunner().invoke(command, ["deliver", "--once", "--json"])

    assert result.exit_code == 0, result.output
    assert [span["name"] for span in otlp_sink.spans] == ["order"]
    assert sorted(record["name"] for record in otlp_sink.logs) == ["", "order.placed"]
    assert set(json.loads(result.stdout)["services"]) == {"shop", "shop/spans", "shop/logs"}
