"""Tests for the command ``footspan status``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from click.testing import CliRunner

import footspan
from footspan.cli import main, status_view
from footspan.cli.commands import footspan as command
from footspan.cli.status import Books
from footspan.delivery import advice
from otlp_json.test_span_lines import stored

if TYPE_CHECKING:
    from servers.otlp import OtlpSink


def test_every_service_is_shown(otlp_sink: OtlpSink) -> None:
    """The table names services, destinations and figures; all well is exit code 0."""
    footspan.init(service_name="shop", destinations={"otlp": {"endpoint": otlp_sink.url}})
    for _ in range(1_234):
        footspan.track("x", password="hunter2")
    footspan.flush(20.0)
    result = CliRunner().invoke(command, ["status"])

    assert result.exit_code == 0, result.output
    assert "shop" in result.output
    assert result.output.count("1,234") == 3  # accepted, delivered, redacted


def test_json_for_programs() -> None:
    """The same figures as ``footspan.status()``, for a service that somebody else runs."""
    program = "import footspan; footspan.track('a'); footspan.track('b')"
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "OTEL_SERVICE_NAME": "other"}, check=True)
    result = CliRunner().invoke(command, ["status", "--service", "other", "--json"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["other"]["counters"]["unrouted"] == 2


def test_trouble_is_an_exit_code(otlp_sink: OtlpSink) -> None:
    """Events that wait while nobody carries for them are exit code 1."""
    otlp_sink.faults.down()
    footspan.init(service_name="shop", courier="external", destinations={"otlp": {"endpoint": otlp_sink.url}})
    footspan.track("x")
    result = CliRunner().invoke(command, ["status", "--service", "shop"])

    assert result.exit_code == 1, result.output
    assert "unattended" in result.output


def test_looking_changes_nothing(tmp_path: Path) -> None:
    """Where there is nothing, nothing is made, and the message says what to name."""
    result = CliRunner().invoke(command, ["status", "--directory", str(tmp_path), "--service", "nobody"])

    assert result.exit_code == 2
    assert "--service" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_bad_setting_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says which setting cannot be used, without a trace-back."""
    monkeypatch.setenv("FOOTSPAN_SPOOL_MAX_BYTES", "many")
    result = CliRunner().invoke(command, ["status"])

    assert result.exit_code == 2
    assert "FOOTSPAN_SPOOL_MAX_BYTES" in result.output


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the extra, the command says how to get it."""
    monkeypatch.delitem(sys.modules, "footspan.cli.commands")
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code == 2
    assert "footspan[cli]" in capsys.readouterr().err


def dead_destination(otlp_sink: OtlpSink) -> None:
    """A service whose events nobody delivers."""
    otlp_sink.faults.down()
    footspan.init(service_name="shop", courier="external", destinations={"otlp": {"endpoint": otlp_sink.url}})
    footspan.track("x")


def test_the_oldest_waiting_event_and_what_to_do(otlp_sink: OtlpSink) -> None:
    """How long something waits already, and the next step, stand below the figures."""
    dead_destination(otlp_sink)
    plain = CliRunner().invoke(command, ["status"]).output
    [entry] = json.loads(CliRunner().invoke(command, ["status", "--json"]).output)["shop"]["destinations"].values()

    assert "oldest" in plain
    assert "! otlp: nobody delivers to it" in plain
    assert 0 <= entry["oldest_age"] < 60


def test_destinations_that_have_everything_are_still_shown(otlp_sink: OtlpSink) -> None:
    """Without a segment left, of a service that does not run."""
    footspan.init(service_name="shop", destinations={"otlp": {"endpoint": otlp_sink.url}})
    footspan.track("x")
    footspan.flush(20.0)
    footspan.pipeline.reset()
    for path in Path(os.environ["XDG_STATE_HOME"]).rglob("events/*.jsonl"):
        path.unlink()
    [entry] = json.loads(CliRunner().invoke(command, ["status", "--json"]).output)["shop"]["destinations"].values()

    assert (entry["accepted"], entry["delivered"], entry["oldest_age"]) == (1, 1, None)


def test_a_stalled_carrier_is_named() -> None:
    """With its process, and how to go on."""
    carrier = {"stalled": True, "pid": 77, "host": "h", "beat_age": 12.0}
    entry = {"state": "sending", "reason": "", "waiting": 3, "carrier": carrier}
    assert advice.state_of(entry) == "stalled"
    assert "kill -CONT 77" in advice.trouble(entry)


@pytest.mark.parametrize(
    ("state", "reason", "waiting", "expected"),
    [
        ("idle", "", 0, ""),
        ("sending", "", 5, ""),
        ("unattended", "", 0, ""),
        ("parked", "http_401", 5, "it does not accept the key"),
        ("parked", "tls", 5, "its certificate"),
        ("parked", "http_418", 5, "it refuses everything"),
        ("waiting", "http_503", 5, "is the server up"),
    ],
)
def test_what_to_do_follows_the_state(state: str, reason: str, waiting: int, expected: str) -> None:
    """A cause where it is known; nothing where nothing is wrong."""
    found = advice.trouble({"state": state, "reason": reason, "waiting": waiting, "carrier": {}})
    assert expected in found
    assert bool(found) == bool(expected)


def test_events_that_were_given_up_are_trouble_for_an_hour() -> None:
    """Only if they were somebody's."""
    last = {"time": "2026-01-01T00:00:00.000Z", "reason": "max_bytes", "destinations": {"otlp-1": 5}}
    then = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()

    assert "spool.max_bytes" in advice.evicting({"last_eviction": last}, then + 60)
    assert advice.evicting({"last_eviction": last}, then + 7200) == ""
    assert advice.evicting({"last_eviction": {**last, "destinations": {"otlp-1": 0}}}, then) == ""
    assert advice.evicting({"last_eviction": None}, then) == ""


@pytest.mark.parametrize("as_json", [False, True])
def test_watching_shows_rates_until_ctrl_c(otlp_sink: OtlpSink, as_json: bool) -> None:
    """Piped: text one below the other, or an object a line; being interrupted is no error."""
    dead_destination(otlp_sink)
    watch = [sys.executable, "-m", "footspan", "status", "--watch", "0.2", *(["--json"] if as_json else [])]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        seen: list[str] = []
        last_resort = threading.Timer(60, child.kill)
        last_resort.start()
        try:
            mark = '"rates"' if as_json else "in/s"
            for line in child.stdout:
                seen.append(line)
                if mark in line:
                    break
            child.send_signal(signal.SIGINT)
            assert child.wait(60) == 0
        finally:
            last_resort.cancel()
            child.kill()

    assert any(mark in line for line in seen)
    if as_json:
        [entry] = json.loads(seen[-1])["shop"]["destinations"].values()
        assert set(entry["rates"]) == {"accepted", "delivered"}


def test_a_terminal_gets_colours_in_place(otlp_sink: OtlpSink) -> None:
    """On a terminal the table is drawn over itself."""
    dead_destination(otlp_sink)
    with mock.patch.object(status_view, "_is_rich", return_value=True), status_view.live() as update:
        update(Books("shop", None).read())
    assert "otlp" in str(status_view._rows(Books("shop", None).read()["shop"]))


def test_lanes_have_lines_of_their_own(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits of spans is shown below the events."""
    dead_destination(otlp_sink)
    pipeline = footspan.pipeline.get_pipeline()
    assert pipeline is not None
    pipeline.lane("spans", pipeline.settings.destinations).append(stored("a") + b"\n")
    result = CliRunner().invoke(command, ["status", "--json"])
    lanes = json.loads(result.output)["shop"]["lanes"]

    assert lanes["spans"]["destinations"]["otlp"]["waiting"] == 1
    assert "otlp (spans)" in CliRunner().invoke(command, ["status"]).output
