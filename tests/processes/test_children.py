"""The ways in which Python programs make children: all of their events arrive, once each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from programs import run

if TYPE_CHECKING:
    from pathlib import Path

    from servers.otlp import OtlpSink

# A file, since children that are spawned load the program anew; each of those starts a pipeline of its own.
PROGRAM = """
import concurrent.futures, json, multiprocessing, sys
import footspan

def work(n):
    return [footspan.track("child.worked", n=n, i=i) for i in range(5)]

def note(n, path):
    with open(path, "a") as notes:
        notes.write("".join(f"{uid}\\n" for uid in work(n)))

def pool(context, path):
    with context.Pool(2) as workers:
        return [uid for some in workers.map(work, range(6)) for uid in some]

def executor(context, path):
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as workers:
        return [uid for some in workers.map(work, range(6)) for uid in some]

def processes(context, path):
    children = [context.Process(target=note, args=(n, path)) for n in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join(40)
    assert [child.exitcode for child in children] == [0] * 6
    return open(path).read().split()

if __name__ == "__main__":
    method, path, *kinds = sys.argv[1:]
    footspan.init()
    uids = [footspan.track("parent.started")]
    for kind in kinds:
        uids += globals()[kind](multiprocessing.get_context(method), path)
    print(json.dumps([uids, footspan.flush(40)]))
"""


@pytest.mark.parametrize(
    "method",
    ["fork", pytest.param("spawn", marks=pytest.mark.slow), pytest.param("forkserver", marks=pytest.mark.slow)],
)
def test_workers_write_and_their_parent_carries(method: str, tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """Pools, executors and bare processes of ``multiprocessing`` end without exit handlers, which costs nothing."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, "utf-8")
    result = subprocess.run(
        [sys.executable, program, method, tmp_path / "notes", "pool", "executor", "processes"],
        env={**os.environ, **environment(otlp_sink)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    uids, left = json.loads(result.stdout)
    assert (len(uids), left) == (91, {"otlp": 0})
    assert Counter(event["uid"] for event in otlp_sink.events) == Counter(uids)


def test_children_that_leave_at_once(otlp_sink: OtlpSink) -> None:
    """By ``os._exit`` after a plain fork, as billiard's workers, and for another program in ``preexec_fn``."""
    result = run(
        """
        import json, os, subprocess, sys, types
        import footspan
        reader, writer = os.pipe()

        def work(name):
            uids = [footspan.track(name, n=n) for n in range(20)]
            os.write(writer, ("\\n".join(uids) + "\\n").encode())

        def fork(name, prepare=lambda: None):
            if (child := os.fork()) == 0:
                prepare()
                work(name)
                os._exit(3)
            return child

        def become_a_billiard_worker():
            worker = types.SimpleNamespace(name="ForkPoolWorker-1")
            sys.modules["billiard.process"] = types.SimpleNamespace(current_process=lambda: worker)

        footspan.init()
        children = [fork("plain"), fork("plain"), fork("billiard", become_a_billiard_worker)]
        work("parent")
        ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        ends.append(subprocess.run(["true"], preexec_fn=lambda: work("preexec")).returncode)
        left = footspan.flush(30)
        os.close(writer)
        print(json.dumps([os.fdopen(reader).read().split(), ends, left]))
        """,
        environment(otlp_sink),
    )

    assert result.returncode == 0, result.stderr
    uids, ends, left = json.loads(result.stdout)
    assert (len(uids), ends, left) == (100, [3, 3, 3, 0], {"otlp": 0})
    # A child that was carrying when it left leaves its batch in doubt; nothing else may come twice.
    arrived = Counter(event["uid"] for event in otlp_sink.events)
    assert arrived.keys() == set(uids)


def test_forks_while_other_threads_append(otlp_sink: OtlpSink) -> None:
    """Thirty children, each forked in the middle of four threads' appending, track and end; nobody waits for ever."""
    result = run(
        """
        import json, os, threading
        import footspan
        reader, writer = os.pipe()
        footspan.init()
        over = threading.Event()
        kept = [[] for _ in range(4)]

        def append(uids):
            while not over.is_set():
                uids.append(footspan.track("parent.tracked", text="x" * 500))
                over.wait(0.0002)

        threads = [threading.Thread(target=append, args=(uids,)) for uids in kept]
        for thread in threads:
            thread.start()
        ends = []
        for n in range(30):
            if (child := os.fork()) == 0:
                uids = [footspan.track("child.tracked", n=n) for _ in range(3)]
                os.write(writer, ("\\n".join(uids) + "\\n").encode())
                os._exit(0)
            ends.append(os.waitpid(child, 0)[1])
        over.set()
        for thread in threads:
            thread.join()
        left = footspan.flush(30)
        os.close(writer)
        theirs = os.fdopen(reader).read().split()
        print(json.dumps([theirs, [uid for uids in kept for uid in uids], ends, left]))
        """,
        environment(otlp_sink),
    )

    assert result.returncode == 0, result.stderr
    theirs, ours, ends, left = json.loads(result.stdout)
    assert (len(theirs), ends, left) == (90, [0] * 30, {"otlp": 0})
    assert Counter(event["uid"] for event in otlp_sink.events) == Counter([*theirs, *ours])


def test_a_fork_waits_for_an_import_of_ours(otlp_sink: OtlpSink) -> None:
    """A child forked while a carrier loads ``requests`` can load it, too: it has no module's lock without an owner."""
    result = run(
        """
        import faulthandler, os, sys, threading, time
        import footspan
        loading = threading.Event()

        class Watch:
            def find_spec(self, name, path=None, target=None):
                if name == "requests":
                    loading.set()

        sys.meta_path.insert(0, Watch())
        footspan.init()
        footspan.track("parent.tracked")
        assert loading.wait(20)
        assert threading.current_thread().name == "MainThread"
        if (child := os.fork()) == 0:
            faulthandler.dump_traceback_later(20, exit=True)
            import requests
            requests.Session()
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), footspan.flush(20))
        """,
        environment(otlp_sink),
    )

    assert result.stdout == "0 {'otlp': 0}\n", result.stderr


def environment(sink: OtlpSink) -> dict[str, str]:
    """Settings of a service that sends to the sink, on top of the test's own environment."""
    return {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": sink.url, "OTEL_SERVICE_NAME": "shop"}
