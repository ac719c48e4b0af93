"""The end of an auto-instrumented process is bounded, whatever is dead, and spans have their share of it."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from serving import Served, umami_variables

if TYPE_CHECKING:
    from pathlib import Path

    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

pytestmark = pytest.mark.slow

SCRIPT = """
import time, footspan
from opentelemetry import trace

for number in range(50):
    with trace.get_tracer("script").start_as_current_span("work"):
        footspan.track("work.done", number=number)
print("ended", time.time(), flush=True)
"""
EXIT_TIMEOUT = 1.0
INTERPRETER = 0.5
"""Seconds that the interpreter itself may take to go, on a busy machine."""


def run(folder: Path, env: dict[str, str]) -> tuple[float, str]:
    """Run the script to its end; how long that took after its last line, and what it said."""
    (folder / "script.py").write_text(SCRIPT)
    script = Served(["python", "script.py"], folder, {"FOOTSPAN_EXIT_TIMEOUT": str(EXIT_TIMEOUT), **env})
    result = subprocess.run(
        script.command, cwd=folder, env=script.env, capture_output=True, text=True, timeout=60, check=True
    )
    [ended] = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("ended")]
    return time.time() - float(ended), result.stderr


@pytest.mark.parametrize("fault", ["refused", "hanging"])
def test_exit_is_bounded_when_everything_is_dead(
    fault: str, tmp_path: Path, otlp_sink: OtlpSink, umami_server: UmamiServer
) -> None:
    """Events and spans together take no longer than ``exit_timeout`` and half a second."""
    for server in (otlp_sink, umami_server):
        if fault == "refused":
            server.faults.down()
        else:
            server.faults.hang(30.0, times=100, stored=False)
    took, said = run(tmp_path, {**umami_variables(umami_server), "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_sink.url})

    assert took < EXIT_TIMEOUT + 0.5 + INTERPRETER, said


def test_a_short_script_delivers_its_spans_and_events_at_exit(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """Nobody flushes, everything arrives, and the process does not wait for its time to be over."""
    took, said = run(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp_sink.url})

    assert len(otlp_sink.events) == 50
    assert len(otlp_sink.spans) == 50
    assert {span["trace_id"] for span in otlp_sink.spans} == {event["trace_id"] for event in otlp_sink.events}
    assert took < EXIT_TIMEOUT + INTERPRETER, said
