"""``footspan deliver --once`` and the options: what it says, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import footspan
from footspan.cli.commands import footspan as command

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from servers.otlp import OtlpSink


@pytest.fixture(autouse=True)
def no_other_spools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where apps fall back to is a folder of the test's own, too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def shop(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> OtlpSink:
    """A service of this process that leaves delivery to others; the command finds the same settings."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    monkeypatch.setenv("FOOTSPAN_COURIER", "external")
    footspan.init()
    return otlp_sink


def deliver(*options: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command, ["deliver", *options])


def summary(result: Result) -> Any:
    """The JSON that it prints at its end."""
    return json.loads(result.stdout)


def test_once_delivers_what_waits_and_ends(shop: OtlpSink) -> None:
    """Everything arrives once, the summary says so, and the exit code is 0."""
    uids = [footspan.track("order.placed", n=n) for n in range(100)]
    result = deliver("--once", "--json")

    assert result.exit_code == 0, result.output
    assert Counter(event["uid"] for event in shop.events) == Counter(uids)
    entry = summary(result)["services"]["shop"]["destinations"]["otlp"]
    assert (100, 0, {}) == (entry["delivered"], entry["waiting"], entry["refused"])
    assert summary(result)["ended"] == "done"


def test_once_with_nothing_to_do_is_success(shop: OtlpSink) -> None:
    """A cron job that finds nothing is no trouble."""
    footspan.track("order.placed")
    assert deliver("--once").exit_code == 0
    result = deliver("--once")

    assert result.exit_code == 0, result.output
    assert len(shop.events) == 1


def test_once_tells_how_it_went_in_lines(shop: OtlpSink) -> None:
    """Without a terminal there are plain lines; with --quiet there are none."""
    footspan.track("order.placed")
    result = deliver("--once")
    footspan.track("order.placed")
    quiet = deliver("--once", "--quiet")

    assert "shop: otlp: delivered 1, waiting 0" in result.stderr
    assert (quiet.exit_code, quiet.output) == (0, "")


def test_once_leaves_what_cannot_be_delivered_in_time(shop: OtlpSink) -> None:
    """An unreachable destination costs the time-out; the events wait, and exit code 1 says so."""
    shop.faults.down()
    footspan.track("order.placed")
    result = deliver("--once", "--timeout", "0.6", "--json")

    assert result.exit_code == 1, result.output
    assert summary(result)["ended"] == "timeout"
    assert summary(result)["services"]["shop"]["destinations"]["otlp"]["waiting"] == 1
    shop.faults.up()
    assert deliver("--once").exit_code == 0
    assert len(shop.events) == 1


def test_once_does_not_wait_for_a_parked_destination(shop: OtlpSink) -> None:
    """A destination that refuses us altogether is not worth waiting for."""
    shop.faults.answer(401, times=1000)
    footspan.track("order.placed")
    result = deliver("--once", "--json")

    assert result.exit_code == 1, result.output
    assert summary(result)["ended"] == "stuck"
    entry = summary(result)["services"]["shop"]["destinations"]["otlp"]
    assert (1, "parked") == (entry["waiting"], entry["state"])
    assert "waiting 1, parked (" in result.stderr


def test_once_says_that_events_were_refused(shop: OtlpSink) -> None:
    """Nothing waits any more, but something did not arrive: exit code 1, with the reason."""
    shop.faults.answer(400, times=1)
    footspan.track("order.placed")
    result = deliver("--once", "--json")

    assert result.exit_code == 1, result.output
    entry = summary(result)["services"]["shop"]["destinations"]["otlp"]
    assert (0, 1) == (entry["waiting"], sum(entry["refused"].values()))


def test_a_destination_without_settings_is_named_once(
    otlp_sink: OtlpSink, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events for a destination that only the service knows are left waiting, with the way to have them delivered."""
    elsewhere = {"type": "otlp", "endpoint": f"{otlp_sink.url}/elsewhere"}
    footspan.init(
        service_name="shop", courier="external", destinations={"otlp": {"endpoint": otlp_sink.url}, "second": elsewhere}
    )
    footspan.track("order.placed")
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    result = deliver("--service", "shop", "--once", "--json")

    assert result.exit_code == 1, result.output
    assert len(otlp_sink.events) == 1
    said = [record.getMessage() for record in caplog.records if "FOOTSPAN_DESTINATIONS_SECOND_" in record.getMessage()]
    assert len(said) == 1
    entries = summary(result)["services"]["shop"]["destinations"]
    assert (1, "unattended") == (entries["second"]["waiting"], entries["second"]["state"])


def test_all_services_are_delivered(shop: OtlpSink) -> None:
    """One run empties every spool below the state home."""
    footspan.track("order.placed")
    program = "import footspan; footspan.track('ticket.sold')"
    env = {**os.environ, "OTEL_SERVICE_NAME": "tickets"}
    subprocess.run([sys.executable, "-c", program], env=env, check=True)
    result = deliver("--all", "--once", "--json")

    assert result.exit_code == 0, result.output
    assert {"shop", "tickets"} == set(summary(result)["services"])
    assert {"order.placed", "ticket.sold"} == {event["name"] for event in shop.events}


def test_the_only_service_need_not_be_named(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one spool there is nothing to choose; with two, the message names both."""
    destinations = {"otlp": {"endpoint": otlp_sink.url}}
    footspan.init(service_name="one", courier="external", destinations=destinations)
    footspan.track("order.placed")
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    result = deliver("--once")
    assert result.exit_code == 0, result.output
    footspan.init(service_name="two", courier="external", destinations=destinations)
    footspan.track("order.placed")
    result = deliver("--once")

    assert result.exit_code == 2
    assert "one, two" in result.output
    assert "--service" in result.output


def test_another_folder_and_file(otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """--directory and --config replace what the environment says."""
    spools, file = tmp_path / "spools", tmp_path / "other.yaml"
    file.write_text(f"telemetry: {{destinations: {{otlp: {{endpoint: '{otlp_sink.url}'}}}}}}\n", encoding="utf-8")
    footspan.init(config=str(file), service_name="shop", courier="external", spool={"directory": str(spools)})
    footspan.track("order.placed")
    result = deliver("--service", "shop", "--directory", str(spools), "--config", str(file), "--once")

    assert result.exit_code == 0, result.output
    assert len(otlp_sink.events) == 1


def test_a_folder_that_cannot_be_had_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other place is delivered in its stead: the events would wait where nobody looks."""
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", "http://127.0.0.1:9")
    result = deliver("--service", "shop", "--directory", str(file / "below"))

    assert result.exit_code == 2
    assert "--directory" in result.output


@pytest.mark.parametrize(
    ("options", "env", "said"),
    [
        (["--once", "--service", "nobody"], {}, "no spool of a service named 'nobody'"),
        ([], {}, "--service"),
        (["--all", "--service", "shop"], {}, "--all"),
        (["--timeout", "3", "--service", "shop"], {}, "--once"),
        (["--once", "--idle-exit", "3", "--service", "shop"], {}, "--idle-exit"),
        (["--service", "shop"], {"FOOTSPAN_SPOOL_DURABILITY": "memory"}, "durability"),
        (["--service", "shop"], {"FOOTSPAN_SPOOL_MAX_BYTES": "many"}, "FOOTSPAN_SPOOL_MAX_BYTES"),
        (["--service", "shop"], {"TELEMETRY_ENABLED": "false"}, "TELEMETRY_ENABLED"),
        (["--service", "shop"], {"FOOTSPAN_DESTINATIONS_OTLP_ENABLED": "false"}, "--config"),
    ],
)
def test_what_cannot_work_is_said_at_once(
    options: list[str], env: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit code 2, a message that names what to change, and nothing on disk."""
    state = os.environ["XDG_STATE_HOME"]
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", "http://127.0.0.1:9")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    result = deliver(*options)

    assert result.exit_code == 2, result.output
    assert said in result.output
    assert not os.listdir(state)  # noqa: PTH208 - names are enough


def test_the_package_runs_as_the_command() -> None:
    """``python -m footspan`` is the command where its script is not on the path."""
    result = subprocess.run(
        [sys.executable, "-m", "footspan", "deliver", "--help"], capture_output=True, text=True, timeout=60, check=True
    )

    assert "Exit codes:" in result.stdout
    assert "footspan deliver --service shop --once" in result.stdout
