"""Tests for ``footspan replay --to ndjson``: the way back to TraceTelemetry's own SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import footspan
from footspan.cli.commands import footspan as command
from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from servers.trace_telemetry import TraceTelemetryServer


def replay(*arguments: object) -> Result:
    """The command's result."""
    return CliRunner().invoke(command, ["replay", *map(str, arguments)])


def written(*arguments: object) -> list[dict[str, Any]]:
    """The events it prints."""
    result = replay("--to", "ndjson", "--quiet", *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("\n") or not result.stdout
    return [json.loads(line) for line in result.stdout.split("\n")[:-1]]


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """Where a client's queue is."""
    return tmp_path / "queue.ndjson"


def client(queue: Path, endpoint: str = "http://127.0.0.1:9/t") -> TelemetryClient:
    """A client of the queue."""
    return TelemetryClient(TelemetryOptions(endpoint, "", str(queue), application_name="Kiosk"))


def test_what_waits_is_written_and_nothing_else(queue: Path, trace_telemetry_server: TraceTelemetryServer) -> None:
    """Delivered events stay out, those of clients without an endpoint are in; in the order of time."""
    trace_telemetry_server.api_key = ""
    ours = client(queue, trace_telemetry_server.endpoint)
    ours.track("delivered")
    ours.flush()
    ours.track("a", {"text": "é\u2028", "n": 1.5})
    TelemetryClient(TelemetryOptions("", "", str(queue))).track("b", [1])
    ours.track("c")
    events = written("--from", f"{queue}.d")
    assert [(each["name"], each["data"]) for each in events] == [
        ("a", {"text": "é\u2028", "n": 1.5}),
        ("b", [1]),
        ("c", None),
    ]
    assert list(events[0]) == list(trace_telemetry_server.requests[0].json()[0])
    assert ours.queued_count == 3


def test_the_file_is_a_queue_again(queue: Path) -> None:
    """Its lines are taken over like those of the other SDK: the same events, ids and times."""
    ours = client(queue)
    ours.track("a", {"text": "é\u2028"})
    ours.track_exception(ValueError("x"))
    back = queue.with_name("back.ndjson")
    result = replay("--from", f"{queue}.d", "--to", "ndjson", "--output", back)
    assert result.exit_code == 0, result.output
    assert "delivered 2" in result.stderr
    text = back.read_text(encoding="utf-8")
    assert "é\u2028" in text
    assert (back.stat().st_mode & 0o777) == 0o600
    assert client(back).queued_count == 2
    assert replay("--from", f"{back}.d", "--to", "ndjson", "--quiet").stdout == text


def test_no_file_is_written_over(queue: Path, tmp_path: Path) -> None:
    """It may be a queue that somebody needs."""
    client(queue).track("a")
    there = tmp_path / "there"
    there.write_text("x")
    result = replay("--from", f"{queue}.d", "--to", "ndjson", "--output", there)
    assert (result.exit_code, there.read_text()) == (2, "x")
    assert "already" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["queue.ndjson.d", "there"]


def test_a_selection(queue: Path) -> None:
    """Patterns and times hold as for any replay; a dry run writes nothing."""
    ours = client(queue)
    ours.track("a.x")
    ours.track("b.x")
    assert [each["name"] for each in written("--from", f"{queue}.d", "--events", "a.*")] == ["a.x"]
    assert written("--from", f"{queue}.d", "--until", "1d") == []
    result = replay("--from", f"{queue}.d", "--to", "ndjson", "--dry-run", "--json", "--quiet")
    assert json.loads(result.stdout)["destinations"]["ndjson"]["selected"] == 2


def test_events_of_other_sources(tmp_path: Path) -> None:
    """A spool without TraceTelemetry, or a file of rejected events, goes over as a whole."""
    footspan.init(
        service_name="shop",
        spool={"directory": str(tmp_path)},
        destinations={"otlp": {"endpoint": "http://127.0.0.1:9"}},
    )
    footspan.track("a", n=1)
    footspan.shutdown(0)
    assert [(each["name"], each["data"]) for each in written("--from", tmp_path / "shop")] == [("a", {"n": 1})]
    segment = next((tmp_path / "shop" / "events").glob("*.jsonl"))
    assert [each["name"] for each in written("--from", segment)] == ["a"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--to", "ndjson", "--to", "other"),
        ("--to", "ndjson", "--json"),
        ("--output", "x"),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], queue: Path) -> None:
    """A usage error, at once."""
    client(queue).track("a")
    assert replay("--from", f"{queue}.d", *arguments).exit_code == 2


def test_rejected_has_to_be_named_as_a_file(queue: Path) -> None:
    """There is no destination whose rejected events could be meant."""
    client(queue).track("a")
    assert replay("--from", "rejected", "--to", "ndjson").exit_code == 2


def test_half_a_queue_is_never_written(queue: Path, tmp_path: Path) -> None:
    """A file that cannot be written to its end is not there."""
    client(queue).track("a")
    result = replay("--from", f"{queue}.d", "--to", "ndjson", "--output", tmp_path / "missing" / "x")
    assert result.exit_code == 2
    assert "Cannot write" in result.output


@pytest.mark.slow
def test_as_a_command(queue: Path) -> None:
    """Down a pipe, as people write it."""
    client(queue).track("a")
    found = subprocess.run(
        [sys.executable, "-m", "footspan", "replay", "--from", f"{queue}.d", "--to", "ndjson"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert json.loads(found.stdout)["name"] == "a"
