"""Starting a deliverer that outlives us, and hearing how it is.

The process is detached: it has a session of its own, no descriptor of ours but two pipes, and no parent that would have
to reap it. What it works with, keys included, comes to it through its standard input; nothing is on its command line or
on disk. Its standard output says how it goes, and is closed by its end.
"""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

STANDING: Final = b"standing"
TAKEN: Final = b"taken"
FAILED: Final = b"failed"
DONE: Final = b" done"

_BOOT: Final = """\
import os, sys
if os.fork():
    os._exit(0)
sys.path[:] = [each for each in sys.path if each]
import pickle
sys.path[:] = pickle.load(sys.stdin.buffer)
from footspan.delivery.detached import main
main()
"""

_PYTHON: Final = re.compile(r"(python|pypy)[0-9.]*(\.exe)?")
_INSTRUMENTED: Final = ("opentelemetry", "instrumentation", "auto_instrumentation")


class CallError(Exception):
    """No process can be started; the only argument says why."""


class Call:
    """A deliverer that we started.

    Args:
        process: The process that started it and ends at once.
        began: When that was, monotonic seconds.

    Attributes:
        said: All it said so far.
        over: Whether it said its last, as by its end.
    """

    def __init__(self, process: subprocess.Popen[bytes], began: float) -> None:
        assert process.stdout is not None
        self.began = began
        self.said = b""
        self.over = False
        self._process: subprocess.Popen[bytes] | None = process
        self._pipe = process.stdout
        self._lock = threading.Lock()
        os.set_blocking(self._pipe.fileno(), False)

    @property
    def standing(self) -> bool:
        """Whether it stood for destinations."""
        return self.said.startswith(STANDING)

    @property
    def taken(self) -> bool:
        """Whether it left because another one stands for them."""
        return self.said.startswith(TAKEN)

    @property
    def orderly(self) -> bool:
        """Whether it ended of its own accord, or because it was told to."""
        return self.said.endswith(DONE)

    @property
    def failure(self) -> str:
        """The kind of failure it ended with, if it said one."""
        return self.said[len(FAILED) + 1 :].decode("ascii", "replace") if self.said.startswith(FAILED) else ""

    def listen(self) -> None:
        """Take in what it has said since; does not wait."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        with self._lock, suppress(BlockingIOError, ValueError):
            while not self.over:
                heard = os.read(self._pipe.fileno(), 256)
                self.over = not heard
                self.said += heard

    def close(self) -> None:
        """Hear it no more."""
        self.over = True
        with self._lock, suppress(OSError):
            self._pipe.close()

    def forked(self) -> None:
        """In a forked child: it is the parent's; nothing is to be reaped here."""
        if self._process is not None:
            self._process.returncode = 0
        self._lock = threading.Lock()
        self.close()


def call(name: str, job: bytes, now: float) -> Call:
    """Start a deliverer; returns as soon as it has its job.

    Args:
        name: What tells it from others in a list of processes.
        job: What it is to work with, pickled.
        now: Monotonic seconds.

    Raises:
        CallError: There is no interpreter to start it with.
        OSError: The system starts no process.
    """
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own program
        [interpreter(), "-c", _BOOT, "footspan", "deliver", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,
    )
    assert process.stdin is not None
    started = Call(process, now)
    try:
        with process.stdin as pipe:
            pipe.write(pickle.dumps([each for each in sys.path if each]) + job)
    except BaseException:
        started.close()
        raise
    return started


def interpreter() -> str:
    """The Python we run in; a program that embeds one may name itself instead, and must not be started.

    Raises:
        CallError: It cannot be found.
    """
    here = Path(sys.prefix, "bin")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for each in (Path(sys.executable or "-"), here / f"python{version}", here / "python3"):
        if _PYTHON.fullmatch(each.name) and os.access(each, os.X_OK):
            return str(each)
    raise CallError("no Python interpreter is found")


def environment() -> dict[str, str]:
    """Our environment, without what would instrument or configure the deliverer once more."""
    found = {**os.environ, "OTEL_SDK_DISABLED": "true"}
    paths = found.pop("PYTHONPATH", "").split(os.pathsep)
    if any(paths):
        found["PYTHONPATH"] = os.pathsep.join(each for each in paths if Path(each).parts[-3:] != _INSTRUMENTED)
    return found
