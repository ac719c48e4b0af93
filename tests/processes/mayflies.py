"""Very many very short processes: ``python -m processes.mayflies COUNT NOTES``.

A few at a time, forked without ``exec``; each tracks one event and leaves, most of them by ``os._exit``. Says at the
end, as JSON, how many files the spool ever had when looked at, and what ``flush`` returned.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import footspan

AT_ONCE = 4
LOOK_EVERY = 10


def files() -> int:
    """How many files the spool has."""
    return sum(len(names) for _, _, names in os.walk(os.environ["XDG_STATE_HOME"]))


def main() -> None:
    """Fork, and keep count."""
    count = int(sys.argv[1])
    notes = os.open(Path(sys.argv[2]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    footspan.init()
    os.write(notes, f"{footspan.track('parent.started')}\n".encode())
    running: set[int] = set()
    most = 0
    for number in range(count):
        if len(running) == AT_ONCE:
            pid, status = os.wait()
            running.remove(pid)
            assert status == 0
        pid = os.fork()
        if pid == 0:
            os.write(notes, f"{footspan.track('mayfly.lived', n=number)}\n".encode())
            if number % 8:
                os._exit(0)
            return
        running.add(pid)
        if number % LOOK_EVERY == 0:
            most = max(most, files())
    while running:
        pid, status = os.wait()
        running.remove(pid)
        assert status == 0
    print(json.dumps([most, footspan.flush(60)]))


if __name__ == "__main__":
    main()
