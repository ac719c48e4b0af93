"""A process that is killed on the way of an event, and the next one of the service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import programs
from compat.opentrace.recordings import RESOLVE, Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from servers.http import Answer, RecordedRequest

KILLED = """
    import os, signal, sys, time
    from footspan.compat.opentrace import OpenTrace

    OpenTrace(sys.argv[1], "p").track_event("a", bot_param="code")
    deadline = time.monotonic() + 20
    while not os.path.exists(sys.argv[2]) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
"""

NEXT = """
    import sys
    from footspan.compat.opentrace import OpenTrace

    assert OpenTrace(sys.argv[1], "p").flush(30) == 0
"""


class Slow(Recorder):
    """Keeps the first look-up waiting, and tells of it in a file."""

    def __init__(self, told: Path) -> None:
        super().__init__()
        self.told = told

    def handle(self, request: RecordedRequest) -> Answer:
        if request.path.startswith(RESOLVE) and not self.told.exists():
            self.told.write_text("", encoding="utf-8")
            self.pause(10.0)
        return super().handle(request)


@pytest.mark.slow
def test_who_is_killed_while_a_code_is_looked_up_loses_nothing(tmp_path: Path) -> None:
    """Nothing was on its way yet, and the next process knows."""
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with Slow(tmp_path / "told") as server:
        killed = programs.run(KILLED, state, server.url, str(server.told))
        assert killed.returncode == -9, killed.stderr
        assert server.posted == []

        done = programs.run(NEXT, state, server.url)
        assert done.returncode == 0, done.stderr
        assert [json.loads(body)["name"] for body in server.bodies] == ["a"]
