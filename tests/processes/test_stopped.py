"""Carriers that die and carriers that are stopped: who takes over, who is named, what is sent twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from programs import start, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from servers.otlp import OtlpSink

pytestmark = pytest.mark.slow

# Answers each line it reads: a number of events to track (the uids), or anything else (the destination's figures).
SERVICE = """
    import json, sys, footspan
    footspan.init()
    for line in sys.stdin:
        if line.strip().isdigit():
            answer = [footspan.track("order.placed", n=n) for n in range(int(line))]
        else:
            answer = footspan.status()["destinations"]["otlp"]
        print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def service(otlp_sink: OtlpSink) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts processes of one service; they are killed at the end."""
    processes: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        env = {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": otlp_sink.url, "OTEL_SERVICE_NAME": "shop"}
        processes.append(start(SERVICE, env))
        return processes[-1]

    yield begin
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=20)


def ask(process: subprocess.Popen[str], what: object) -> Any:
    """One answer of a service."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def arrived(sink: OtlpSink) -> Counter[str]:
    """How often each uid arrived."""
    return Counter(event["uid"] for event in sink.events)


def test_a_death_passes_the_destination_on_within_two_seconds(
    service: Callable[[], subprocess.Popen[str]], otlp_sink: OtlpSink
) -> None:
    """From the kill to the arrival of what a living process had just tracked; the best of three, on a busy machine."""
    carrier = service()
    uids = ask(carrier, 5)
    assert until(lambda: set(uids) <= arrived(otlp_sink).keys())
    took = []
    for _ in range(3):
        heir = service()
        uids += ask(heir, 5)
        assert until(lambda: set(uids) <= arrived(otlp_sink).keys())  # noqa: B023 - asked at once
        assert not ask(heir, "status")["here"]
        killed = time.monotonic()
        carrier.kill()
        uids += ask(heir, 5)
        assert until(lambda: set(uids) <= arrived(otlp_sink).keys())  # noqa: B023 - asked at once
        took.append(time.monotonic() - killed)
        carrier = heir

    assert min(took) < 2.0
    assert arrived(otlp_sink).keys() == set(uids)


@pytest.mark.parametrize("when", ["resting", "waiting-for-an-answer"])
def test_a_stopped_carrier_is_named_and_sends_nothing_twice(
    when: str, service: Callable[[], subprocess.Popen[str]], otlp_sink: OtlpSink
) -> None:
    """It keeps the destination: safety before liveness. ``status`` anywhere else names it within ten seconds."""
    carrier = service()
    uids = ask(carrier, 5)
    assert until(lambda: set(uids) <= arrived(otlp_sink).keys())
    other = service()
    if when == "waiting-for-an-answer":
        otlp_sink.faults.hang(1.0, times=1)
        requests = len(otlp_sink.requests)
        uids += ask(carrier, 5)
        assert until(lambda: len(otlp_sink.requests) > requests)
    os.kill(carrier.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    uids += ask(other, 5)
    assert until(lambda: ask(other, "status")["carrier"]["stalled"])
    named = time.monotonic() - stopped
    figures = ask(other, "status")
    # Longer than any request may take: by its clock, the answer comes too late.
    while when == "waiting-for-an-answer" and time.monotonic() - stopped < 11.0:
        time.sleep(0.1)
    os.kill(carrier.pid, signal.SIGCONT)

    assert named < 10.0
    assert (figures["carrier"]["pid"], figures["here"]) == (carrier.pid, False)
    assert until(lambda: not ask(other, "status")["carrier"]["stalled"])
    assert until(lambda: ask(other, "status")["waiting"] == 0)
    assert arrived(otlp_sink) == Counter(uids)
