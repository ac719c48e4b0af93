"""Tests for footspan.tracking.sessions: when a session starts and ends, and what is told of it."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import footspan
from footspan import ConfigurationError
from footspan import conventions as c
from footspan.tracking.sessions import Sessions
from spooled import Spooled, spooled

T0 = 1_800_000_000.0


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The sessions' clock."""
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    """Sessions with the defaults, recorded by the module functions' tracker."""
    footspan.init(service_name="shop", courier="external", destinations={"console": {"enabled": True}})
    return Sessions(clock=clock)


def told() -> list[tuple[str, str, float]]:
    """What was told: event name, session, seconds since the start of the test."""
    return [(each.name, str(each.attributes["session.id"]), seconds(each)) for each in spooled()]


def seconds(event: Spooled) -> float:
    """When an event happened, from the start of the test."""
    return round(int(event.record["timeUnixNano"]) / 1e9 - T0, 3)


def test_the_first_activity_starts_a_session(sessions: Sessions) -> None:
    """With the attributes of the semantic conventions, and the time of that activity."""
    session = sessions.touch("v1", {"plan": "pro", "utm_source": "news"})

    (start,) = spooled()
    assert start.name == "session.start"
    assert start.record["timeUnixNano"] == str(int(T0 * 1e9))
    assert (
        start.attributes.items()
        >= {
            "session.id": session.id,
            "enduser.pseudo.id": "v1",
            "plan": "pro",
            "footspan.utm.source": "news",
        }.items()
    )
    assert "session.previous_id" not in start.attributes
    assert (session.started, session.last_seen, session.previous_id) == (T0, T0, None)


def test_activity_within_the_time_out_goes_on(sessions: Sessions, clock: Clock) -> None:
    """Thirty minutes after the last one, not after the first; the time-out itself is not over it."""
    first = sessions.touch("v1")
    for _ in range(4):
        clock.now += 1800
        again = sessions.touch("v1")

    assert again.id == first.id
    assert (again.started, again.last_seen) == (T0, T0 + 7200)
    assert told() == [("session.start", first.id, 0.0)]


def test_a_time_out_ends_at_the_last_activity(sessions: Sessions, clock: Clock) -> None:
    """Seen by the next one, which starts a session that knows the one before."""
    first = sessions.touch("v1", {"plan": "pro"})
    clock.now += 60
    sessions.touch("v1")
    clock.now += 1801
    second = sessions.touch("v1")

    assert told() == [
        ("session.start", first.id, 0.0),
        ("session.end", first.id, 60.0),
        ("session.start", second.id, 1861.0),
    ]
    start, end, next_start = spooled()
    assert end.attributes.items() >= {"footspan.duration_ms": 60_000, "plan": "pro", "enduser.pseudo.id": "v1"}.items()
    assert next_start.attributes["session.previous_id"] == first.id == second.previous_id
    assert "plan" not in next_start.attributes
    assert "footspan.duration_ms" not in start.attributes


def test_a_session_does_not_last_for_ever(sessions: Sessions, clock: Clock) -> None:
    """What goes on for more than a day is another one."""
    first = sessions.touch("v1")
    for _ in range(49):
        clock.now += 1790
        last = sessions.touch("v1")

    assert last.previous_id == first.id
    assert [name for name, *_ in told()] == ["session.start", "session.end", "session.start"]


def test_any_visitors_activity_sees_the_time_outs_of_others(sessions: Sessions, clock: Clock) -> None:
    """Longest quiet first; who is active stays."""
    quiet, other = sessions.touch("quiet"), sessions.touch("other")
    clock.now += 1000
    sessions.touch("other")
    clock.now += 1000
    sessions.touch("new")

    assert ("session.end", quiet.id, 0.0) in told()
    assert sessions.get("quiet") is None
    assert sessions.get("other") is not None
    assert other.id not in [session for name, session, _ in told() if name == "session.end"]
    assert len(sessions) == 2


def test_a_sweep_sees_time_outs(sessions: Sessions, clock: Clock) -> None:
    """And says how many; what is open stays open."""
    first, second = sessions.touch("a"), sessions.touch("b")
    assert sessions.sweep() == 0
    clock.now += 1801

    assert sessions.get("a") is None
    assert sessions.sweep() == 2
    assert sessions.sweep() == 0
    assert told()[2:] == [("session.end", first.id, 0.0), ("session.end", second.id, 0.0)]


def test_a_session_can_be_ended(sessions: Sessions, clock: Clock) -> None:
    """At the time of the call; the next one is another."""
    first = sessions.touch("v1")
    clock.now += 5

    assert sessions.end_session("v1")
    assert not sessions.end_session("v1")
    assert not sessions.end_session("nobody")
    assert told()[-1] == ("session.end", first.id, 5.0)
    assert sessions.touch("v1").id != first.id


def test_ending_what_has_timed_out_ends_it_at_its_last_activity(sessions: Sessions, clock: Clock) -> None:
    """The call is no activity of that session."""
    first = sessions.touch("v1")
    clock.now += 7200
    sessions.end_session("v1")

    assert told()[-1] == ("session.end", first.id, 0.0)


def test_rotation_ends_and_starts(sessions: Sessions, clock: Clock) -> None:
    """Both at once, one the other's previous; without a session it just starts one."""
    first = sessions.touch("v1")
    clock.now += 5
    second = sessions.rotate("v1")

    assert second.previous_id == first.id
    assert told()[1:] == [("session.end", first.id, 5.0), ("session.start", second.id, 5.0)]
    assert sessions.rotate("v2").previous_id is None


def test_close_ends_all(sessions: Sessions, clock: Clock) -> None:
    """At their last activities."""
    first = sessions.touch("a")
    clock.now += 10
    second = sessions.touch("b")
    clock.now += 10
    sessions.close()

    assert told()[2:] == [("session.end", first.id, 0.0), ("session.end", second.id, 10.0)]
    assert len(sessions) == 0


def test_there_is_a_bound(clock: Clock) -> None:
    """The one that was quiet for longest ends, so that a flood of visitors costs no memory."""
    footspan.init(service_name="shop", courier="external", destinations={"console": {"enabled": True}})
    sessions = Sessions(max_visitors=2, clock=clock)
    sessions.touch("a")
    quiet = sessions.touch("b")
    sessions.touch("a")
    sessions.touch("c")

    assert len(sessions) == 2
    assert sessions.get("b") is None
    assert sessions.get("a") is not None
    assert [session for name, session, _ in told() if name == "session.end"] == [quiet.id]


@pytest.mark.parametrize(("back", "same"), [(60, True), (1800, True), (10_000, False)])
def test_a_clock_set_back_ends_little(sessions: Sessions, clock: Clock, back: int, same: bool) -> None:
    """By less than a time-out, nothing; the last activity never moves back."""
    first = sessions.touch("v1")
    clock.now -= back
    again = sessions.touch("v1")

    assert (again.id == first.id) is same
    if same:
        assert again.last_seen == T0


def test_an_end_says_nothing_of_the_request_that_saw_it(sessions: Sessions, clock: Clock) -> None:
    """Neither its context nor its trace; a start says both."""
    sessions.touch("v1")
    clock.now += 1801
    with (
        footspan.context(url="https://shop.example/later", user_id="somebody else"),
        TracerProvider().get_tracer("t").start_as_current_span("later") as span,
    ):
        sessions.touch("v2")

    _, end, start = spooled()
    assert "url.full" not in end.attributes
    assert "user.id" not in end.attributes
    assert "traceId" not in end.record
    assert start.attributes["url.full"] == "https://shop.example/later"
    assert start.record["traceId"] == trace.format_trace_id(span.get_span_context().trace_id)


def test_threads_share_one_session(sessions: Sessions) -> None:
    """Whoever comes first starts it, once."""
    start = threading.Barrier(8)
    found: list[Any] = []

    def visit() -> None:
        start.wait(30)
        found.extend(sessions.touch("v1").id for _ in range(20))

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(found) == 160
    assert len(set(found)) == 1
    assert [name for name, *_ in told()] == ["session.start"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_no_sessions_of_its_parents(clock: Clock) -> None:
    """Else both would end them. Neither does it wait for a lock that a thread of the parent holds."""
    sessions = Sessions(clock=clock)
    sessions._open["v1"] = (Sessions(clock=clock).touch("v1"), {})
    with sessions._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if len(sessions) == 0 and sessions._lock.acquire(blocking=False) else 1)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert len(sessions) == 1


def test_a_tracker_of_ones_own_records_them(clock: Clock) -> None:
    """Sessions of one product do not land in another's."""
    seen: list[tuple[str, dict[str, Any]]] = []

    class Recording(footspan.Tracker):
        def track_event(self, event_name: str, properties: Any = None) -> str:
            seen.append((event_name, dict(properties)))
            return ""

    session = Sessions(Recording(), clock=clock).touch("v1")

    assert [(name, event[c.SESSION_ID]) for name, event in seen] == [("session.start", session.id)]


@pytest.mark.parametrize("time", ["30m", -1, 0, float("nan"), None, True])
def test_a_time_that_is_none_is_refused_at_once(time: Any) -> None:
    """Not in the host's code, at a visitor's second activity."""
    with pytest.raises(ConfigurationError, match="idle_timeout"):
        Sessions(idle_timeout=time)
    with pytest.raises(ConfigurationError, match="max_length"):
        Sessions(max_length=time)
