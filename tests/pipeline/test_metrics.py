"""Our figures as OpenTelemetry metrics: counters sum up over processes, gauges are told once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import footspan
from footspan.pipeline import get_pipeline, state
from spool.making import in_fork

if TYPE_CHECKING:
    import pytest

    from servers.otlp import OtlpSink


def provider() -> InMemoryMetricReader:
    """A meter provider for the process, and what reads it."""
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
    return reader


def told(reader: InMemoryMetricReader) -> dict[str, dict[tuple[Any, ...], float]]:
    """What a collection finds: by instrument, by the values of the attributes in the order of their names."""
    data = reader.get_metrics_data()
    found: dict[str, dict[tuple[Any, ...], float]] = {}
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    key = tuple(value for _, value in sorted((point.attributes or {}).items()))
                    found.setdefault(metric.name, {})[key] = point.value  # type: ignore[union-attr]
    return found


def fresh() -> None:
    """Forget the look that the instruments of the last collection shared."""
    state._report._read_at = 0.0


def test_every_figure_has_its_instrument(otlp_sink: OtlpSink) -> None:
    """Names, attributes and numbers, as the ledger has them."""
    reader = provider()
    otlp_sink.partial_success(rejected=1)
    footspan.init(service_name="shop", metrics=True, destinations={"otlp": {"endpoint": otlp_sink.url}})
    for number in range(5):
        footspan.track("order.placed", n=number)
    footspan.flush(20.0)
    found = told(reader)

    assert found["footspan.events.accepted"] == {(): 5}
    assert found["footspan.events.delivered"] == {("otlp",): 4}
    assert found["footspan.events.refused"] == {("otlp", "partial_success"): 1}
    assert found["footspan.spool.waiting"] == {("otlp", "events"): 0}
    assert found["footspan.delivery.oldest_age"] == {("otlp", "events"): 0}
    assert found["footspan.spool.size"][("events",)] > 0


def test_what_another_process_did_is_not_told_again(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters are this process's own; what waits is told whoever wrote it."""
    otlp_sink.faults.down()
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp_sink.url)
    monkeypatch.setenv("FOOTSPAN_EXIT_TIMEOUT", "0s")
    other = "import footspan; [footspan.track('x') for _ in range(3)]"
    subprocess.run([sys.executable, "-c", other], check=True, timeout=120)
    reader = provider()
    footspan.init(metrics=True, courier="external")
    footspan.track("y")
    found = told(reader)

    assert found["footspan.events.accepted"] == {(): 1}
    assert found.get("footspan.events.delivered", {}).get(("otlp",), 0) == 0
    assert found["footspan.spool.waiting"] == {("otlp", "events"): 4}
    assert found["footspan.delivery.oldest_age"][("otlp", "events")] > 0


def test_new_settings_do_not_set_counters_back(otlp_sink: OtlpSink) -> None:
    """Another pipeline goes on where the one before it was."""
    reader = provider()
    for name in ("shop", "store"):
        footspan.init(service_name=name, metrics=True, destinations={"otlp": {"endpoint": otlp_sink.url}})
        footspan.track("order.placed")
        footspan.flush(20.0)
    fresh()
    found = told(reader)

    assert found["footspan.events.accepted"] == {(): 2}
    assert found["footspan.events.delivered"] == {("otlp",): 2}


def test_dropped_events_have_a_reason() -> None:
    """Events that sampling kept out."""
    reader = provider()
    footspan.init(metrics=True, sampling={"enabled": True, "rate": 0.0})
    footspan.track("user.seen")

    found = told(reader)
    assert found["footspan.events.dropped"] == {("sampled_out",): 1}
    assert found["footspan.events.accepted"] == {(): 0}


def test_a_forked_child_counts_from_nothing() -> None:
    """What the parent appended is the parent's to tell."""
    reader = provider()
    footspan.init(metrics=True)
    footspan.track("x")

    def in_child() -> bool:
        footspan.track("y")
        return told(reader)["footspan.events.accepted"] == {(): 1}

    assert in_fork(in_child)
    assert told(reader)["footspan.events.accepted"] == {(): 1}


def test_a_provider_may_come_later() -> None:
    """As under auto-instrumentation, where the settings are read first."""
    footspan.init(metrics=True)
    footspan.track("x")
    reader = provider()

    assert told(reader)["footspan.events.accepted"] == {(): 1}


def test_not_asked_for_is_not_there() -> None:
    """No instrument, no counting, and nothing of OpenTelemetry's metrics SDK is loaded for it."""
    reader = provider()
    footspan.init()
    footspan.track("x")
    pipeline = get_pipeline()
    assert pipeline is not None
    assert pipeline.appended is None
    assert told(reader) == {}

    program = "import footspan, sys; footspan.track('x'); assert 'opentelemetry.sdk.metrics' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_in_memory_too(otlp_sink: OtlpSink) -> None:
    """Without a disk the figures are the process's own anyway."""
    reader = provider()
    footspan.init(metrics=True, spool={"durability": "memory"}, destinations={"otlp": {"endpoint": otlp_sink.url}})
    footspan.track("x")
    footspan.flush(20.0)
    found = told(reader)

    assert found["footspan.events.accepted"] == {(): 1}
    assert found["footspan.events.delivered"] == {("otlp",): 1}
