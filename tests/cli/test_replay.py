"""Tests for the command ``footspan replay``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import footspan
from footspan.cli.commands import footspan as command
from footspan.cli.replay_values import moment, rate
from footspan.otlp_json import encode_line, encode_record, encode_suffix
from programs import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from servers.otlp import OtlpSink

_SUFFIX = encode_suffix({"service.name": "shop"}, "footspan")
_NS = 1_000_000_000


def events_file(path: Path, count: int, name: str = "order.placed") -> Path:
    """A file of events, one a second from the epoch on."""
    lines = (
        encode_line(
            encode_record(name=name, time_ns=(number + 1) * _NS, attributes={"log.record.uid": f"u{number}"}), _SUFFIX
        )
        for number in range(count)
    )
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture
def to_sink(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> OtlpSink:
    """A sink that the environment names as the destination ``otlp``."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    return otlp_sink


def replay(*arguments: object) -> Result:
    """The command's result."""
    return CliRunner().invoke(command, ["replay", *map(str, arguments)])


def outcome(*arguments: object) -> dict[str, Any]:
    """What it prints for programs, of the destination ``otlp``."""
    result = replay(*arguments, "--json", "--quiet")
    assert result.exit_code in (0, 1, 3), result.output
    return dict(json.loads(result.stdout)["destinations"]["otlp"])


def test_a_file_is_sent_with_its_times_and_ids(to_sink: OtlpSink, tmp_path: Path) -> None:
    """The only destination need not be named; the figures are printed at the end."""
    result = replay("--from", events_file(tmp_path / "f.jsonl", 700))

    assert result.exit_code == 0, result.output
    assert "otlp: delivered 700, refused 0; 0 events passed over, 0 damaged lines" in result.output
    arrived = to_sink.events
    assert [event["uid"] for event in arrived] == [f"u{number}" for number in range(700)]
    assert arrived[0]["time_ns"] == _NS


def test_a_second_run_sends_nothing_and_restart_sends_all(to_sink: OtlpSink, tmp_path: Path) -> None:
    """The notes are kept in the state home, for this source, destination and selection."""
    file = events_file(tmp_path / "f.jsonl", 10)

    assert outcome("--from", file)["delivered"] == 10
    assert outcome("--from", file)["delivered"] == 0
    assert "--restart begins again" in replay("--from", file).output
    assert outcome("--from", file, "--events", "order.*")["delivered"] == 10
    assert outcome("--from", file, "--restart")["delivered"] == 10
    assert len(to_sink.events) == 30


def test_a_dry_run_says_what_would_be_sent(to_sink: OtlpSink, tmp_path: Path) -> None:
    """Counts by name and the stretch of time; nothing is sent and nothing noted."""
    file = events_file(tmp_path / "f.jsonl", 30)
    with file.open("ab") as more:
        more.write(b"garbage\n")
    result = replay("--from", file, "--dry-run", "--since", "1970-01-01T00:00:11Z", "--until", "1970-01-01T00:00:21Z")

    assert result.exit_code == 0, result.output
    assert "would send 10 events, 1970-01-01T00:00:11Z to 1970-01-01T00:00:20Z" in result.output
    assert "10  order.placed" in result.output
    assert "20 events passed over, 1 damaged lines" in result.output
    assert to_sink.events == []
    found = outcome("--from", file, "--dry-run")
    assert (found["selected"], found["names"]) == (30, {"order.placed": 30})


def test_patterns_choose(to_sink: OtlpSink, tmp_path: Path) -> None:
    """The same language as in the settings, exclusions included."""
    file = events_file(tmp_path / "f.jsonl", 3, "payment.done")
    more = events_file(tmp_path / "g.jsonl", 2, "payment.test").read_bytes()
    file.write_bytes(file.read_bytes() + more)

    assert outcome("--from", file, "--events", "payment.*", "--events", "!payment.test")["delivered"] == 3
    assert {event["name"] for event in to_sink.events} == {"payment.done"}


def test_a_services_spool_and_what_was_refused_of_it(to_sink: OtlpSink) -> None:
    """A spool keeps an event until every destination has it; `rejected` are those that one would not take."""
    footspan.init(service_name="shop", destinations={"otlp": {"endpoint": to_sink.url}})
    to_sink.faults.answer(400)
    footspan.track("poison")
    footspan.flush(20.0)
    footspan.track("sound")
    footspan.flush(20.0)
    footspan.shutdown()
    before = len(to_sink.events)

    assert outcome("--from", "rejected", "--service", "shop")["delivered"] == 1
    assert [event["name"] for event in to_sink.events][before:] == ["poison"]
    found = outcome("--from", "spool", "--service", "shop", "--events", "sound")
    assert found["ended"] == "finished"


def test_refused_events_are_exit_code_1(to_sink: OtlpSink, tmp_path: Path) -> None:
    """With the reason, and the others are sent."""
    to_sink.faults.answer(400)
    result = replay("--from", events_file(tmp_path / "f.jsonl", 1))

    assert result.exit_code == 1, result.output
    assert "refused 1 (http_400 1)" in result.output


def test_a_destination_that_is_away_is_exit_code_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, otlp_sink: OtlpSink
) -> None:
    """The same command goes on once it is back."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    otlp_sink.faults.answer(503)
    file = events_file(tmp_path / "f.jsonl", 5)
    result = replay("--from", file, "--patience", "0")

    assert result.exit_code == 3, result.output
    assert "the same command goes on here" in result.output
    assert outcome("--from", file)["delivered"] == 5


def test_several_destinations_each_have_their_own_notes(
    to_sink: OtlpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, each from where it is."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_SECOND_TYPE", "otlp")
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_SECOND_LOGS_ENDPOINT", f"{to_sink.url}/v1/logs")
    file = events_file(tmp_path / "f.jsonl", 5)

    assert "--to: otlp, second" in replay("--from", file).output
    assert replay("--from", file, "--to", "otlp").exit_code == 0
    result = replay("--from", file, "--to", "otlp", "--to", "second", "--json", "--quiet")
    found = json.loads(result.stdout)["destinations"]
    assert {name: each["delivered"] for name, each in found.items()} == {"otlp": 0, "second": 5}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "nowhere.jsonl"], "no file or folder 'nowhere.jsonl'"),
        (["--from", "."], "this folder is no spool"),
        (["--from", "x", "--to", "umami"], "no destination 'umami' in the settings; there are: otlp"),
        (["--from", "x", "--since", "yesterday"], "'yesterday' is no time"),
        (["--from", "x", "--rate", "fast"], "'fast' is no rate"),
        (["--from", "spool", "--service", "nobody"], "There is no spool"),
        ([], "Missing option '--from'"),
    ],
)
def test_what_cannot_be_used_is_exit_code_2(to_sink: OtlpSink, arguments: list[str], words: str) -> None:
    """With what to do instead."""
    result = replay(*arguments)

    assert result.exit_code == 2
    assert words in " ".join(result.output.split()).replace("│ ", "")


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08\x00\n", "packed; unpack it first, as by `gzip -d some.file`"),
        (b"\x28\xb5\x2f\xfd\n", "`zstd -d some.file`"),
        (b"root:x:0:0\n{}\n", "There is no event in"),
    ],
)
def test_another_kind_of_file_is_no_success(
    to_sink: OtlpSink, tmp_path: Path, content: bytes, words: str, dry_run: list[str]
) -> None:
    """However often it is tried: nothing of it counts as sent."""
    file = tmp_path / "some.file"
    file.write_bytes(content)

    for _ in range(2):
        result = replay("--from", file, *dry_run)
        assert result.exit_code == 2
        assert words in " ".join(result.output.split())


def test_a_setting_that_no_destination_can_be_made_of_is_exit_code_2(
    to_sink: OtlpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is found out when the destination is made."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_CERTIFICATE", str(tmp_path / "nowhere.pem"))
    result = replay("--from", events_file(tmp_path / "f.jsonl", 1))

    assert result.exit_code == 2
    assert "telemetry.destinations.otlp.certificate" in result.output


def test_a_dry_run_says_that_it_goes_on_from_an_earlier_replay(to_sink: OtlpSink, tmp_path: Path) -> None:
    """Else it would not be clear why there is so little to send."""
    file = events_file(tmp_path / "f.jsonl", 1)
    assert "going on where" not in replay("--from", file, "--dry-run").output
    replay("--from", file)
    assert "going on where" in replay("--from", file, "--dry-run").output


def test_without_destinations_it_says_how_to_name_one(tmp_path: Path) -> None:
    """And a switched-off footspan sends nothing."""
    file = events_file(tmp_path / "f.jsonl", 1)

    assert "FOOTSPAN_DESTINATIONS_" in replay("--from", file).output
    result = CliRunner().invoke(command, ["replay", "--from", str(file)], env={"TELEMETRY_ENABLED": "false"})
    assert (result.exit_code, "switched off" in result.output) == (2, True)


def test_the_same_replay_is_not_run_twice_at_once(to_sink: OtlpSink, tmp_path: Path) -> None:
    """Another process has the notes."""
    file = events_file(tmp_path / "f.jsonl", 2000)
    with running(to_sink, "--from", str(file), "--rate", "20/s") as process:
        assert until(lambda: bool(to_sink.events), 20.0)
        result = replay("--from", file)
        process.send_signal(signal.SIGINT)
        assert process.wait(20.0) == 3

    assert result.exit_code == 2
    assert "is running already" in result.output


def running(sink: OtlpSink, *arguments: str) -> subprocess.Popen[str]:
    """The command as a process."""
    program = "from footspan.cli import main; main()"
    environ = {**os.environ, "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": sink.url}
    return subprocess.Popen(
        [sys.executable, "-c", program, "replay", *arguments], env=environ, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_ctrl_c_ends_a_replay_and_the_next_run_goes_on(to_sink: OtlpSink, tmp_path: Path) -> None:
    """What was under way is finished and noted: over both runs, each event arrives once."""
    file = events_file(tmp_path / "f.jsonl", 3000)
    with running(to_sink, "--from", str(file), "--rate", "400/s") as process:
        assert until(lambda: len(to_sink.events) > 300, 30.0)
        process.send_signal(signal.SIGINT)
        assert process.wait(30.0) == 3
        assert process.stderr is not None
        assert "the same command goes on here" in process.stderr.read()

    assert outcome("--from", file)["ended"] == "finished"
    arrived = [event["uid"] for event in to_sink.events]
    assert arrived == [f"u{number}" for number in range(3000)]


@pytest.mark.slow
def test_a_killed_replay_repeats_a_batch_at_the_most(to_sink: OtlpSink, tmp_path: Path) -> None:
    """Without any chance to note what was under way."""
    file = events_file(tmp_path / "f.jsonl", 3000)
    with running(to_sink, "--from", str(file), "--rate", "400/s") as process:
        assert until(lambda: len(to_sink.events) > 300, 30.0)
        process.kill()
        process.wait(30.0)

    assert outcome("--from", file)["ended"] == "finished"
    arrived = [event["uid"] for event in to_sink.events]
    assert set(arrived) == {f"u{number}" for number in range(3000)}
    assert len(arrived) <= 3000 + 100


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    to_sink: OtlpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For logs and other programs."""
    monkeypatch.setattr("footspan.cli.replay_run.LINE_EVERY", 0.0)
    result = replay("--from", events_file(tmp_path / "f.jsonl", 600))

    assert "otlp: 100 %, 600 events" in result.output


def test_notes_hold_no_event(to_sink: OtlpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offsets and ids only, readable by their owner alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    replay("--from", events_file(tmp_path / "f.jsonl", 5))
    (notes,) = (tmp_path / "state" / "footspan-replay").iterdir()

    assert sorted(json.loads(notes.read_text())) == ["dealt", "format", "offsets"]
    assert notes.stat().st_mode & 0o777 == 0o600
    assert notes.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02T00:00:00Z", 86_400 * _NS),
        ("1970-01-01T02:00:00.5+01:00", 3600 * _NS + _NS // 2),
        ("2026-05-04", int(datetime(2026, 5, 4).timestamp()) * _NS),  # noqa: DTZ001 - the machine's zone is meant
    ],
)
def test_moments(text: str, expected: int) -> None:
    """ISO 8601, with a zone or in the machine's."""
    assert moment(text) == expected


def test_moments_ago() -> None:
    """Durations as in the settings."""
    now = datetime.now(timezone.utc).timestamp()

    assert abs(moment("90m") / _NS - (now - 5400)) < 5
    assert abs(moment("7d") / _NS - (now - 7 * 86_400)) < 5


@pytest.mark.parametrize(
    ("text", "expected"), [("500/s", 500.0), ("600/m", 10.0), ("7200/h", 2.0), ("3", 3.0), ("0.5/s", 0.5)]
)
def test_rates(text: str, expected: float) -> None:
    """Events a second."""
    assert rate(text) == pytest.approx(expected)


@pytest.mark.parametrize("read", [moment, rate])
@pytest.mark.parametrize("text", ["", "x", "12/y", "-1/s", "0/s", "nan", "inf/s", "2026-13-01", "5 parsecs"])
def test_what_is_neither(read: Callable[[str], object], text: str) -> None:
    """Said to be no time and no rate, never guessed."""
    with pytest.raises(ValueError, match=r"."):
        read(text)
