"""Whole processes that are told to end."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from programs import run, start, until

if TYPE_CHECKING:
    from servers.otlp import OtlpSink

pytestmark = pytest.mark.slow

WAITS = """
    import sys, time, footspan
    {before}
    footspan.track("order.placed")
    footspan.flush(30)
    {after}
    for n in range(5):
        footspan.track("order.placed")
    print("ready", flush=True)
    time.sleep(60)
"""


def ended(source: str, sink: OtlpSink, **env: str) -> tuple[int, str]:
    """Start a program, stop it by SIGTERM once it is ready; its exit status and the rest of what it printed."""
    given = {
        "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": sink.url,
        "FOOTSPAN_DESTINATIONS_OTLP_BATCH_MAX_AGE": "30s",
        "FOOTSPAN_FLUSH_ON_SIGTERM": "true",
        "FOOTSPAN_EXIT_TIMEOUT": "20",
        **env,
    }
    process = start(source, given)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert "Traceback" not in err, err
    return process.returncode, out


def program(before: str = "", after: str = "") -> str:
    """A program that tracks and waits for its end."""
    return WAITS.format(before=before, after=after)


def test_what_waits_is_delivered_and_the_status_is_the_signals(otlp_sink: OtlpSink) -> None:
    """Though the destination would have waited half a minute for a fuller batch."""
    status, _ = ended(program(), otlp_sink)
    assert status == -signal.SIGTERM
    assert len(otlp_sink.events) == 6


def test_without_the_setting_sigterm_ends_the_process_at_once(otlp_sink: OtlpSink) -> None:
    """The events are on disk; the next process delivers them."""
    env = {"FOOTSPAN_FLUSH_ON_SIGTERM": "false", "OTEL_SERVICE_NAME": "shop"}
    # For a second after a flush carriers go on hurrying.
    status, _ = ended(program(after="time.sleep(1.5)"), otlp_sink, **env)
    assert status == -signal.SIGTERM
    assert len(otlp_sink.events) == 1
    env["FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT"] = otlp_sink.url
    assert run("import footspan; footspan.init(); print(footspan.flush(30))", env).stdout.strip() == "{'otlp': 0}"
    assert len(otlp_sink.events) == 6


def test_a_handler_of_the_programs_is_called_afterwards(otlp_sink: OtlpSink) -> None:
    """Whichever way it ends the process, by ``os._exit`` too."""
    before = "import os, signal; signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), os._exit(5)))"
    status, out = ended(program(before), otlp_sink)
    assert (status, out) == (5, "bye\n")
    assert len(otlp_sink.events) == 6


def test_an_asyncio_loops_handler_is_called_too(otlp_sink: OtlpSink) -> None:
    """The loop learns of the signal by its wake-up descriptor, after the flush."""
    source = """
    import asyncio, signal, footspan
    async def main():
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        for n in range(6):
            footspan.track("order.placed")
        print("ready", flush=True)
        await asyncio.wait_for(stop.wait(), 60)
        print("stopped", flush=True)
    asyncio.run(main())
    """
    status, out = ended(source, otlp_sink)
    assert (status, out) == (0, "stopped\n")
    assert len(otlp_sink.events) == 6


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_wherever_the_signal_comes_the_process_ends(durability: str, otlp_sink: OtlpSink) -> None:
    """In the middle of ``track``, of ``flush``, of logging: no lock of ours makes it wait for itself."""
    source = """
    import logging, footspan
    footspan.init()
    logging.basicConfig(filename="/dev/null", level=logging.INFO)
    footspan.track("first")
    print("ready", flush=True)
    while True:
        footspan.track("busy")
        logging.getLogger().info("busy")
        footspan.flush(0.01)
        footspan.status()
    """
    for _ in range(5):
        env = {"FOOTSPAN_SPOOL_DURABILITY": durability, "FOOTSPAN_EXIT_TIMEOUT": "2"}
        status, _out = ended(source, otlp_sink, **env)
        assert status == -signal.SIGTERM


def test_a_flush_in_a_forked_child_waits_for_its_parents_carrier(otlp_sink: OtlpSink) -> None:
    """And is told the truth."""
    source = """
    import os, sys, footspan
    footspan.init()
    footspan.track("parent")
    footspan.flush(30)
    child = os.fork()
    if not child:
        footspan.track("child")
        left = footspan.flush(30)
        os.write(1, repr(left).encode())
        os._exit(0)
    os.waitpid(child, 0)
    """
    result = run(source, {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": otlp_sink.url})
    assert result.stdout == "{'otlp': 0}", result.stderr
    assert {event["name"] for event in otlp_sink.events} == {"parent", "child"}


def test_another_process_has_the_carrier_hurry(otlp_sink: OtlpSink) -> None:
    """The carrier is in a pause of four seconds or more; ``flush`` elsewhere ends it."""
    env = {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": otlp_sink.url, "OTEL_SERVICE_NAME": "shop"}
    otlp_sink.faults.answer(401, times=1)
    carrier = start("import sys, footspan; footspan.track('first'); sys.stdin.read()", env)
    try:
        assert until(lambda: len(otlp_sink.requests) == 1)
        result = run(
            """
            import time, footspan
            footspan.init()
            began = time.monotonic()
            left = footspan.flush(30)
            print(left, time.monotonic() - began < 3.5)
            """,
            env,
        )
        assert result.stdout.strip() == "{'otlp': 0} True", result.stderr
    finally:
        carrier.kill()
        carrier.communicate()
