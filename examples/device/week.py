"""A week without network, with power cuts, within a disk budget; then the network is back.

``device.py`` takes a reading a minute. It is killed (SIGKILL) at random moments and started again. A reading whose
number it had printed must arrive; one that was under way may. Everything is to arrive in the order of time, and what
arrives twice is told by its id.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DEVICE = Path(__file__).with_name("device.py")
BEGAN = 1_767_225_600.0
"""The first minute of 2026."""

MINUTE = 60.0
WEEK = 7 * 24 * 60
"""Readings of a week."""

LIMIT = 300.0
"""Seconds after which a device that neither ends nor is killed is given up."""


@dataclass
class Verdict:
    """What became of a week.

    Attributes:
        promised: Numbers of the readings that were on disk.
        arrived: Numbers that arrived, in their order.
        doubled: How many arrived again, with the same id.
        ordered: Whether they came in the order of time.
        largest: Bytes that the queue took at the most.
        cuts: How many times the power went.
        waiting: Events still in the queue.
        costs: What the device says of its writes.
    """

    promised: list[int] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    doubled: int = 0
    ordered: bool = True
    largest: int = 0
    cuts: int = 0
    waiting: int = -1
    costs: list[str] = field(default_factory=list)

    @property
    def lost(self) -> set[int]:
        """Promised readings that did not arrive."""
        return set(self.promised) - set(self.arrived)


class Endpoint(ThreadingHTTPServer):
    """Takes arrays of events."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        """Its whole address."""
        return f"http://127.0.0.1:{self.server_address[1]}/telemetry"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Keep the events."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.events += json.loads(body)  # type: ignore[attr-defined] # our own server
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
        """Say nothing."""


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; files that go meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def live(folder: Path, *, readings: int = WEEK, cuts: int = 12, budget: int = 16 * 2**20, seed: int = 0) -> Verdict:
    """Let a device live through its week, and deliver.

    Args:
        folder: An empty folder.
        readings: How many, one a minute.
        cuts: How many times the power goes.
        budget: Bytes the queue may take.
        seed: Of the moments at which it goes.
    """
    verdict = Verdict()
    chance = random.Random(seed)
    queue = folder / "telemetry-queue.ndjson"
    environment = {
        **os.environ,
        "FOOTSPAN_SPOOL_DURABILITY": "disk",  # a reading is on the medium when `track` returns
        "FOOTSPAN_SPOOL_MAX_BYTES": str(budget),
    }
    endpoint = Endpoint()
    # The address is known from the start; there is no way to it yet, and the device does not ask for one.
    command = [sys.executable, str(DEVICE), "--queue", str(queue), "--endpoint", endpoint.address]
    first = 0
    while first < readings:
        again = verdict.cuts < cuts
        until = min(readings, first + max(1, chance.randrange(2 * readings // (cuts + 1)))) if again else readings
        first = _turn_on(command, environment, first, readings, until, verdict)
        verdict.largest = max(verdict.largest, size_of(Path(f"{queue}.d")))
    serving = threading.Thread(target=endpoint.serve_forever, daemon=True)
    serving.start()
    try:
        done = subprocess.run(
            [*command, "--deliver"], env=environment, check=True, capture_output=True, text=True, timeout=LIMIT
        )
    finally:
        endpoint.shutdown()
        endpoint.server_close()
    verdict.waiting = int(done.stdout)
    _judge(endpoint.events, verdict)
    return verdict


def _turn_on(
    command: list[str], environment: dict[str, str], first: int, readings: int, until: int, verdict: Verdict
) -> int:
    """Run the device from a reading on, and cut its power at another one; the reading to go on with."""
    arguments = ["--began", str(BEGAN), "--every", str(MINUTE), "--first", str(first), "--count", str(readings - first)]
    device = subprocess.Popen(
        [*command, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    guard = threading.Timer(LIMIT, device.kill)
    guard.start()
    number = first - 1
    try:
        for line in device.stdout or ():
            number = int(line)
            verdict.promised.append(number)
            if number == until and until < readings:
                device.kill()
                verdict.cuts += 1
        _, said = device.communicate()
    finally:
        guard.cancel()
    if device.returncode == 0:
        verdict.costs = said.splitlines()
        return readings
    if device.returncode > 0:
        raise RuntimeError(f"the device failed: {said}")
    return number + 2  # nobody knows of the one that was under way


def _judge(events: list[dict[str, Any]], verdict: Verdict) -> None:
    seen: set[str] = set()
    last = ""
    for event in events:
        if event["id"] in seen:
            verdict.doubled += 1
            continue
        seen.add(event["id"])
        if event["name"] == "reading":
            verdict.ordered = verdict.ordered and event["timestampUtc"] >= last
            last = event["timestampUtc"]
            verdict.arrived.append(event["data"]["number"])


def main() -> int:
    """A week; 0 if everything is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=WEEK)
    parser.add_argument("--cuts", type=int, default=12)
    parser.add_argument("--budget", type=int, default=16 * 2**20, help="bytes")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdict = live(Path(folder), readings=given.readings, cuts=given.cuts, budget=given.budget, seed=given.seed)
    print(f"seed {given.seed}: {len(verdict.promised):,} readings on disk, {verdict.cuts} power cuts")
    print(
        f"arrived {len(verdict.arrived):,}, lost {len(verdict.lost)}, again {verdict.doubled}, left {verdict.waiting}"
    )
    print(f"in order of time: {'yes' if verdict.ordered else 'no'}; the queue took {verdict.largest / 2**20:.1f} MiB")
    print("\n".join(verdict.costs))
    return 0 if verdict.ordered and not verdict.lost and not verdict.waiting else 1


if __name__ == "__main__":
    sys.exit(main())
