"""Several processes on one spool: who carries, what a death costs, what an exit costs, what a fork does."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from delivery import rig
from programs import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from servers.otlp import OtlpSink

Start = "Callable[..., subprocess.Popen[str]]"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes on one spool; whichever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(urls: dict[str, str], **options: Any) -> subprocess.Popen[str]:
        started.append(rig.start(tmp_path / "spool", urls, **options))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def uids_at(sink: OtlpSink) -> Counter[str]:
    """How often each uid arrived."""
    return Counter(str(event["uid"]) for event in sink.events)


def carrying(process: subprocess.Popen[str], name: str = "otlp") -> bool:
    """Whether the process itself holds the destination."""
    return bool(rig.ask(process, "status")["destinations"][name]["here"])


def test_one_of_two_processes_carries_for_both(
    start: Callable[..., subprocess.Popen[str]], otlp_sink: OtlpSink
) -> None:
    """The events of both arrive once, and exactly one of them holds the destination."""
    one, two = start({"otlp": otlp_sink.url}), start({"otlp": otlp_sink.url})
    uids = rig.ask(one, "write", 200, "one") + rig.ask(two, "write", 200, "two")

    assert rig.ask(two, "flush", 20) == {"otlp": 0}
    assert rig.ask(one, "flush", 20) == {"otlp": 0}
    assert uids_at(otlp_sink) == Counter(uids)
    assert carrying(one) != carrying(two)


@pytest.mark.slow
def test_a_killed_carrier_is_replaced_within_two_seconds(
    start: Callable[..., subprocess.Popen[str]], otlp_sink: OtlpSink
) -> None:
    """Nothing is lost with the carrier, and only the batch in flight is repeated."""
    one = start({"otlp": otlp_sink.url})
    uids = rig.ask(one, "write", 500, "one")
    assert rig.ask(one, "flush", 20) == {"otlp": 0}
    two = start({"otlp": otlp_sink.url})
    uids += rig.ask(two, "write", 10, "two")
    assert rig.ask(two, "flush", 20) == {"otlp": 0}
    assert carrying(one)
    assert not carrying(two)

    otlp_sink.faults.hang(30.0, times=1, stored=True)
    uids += rig.ask(one, "write", 120, "three")
    assert until(lambda: len(otlp_sink.events) > 510)  # a batch is stored, its answer is not there yet
    one.send_signal(signal.SIGKILL)
    one.wait(10)
    killed = time.monotonic()
    assert until(lambda: len(uids_at(otlp_sink)) == len(uids), 10.0)

    assert time.monotonic() - killed < 3.5
    assert rig.ask(two, "flush", 20) == {"otlp": 0}
    counts = uids_at(otlp_sink)
    assert set(counts) == set(uids)
    repeated = [uid for uid, count in counts.items() if count > 1]
    assert 0 < len(repeated) <= 50
    assert max(counts.values()) == 2
    assert carrying(two)


@pytest.mark.parametrize("fault", ["refused", "hanging"])
def test_exit_is_bounded_with_every_destination_dead(
    start: Callable[..., subprocess.Popen[str]], otlp_sink: OtlpSink, fault: str
) -> None:
    """Three dead destinations cost one ``exit_timeout`` together, and the events stay for the next process."""
    if fault == "refused":
        otlp_sink.faults.down()
    else:
        otlp_sink.faults.hang(30.0, times=100, stored=False)
    urls = {"one": otlp_sink.url, "two": f"{otlp_sink.url}/a", "three": f"{otlp_sink.url}/b"}
    process = start(urls, exit_timeout=1.0)
    rig.ask(process, "write", 500, "order")
    assert process.stdin is not None
    began = time.monotonic()
    process.stdin.close()
    process.wait(20)

    # The interpreter's own end is in here as well, so there is some slack.
    assert time.monotonic() - began < 1.0 + 0.5 + 0.5
    assert process.returncode == 0


def test_a_short_script_delivers_at_exit(start: Callable[..., subprocess.Popen[str]], otlp_sink: OtlpSink) -> None:
    """Whoever writes and ends at once has delivered."""
    process = start({"otlp": otlp_sink.url})
    uids = rig.ask(process, "write", 5, "script")
    assert process.stdin is not None
    process.stdin.close()

    assert process.wait(20) == 0
    assert uids_at(otlp_sink) == Counter(uids)


def test_a_process_leaves_at_once_where_another_carries(
    start: Callable[..., subprocess.Popen[str]], otlp_sink: OtlpSink
) -> None:
    """A worker that writes beside a running carrier has no exit work, though the destination hangs."""
    carrier = start({"otlp": otlp_sink.url})
    rig.ask(carrier, "write", 1, "first")
    assert rig.ask(carrier, "flush", 20) == {"otlp": 0}
    otlp_sink.faults.hang(8.0, times=100)
    worker = start({"otlp": otlp_sink.url}, exit_timeout=5.0)
    rig.ask(worker, "write", 5, "second")
    assert worker.stdin is not None
    began = time.monotonic()
    worker.stdin.close()
    assert worker.wait(20) == 0

    assert time.monotonic() - began < 2.0
    otlp_sink.faults.clear()


def test_a_shut_down_carrier_is_replaced(start: Callable[..., subprocess.Popen[str]], otlp_sink: OtlpSink) -> None:
    """``shutdown`` gives the destination up while the process goes on living."""
    one = start({"otlp": otlp_sink.url})
    uids = rig.ask(one, "write", 5, "one")
    assert rig.ask(one, "flush", 20) == {"otlp": 0}
    rig.ask(one, "shutdown")
    two = start({"otlp": otlp_sink.url})
    uids += rig.ask(two, "write", 5, "two")

    assert rig.ask(two, "flush", 20) == {"otlp": 0}
    assert uids_at(otlp_sink) == Counter(uids)
    assert carrying(two)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_events_of_a_forked_child_and_its_parent_arrive_once(
    start: Callable[..., subprocess.Popen[str]], otlp_sink: OtlpSink
) -> None:
    """The child has none of its parent's threads, locks and connections; the parent carries for both."""
    parent = start({"otlp": otlp_sink.url})
    uids = rig.ask(parent, "write", 50, "before")
    uids += rig.ask(parent, "fork", 50, "child")
    uids += rig.ask(parent, "write", 50, "after")

    assert rig.ask(parent, "flush", 20) == {"otlp": 0}
    assert uids_at(otlp_sink) == Counter(uids)
