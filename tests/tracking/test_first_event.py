"""The first event starts the pipeline: from any thread, from many at once, and when the interpreter already ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest

import footspan
from footspan.pipeline import state as state_of_pipeline
from spooled import spooled


@pytest.mark.parametrize(
    "late",
    [
        "threading.Thread(target=lambda: (time.sleep(0.2), footspan.track('late'))).start()",
        "atexit.register(footspan.track, 'late')",
        "atexit.register(lambda: (footspan.init(), footspan.track('late')))",
    ],
)
def test_the_first_event_may_come_after_the_main_thread_has_ended(late: str) -> None:
    """A thread that outlives the main one, or a function at exit, may be the first to track anything."""
    program = f"import atexit, threading, time, footspan\n{late}\n"
    command = [sys.executable, "-W", "error", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert "failed" not in ended.stderr
    assert [event.name for event in spooled()] == ["late"]


def test_first_events_of_many_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one thread starts the pipeline, the others' first events wait for it and are kept."""
    attach, attaching = state_of_pipeline.attach, threading.Event()

    def slowly(provider: Any) -> None:
        attaching.set()
        time.sleep(0.2)
        attach(provider)

    monkeypatch.setattr(state_of_pipeline, "attach", slowly)
    first = threading.Thread(target=footspan.track, args=("first",))
    first.start()
    assert attaching.wait(10)
    assert footspan.track("second")
    first.join(10)

    assert sorted(event.name for event in spooled()) == ["first", "second"]


def test_a_first_event_at_exit_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody need run the program again for it to arrive."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_CONSOLE_ENABLED", "true")
    program = "import atexit, footspan; atexit.register(footspan.track, 'late')"
    command = [sys.executable, "-W", "error", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert ended.stderr.endswith(" late\n")
