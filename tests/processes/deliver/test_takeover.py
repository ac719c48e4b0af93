"""``footspan deliver`` beside apps: taking over, giving back, standing by, ending."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from processes.deliver.acting import ask, end
from programs import until
from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from processes.deliver.acting import Stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def test_an_app_yields_to_a_deliverer_without_a_duplicate(stage: Stage) -> None:
    """Events flow all the while; the carrier changes in the middle, and every event arrives once."""
    app = stage.app()
    uids = ask(app, "track", 200)
    assert ask(app, "flush", 20) == {"otlp": 0}
    assert stage.carrying() == app.pid
    deliverer = stage.deliverer()
    deadline = time.monotonic() + 30
    while stage.carrying() != deliverer.pid and time.monotonic() < deadline:
        uids += ask(app, "track", 20)
        time.sleep(0.02)
    uids += ask(app, "track", 200)

    assert stage.carrying() == deliverer.pid
    assert until(lambda: sum(stage.arrived().values()) >= len(uids))
    assert stage.arrived() == Counter(uids)
    assert ask(app, "status")["destinations"]["otlp"]["here"] is False
    assert ask(app, "flush", 20) == {"otlp": 0}


def test_the_app_takes_over_when_the_deliverer_is_killed(stage: Stage) -> None:
    """Within two seconds of a SIGKILL the app delivers again, and only a batch in flight can arrive twice."""
    app = stage.app()
    uids = ask(app, "track", 1)
    deliverer = stage.deliverer()
    assert until(lambda: stage.carrying() == deliverer.pid, 30)
    uids += ask(app, "track", 50)
    assert until(lambda: set(stage.arrived()) == set(uids))
    deliverer.send_signal(signal.SIGKILL)
    deliverer.wait(20)
    killed = time.monotonic()
    uids += ask(app, "track", 50)
    assert until(lambda: set(stage.arrived()) == set(uids))

    assert time.monotonic() - killed < 2.0 + 1.0  # a second for a busy machine
    assert stage.carrying() == app.pid
    assert stage.arrived() == Counter(uids)


def test_sigterm_finishes_the_request_under_way(stage: Stage) -> None:
    """Its answer is read and noted, so that the successor repeats nothing; what waits is left to it."""
    app = stage.app(FOOTSPAN_COURIER="external")
    deliverer = stage.deliverer()
    assert until(lambda: stage.standing() == deliverer.pid, 30)
    stage.sink.faults.hang(2.0, times=1, stored=True)
    uids = ask(app, "track", 5)
    assert until(lambda: len(stage.sink.events) > 0)  # stored, and the answer is two seconds away
    uids += ask(app, "track", 5)
    deliverer.send_signal(signal.SIGTERM)
    code, seconds, err = end(deliverer)

    assert code == 0, err
    assert 0.5 < seconds
    assert len(stage.sink.requests) == 1
    assert stage.carrying() is None
    again = stage.deliverer("--once")
    assert end(again)[0] == 0
    assert stage.arrived() == Counter(uids)


def test_a_second_signal_ends_it_at_once(stage: Stage) -> None:
    """Whoever asks twice does not wait for a request."""
    app = stage.app(FOOTSPAN_COURIER="external")
    deliverer = stage.deliverer()
    assert until(lambda: stage.standing() == deliverer.pid, 30)
    stage.sink.faults.hang(30.0, times=1, stored=False)
    ask(app, "track", 1)
    assert until(lambda: stage.carrying() is not None and len(stage.sink.requests) > 0)
    deliverer.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert deliverer.poll() is None
    deliverer.send_signal(signal.SIGINT)
    code, seconds, _ = end(deliverer)

    assert code == -signal.SIGINT
    assert seconds < 5.0


def test_the_second_deliverer_stands_by(stage: Stage) -> None:
    """It says who delivers, with --once it leaves, and it takes over when the first one dies."""
    app = stage.app(FOOTSPAN_COURIER="external")
    uids = ask(app, "track", 3)
    first = stage.deliverer()
    assert until(lambda: stage.carrying() == first.pid, 30)
    once = stage.deliverer("--once")
    code, _, err = end(once)
    assert code == 3, err
    assert f"process {first.pid} " in err
    second = stage.deliverer("--quiet")
    time.sleep(1.0)
    assert second.poll() is None
    first.kill()
    first.wait(20)
    uids += ask(app, "track", 3)

    assert until(lambda: stage.carrying() == second.pid, 30)
    assert until(lambda: stage.arrived() == Counter(uids))


def test_a_deliverer_with_nothing_to_do_ends(stage: Stage) -> None:
    """--idle-exit counts from the last event, whatever apps still run."""
    app = stage.app(FOOTSPAN_COURIER="external")
    uids = ask(app, "track", 3)
    deliverer = stage.deliverer("--idle-exit", "0.7", "--json")
    assert deliverer.stdout is not None
    said = deliverer.stdout.read()

    assert deliverer.wait(20) == 0
    assert '"ended": "idle"' in said
    assert stage.arrived() == Counter(uids)


def test_an_app_keeps_what_the_deliverer_does_not_know(stage: Stage) -> None:
    """Destinations are given up one by one: the app goes on with those that only it has settings for."""
    with OtlpSink() as second:
        env = {"FOOTSPAN_DESTINATIONS_SECOND_TYPE": "otlp", "FOOTSPAN_DESTINATIONS_SECOND_ENDPOINT": second.url}
        app = stage.app(**env)
        uids = ask(app, "track", 10)
        assert ask(app, "flush", 20) == {"otlp": 0, "second": 0}
        deliverer = stage.deliverer()
        assert until(lambda: not ask(app, "status")["destinations"]["otlp"]["here"], 30)
        uids += ask(app, "track", 10)

        assert ask(app, "flush", 20) == {"otlp": 0, "second": 0}
        entries = ask(app, "status")["destinations"]
        assert entries["second"]["here"] is True
        assert entries["otlp"]["carrier"]["pid"] == deliverer.pid
        assert stage.arrived() == Counter(uids) == Counter(str(event["uid"]) for event in second.events)


def test_services_that_come_up_later_are_delivered_too(stage: Stage) -> None:
    """--all looks for new spools now and then."""
    deliverer = stage.deliverer("--all", "--quiet")
    app = stage.app(FOOTSPAN_COURIER="external")
    uids = ask(app, "track", 3)

    assert until(lambda: stage.arrived() == Counter(uids), 40)
    deliverer.send_signal(signal.SIGTERM)
    assert end(deliverer)[0] == 0


def test_a_terminal_shows_a_table(stage: Stage) -> None:
    """What waits, what was delivered and how fast, for each destination; drawn until the end."""
    app = stage.app(FOOTSPAN_COURIER="external")
    ask(app, "track", 300)
    controller, terminal = os.openpty()
    command = [sys.executable, "-m", "footspan", "deliver", "--idle-exit", "0.7"]
    with subprocess.Popen(command, env={**stage.env, "TERM": "xterm"}, stderr=terminal) as deliverer:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the other side is closed
            while select.select([controller], [], [], 40.0)[0] and (data := os.read(controller, 4096)):
                shown += data
        assert deliverer.wait(30) == 0
    os.close(controller)

    for word in (b"waiting", b"delivered", b"per second", b"shop: otlp", b" 300 "):
        assert word in shown
