"""The demo's processes: stand-ins for Umami and an OTLP backend, and the shop in gunicorn, auto-instrumented."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent.parent / "tests"
TOOLS = Path(sys.executable).parent

_START_LIMIT = 40.0
_STOP_LIMIT = 15.0
_OURS = ("FOOTSPAN_", "OTEL_", "TELEMETRY_")


def clean_environment() -> dict[str, str]:
    """This process's environment without anybody's telemetry settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


@dataclass
class Program:
    """A process in a session of its own, so that Ctrl-C reaches it only through us."""

    command: list[str]
    folder: Path
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it says goes to its log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self) -> str:
        """Everything it has said."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it says something.

        Raises:
            RuntimeError: It ended, or took too long.
        """
        assert self.process is not None
        deadline = time.monotonic() + _START_LIMIT
        while not (found := re.search(pattern, self.said())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(self.command[:3])} did not start\n{self.said()}")
            time.sleep(0.05)
        return found

    def stop(self) -> None:
        """Ask it to end, and see to it that it does."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class StandIn:
    """A stand-in server of the test suite, run as a program."""

    program: Program
    url: str = ""
    website: str = ""

    def start(self) -> None:
        """Start it and learn its address from its first line."""
        self.program.start()
        said: dict[str, Any] = json.loads(self.program.wait_for(r'\{"server".*\}').group())
        self.url, self.website = said["url"], said.get("website", "")

    def rows(self) -> dict[str, Any]:
        """What it has stored."""
        return dict(self._control("rows"))

    def requests(self) -> list[dict[str, Any]]:
        """Every request it has received, as it came."""
        return list(self._control("requests"))

    def take_down(self, seconds: float) -> None:
        """Refuse connections for a while."""
        self._control("faults", {"fault": "down", "seconds": seconds})

    def _control(self, what: str, body: Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_test/{what}", data, timeout=20) as answer:
            return json.load(answer)


@dataclass
class Stage:
    """Everything that runs. A context manager that stops it all.

    Attributes:
        folder: Where logs, receipts and the spool are.
        settings: What the shop's operator sets: nothing but environment variables.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack, repr=False)

    def __post_init__(self) -> None:
        self.umami, self.sink = self._stand_in("umami"), self._stand_in("otlp")
        self.receipts = self.folder / "receipts.jsonl"
        self.spool = self.folder / "spool"
        command = ["opentelemetry-instrument", "gunicorn", "--workers", "2", "--threads", "4"]
        command += ["--bind", "127.0.0.1:0", "shop:app"]
        self.shop = Program([str(TOOLS / command[0]), *command[1:]], HERE, {}, self.folder / "shop.log")
        self.url = ""

    def _stand_in(self, name: str) -> StandIn:
        command = [sys.executable, "-m", f"servers.{name}", "--port", "0", "--with-parent"]
        return StandIn(Program(command, TESTS, clean_environment(), self.folder / f"{name}.log"))

    def __enter__(self) -> Stage:  # noqa: PYI034 - Python 3.10 has no typing.Self
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def start_servers(self) -> None:
        """Start the two places that events go to."""
        for server in (self.umami, self.sink):
            self._open.callback(server.program.stop)
            server.start()
        self.settings = {
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.sink.url,
            "FOOTSPAN_DESTINATIONS_UMAMI_URL": self.umami.url,
            "FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE": self.umami.website,
            # Of the traces a quarter; page views and events are complete all the same.
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
            # Nobody wants the debug events, so they are unrouted.
            "FOOTSPAN_DESTINATIONS_UMAMI_EVENTS": "!debug.*",
            "FOOTSPAN_DESTINATIONS_OTLP_EVENTS": "!debug.*",
            # Revenue too is rather counted twice than lost, so that the demo can demand every event.
            "FOOTSPAN_DESTINATIONS_UMAMI_ON_AMBIGUOUS": "retry",
            # Only so that the demo can look for canaries in every byte that was sent.
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "FOOTSPAN_SPOOL_DIRECTORY": str(self.spool),
        }

    def start_shop(self) -> None:
        """Start the shop."""
        inherited = clean_environment()
        path = f"{TOOLS}{os.pathsep}{inherited.get('PATH', '')}"
        self.shop.env = {**inherited, "PATH": path, **self.settings, "SHOP_RECEIPTS": str(self.receipts)}
        self._open.callback(self.shop.stop)
        self.shop.start()
        self.url = self.shop.wait_for(r"Listening at: (http://127\.0\.0\.1:\d+)").group(1)
        deadline = time.monotonic() + _START_LIMIT
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the shop does not answer\n{self.shop.said()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
        except OSError:
            return False

    def kill_a_worker(self) -> int:
        """Kill one of the shop's workers as the system's memory killer would; returns its process id."""
        workers = [int(number) for number in re.findall(r"Booting worker with pid: (\d+)", self.shop.said())]
        for worker in workers:
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                continue
            return worker
        raise RuntimeError("the shop has no worker")
