"""Apps that track on command, and deliverers, as processes of their own; all end with the test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from servers.otlp import OtlpSink

SERVICE = "shop"

_APP = """
import json, sys, time
import footspan
footspan.init()
for line in sys.stdin:
    verb, *words = line.split()
    answer = None
    if verb == "track":
        answer = [footspan.track("order.placed", n=n) for n in range(int(words[0]))]
    elif verb == "flush":
        answer = footspan.flush(float(words[0]))
    elif verb == "status":
        answer = footspan.status()
    elif verb == "threads":
        import threading
        answer = [thread.name for thread in threading.enumerate()]
    elif verb == "cpu":
        answer = time.process_time()
    print(json.dumps(answer, default=str), flush=True)
"""


class Stage:
    """Starts processes with one spool; a context manager that ends them all.

    Args:
        state: The state home.
        sink: Where events go.
        env: More settings of every process.
    """

    def __init__(self, state: Path, sink: OtlpSink, env: Mapping[str, str] | None = None) -> None:
        self.sink = sink
        self.spool = state / "footspan" / SERVICE
        self.env = {
            **os.environ,
            "XDG_STATE_HOME": str(state),
            "OTEL_SERVICE_NAME": SERVICE,
            "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": sink.url,
            "FOOTSPAN_DESTINATIONS_OTLP_BATCH_MAX_AGE": "0.02",
            **(env or {}),
        }
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait(20)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
        for pid in self.spawned():  # deliverers that apps started are nobody's children
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def app(self, **env: str) -> subprocess.Popen[str]:
        """Start an app."""
        return self._start([sys.executable, "-c", _APP], env)

    def deliverer(self, *options: str, **env: str) -> subprocess.Popen[str]:
        """Start ``footspan deliver``."""
        return self._start([sys.executable, "-m", "footspan", "deliver", *options], env)

    def _start(self, command: list[str], env: Mapping[str, str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            env={**self.env, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    # -- what the spool says -------------------------------------------------------------------------------------------

    def arrived(self) -> Counter[str]:
        """How often each event arrived."""
        return Counter(str(event["uid"]) for event in self.sink.events)

    def standing(self) -> int | None:
        """The process that says it stands for the destination, if there is one and it lives."""
        for file in self.spool.glob("destinations/*/standing.json"):
            pid = int(json.loads(file.read_text("utf-8"))["pid"])
            if lives(pid):
                return pid
        return None

    def carrying(self) -> int | None:
        """The process whose heartbeat the destination has."""
        for file in self.spool.glob("destinations/*/state.json"):
            beat = json.loads(file.read_text("utf-8"))
            if beat["state"] != "closed":
                return int(beat["pid"])
        return None

    def spawned(self) -> list[int]:
        """Deliverers that apps spawned for this spool."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"deliver" in words and os.fsencode(self.spool) in words and lives(int(folder.name)):
                    found.append(int(folder.name))
        return found


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ask(process: subprocess.Popen[str], *words: object) -> Any:
    """Give an app one command; its answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(" ".join(map(str, words)) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def end(process: subprocess.Popen[str], seconds: float = 30.0) -> tuple[int, float, str]:
    """Let an app come to its end; its exit code, the seconds that took, and what it said."""
    began = time.monotonic()
    _, err = process.communicate(timeout=seconds)
    return process.returncode, time.monotonic() - began, err
