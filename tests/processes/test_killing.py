"""Many writers, killed at random, whoever carries among them: nothing is lost, and little comes twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from processes.sinks import TESTS, SinkProcess
from programs import run

if TYPE_CHECKING:
    from pathlib import Path

DRAIN = """
    import json, footspan
    footspan.init()
    print(json.dumps([footspan.flush(50), footspan.status()["destinations"]["otlp"]]))
"""


@pytest.mark.parametrize(
    ("writers", "events", "kills"),
    [
        pytest.param(3, 150, 4, id="few"),
        pytest.param(8, 5000, 24, id="many", marks=pytest.mark.slow),
    ],
)
def test_every_event_whose_track_returned_arrives(
    writers: int, events: int, kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only what was under way when a carrier died arrives twice, under the same uid."""
    with SinkProcess(latency=0.02) as sink:
        for name, value in sink.env.items():
            monkeypatch.setenv(name, value)
        killed = json.loads(
            subprocess.run(
                [sys.executable, "-m", "processes.ring", *map(str, (tmp_path, writers, events, kills, 7))],
                cwd=TESTS,
                stdout=subprocess.PIPE,
                timeout=150,
                check=True,
            ).stdout
        )
        left, figures = json.loads(run(DRAIN).stdout)
        batches = sink.batches()
        arrived = Counter(sink.uids())
    tracked = [uid for notes in tmp_path.iterdir() for uid in notes.read_text().split()]

    assert left == {"otlp": 0}
    assert len(tracked) == len(set(tracked)) == writers * events
    assert set(tracked) <= arrived.keys()
    # A writer may die between the two writes of its event and its note.
    deaths = killed["writers"] + killed["carriers"]
    assert len(arrived) <= len(tracked) + deaths
    assert deaths == kills
    assert killed["carriers"] == kills // 2
    # What came twice had come before in one piece: the one batch that was under way at one of the deaths.
    seen: set[str] = set()
    again = 0
    for batch in batches:
        again += not seen.isdisjoint(batch)
        seen.update(batch)
    assert again <= deaths
    assert max(arrived.values()) <= 1 + deaths
    # The books know each event once.
    assert figures["delivered"] == figures["accepted"] == len(arrived)
    assert (figures["refused"], figures["evicted"], figures["unreadable"]) == ({}, 0, 0)
