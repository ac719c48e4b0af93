"""Processes that live for one event."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processes.mayflies import AT_ONCE
from processes.sinks import TESTS

if TYPE_CHECKING:
    from servers.otlp import OtlpSink


COUNT = 60


@pytest.mark.slow
def test_as_many_files_as_ran_at_once(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """However many ran in all; every event arrives, and a look at the folder stays a look at a few names.

    Ten thousand of them, at a lower level, are among the spool's own tests.
    """
    notes = tmp_path / "notes"
    result = subprocess.run(
        [sys.executable, "-m", "processes.mayflies", str(COUNT), notes],
        env={**os.environ, "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": otlp_sink.url, "OTEL_SERVICE_NAME": "shop"},
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    most, left = json.loads(result.stdout)
    uids = notes.read_text().split()
    assert (len(uids), left) == (COUNT + 1, {"otlp": 0})
    assert Counter(event["uid"] for event in otlp_sink.events) == Counter(uids)
    events = [path.name for path in Path(os.environ["XDG_STATE_HOME"]).glob("footspan/shop/events/*")]
    writers = {name.split("-")[1].split(".")[0] for name in events}
    # The parent and those beside it; one more of each where one had left and was not yet waited for.
    assert len(writers) <= 2 * (AT_ONCE + 1)
    # Per writer a segment or two, a lock and counters; the rest of the spool is a dozen files.
    assert most <= 4 * 2 * (AT_ONCE + 1) + 20
