"""Writers that are killed at random moments and started again until each of them has written all it was told to.

As a program: ``python -m processes.ring FOLDER WRITERS EVENTS KILLS SEED``. Every writer is a process forked from this
one, which has everything loaded and nothing started. What its ``track()`` returned it notes in a file of its own, by
one ``write`` on an ``O_APPEND`` descriptor, before it goes on: that file is the truth, whatever kills the writer.
Deaths are spread over the work. Every second victim is whoever carries. Says at the end, as JSON, how many of each
were killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import requests  # noqa: F401 - loaded here once, rather than in each writer

import footspan
import footspan.delivery
import footspan.pipeline
import footspan.spool.disk

LIMIT = 120.0
"""Seconds after which everything is given up."""


def write(name: str, events: int, notes: Path) -> None:
    """One writer's life: go on where its predecessor was killed."""
    descriptor = os.open(notes, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    for number in range(noted(notes), events):
        uid = footspan.track("order.placed", writer=name, n=number, text="x" * 100)
        os.write(descriptor, f"{uid}\n".encode())
        if number % 2:
            time.sleep(0.001)


def noted(notes: Path) -> int:
    """How many events a writer has noted."""
    return notes.read_bytes().count(b"\n") if notes.exists() else 0


def carriers() -> set[int]:
    """The process ids in the heartbeats of those who carry."""
    found = set()
    for state in Path(os.environ["XDG_STATE_HOME"]).glob("footspan/*/destinations/*/state.json"):
        with contextlib.suppress(OSError, ValueError):
            found.add(int(json.loads(state.read_bytes())["pid"]))
    return found


class Ring:
    """The writers that run, those that should, and when the next one dies.

    Args:
        folder: Where they keep their notes.
        writers: How many there are.
        events: How many events each one writes.
        kills: How many deaths there will be.
        seed: Makes the same choices again.
    """

    def __init__(self, folder: Path, writers: int, events: int, kills: int, seed: int) -> None:
        self.folder = folder
        self.events = events
        self.chance = random.Random(seed)
        self.running: dict[int, str] = {}
        self.missing = [f"w{number}" for number in range(writers)]
        self.moments = sorted(self.chance.uniform(0.0, writers * events * 0.9) for _ in range(kills))
        self.killed = {"writers": 0, "carriers": 0}

    def start(self) -> bool:
        """Start the writers that are missing; true in each of them."""
        while self.missing:
            name = self.missing.pop()
            pid = os.fork()
            if pid == 0:
                write(name, self.events, self.folder / name)
                return True
            self.running[pid] = name
        return False

    def kill(self) -> None:
        """Kill somebody if it is time."""
        if not self.moments or sum(noted(notes) for notes in self.folder.iterdir()) < self.moments[0]:
            return
        kind = "carriers" if len(self.moments) % 2 == 0 else "writers"
        victims = carriers() & self.running.keys() if kind == "carriers" else self.running.keys()
        if victims:
            os.kill(self.chance.choice(sorted(victims)), signal.SIGKILL)
            self.killed[kind] += 1
            self.moments.pop(0)

    def reap(self) -> bool:
        """See who has ended, and how; whether anybody had."""
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            name = self.running.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            if code == -signal.SIGKILL:
                self.missing.append(name)
            elif code:
                raise SystemExit(f"a writer ended with {code}")
        return bool(pid)


def main() -> None:
    """Fork, kill and fork again."""
    ring = Ring(Path(sys.argv[1]), *map(int, sys.argv[2:6]))
    deadline = time.monotonic() + LIMIT
    while ring.running or ring.missing:
        if ring.start():
            return  # a writer: it ends as any program does, exit handlers included
        ring.kill()
        if not ring.reap():
            time.sleep(0.01)
        if time.monotonic() > deadline:
            for pid in ring.running:
                os.kill(pid, signal.SIGKILL)
            raise SystemExit("the writers did not come to an end")
    print(json.dumps(ring.killed))


if __name__ == "__main__":
    main()
