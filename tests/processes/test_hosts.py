"""Hosts with habits of their own: no threads, greenlets, an event loop, threads that outlive the main one."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from programs import run
from spooled import spooled

if TYPE_CHECKING:
    from servers.otlp import OtlpSink

REFUSED = """
    import threading
    start = threading.Thread.start
    def refuse(self):
        raise RuntimeError("can't start new thread")
    threading.Thread.start = refuse
"""

FROZEN = """
    import sys, types
    sys.modules["uwsgi"] = types.SimpleNamespace(opt={b"master": b"true"})
"""

WORK = """
    import json, os, threading, footspan
    footspan.init()
    uids = [footspan.track("page.served", n=n) for n in range(50)]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("footspan")]
    left = footspan.flush(20)
    held = footspan.status()["destinations"]["otlp"]["carrier"]["held"]
    uids += [footspan.track("page.served", n=n) for n in range(50)]
    print(json.dumps([uids, left, held]))
"""


@pytest.mark.parametrize("host", [REFUSED, FROZEN], ids=["refused", "uwsgi"])
def test_where_no_thread_runs_flush_and_the_end_deliver(host: str, otlp_sink: OtlpSink) -> None:
    """In the calling thread; between them nobody holds the destination. One warning says so."""
    result = run(host + WORK, environment(otlp_sink))

    assert result.returncode == 0, result.stderr
    uids, left, held = json.loads(result.stdout)
    assert (left, held) == ({"otlp": 0}, False)
    assert Counter(event["uid"] for event in otlp_sink.events) == Counter(uids)
    assert result.stderr.count("\n") == 1
    assert "no thread can be started here" in result.stderr


@pytest.mark.slow
def test_where_no_thread_runs_a_dead_destination_costs_no_more_than_flush_may(otlp_sink: OtlpSink) -> None:
    """Its time is the time that the caller gave; what is left is delivered by another process."""
    otlp_sink.faults.hang(60.0, times=100, stored=False)
    result = run(
        REFUSED
        + """
    import os, time, footspan
    footspan.init()
    uid = footspan.track("page.served")
    began = time.monotonic()
    print(footspan.flush(1.0), time.monotonic() - began < 20, flush=True)
    os._exit(0)
    """,
        environment(otlp_sink),
    )
    otlp_sink.faults.clear()
    followed = run("import footspan; footspan.init(); print(footspan.flush(20))", environment(otlp_sink))

    assert result.stdout == "{'otlp': 1} True\n", result.stderr
    assert followed.stdout == "{'otlp': 0}\n", followed.stderr
    assert {event["uid"] for event in otlp_sink.events} == {event.uid for event in spooled()}


PATCHES = {
    "before-import": ("from gevent import monkey; monkey.patch_all(); import footspan; footspan.init()"),
    "after-import": ("import footspan; from gevent import monkey; monkey.patch_all(); footspan.init()"),
    "after-init": ("import footspan; footspan.init(); from gevent import monkey; monkey.patch_all()"),
}


@pytest.mark.parametrize(
    "patch",
    [
        "after-init",
        pytest.param("before-import", marks=pytest.mark.slow),
        pytest.param("after-import", marks=pytest.mark.slow),
    ],
)
def test_greenlets(patch: str, otlp_sink: OtlpSink) -> None:
    """Whenever gevent takes over, greenlets track, carriers become greenlets, and a slow destination stops nobody."""
    pytest.importorskip("gevent")
    otlp_sink.faults.hang(1.0, times=1)
    result = run(
        PATCHES[patch]
        + """
import gevent, json, os
uids = []
def work(which):
    for n in range(20):
        uids.append(footspan.track("greenlet.worked", which=which, n=n))
        gevent.sleep(0.001)
gevent.joinall([gevent.spawn(work, which) for which in range(20)], timeout=20, raise_error=True)
gevent.sleep(0.1)
if (child := os.fork()) == 0:
    os.write(1, (footspan.track("child.worked") + "\\n").encode())
    os._exit(0)
gevent.os.waitpid(child, 0)
print(json.dumps([uids, footspan.flush(20)]))
""",
        environment(otlp_sink),
    )

    assert result.returncode == 0, result.stderr
    child, answer = result.stdout.splitlines()
    uids, left = json.loads(answer)
    assert (len(uids), left) == (400, {"otlp": 0})
    assert Counter(event["uid"] for event in otlp_sink.events) == Counter([*uids, child])


def test_an_event_loop_never_waits_for_the_network(otlp_sink: OtlpSink) -> None:
    """Tasks track while the destination hangs; all of them are through before it has answered once."""
    otlp_sink.faults.hang(30.0, times=100)
    result = run(
        """
        import asyncio, json, os, footspan
        async def work(which):
            for n in range(10):
                footspan.track("task.worked", which=which, n=n)
                await asyncio.sleep(0)
        async def main():
            await asyncio.gather(*[work(which) for which in range(100)])
            # Long enough for a request to be under way, too short for an answer.
            await asyncio.sleep(0.5)
            await asyncio.gather(*[work(which) for which in range(100)])
        footspan.init()
        asyncio.run(main())
        status = footspan.status()["destinations"]["otlp"]
        print(json.dumps([status["accepted"], status["delivered"]]), flush=True)
        os._exit(0)
        """,
        environment(otlp_sink),
    )
    otlp_sink.faults.clear()

    assert json.loads(result.stdout) == [2000, 0], result.stderr


def test_tracking_while_the_interpreter_ends(otlp_sink: OtlpSink) -> None:
    """Threads that end the process, outlive its main thread, start too late, or never end: none loses an event."""
    result = run(
        """
        import atexit, os, sys, threading, time, footspan
        def note(uid):
            os.write(1, (uid + "\\n").encode())
        def exits():
            note(footspan.track("thread.exited"))
            sys.exit(1)
        def outlives():
            time.sleep(0.3)
            note(footspan.track("thread.outlived"))
        def never_ends():
            while True:
                note(footspan.track("daemon.worked"))
                time.sleep(0.001)
        @atexit.register
        def late():
            try:
                threading.Thread(target=lambda: note(footspan.track("thread.started.late"))).start()
            except RuntimeError:
                note(footspan.track("thread.refused"))
        footspan.init()
        threading.Thread(target=never_ends, daemon=True).start()
        leaver = threading.Thread(target=exits)
        leaver.start()
        leaver.join()
        threading.Thread(target=outlives).start()
        """,
        environment(otlp_sink),
    )
    left = run("import footspan; footspan.init(); print(footspan.flush(20))", environment(otlp_sink))

    assert result.returncode == 0, result.stderr
    assert left.stdout == "{'otlp': 0}\n"
    noted = result.stdout.split()
    arrived = Counter(event["uid"] for event in otlp_sink.events)
    # A daemon thread may be stopped between the two writes of its event and its note.
    assert set(noted) <= arrived.keys()
    assert len(arrived) <= len(noted) + 1
    names = {event["name"] for event in otlp_sink.events}
    assert {"thread.exited", "thread.outlived", "daemon.worked"} <= names
    assert names & {"thread.started.late", "thread.refused"}


def environment(sink: OtlpSink) -> dict[str, str]:
    """Settings of a service that sends to the sink."""
    return {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": sink.url, "OTEL_SERVICE_NAME": "shop"}
