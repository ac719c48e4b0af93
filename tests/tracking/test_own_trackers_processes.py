"""Own trackers in processes of their own: forks, exits, what is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from programs import run
from spooled import spooled

if TYPE_CHECKING:
    from servers.otlp import OtlpSink

pytestmark = pytest.mark.slow


def test_a_forked_child_tracks_on_with_the_same_objects(otlp_sink: OtlpSink) -> None:
    """In child and parent, each event once; a child makes and closes its own, too."""
    done = run(
        """
        import os, sys
        from footspan import Tracker
        at = {"otlp": {"endpoint": sys.argv[1]}}
        one, two = Tracker(service_name="one", destinations=at), Tracker(service_name="two", destinations=at)
        one.track("parent.before"); two.track("parent.before")
        child = os.fork()
        if not child:
            one.track("child"); two.track("child")
            with Tracker(service_name="three", destinations=at) as three:
                three.track("child")
            os._exit(0)
        os.waitpid(child, 0)
        one.track("parent.after"); two.track("parent.after")
        print(one.flush(20.0), two.flush(20.0))
        """,
        None,
        otlp_sink.url,
    )

    assert (done.returncode, done.stdout) == (0, "{'otlp': 0} {'otlp': 0}\n"), done.stderr
    stored = sorted((event.resource["service.name"], event.name) for event in spooled())
    assert stored == [
        ("one", "child"), ("one", "parent.after"), ("one", "parent.before"), ("three", "child"),
        ("two", "child"), ("two", "parent.after"), ("two", "parent.before"),
    ]  # fmt: skip
    assert len(otlp_sink.events) == len({event["uid"] for event in otlp_sink.events}) >= 6


def test_exit_delivers_for_all_of_them(otlp_sink: OtlpSink) -> None:
    """The process's own, those at hand, and those that were dropped a moment before."""
    done = run(
        """
        import atexit, sys
        import footspan
        at = {"otlp": {"endpoint": sys.argv[1]}}
        footspan.init(service_name="own", destinations=at, exit_timeout=20)
        kept = footspan.Tracker(service_name="kept", destinations=at, exit_timeout=20)
        dropped = footspan.Tracker(service_name="dropped", destinations=at, exit_timeout=20)
        footspan.track("x"); kept.track("x"); dropped.track("x")
        del dropped

        @atexit.register
        def late():
            kept.track("late")
        """,
        None,
        otlp_sink.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    arrived = {(event["resource"]["service.name"], event["name"]) for event in otlp_sink.events}
    assert arrived >= {("dropped", "x"), ("kept", "x"), ("own", "x")}
    assert len(spooled()) == 4


def test_one_made_at_exit_keeps_and_delivers(otlp_sink: OtlpSink) -> None:
    """Whoever tracks for the first time in a function at exit does so in time."""
    done = run(
        """
        import atexit, sys
        import footspan

        @atexit.register
        def late():
            global tracker
            tracker = footspan.Tracker(
                service_name="late", destinations={"otlp": {"endpoint": sys.argv[1]}}, exit_timeout=20
            )
            tracker.track("x")
        """,
        None,
        otlp_sink.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert [event.name for event in spooled()] == ["x"]
    assert [event["name"] for event in otlp_sink.events] == ["x"]


def test_sigterm_delivers_for_those_who_ask(otlp_sink: OtlpSink) -> None:
    """``flush_on_sigterm`` of an own tracker is heard without the process's pipeline asking for it."""
    done = run(
        """
        import os, signal, sys
        from footspan import Tracker
        tracker = Tracker(
            service_name="own", destinations={"otlp": {"endpoint": sys.argv[1]}}, exit_timeout=20, flush_on_sigterm=True
        )
        tracker.track("x")
        os.kill(os.getpid(), signal.SIGTERM)
        """,
        None,
        otlp_sink.url,
    )

    assert done.returncode == -15, done.stderr
    assert [event["name"] for event in otlp_sink.events] == ["x"]
