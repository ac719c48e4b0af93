"""The same in whole processes, by every start path: nothing on disk, sent, logged or shown holds a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from privacy.canary.kinds import KINDS, Planter
from privacy.canary.searching import Haystack
from privacy.canary.standing_in import KEY, Servers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from servers.otlp import OtlpSink

pytestmark = pytest.mark.slow

TOOLS = Path(sys.executable).parent
TESTS = Path(__file__).parents[2]
LIMIT = 240.0
SETTING = "qzsetting"
"""In every credential of the settings: those may be sent, and appear nowhere else."""

CAPTURED = {
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": ".*",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": ".*",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http/dup",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    "OTEL_METRICS_EXPORTER": "none",
}
CONSOLES = {"OTEL_TRACES_EXPORTER": "console,otlp", "OTEL_LOGS_EXPORTER": "console,otlp"}
UPSTREAM = {"OTEL_PYTHON_DISTRO": "distro", "OTEL_PYTHON_CONFIGURATOR": "configurator"}
OTEL_FILE = """
file_format: "1.0"
resource:
  attributes: [{name: service.name, value: canary}, {name: note, value: "${CANARY_NOTE}"}]
tracer_provider:
  processors:
    - simple: {exporter: {console: {}}}
    - batch:
        schedule_delay: 200
        exporter: {otlp_http: {endpoint: "${FOREIGN}/v1/traces", headers: [{name: x-key, value: "${CANARY_KEY}"}]}}
    - batch: {schedule_delay: 200, exporter: {umami: {url: "${UMAMI}", website: "${WEBSITE}", spans: ["*"]}}}
logger_provider:
  processors:
    - simple: {exporter: {console: {}}}
    - batch: {schedule_delay: 200, exporter: {otlp_http: {endpoint: "${FOREIGN}/v1/logs"}}}
    - batch: {schedule_delay: 200, exporter: {footspan_otlp: {endpoint: "${FOREIGN}"}}}
propagator: {composite: [{tracecontext: }, {baggage: }]}
distribution:
  footspan: SETTINGS
"""


class Suspect:
    """One run of the program, and everything that came of it.

    Args:
        folder: Where it lives.
        servers: Where its events go.
        foreign: Where exporters that are not ours send to.
    """

    def __init__(self, folder: Path, servers: Servers, foreign: OtlpSink) -> None:
        self.folder, self.servers, self.foreign = folder, servers, foreign
        self.hay = Haystack()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "FOOTSPAN_"))}
        self.env = {
            **inherited,
            **CAPTURED,
            "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONWARNINGS": "ignore",
            "CANARY_NOTE": Planter(KINDS["api_key"]).text("resource"),
            "CANARY_KEY": f"{SETTING}-key",
            "FOREIGN": foreign.url,
            "UMAMI": servers.umami.url,
            "WEBSITE": servers.umami.website,
        }

    def settings(self) -> dict[str, Any]:
        """Settings as a file has them, with credentials in every place that takes one."""
        options = self.servers.options()
        for name in ("otlp", "proto", "grpc"):
            options[name]["headers"] = {"x-key": f"{SETTING}-{name}"}
        return {"debug": True, "spool": {"spans": True}, "destinations": {**options, "logging": {"level": "DEBUG"}}}

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run something in the folder, and keep what it says."""
        done = subprocess.run(
            [str(TOOLS / command[0]), *command[1:]],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        self.hay.add(f"said by {command[0]} {command[1]}", done.stdout + done.stderr)
        return done

    def plant(self, start: str, env: Mapping[str, str]) -> list[str]:
        """Run the program; returns the places it planted in."""
        where = {
            "opentrace": self.servers.opentrace.url,
            "trace_telemetry": self.servers.queue.endpoint,
            "queue": "q.ndjson",
            "dash": self.servers.dash.endpoint,
            "dash_key": KEY,
        }
        suspect = str(Path(__file__).with_name("suspect.py"))
        program = [sys.executable, suspect, start, ",".join(KINDS), json.dumps(where)]
        command = program if start == "code" else ["opentelemetry-instrument", *program]
        done = self.run(*command, **env)
        assert done.returncode == 0, done.stderr[-3_000:]
        ends = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"places"')]
        assert ends, done.stdout[-3_000:] + done.stderr[-3_000:]
        assert not any(ends[0]["left"].values()), ends[0]["left"]
        places: list[str] = ends[0]["places"]
        return places

    def ask(self, **env: str) -> None:
        """Everything that the command line shows of it."""
        for command in (
            ("status",),
            ("status", "--json"),
            ("config", "check"),
            ("config", "show"),
            (
                "explain",
                "--name",
                "planted.asked",
                "--props",
                json.dumps({"note": Planter(KINDS["jwt"]).text("explain"), "password": "qzkanary"}),
            ),
            ("replay", "--from", "rejected", "--dry-run"),
            ("privacy", "report"),
        ):
            self.run("footspan", *command, **env)

    def verdict(self, places: list[str]) -> None:
        """Search everything."""
        self.servers.search(self.hay)
        self.hay.add_requests("foreign", self.foreign)
        self.hay.add_folder(self.folder / "state")
        self.hay.add_folder(self.folder / "q.ndjson.d")
        hits = self.hay.hits(places)
        assert not hits, f"{len(hits)} finds\n" + "\n".join(hits[:40])
        sent = ("umami", "otlp", "protobuf", "grpc", "opentrace", "told", "queue", "dash", "foreign")
        shown = [where for where, data in self.hay.parts if SETTING.encode() in data and not where.startswith(sent)]
        assert shown == []


@pytest.fixture
def servers() -> Any:
    """Stand-ins; one of them refuses an event."""
    with Servers() as found:
        found.told.refused = ("planted.value",)
        yield found


@pytest.fixture
def suspect(tmp_path: Path, servers: Servers, otlp_sink: OtlpSink) -> Suspect:
    """The program, not yet run."""
    return Suspect(tmp_path, servers, otlp_sink)


def _own_file(suspect: Suspect) -> dict[str, str]:
    (suspect.folder / "footspan.yaml").write_text(json.dumps({"telemetry": suspect.settings()}))
    return {
        "OTEL_SERVICE_NAME": "canary",
        "OTEL_RESOURCE_ATTRIBUTES": f"note={quote(suspect.env['CANARY_NOTE'])}",
    }


def _everything_was_used(suspect: Suspect) -> None:
    for name in ("umami", "otlp", "protobuf", "grpc", "opentrace", "told", "dash"):
        assert suspect.hay.size(name) > 10_000, name
    assert list((suspect.folder / "state" / "footspan").rglob("rejected/*.jsonl"))


def test_auto_instrumentation(suspect: Suspect) -> None:
    """``opentelemetry-instrument``, with consoles and OTLP as the operator's exporters besides."""
    env = {**_own_file(suspect), **CONSOLES}
    places = suspect.plant("none", env)
    suspect.ask(**env)
    suspect.verdict(places)
    _everything_was_used(suspect)


def test_code(suspect: Suspect) -> None:
    """``footspan.init`` beside the app's own providers."""
    env = _own_file(suspect)
    places = suspect.plant("code", env)
    suspect.ask(**env)
    suspect.verdict(places)
    _everything_was_used(suspect)


def test_otel_config_file(suspect: Suspect) -> None:
    """``OTEL_CONFIG_FILE`` describes the providers, several processors of both kinds, and holds our settings."""
    file = suspect.folder / "otel.yaml"
    file.write_text(OTEL_FILE.replace("SETTINGS", json.dumps(suspect.settings())))
    env = {"OTEL_CONFIG_FILE": str(file)}
    places = suspect.plant("none", env)
    suspect.ask(**env)
    suspect.verdict(places)
    _everything_was_used(suspect)
    assert suspect.foreign.spans
    assert suspect.foreign.events


def test_beside_another_distro(suspect: Suspect) -> None:
    """OpenTelemetry's own distro sets everything up; footspan joins before the app runs."""
    env = {**_own_file(suspect), **CONSOLES, **UPSTREAM, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    places = suspect.plant("none", {**env, "OTEL_EXPORTER_OTLP_ENDPOINT": suspect.foreign.url})
    suspect.verdict(places)
    assert suspect.foreign.spans
