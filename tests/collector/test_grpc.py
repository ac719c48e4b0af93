"""A real Collector takes what footspan sends over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.agent import Agent
from programs import run
from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.collector


def test_events_and_spans_pass(otelcol: Path, tmp_path: Path) -> None:
    """With the standard variables for its gRPC port, from a process under the distro."""
    with OtlpSink() as sink, Agent(otelcol, sink.url, tmp_path) as agent:
        result = run(
            """
            from opentelemetry.instrumentation.auto_instrumentation import initialize
            initialize()
            from opentelemetry import trace
            with trace.get_tracer("shop").start_as_current_span("work"):
                import footspan
                footspan.track("checkout.completed", amount=9.5, cart=[{"sku": "a", "count": 2}])
            print(footspan.flush(20))
            """,
            {
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_ENDPOINT": agent.grpc_url,
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*",
                "OTEL_SERVICE_NAME": "shop",
            },
        )

        assert result.stdout.strip() == "{'otlp': 0}", result.stderr
        assert sink.wait_for(lambda: sink.events and sink.spans, timeout=20), agent.log[-3000:]
        (event,) = sink.events
        assert event["attributes"]["cart"] == [{"sku": "a", "count": 2}]
        assert (event["name"], event["resource"]["service.name"]) == ("checkout.completed", "shop")
        assert [span["trace_id"] for span in sink.spans] == [event["trace_id"]]
        assert sink.problems == []


def test_the_http_port_is_told_from_the_grpc_port(otelcol: Path, tmp_path: Path) -> None:
    """The commonest slip: said in one line, and nothing is lost."""
    with OtlpSink() as sink, Agent(otelcol, sink.url, tmp_path) as agent:
        environment = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": agent.url}
        result = run("import footspan; footspan.track('ran'); print(footspan.flush(3))", environment)

        assert result.stdout.strip() == "{'otlp': 1}"
        assert "4317" in result.stderr
