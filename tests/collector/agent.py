"""A real Collector that runs the agent's configuration, as a process of the test."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

from collector.configs import AGENT

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

START_TIMEOUT = 30.0
STOP_TIMEOUT = 15.0
PORTS = ("OTLP_GRPC_PORT", "OTLP_HTTP_PORT", "OTELCOL_HEALTH_PORT", "OTELCOL_METRICS_PORT")


class Agent:
    """The agent between an application and a gateway, on free ports of loopback.

    Args:
        binary: The Collector.
        gateway: The address everything is sent on to.
        home: A folder for its queue and its log; a second agent there continues the first one's queue.
    """

    def __init__(self, binary: Path, gateway: str, home: Path) -> None:
        self._binary = binary
        self._log = home / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            "EVENTS_GATEWAY_URL": gateway,
            "EVENTS_GATEWAY_TOKEN": "not-a-real-token",
            "OTELCOL_STATE": str(home / "state"),
            "HOME": str(home),
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address applications send OTLP to."""
        return f"http://127.0.0.1:{self._environment['OTLP_HTTP_PORT']}"

    @property
    def grpc_url(self) -> str:
        """The address applications send OTLP to over gRPC."""
        return f"http://127.0.0.1:{self._environment['OTLP_GRPC_PORT']}"

    @property
    def log(self) -> str:
        """What the agent wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start it and wait until it takes requests."""
        for _ in range(3):  # another process may take a port between our choosing and its binding
            self._environment.update(zip(PORTS, free_ports(len(PORTS)), strict=True))
            with self._log.open("ab") as log:
                command = [str(self._binary), "--config", str(AGENT)]
                self._process = subprocess.Popen(
                    command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            if self._wait_until_ready(self._process):
                return
            self.stop()
            if "address already in use" not in self.log:
                break
        raise AssertionError(f"the agent did not start:\n{self.log[-3000:]}")

    def kill(self) -> None:
        """SIGKILL: no chance to write anything more."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_TIMEOUT)

    def stop(self) -> None:
        """End it as a service manager does."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()

    def post(self, path: str, body: bytes) -> int:
        """Send one OTLP JSON request; returns the status of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self._environment["OTLP_HTTP_PORT"]), timeout=10)
        with contextlib.closing(connection):
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            return connection.getresponse().status

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_TIMEOUT
        port = int(self._environment["OTELCOL_HEALTH_PORT"])
        while time.monotonic() < deadline and process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", "/")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return True
            time.sleep(0.05)
        return False


def free_ports(count: int) -> list[str]:
    """Ports of loopback that were free a moment ago; all held at once, so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets: list[Any] = [stack.enter_context(socket.socket()) for _ in range(count)]
        for held in sockets:
            held.bind(("127.0.0.1", 0))
        return [str(held.getsockname()[1]) for held in sockets]
