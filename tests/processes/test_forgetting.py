"""A person is forgotten while services write, deliver and read, by a command that is killed again and again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from processes.sinks import SinkProcess
from programs import run, start

ADA = 'u_"ada"/\u00f6'
WRITE = """
    import sys, time, footspan
    footspan.init()
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(sys.argv[2])):
        who = sys.argv[3] if number % 3 == 0 else f"u_{number % 7}"
        uid = footspan.track("order.placed", user_id=who, writer=sys.argv[1], n=number, text="x" * (number % 50) * 40)
        print(who == sys.argv[3], uid, flush=True)
        if number % 10 == 0:
            time.sleep(0.002)
    footspan.shutdown(0.2)
"""
DRAIN = """
    import json, footspan
    footspan.init()
    print(json.dumps([footspan.flush(50), footspan.status()["destinations"]["otlp"]]))
"""


def forget() -> subprocess.Popen[bytes]:
    """Start the command."""
    return subprocess.Popen(
        [sys.executable, "-m", "footspan", "privacy", "forget", ADA, "--quiet", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.slow
def test_services_at_work_and_a_command_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others' events arrive, each once; of theirs nothing is sent once the command is through, and nothing is left."""
    monkeypatch.chdir(tmp_path)
    chance = random.Random(11)
    with SinkProcess(latency=0.01) as sink:
        for name, value in sink.env.items():
            monkeypatch.setenv(name, value)
        sink.fault(fault="answer", status=503, times=100_000)
        writers = [start(WRITE, None, str(number), "900", ADA) for number in range(3)]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdin is not None
            assert writer.stdout.readline() == "ready\n"
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for _ in range(8):
            killed = forget()
            time.sleep(chance.uniform(0.2, 0.6))
            killed.kill()
            killed.communicate(timeout=30)
        for turn in range(4):
            done = forget()
            out, err = done.communicate(timeout=60)
            assert done.returncode == 0, (out, err)
            if not turn:  # the others beside carriers at work
                assert sink.uids() == []
                sink.fault(fault="clear")
        notes = [line.split() for writer in writers for line in writer.communicate(timeout=60)[0].splitlines()]
        left, figures = json.loads(run(DRAIN).stdout)
        done = forget()
        done.communicate(timeout=60)
        arrived = sink.uids()
    theirs = {uid for mine, uid in notes if mine == "True"}
    others = {uid for mine, uid in notes if mine == "False"}

    assert left == {"otlp": 0}
    assert len(theirs) + len(others) == len(notes) == 2700
    assert sorted(uid for uid in arrived if uid in others) == sorted(others)
    # The list held before anything could be delivered.
    assert not theirs.intersection(arrived)
    assert figures["delivered"] == len(others)
    assert figures["refused"].keys() <= {"forgotten", "suppressed"}
    assert sum(figures["refused"].values()) == len(theirs)
    assert (figures["evicted"], figures["unreadable"]) == (0, 0)
    folder = Path(os.environ["XDG_STATE_HOME"])
    data = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for spelling in (ADA, json.dumps(ADA)[1:-1], json.dumps(ADA, ensure_ascii=False)[1:-1], quote(ADA)):
        assert spelling.encode() not in data
    assert not [path for path in folder.rglob("quarantine/*") if path.stat().st_size]
