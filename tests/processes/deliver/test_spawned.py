"""``courier: process``: the app tracks, a process of its own making delivers."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processes.deliver.acting import ask, end, lives
from programs import until

if TYPE_CHECKING:
    from processes.deliver.acting import Stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

SECRET = "ak-5577006791947779410"
PROCESS = {
    "FOOTSPAN_COURIER": "process",
    "FOOTSPAN_DESTINATIONS_OTLP_HEADERS": f"x-api-key={SECRET}",
}
START = 40.0
"""Seconds for a process to start and to take up its work on a busy machine."""


def test_the_app_leaves_and_the_deliverer_finishes(stage: Stage) -> None:
    """A script that ends at once leaves everything to the deliverer, which ends when nothing is left to do."""
    stage.sink.faults.latency = 0.2
    app = stage.app(**PROCESS)
    uids = ask(app, "track", 100)
    code, seconds, err = end(app)

    assert (code, err) == (0, "")
    assert seconds < 5.0
    assert until(lambda: stage.arrived() == Counter(uids), START)
    (pid,) = stage.spawned()
    assert until(lambda: not lives(pid), START)
    assert stage.carrying() is None


def test_a_script_that_only_tracks_is_delivered_too(stage: Stage) -> None:
    """The deliverer has its work in hand before the script is gone, however short that is."""
    app = stage._start([sys.executable, "-c", "import footspan; print(footspan.track('script.ran'))"], PROCESS)
    out, err = app.communicate(timeout=START)

    assert err == ""
    assert until(lambda: stage.arrived() == Counter(out.split()), START)


def test_the_app_has_no_part_in_delivery(stage: Stage) -> None:
    """It carries nothing, has no thread but the one that keeps house, and its status tells who carries."""
    app = stage.app(**PROCESS)
    ask(app, "track", 10)
    assert ask(app, "flush", START) == {"otlp": 0}
    assert until(lambda: not set(ask(app, "threads")) - {"MainThread", "footspan-courier"})
    entry = ask(app, "status")["destinations"]["otlp"]

    assert entry["here"] is False
    assert [entry["carrier"]["pid"]] == stage.spawned()


def test_the_deliverer_is_detached_and_knows_how_to_keep_a_secret(stage: Stage) -> None:
    """A session of its own, no descriptor of the app's, and keys neither on its command line nor in the spool."""
    app = stage.app(**PROCESS)
    uids = ask(app, "track", 10)
    assert ask(app, "flush", START) == {"otlp": 0}
    (pid,) = stage.spawned()

    assert os.getsid(pid) not in {os.getsid(app.pid), pid}
    assert lives(pid)
    assert SECRET not in Path(f"/proc/{pid}/cmdline").read_text("utf-8")
    descriptors = {link.name: str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    assert {"/dev/null"} == {descriptors[number] for number in ("0", "1", "2")}
    at_app = {str(Path(f"/proc/{app.pid}/fd/{number}").readlink()) for number in ("0", "1", "2")}
    assert not at_app & set(descriptors.values())
    for file in stage.spool.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes()
    assert {request.headers["x-api-key"] for request in stage.sink.requests} == {SECRET}
    assert stage.arrived() == Counter(uids)


def test_many_apps_have_one_deliverer(stage: Stage) -> None:
    """Four processes that start at the same time end up with one process that delivers for all."""
    apps = [stage.app(**PROCESS) for _ in range(4)]
    uids = [uid for app in apps for uid in ask(app, "track", 25)]

    assert until(lambda: stage.arrived() == Counter(uids), START)
    assert until(lambda: len(stage.spawned()) == 1)


def test_a_killed_deliverer_is_replaced(stage: Stage) -> None:
    """The app starts another; nothing is lost, and only a batch in flight could arrive twice."""
    app = stage.app(**PROCESS)
    uids = ask(app, "track", 10)
    assert ask(app, "flush", START) == {"otlp": 0}
    (first,) = stage.spawned()
    time.sleep(5.5)  # a deliverer that dies young has failed, and the app would deliver itself for a while
    os.kill(first, signal.SIGKILL)
    assert until(lambda: not lives(first))
    uids += ask(app, "track", 10)

    assert until(lambda: stage.arrived() == Counter(uids), START)
    assert until(lambda: stage.spawned() and stage.spawned() != [first], START)


def test_where_none_can_be_started_the_app_delivers(stage: Stage, tmp_path: Path) -> None:
    """One warning, and a thread takes over; the app is none the worse."""
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    program = (
        f"import sys; sys.executable = {str(broken)!r}\n"
        "import footspan\n"
        "uids = [footspan.track('order.placed', n=n) for n in range(10)]\n"
        "print(footspan.flush(30))\n"
        "uids += [footspan.track('order.placed', n=n) for n in range(10)]\n"
        "print(*uids)\n"
    )
    app = stage._start([sys.executable, "-c", program], PROCESS)
    out, err = app.communicate(timeout=START)

    said, uids = out.splitlines()
    assert said == "{'otlp': 0}", err
    assert err.count("no deliverer could be started") == 1
    assert stage.arrived() == Counter(uids.split())
    assert stage.spawned() == []


def test_new_settings_get_a_new_deliverer(stage: Stage) -> None:
    """An app that starts with a new key is not served by the deliverer that has the old one."""
    old = stage.app(**PROCESS)
    uids = ask(old, "track", 5)
    assert ask(old, "flush", START) == {"otlp": 0}
    (first,) = stage.spawned()
    new = stage.app(**{**PROCESS, "FOOTSPAN_DESTINATIONS_OTLP_HEADERS": "x-api-key=another"})
    uids += ask(new, "track", 5)

    assert until(lambda: not lives(first), START)
    assert until(lambda: stage.carrying() in stage.spawned(), START)
    uids += ask(new, "track", 5)
    assert until(lambda: stage.arrived() == Counter(uids), START)
    assert stage.sink.requests[-1].headers["x-api-key"] == "another"


def test_a_forked_child_tracks_beside_its_parent(stage: Stage) -> None:
    """Children of fork and of multiprocessing write; the one deliverer delivers for all."""
    program = """
import multiprocessing, os, sys, footspan
def work(queue):
    queue.put([footspan.track("child", n=n) for n in range(20)])
uids = [footspan.track("before", n=n) for n in range(20)]
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, " ".join(footspan.track("forked", n=n) for n in range(20)).encode())
    os._exit(0)
os.wait()
uids += os.read(reader, 65536).decode().split()
context = multiprocessing.get_context("fork")
queue = context.Queue()
child = context.Process(target=work, args=(queue,))
child.start()
uids += queue.get()
child.join()
uids += [footspan.track("after", n=n) for n in range(20)]
print(*uids)
print(footspan.flush(40), file=sys.stderr)
"""
    app = stage._start([sys.executable, "-c", program], PROCESS)
    out, err = app.communicate(timeout=START)

    assert err.strip() == "{'otlp': 0}"
    assert len(out.split()) == 80
    assert stage.arrived() == Counter(out.split())
    assert len(stage.spawned()) == 1
