"""Tests for footspan.processors.context."""

from __future__ import annotations

import asyncio
import contextvars
import threading

from footspan import clear_context, context, set_context
from footspan import conventions as c
from footspan.emit import Draft
from footspan.processors.context import add_context, ambient, enter, leave
from footspan.processors.scopes import to_attributes


def test_fields_become_attributes() -> None:
    """Fields get their conventional names, lone referrers become lists, and None is left out."""
    attributes = to_attributes({"user_id": "u1", "referrer": "https://x.example/", "ip": None, "plan": "pro"})

    assert attributes == {
        c.USER_ID: "u1",
        c.HTTP_REQUEST_HEADER_REFERER: ["https://x.example/"],
        "plan": "pro",
    }


def test_an_event_keeps_what_it_says_itself() -> None:
    """The context fills gaps only."""
    draft = Draft("x", 1, 1, {c.USER_ID: "mine"})
    with context(user_id="ambient", session_id="s1"):
        add_context(draft)

    assert draft.attributes == {c.USER_ID: "mine", c.SESSION_ID: "s1"}


def test_scopes_nest_and_end() -> None:
    """An inner scope adds to the outer one and leaves it as it was."""
    with context(user_id="u1"):
        with context(session_id="s1"):
            assert ambient() == {c.USER_ID: "u1", c.SESSION_ID: "s1"}
        assert ambient() == {c.USER_ID: "u1"}
    assert ambient() == {}


def test_set_context_merges() -> None:
    """What a later call does not name stays."""
    set_context(user_id="u1")
    set_context(session_id="s1")

    assert ambient() == {c.USER_ID: "u1", c.SESSION_ID: "s1"}
    clear_context()
    assert ambient() == {}


def test_the_base_is_seen_by_every_thread() -> None:
    """Outside any scope, what is set holds for the whole process."""
    set_context(tag="blue")
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(dict(ambient())))
    thread.start()
    thread.join(5)

    assert seen == [{c.TAG: "blue"}]


def test_inside_a_scope_only_the_scope_changes() -> None:
    """A request's set_context is not seen by other threads, nor after the request."""
    seen: list[object] = []
    with context():
        set_context(user_id="u1")
        thread = threading.Thread(target=lambda: seen.append(dict(ambient())))
        thread.start()
        thread.join(5)
        assert ambient() == {c.USER_ID: "u1"}

    assert seen == [{}]
    assert ambient() == {}


def test_clearing_a_scope_keeps_the_base() -> None:
    """Clearing inside a scope forgets the scope's values only."""
    set_context(tag="blue")
    with context(user_id="u1"):
        clear_context()
        assert ambient() == {c.TAG: "blue"}


def test_coroutines_do_not_see_each_others_scope() -> None:
    """Two coroutines of one thread keep their users apart."""

    async def one(user: str) -> str:
        with context(user_id=user):
            await asyncio.sleep(0)
            return str(ambient()[c.USER_ID])

    async def both() -> list[str]:
        return list(await asyncio.gather(one("u1"), one("u2")))

    assert asyncio.run(both()) == ["u1", "u2"]


def test_a_scope_closed_elsewhere_does_not_raise() -> None:
    """A token that another context made (a streamed response) is no error."""
    token = contextvars.copy_context().run(enter, {"user_id": "u1"})
    leave(token)

    assert ambient() == {}
