"""Tests for footspan.compat.trace_telemetry.takeover and lines: a queue file of the other SDK is drained once."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from compat.trace_telemetry import queue_files
from compat.trace_telemetry.queue_files import event, line
from footspan import _platform
from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions, takeover
from footspan.compat.trace_telemetry.lines import nanoseconds
from footspan.compat.trace_telemetry.takeover import Takeover
from footspan.config.load import load_settings
from footspan.delivery.routing import accepts
from footspan.processors.consent import ConsentGate
from footspan.processors.redaction import Redactor
from footspan.spool.disk import DiskSpool
from footspan.spool.layout import Layout
from programs import run as run_program
from programs import start, until
from spool.crash.platter import Platter
from spool.crash.world import PowerOff, Stop, run
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.trace_telemetry import TraceTelemetryServer


def client(path: Path, endpoint: str = "", **options: Any) -> TelemetryClient:
    """A client of a queue."""
    return TelemetryClient(TelemetryOptions(endpoint_url=endpoint, queue_path=str(path), **options))


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """Where a queue is."""
    return tmp_path / "queue.ndjson"


def drained(queue: Path) -> list[str]:
    """The ids of what is in the spool."""
    return [each.uid for each in spooled(Path(f"{queue}.d"))]


def ids(*numbers: int) -> list[str]:
    """The ids of events of the queue."""
    return [f"{number:032x}" for number in numbers]


def test_what_nobody_agreed_to_is_not_taken_over(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old SDK asked nobody: with ``opt_in`` only what needs no consent gets into the spool, and it is counted."""
    monkeypatch.setenv("FOOTSPAN_PRIVACY_CONSENT", "opt_in")
    monkeypatch.setenv("FOOTSPAN_PRIVACY_PURPOSES_WITHOUT", '{"functional": "send"}')
    queue.write_text(line(1) + line(2, name="error.shown") + line(3), encoding="utf-8")
    ours = client(queue)
    assert drained(queue) == ids(2)
    assert ours.queued_count == 1
    pipeline = ours._ready().pipeline
    assert pipeline is not None
    assert pipeline.status()["counters"]["no_consent"] == 2


def test_every_event_arrives_as_it_was(queue: Path, trace_telemetry_server: TraceTelemetryServer) -> None:
    """Id, time, data and what it says of its machine; in order, before what is new; the file is kept."""
    whole = [
        event(0),
        event(1, data=None),
        event(2, data=[1, {"a": None}]),
        event(3, data="text"),
        event(4, data={}),
        event(5, name=""),
        event(6, data={"user_id": "u", "session.id": 5, "é\u2028": "ü\u2028"}, applicationName="", ipAddress=""),
        event(7, timestampUtc="2025-01-30T20:29:28Z", countryCode="BR"),
        event(8, id="NOT-HEX", timestampUtc="yesterday"),
    ]
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in whole)
    queue.write_text(text, encoding="utf-8", newline="")
    ours = client(queue, trace_telemetry_server.endpoint, api_key="secret-key")
    ours.track("new")
    assert ours.queued_count == 10
    # The stand-in wants ids and times as every client of its writes them.
    strict = [each for each in whole if each["id"] != "NOT-HEX"]
    ours.flush()

    got = trace_telemetry_server.events
    assert got[:-1] == strict
    assert got[-1]["name"] == "new"
    assert not queue.exists()
    assert Path(f"{queue}.migrated").read_text(encoding="utf-8") == text


def test_what_is_no_event_stays_in_the_file(queue: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted; blank lines, zeros of a power cut and a missing newline at the end cost nothing."""
    caplog.set_level(logging.INFO, "footspan")
    parts = [
        b"{bad\n",
        b"\n  \n",
        line(0).encode(),
        b"[1, 2]\n5\n",
        line(1, data={"x": "\u2028"}).encode(),
        b'{"id": "x", "na' + line(2, data={"id": 5, "k": '{"id": '}).encode(),
        line(3).encode()[:-40] + b"\n",
        b"\0\0\0\n",
        line(4).encode().replace(b"event-4", b"event-\xff4"),
        line(5).encode().replace(b'{"n": 5}', b'{"n": NaN}'),
        b"\0\0" + line(6).encode().rstrip(b"\n"),
    ]
    queue.write_bytes(b"".join(parts))
    ours = client(queue)

    assert drained(queue) == ids(0, 1, 2, 4, 5, 6)
    assert ours.queued_count == 6
    assert Path(f"{queue}.migrated").read_bytes() == b"".join(parts)
    said = [record.getMessage() for record in caplog.records if "taken over" in record.getMessage()]
    assert len(said) == 1
    assert "6 events" in said[0]
    assert "5 lines" in said[0]


def test_lines_without_a_newline_between_them(queue: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The power may go after an event and before its newline: the next one was appended to a whole one."""
    ends = [line(number).encode().rstrip(b"\n") for number in range(5)]
    queue.write_bytes(ends[0] + ends[1] + b" " + ends[2][:50] + ends[3] + ends[4] + b"\n")
    client(queue)
    assert drained(queue) == ids(0, 1, 3, 4)
    assert "4 events were taken over" in caplog.text
    assert "1 lines were none" in caplog.text


@pytest.mark.parametrize("spelt", [str.lower, str.upper, lambda key: key[0].upper() + key[1:]])
def test_keys_in_another_case(spelt: Callable[[str], str], queue: Path) -> None:
    """As the .NET client sends them; the format's readers do not tell case."""
    queue.write_text("".join(json.dumps({spelt(key): value for key, value in event(n).items()}) + "\n" for n in (1, 2)))
    ours = client(queue)
    assert drained(queue) == ids(1, 2)
    found = spooled(Path(f"{queue}.d"))
    assert [(each.name, each.attributes["n"]) for each in found] == [("event-1", 1), ("event-2", 2)]
    assert ours.queued_count == 2


def test_a_second_file_is_kept_beside_the_first(queue: Path) -> None:
    """As when the other SDK was used again for a while."""
    for number in range(3):
        queue_files.write(queue, 2, 2 * number)
        client(queue)
    names = sorted(path.name for path in queue.parent.glob("*.migrated*"))
    assert names == [f"{queue.name}.migrated", f"{queue.name}.migrated.2", f"{queue.name}.migrated.3"]
    assert sorted(drained(queue)) == ids(*range(6))


def test_a_file_that_comes_later_is_taken_at_the_next_delivery(
    queue: Path, trace_telemetry_server: TraceTelemetryServer
) -> None:
    """A process of the other SDK may go on beside ours for a while."""
    ours = client(queue, trace_telemetry_server.endpoint, api_key="secret-key")
    queue_files.write(queue, 2)
    ours.flush()
    assert [each["id"] for each in trace_telemetry_server.events] == ids(0, 1)


def test_secrets_do_not_get_into_the_spool(queue: Path) -> None:
    """What is taken over is cleaned as everything is."""
    queue.write_text(line(0, data={"password": "hunter2", "deep": {"api_key": "hunter2"}}))
    client(queue)
    assert not [path for path in Path(f"{queue}.d").rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_a_large_file_becomes_several_segments(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stretch at a time, in order."""
    monkeypatch.setattr(takeover, "STRETCH", 4_000)
    queue_files.write(queue, 100)
    ours = client(queue)
    assert ours.queued_count == 100
    assert len(list(Path(f"{queue}.d").glob("queue/events/*.jsonl"))) > 4


def test_a_line_without_end_is_no_event(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And takes no memory beyond a limit."""
    monkeypatch.setattr(takeover, "LONGEST_LINE", 1_000)
    queue.write_text(line(0) + "x" * 5_000 + "\n" + line(1))
    client(queue)
    assert drained(queue) == ids(0, 1)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:01.1234567Z", 1_123_456_700),
        ("1970-01-01T01:00:01+01:00", 1_000_000_000),
        ("1970-01-01T00:00:01", 1_000_000_000),
        ("1970-13-01T00:00:01Z", None),
        ("1969-01-01T00:00:01Z", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times(moment: str, expected: int | None) -> None:
    """As the SDKs of every language write them."""
    assert nanoseconds(moment) == expected


# -- whatever ends the process -----------------------------------------------------------------------------------------


def life(queue: Path) -> None:
    """One process that drains."""
    layout = Layout(f"{queue}.d/queue")
    layout.prepare()
    spool = DiskSpool(layout, (), accepts)
    settings = load_settings(
        overrides={"destinations": {"c": {"type": "trace_telemetry", "url": "http://127.0.0.1:9"}}}
    )
    pipeline: Any = SimpleNamespace(
        spool=spool,
        destinations=[SimpleNamespace(name="c")],
        redactor=Redactor(),
        consent=ConsentGate(settings),
        settings=settings,
    )
    Takeover(str(queue)).run(pipeline)
    spool.close()


@pytest.mark.parametrize(
    ("delivered", "share"),
    [
        (False, 0.5),
        (True, 0.5),
        pytest.param(False, 0.0, marks=pytest.mark.slow),
        pytest.param(True, 0.0, marks=pytest.mark.slow),
    ],
)
def test_it_may_end_at_any_moment(
    delivered: bool, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost and nothing is there twice; also where what was drained is delivered and deleted meanwhile."""
    monkeypatch.setattr(takeover, "STRETCH", 700)
    at, went = 0, True
    while went:
        folder = tmp_path / str(at)
        folder.mkdir()
        Path(f"{folder}/queue.ndjson.d").mkdir()
        queue = folder / "queue.ndjson"
        queue_files.write(queue, 4)
        went = run(monkeypatch, folder, lambda queue=queue: life(queue), Stop(at, share))  # type: ignore[misc] # a default
        before: list[str] = []
        if delivered:
            before = drained(queue)
            for segment in Path(f"{queue}.d").glob("queue/events/*.jsonl"):
                segment.unlink()
        life(queue)
        assert sorted(before + drained(queue)) == ids(*range(4)), at
        assert Path(f"{queue}.migrated").exists()
        assert not list(Path(f"{queue}.d").glob("migrating-*"))
        at += 3 if share else 1  # at some of them, or at each
    assert at > 30


class Cut:
    """Lets the power go at a call."""

    def __init__(self, platter: Platter, at: int) -> None:
        self.platter = platter
        self.at = at

    def __call__(self, number: int, name: str, operation: Any, *arguments: Any) -> Any:
        """Do one call while there is power."""
        if number >= self.at:
            raise PowerOff
        return self.platter(number, name, operation, *arguments)


@pytest.mark.slow
def test_the_power_may_go_at_any_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was synced is there, what was not is there or is not: still every event once.

    A rename is one step for the file systems of today; half of one is not tried.
    """
    monkeypatch.setattr(takeover, "STRETCH", 700)
    at, went = 0, True
    while went:
        base = tmp_path / f"c{at}"
        base.mkdir()
        Path(f"{base}/queue.ndjson.d").mkdir(mode=0o700)
        queue_files.write(base / "queue.ndjson", 4)
        platter = Platter(base)
        platter._synced = platter.current()
        went = run(monkeypatch, base, lambda base=base: life(base / "queue.ndjson"), Cut(platter, at))  # type: ignore[misc] # a default
        images = [platter.synced(), platter.current()]
        for number, image in enumerate(images):
            after = tmp_path / f"c{at}-{number}"
            platter.restore(image, after)
            with monkeypatch.context() as context:
                context.setattr(_platform, "boot_id", lambda: b"the next boot id")
                life(after / "queue.ndjson")
            assert drained_in_order(after / "queue.ndjson") == ids(*range(4)), (at, number)
            assert (after / "queue.ndjson.migrated").exists()
        platter.close()
        at += 1
    assert at > 30


PROGRAM = """
    import sys
    from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions
    from footspan.compat.trace_telemetry import takeover
    takeover.STRETCH = 2_000
    print("go", flush=True)
    sys.stdin.readline()
    TelemetryClient(TelemetryOptions(queue_path=sys.argv[1]))
"""


@pytest.mark.slow
def test_several_processes_at_once(queue: Path) -> None:
    """One drains, the others leave it to that one."""
    queue_files.write(queue, 2_000)
    programs = [start(PROGRAM, None, str(queue)) for _ in range(4)]
    for each in programs:
        assert each.stdout is not None
        each.stdout.readline()
    for each in programs:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    for each in programs:
        _, errors = each.communicate(timeout=60)
        assert each.returncode == 0, errors
    assert drained_in_order(queue) == ids(*range(2_000))


@pytest.mark.slow
def test_kills(queue: Path) -> None:
    """SIGKILL at random moments: the next process goes on."""
    queue_files.write(queue, 3_000)
    for pause in (0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05):
        program = start(PROGRAM, None, str(queue))
        assert program.stdout is not None
        assert program.stdin is not None
        program.stdout.readline()
        program.stdin.write("\n")
        program.stdin.flush()
        until(lambda: False, pause)
        program.kill()
        program.communicate()
    done = run_program(PROGRAM.replace("sys.stdin.readline()", "pass"), None, str(queue))
    assert done.returncode == 0, done.stderr
    assert drained_in_order(queue) == ids(*range(3_000))


def drained_in_order(queue: Path) -> list[str]:
    """Ids by the times of the events: segments have names by chance."""
    found = spooled(Path(f"{queue}.d"))
    return [each.uid for each in sorted(found, key=lambda each: each.uid)]
