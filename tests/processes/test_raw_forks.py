"""Forks that the interpreter does not know of, as C libraries make them: no hook runs, everything is inherited."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from programs import run

if TYPE_CHECKING:
    from servers.otlp import OtlpSink

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="such forks are noticed by a page that Linux clears")

# `PyDLL` keeps the interpreter's lock, as C code that forks inside a call does.
FORKS = """
    import ctypes, json, os, sys, threading, time, footspan
    footspan.init()
    uids = [footspan.track("parent.tracked", n=n) for n in range(50)]
    assert footspan.flush(20) == {"otlp": 0}
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        exec(sys.argv[1])
        os._exit(0)
    uids += [footspan.track("parent.tracked", n=n) for n in range(50, 100)]
    _, status = os.waitpid(child, 0)
    uids += [footspan.track("parent.tracked", n=n) for n in range(100, 150)]
    left = footspan.flush(20)
    print(json.dumps([uids, status, left, footspan.status()["destinations"]["otlp"]["here"]]))
"""

TRACKS = """
uids = [footspan.track("child.tracked", n=n) for n in range(100)]
left = footspan.flush(20)
os.write(1, (json.dumps([uids, left, footspan.status()["destinations"]["otlp"]["here"]]) + "\\n").encode())
footspan.shutdown()
"""

TRACKS_IN_THREADS = """
found = []
def work(which):
    found.extend(footspan.track("child.tracked", n=n, which=which) for n in range(50))
threads = [threading.Thread(target=work, args=(which,)) for which in range(4)]
[thread.start() for thread in threads]
[thread.join(20) for thread in threads]
os.write(1, (json.dumps([found, footspan.flush(20), False]) + "\\n").encode())
"""

ENDS = """
began = time.monotonic()
here = footspan.status()["destinations"]["otlp"]["here"]
left = footspan.flush(5)
footspan.shutdown(60)
# The parent's carriers are none of ours: waiting for them would take the minute.
os.write(1, (json.dumps([[], left, here or time.monotonic() - began > 30]) + "\\n").encode())
"""


@pytest.mark.parametrize(
    "child",
    [
        pytest.param(TRACKS, id="tracks"),
        pytest.param(TRACKS_IN_THREADS, id="tracks-in-threads", marks=pytest.mark.slow),
        pytest.param(ENDS, id="ends"),
    ],
)
def test_parent_and_child_go_on_side_by_side(child: str, otlp_sink: OtlpSink) -> None:
    """Nothing is lost or doubled, nobody waits for the other's threads, and only the parent carries."""
    result = run(FORKS, {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": otlp_sink.url, "FOOTSPAN_EXIT_TIMEOUT": "60"}, child)

    assert result.stdout.count("\n") == 2, result.stderr
    (ours, left_of_child, carries), (uids, status, left, here) = map(json.loads, result.stdout.splitlines())
    assert (left_of_child, carries) == ({"otlp": 0}, False)
    assert (status, left, here) == (0, {"otlp": 0}, True)
    assert Counter(event["uid"] for event in otlp_sink.events) == Counter([*ours, *uids])
    assert len({*ours, *uids}) == len(ours) + len(uids)


def test_the_child_writes_a_segment_of_its_own() -> None:
    """The parent's stays the parent's alone: whole lines, its own, in its order."""
    result = run(
        """
        import ctypes, os, footspan
        for n in range(100):
            footspan.track("parent.tracked", n=n)
        if (child := ctypes.PyDLL(None).fork()) == 0:
            for n in range(500):
                footspan.track("child.tracked", n=n)
            os._exit(0)
        for n in range(100, 600):
            footspan.track("parent.tracked", n=n)
        os.waitpid(child, 0)
        """
    )

    assert result.returncode == 0, result.stderr
    child = [("child.tracked", n) for n in range(500)]
    parent = [("parent.tracked", n) for n in range(600)]
    assert sorted(segments()) == [child, parent]


def segments() -> list[list[tuple[str, int]]]:
    """Name and number of the events in each segment of the spool."""
    found = []
    for segment in (Path(os.environ["XDG_STATE_HOME"]) / "footspan").glob("*/events/*.jsonl"):
        lines = [json.loads(line) for line in segment.read_bytes().splitlines()]
        records = [line["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0] for line in lines]
        found.append([(each["eventName"], number(each)) for each in records])
    return found


def number(record: dict[str, Any]) -> int:
    """The attribute ``n`` of a record."""
    return next(int(each["value"]["intValue"]) for each in record["attributes"] if each["key"] == "n")
