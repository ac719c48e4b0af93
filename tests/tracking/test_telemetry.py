"""Tests for footspan.Telemetry: the document's calls on one object."""

from __future__ import annotations

import threading

import pytest

import footspan
from footspan import Telemetry
from footspan import conventions as c
from footspan.processors.context import ambient
from spooled import spooled


def test_there_is_one() -> None:
    """Whoever asks, in whatever thread, gets the same."""
    found: list[Telemetry] = []
    threads = [threading.Thread(target=lambda: found.append(Telemetry.get_instance())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(found) == 8
    assert {id(each) for each in found} == {id(Telemetry.get_instance())}


def test_its_context_is_the_modules() -> None:
    """Both ways of saying it are one."""
    telemetry = Telemetry.get_instance()
    telemetry.set_context(user_id="u1")
    footspan.set_context(session_id="s1")
    assert ambient() == {c.USER_ID: "u1", c.SESSION_ID: "s1"}

    with telemetry.context(user_id="u2"):
        assert ambient() == {c.USER_ID: "u2", c.SESSION_ID: "s1"}
    telemetry.clear_context()
    assert ambient() == {}


def test_setting_adds_to_what_was_set() -> None:
    """A later call wipes nothing, and a block keeps what lies around it."""
    telemetry = Telemetry.get_instance()
    with footspan.context():
        telemetry.set_context(user_id="u1", session_id="s1")
        telemetry.set_context(path="/x")
        with telemetry.context(request_id="r1"):
            telemetry.track("ui.a")
        telemetry.track_event("ui.b", {"n": 1})
    first, second = spooled()
    before = {c.USER_ID: "u1", c.SESSION_ID: "s1", c.URL_PATH: "/x"}

    assert {key: first.attributes.get(key) for key in (*before, c.REQUEST_ID)} == {**before, c.REQUEST_ID: "r1"}
    assert {key: second.attributes.get(key) for key in (*before, c.REQUEST_ID)} == {**before, c.REQUEST_ID: None}


@pytest.mark.parametrize("known", [False, True])
def test_after_a_log_out_no_event_names_the_user(known: bool) -> None:
    """Whatever road the event takes: a kind that was never seen, or one that has been written before."""
    with footspan.context():
        Telemetry.get_instance().set_context(user_id="old", session_id="s1")
        for _ in range(4 if known else 1):
            footspan.track("page.seen", n=1)
        Telemetry.get_instance().set_context(user_id=None)
        footspan.track("page.seen", n=1)
    *before, last = spooled()

    assert {each.attributes.get(c.USER_ID) for each in before} == {"old"}
    assert c.USER_ID not in last.attributes
    assert last.attributes[c.SESSION_ID] == "s1"
