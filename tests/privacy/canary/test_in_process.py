"""One secret of each kind through every field of every signal, in one process; nothing of it comes out anywhere."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter as JsonLogExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

import footspan
from footspan import exporters
from gateway.running import Gateway
from privacy.canary.kinds import KINDS, Planter, together
from privacy.canary.planting import by_calls, by_clients, by_logs, by_spans
from privacy.canary.searching import Haystack
from privacy.canary.standing_in import KEY, Servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXTS: dict[str, Callable[[int], str]] = {"together": together, "json": KINDS["json"]}


class Heard(logging.Handler):
    """Everything that anybody logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, with the traceback."""
        self.lines.append(self.format(record))


@pytest.fixture
def heard() -> Iterator[Heard]:
    """The log of the process at DEBUG."""
    handler, root = Heard(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("name", TEXTS)
def test_what_stays_and_what_is_shown(name: str, heard: Heard, capfd: pytest.CaptureFixture[str]) -> None:
    """``footspan.init`` beside the app's own tracer provider: spool, logger, terminal, the app's own exporter."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stdout)))
    trace.set_tracer_provider(provider)
    footspan.init(
        service_name="canary", debug=True, destinations={"logging": {"level": "DEBUG"}, "console": {"format": "json"}}
    )
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stdout)))
    plant = Planter(TEXTS[name])
    for way in (by_calls, by_logs, by_spans):
        way(plant)
    footspan.flush(20.0)
    footspan.shutdown()
    out, err = capfd.readouterr()
    hay = Haystack()
    hay.add("terminal", out + err)
    hay.add("log", "\n".join(heard.lines))
    hay.add_folder(Path(os.environ["XDG_STATE_HOME"]))
    hits = hay.hits(plant.places)
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_sent(name: str, heard: Heard, tmp_path: Path) -> None:
    """A pipeline with every destination, and every drop-in client: no request holds a secret."""
    plant = Planter(TEXTS[name])
    with Servers() as servers:
        footspan.init(service_name="canary", destinations=servers.options())
        by_calls(plant)
        by_clients(
            plant, servers.opentrace.url, servers.queue.endpoint, str(tmp_path / "q.ndjson"), servers.dash.endpoint, KEY
        )
        by_logs(plant)
        left = footspan.flush(30.0)
        footspan.shutdown()
        hay = servers.search(Haystack())
    assert left == dict.fromkeys(left, 0)
    assert all(hay.size(each) > 1_000 for each in ("umami", "otlp", "protobuf", "grpc", "opentrace", "told", "dash"))
    hay.add("log", "\n".join(heard.lines))
    hay.add_folder(Path(os.environ["XDG_STATE_HOME"]))
    hay.add_folder(tmp_path)
    hits = hay.hits(plant.places)
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize("name", TEXTS)
def test_plain_exporters(name: str, heard: Heard, capfd: pytest.CaptureFixture[str]) -> None:
    """In an app of OpenTelemetry's own, without a pipeline, each exporter of ours redacts by itself."""
    plant = Planter(TEXTS[name])
    resource = Resource(
        {"note": plant.text("resource"), plant.text("resource: key"): plant.deep("resource: nested")},
        plant.text("resource: schema"),
    )
    logs, spans = (
        LoggerProvider(resource, shutdown_on_exit=False),
        TracerProvider(resource=resource, shutdown_on_exit=False),
    )
    kinds = {
        "umami": "Umami",
        "otlp": "Otlp",
        "proto": "Otlp",
        "grpc": "Otlp",
        "opentrace": "OpenTrace",
        "trace_telemetry": "TraceTelemetry",
        "dash_tracker": "DashTracker",
    }
    with Servers() as servers:
        for given, settings in {**servers.options(), "console": {}}.items():
            kind = kinds.get(given, "Console")
            options = {key: value for key, value in settings.items() if key != "type"}
            of_logs = {key: value for key, value in options.items() if key != "spans"}
            logs.add_log_record_processor(SimpleLogRecordProcessor(getattr(exporters, f"{kind}LogExporter")(**of_logs)))
            spans.add_span_processor(SimpleSpanProcessor(getattr(exporters, f"{kind}SpanExporter")(**options)))
        _logs.set_logger_provider(logs)
        trace.set_tracer_provider(spans)
        by_logs(plant)
        by_spans(plant)
        logs.shutdown()
        spans.shutdown()
        hay = servers.search(Haystack())
    assert all(hay.size(each) > 1_000 for each in ("umami", "otlp", "protobuf", "grpc", "opentrace", "told", "dash"))
    out, err = capfd.readouterr()
    hay.add("terminal", out + err)
    hay.add("log", "\n".join(heard.lines))
    hits = hay.hits(plant.places)
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize("name", TEXTS)
def test_the_gateway(name: str, heard: Heard) -> None:
    """Others' exporters send everything as it is, in JSON and protobuf; what the gateway keeps and sends is clean."""
    plant = Planter(TEXTS[name])
    resource = Resource(
        {"note": plant.text("resource"), plant.text("resource: key"): plant.text("resource: value")},
        plant.text("resource: schema"),
    )
    with Servers() as servers, Gateway(destinations=servers.options()) as gateway:
        provider = LoggerProvider(resource, shutdown_on_exit=False)
        address = f"{gateway.url}/v1/logs"
        for exporter in (OTLPLogExporter(endpoint=address), JsonLogExporter(endpoint=address)):
            provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        _logs.set_logger_provider(provider)
        by_logs(plant)
        provider.shutdown()
        left = gateway.pipeline.flush(30.0)
        hay = servers.search(Haystack())
    assert left == dict.fromkeys(left, 0)
    assert all(hay.size(each) > 1_000 for each in ("umami", "otlp", "protobuf", "grpc", "opentrace", "told", "dash"))
    hay.add("log", "\n".join(heard.lines))
    hay.add_folder(Path(os.environ["XDG_STATE_HOME"]))
    hits = hay.hits(plant.places)
    assert not hits, "\n".join(hits)
