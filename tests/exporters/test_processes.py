"""Whole processes under ``opentelemetry-instrument``: other distros, none, ours; variables and configuration files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from programs import run, until
from serving import Served, umami_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

UPSTREAM = {"OTEL_PYTHON_DISTRO": "distro", "OTEL_PYTHON_CONFIGURATOR": "configurator"}
"""OpenTelemetry's own distro, chosen beside ours."""

QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BLRP_SCHEDULE_DELAY": "100", "OTEL_METRICS_EXPORTER": "none"}
CONFIGURATION = """
file_format: "1.0"
tracer_provider:
  processors: [{{batch: {{schedule_delay: 100, exporter: {{umami: {umami}}}}}}}]
logger_provider:
  processors: [{{batch: {{schedule_delay: 100, exporter: {{{logs}}}}}}}]
propagator: {{composite: [{{tracecontext: }}]}}
"""


def served(folder: Path, env: Mapping[str, str]) -> Served:
    """The app, under ``opentelemetry-instrument``."""
    shutil.copy(Path(__file__).with_name("shop.py"), folder / "shop.py")
    command = ["flask", "--app", "shop", "run", "--port", "0"]
    return Served(command, folder, {"OTEL_SERVICE_NAME": "shop", **QUICK, **env})


def settled(server: UmamiServer) -> bool:
    """Whether a visit's page view, event and query are there."""
    return bool(server.page_views() and server.events("tea.seen") and server.events("SELECT teas"))


def one_of_each(server: UmamiServer) -> None:
    """Nothing twice, nothing personal."""
    assert len(server.page_views()) == 1
    assert sorted(row["event_name"] for row in server.events()) == ["SELECT teas", "tea.seen"]
    assert not any(b"canary" in request.body for request in server.requests)


def otel_file(folder: Path, server: UmamiServer, logs: str = "umami: ") -> dict[str, str]:
    """A declarative configuration with exporters of ours."""
    file = folder / "otel.yaml"
    umami = f'{{url: "{server.url}", website: {server.website}, spans: ["db.*"]}}'
    file.write_text(CONFIGURATION.format(umami=umami, logs=logs + umami if logs == "umami: " else logs))
    return {"OTEL_CONFIG_FILE": str(file)}


def test_a_program_of_its_own_exports_by_the_names(umami_server: UmamiServer) -> None:
    """The SDK's configurator alone, without instrumentation and without any other part of footspan."""
    done = run(
        """
        import sys
        from opentelemetry.sdk._configuration import _OTelSDKConfigurator
        _OTelSDKConfigurator().configure()
        from opentelemetry._logs import get_logger, get_logger_provider
        get_logger("app").emit(timestamp=1_767_225_600_000_000_000, event_name="tea.seen")
        get_logger_provider().shutdown()
        print(sorted({"footspan.pipeline", "footspan.spool", "footspan.delivery"} & set(sys.modules)))
        """,
        {**umami_variables(umami_server), **QUICK, "OTEL_LOGS_EXPORTER": "umami", "OTEL_TRACES_EXPORTER": "umami"},
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
    assert [row["event_name"] for row in umami_server.events()] == ["tea.seen"]


@pytest.mark.slow
def test_under_another_distro_the_names_are_plain_exporters(
    tmp_path: Path, umami_server: UmamiServer, otlp_sink: OtlpSink
) -> None:
    """Umami and OTLP side by side; no spool, no word of footspan's, page views with the headers they need."""
    env = {
        **UPSTREAM,
        **umami_variables(umami_server),
        "FOOTSPAN_DESTINATIONS_UMAMI_SPANS": "db.*",
        "OTEL_LOGS_EXPORTER": "umami,otlp,footspan_otlp",
        "OTEL_TRACES_EXPORTER": "umami,otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_sink.url,
    }
    with served(tmp_path, env) as server:
        assert server.get("/tea?to=jane@canary.example")[0] == 200
        assert until(lambda: settled(umami_server)), server.said()
        assert until(lambda: len(otlp_sink.events) >= 2 and len(otlp_sink.spans) >= 2), server.said()
    one_of_each(umami_server)
    # Upstream's exporter sends what it is given; ours beside it redacts.
    assert sorted("canary" in str(each["attributes"]) for each in otlp_sink.events) == [False, True]
    assert not (tmp_path / "state" / "footspan").exists()
    assert "footspan:" not in server.said()


@pytest.mark.slow
def test_under_our_distro_the_names_are_the_spooled_destinations(tmp_path: Path, umami_server: UmamiServer) -> None:
    """The same variables, and one of each all the same; a name that stands for nothing is said."""
    env = {
        **umami_variables(umami_server),
        "FOOTSPAN_DESTINATIONS_UMAMI_SPANS": "db.*",
        "OTEL_LOGS_EXPORTER": "umami",
        "OTEL_TRACES_EXPORTER": "umami,footspan_otlp",
        "OTEL_PYTHON_DISTRO": "footspan",
        "OTEL_PYTHON_CONFIGURATOR": "footspan",
    }
    with served(tmp_path, env) as server:
        assert server.get("/tea?to=jane@canary.example")[0] == 200
        assert until(lambda: settled(umami_server)), server.said()
    one_of_each(umami_server)
    assert (tmp_path / "state" / "footspan").exists()
    [said] = [line for line in server.said().splitlines() if "footspan:" in line]
    assert "OTEL_TRACES_EXPORTER=footspan_otlp" in said


@pytest.mark.slow
def test_a_configuration_file_under_another_distro(tmp_path: Path, umami_server: UmamiServer) -> None:
    """Our exporters by their names, with their settings in the file; footspan itself has none and delivers nothing."""
    headers = {
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": "content-type",
        "TELEMETRY_ENABLED": "true",
    }
    with served(tmp_path, {**UPSTREAM, **headers, **otel_file(tmp_path, umami_server)}) as server:
        assert server.get("/tea?to=jane@canary.example")[0] == 200
        assert until(lambda: settled(umami_server)), server.said()
    one_of_each(umami_server)


@pytest.mark.slow
def test_a_configuration_file_under_our_distro(tmp_path: Path, umami_server: UmamiServer) -> None:
    """The pipeline joins the providers that the file describes, cleans what they export, and carries its own."""
    env = {
        **umami_variables(umami_server),
        **otel_file(tmp_path, umami_server, logs="console: "),
        "FOOTSPAN_DESTINATIONS_UMAMI_SPANS": "db.*",
        "OTEL_PYTHON_DISTRO": "footspan",
        "OTEL_PYTHON_CONFIGURATOR": "footspan",
    }
    with served(tmp_path, env) as server:
        assert server.get("/tea?to=jane@canary.example")[0] == 200
        assert until(lambda: settled(umami_server)), server.said()
        assert until(lambda: '"event_name": "tea.seen"' in server.said()), server.said()
    one_of_each(umami_server)
    assert (tmp_path / "state" / "footspan").exists()
    exported = [line for line in server.said().splitlines() if not line.startswith("127.0.0.1 - -")]
    assert "canary" not in "\n".join(exported)
