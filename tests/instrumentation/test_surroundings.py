"""What else may be set or installed: the app always runs, and what is wrong is said once with its fix."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from programs import until
from serving import Served, umami_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

pytestmark = pytest.mark.slow

OTHER_DISTRO = """
import os
from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.sdk._configuration import _OTelSDKConfigurator

class Other(BaseDistro):
    def _configure(self, **kwargs):
        os.environ["OTHER_DISTRO_RAN"] = "1"
        print("the other distro ran", flush=True)

class OtherConfigurator(_OTelSDKConfigurator):
    pass
"""
OTHER_ENTRY_POINTS = """
[opentelemetry_distro]
other = other_distro:Other

[opentelemetry_configurator]
other = other_distro:OtherConfigurator
"""


def flask(folder: Path, env: Mapping[str, str]) -> Served:
    """The test app under ``flask run``."""
    shutil.copy(Path(__file__).with_name("web.py"), folder / "web.py")
    return Served(["flask", "--app", "web", "run", "--port", "0"], folder, {"OTEL_SERVICE_NAME": "web", **env})


def lines(server: Served, text: str) -> list[str]:
    """The lines of its output that hold a text."""
    return [line for line in server.said().splitlines() if text in line]


def test_a_bad_configuration_is_logged_once_and_the_app_runs_on(tmp_path: Path, umami_server: UmamiServer) -> None:
    """One line with the key and the fix; pages and calls of ``track`` work as without footspan."""
    env = {**umami_variables(umami_server), "FOOTSPAN_SPOOL_DURABILITY": "eternal"}
    with flask(tmp_path, env) as server:
        assert server.get("/page/tea")[0] == 200
        assert server.get("/track/1")[0] == 200

    [said] = lines(server, "footspan is off")
    assert "FOOTSPAN_SPOOL_DURABILITY" in said
    assert "process" in said
    assert umami_server.requests == []


@pytest.mark.parametrize("switch", [{"TELEMETRY_ENABLED": "false"}, {"OTEL_SDK_DISABLED": "true"}])
def test_switched_off_means_nothing_of_ours(switch: dict[str, str], tmp_path: Path, umami_server: UmamiServer) -> None:
    """No event, no page view, no spool, no word; a footspan exporter's name does no harm."""
    env = {**umami_variables(umami_server), **switch, "OTEL_TRACES_EXPORTER": "footspan"}
    with flask(tmp_path, env) as server:
        assert server.get("/page/tea")[0] == 200
        assert server.get("/track/1")[0] == 200

    assert umami_server.requests == []
    assert not (tmp_path / "state" / "footspan").exists()
    assert lines(server, "Traceback") == []


def test_another_distro_found_first_does_not_win(tmp_path: Path, umami_server: UmamiServer) -> None:
    """With another distro in front on the path and nothing chosen, footspan is chosen."""
    with flask(tmp_path, {**umami_variables(umami_server), **other_distro(tmp_path)}) as server:
        server.get("/page/tea")
        assert until(umami_server.page_views), server.said()

    assert lines(server, "the other distro ran") == []


def test_beside_a_chosen_distro_footspan_joins_and_says_what_to_set(tmp_path: Path, umami_server: UmamiServer) -> None:
    """The operator's choice stands, its exporter's output is redacted, and events and page views flow all the same."""
    env = {
        **umami_variables(umami_server),
        **other_distro(tmp_path),
        "OTEL_PYTHON_DISTRO": "other",
        "OTEL_PYTHON_CONFIGURATOR": "other",
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_TRACES_SAMPLER": "always_on",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with flask(tmp_path, env) as server:
        server.get("/page/tea?email=jane@canary.example", {"Accept-Language": "nl"})
        server.get("/track/1")
        assert until(umami_server.page_views), server.said()
        assert until(lambda: umami_server.events("order.placed")), server.said()
        assert until(lambda: '"url.path": "/page/tea"' in server.said()), server.said()

    session = umami_server.session_of(umami_server.page_views()[0])
    assert session is not None
    assert session["language"] == "nl"
    [said] = lines(server, "another OpenTelemetry distro")
    assert "OTEL_PYTHON_DISTRO=footspan OTEL_PYTHON_CONFIGURATOR=footspan" in said
    assert lines(server, "the other distro ran") == ["the other distro ran"]
    assert not [line for line in lines(server, "canary") if not line.startswith("127.0.0.1 - -")]


def other_distro(folder: Path) -> dict[str, str]:
    """Install another distro where it is found before footspan."""
    place = folder / "elsewhere"
    metadata = place / "other_distro-1.0.dist-info"
    metadata.mkdir(parents=True)
    (place / "other_distro.py").write_text(OTHER_DISTRO)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other-distro\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(OTHER_ENTRY_POINTS)
    return {"PYTHONPATH": str(place)}


def test_exporters_that_cannot_be_had_cost_no_event(tmp_path: Path, umami_server: UmamiServer) -> None:
    """A name that nobody knows is explained, and the product's events and page views flow."""
    env = {**umami_variables(umami_server), "OTEL_TRACES_EXPORTER": "carrier_pigeon", "OTEL_PROPAGATORS": "none"}
    with flask(tmp_path, env) as server:
        assert server.get("/page/tea")[0] == 200  # no propagator: this would be a 500 without the repair
        server.get("/track/1")
        assert until(umami_server.page_views), server.said()
        assert until(lambda: umami_server.events("order.placed")), server.said()

    [said] = lines(server, "the exporters cannot all be set up")
    assert "carrier_pigeon" in said
    assert len(lines(server, "no propagator is configured")) == 1


def test_the_operators_own_exporters_get_redacted_data(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """A console exporter beside ours prints nothing that must not leave; plain logs go where ``otlp`` says, clean."""
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_sink.url,
        "OTEL_TRACES_EXPORTER": "console,otlp",
        "OTEL_LOGS_EXPORTER": "console,otlp",
        "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
    }
    with flask(tmp_path, env) as server:
        server.get("/track/1?email=jane%40canary.example")
        server.get("/boom")
        assert until(lambda: len(otlp_sink.spans) >= 2), server.said()
        assert until(lambda: "order.placed" in {event["name"] for event in otlp_sink.events}), server.said()
        assert until(lambda: [log for log in otlp_sink.logs if not log["name"]]), server.said()
        assert until(lambda: server.said().count('"event_name": "order.placed"')), server.said()

    exported = [
        line for line in server.said().splitlines() if "canary" in line and not line.startswith("127.0.0.1 - -")
    ]
    assert exported == []
    assert "canary" not in str(otlp_sink.spans) + str(otlp_sink.logs)
    [placed] = [log for log in otlp_sink.logs if log["name"] == "order.placed"]
    assert placed["attributes"]["note"] == "write to [contact]"
