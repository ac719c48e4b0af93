"""Tests for footspan.processors.context."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from footspan import clear_context, context, set_context
from footspan import conventions as c
from footspan.emit import Draft
from footspan.processors.context import add_context, ambient, enter, leave
from footspan.processors.scopes import to_attributes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


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


# -- taking away -------------------------------------------------------------------------------------------------------


def test_none_takes_a_value_away() -> None:
    """Who logs out is not named by the next event, wherever the value was set."""
    set_context(user_id="u1", tag="blue")
    set_context(user_id=None)
    assert ambient() == {c.TAG: "blue"}

    with context(user_id="u1"):
        set_context(user_id=None)
        assert ambient() == {c.TAG: "blue"}


def test_none_in_a_scope_hides_what_the_base_says() -> None:
    """The base is the process's and stays as it is; this scope's events do not bear it."""
    set_context(user_id="machine", tag="blue")
    with context(user_id=None):
        assert ambient() == {c.TAG: "blue"}
        set_context(user_id="u1")
        assert ambient() == {c.TAG: "blue", c.USER_ID: "u1"}
    assert ambient() == {c.USER_ID: "machine", c.TAG: "blue"}


def test_none_in_a_scope_holds_for_a_base_that_comes_later() -> None:
    """What was taken away here stays away, whatever another thread sets for the process."""
    with context(user_id=None):
        thread = threading.Thread(target=functools.partial(set_context, user_id="machine", tag="blue"))
        thread.start()
        thread.join(5)
        assert ambient() == {c.TAG: "blue"}
    assert ambient() == {c.USER_ID: "machine", c.TAG: "blue"}


def test_none_holds_in_scopes_inside() -> None:
    """A scope that says nothing but what is not there has something to hand down."""
    set_context(user_id="machine")
    with context(user_id=None), context(session_id="s1"), context():
        set_context(tag="blue")
        assert ambient() == {c.SESSION_ID: "s1", c.TAG: "blue"}


def test_clearing_takes_back_what_was_taken_away() -> None:
    """After clearing, a scope is as new."""
    set_context(user_id="machine")
    with context(user_id=None):
        clear_context()
        assert ambient() == {c.USER_ID: "machine"}


def test_an_attribute_name_and_its_keyword_are_one() -> None:
    """A value set by either can be taken away by either."""
    set_context(**{"user.id": "u1"})
    set_context(user_id=None)
    assert ambient() == {}

    set_context(user_id="u1")
    set_context(**{"user.id": None})
    assert ambient() == {}


# -- opening and closing -----------------------------------------------------------------------------------------------


def test_a_scope_ends_when_its_block_fails() -> None:
    """Whatever is raised, the values before are back."""

    def failing() -> None:
        with context(user_id="u1"):
            set_context(session_id="s1")
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert ambient() == {}


def test_it_refuses_generator_functions() -> None:
    """Their work begins when the call is over, so that no event of it would have borne the context, in silence."""

    def rows() -> Iterator[int]:
        yield 1

    async def pages() -> AsyncIterator[int]:
        yield 1

    for function in (rows, pages):
        with pytest.raises(TypeError, match="generator function"):
            context(user_id="u1")(function)


def test_it_decorates_functions_and_coroutine_functions() -> None:
    """Each call has a scope of its own."""

    @context(user_id="u1")
    def function() -> dict[str, Any]:
        set_context(n=1)
        return dict(ambient())

    @context(user_id="u2")
    async def coroutine() -> dict[str, Any]:
        await asyncio.sleep(0)
        return dict(ambient())

    assert function() == {c.USER_ID: "u1", "n": 1}
    assert asyncio.run(coroutine()) == {c.USER_ID: "u2"}
    assert function.__name__ == "function"
    assert ambient() == {}


def test_closing_an_outer_scope_closes_those_inside() -> None:
    """What somebody forgot to close does not outlive the block around it."""
    with context(user_id="u1"):
        context(session_id="forgotten").__enter__()
        assert ambient() == {c.USER_ID: "u1", c.SESSION_ID: "forgotten"}
    assert ambient() == {}


def test_closing_a_scope_elsewhere_leaves_what_is_open_there() -> None:
    """A stream of another request that is closed late here takes nobody's user away."""
    other = contextvars.copy_context().run(enter, {"user_id": "other"})
    with context(user_id="mine"):
        leave(other)
        assert ambient() == {c.USER_ID: "mine"}


def test_closing_twice_is_closing_once() -> None:
    """A second call finds nothing of its own."""
    with context(user_id="u1"):
        scope = enter({"session_id": "s1"})
        leave(scope)
        leave(scope)
        assert ambient() == {c.USER_ID: "u1"}


def test_a_scope_can_be_closed_in_a_copy_of_its_context() -> None:
    """A task that was started inside it goes back to what lay before."""
    with context(user_id="u1"):
        scope = enter({"session_id": "s1"})

        def close() -> dict[str, Any]:
            leave(scope)
            return dict(ambient())

        assert contextvars.copy_context().run(close) == {c.USER_ID: "u1"}
        assert ambient() == {c.USER_ID: "u1", c.SESSION_ID: "s1"}
        leave(scope)


def test_values_once_read_never_change() -> None:
    """Written forms are kept with them, so every change makes others."""
    set_context(tag="blue")
    with context(user_id="u1"):
        before = ambient()
        copy = dict(before)
        assert ambient() is before
        set_context(user_id="u2")
        clear_context()
        assert before == copy
        assert ambient() is not before


def test_an_empty_scope_shares_the_bases_values() -> None:
    """Requests about nobody do not write the base anew, each for itself."""
    set_context(tag="blue")
    base = ambient()
    with context():
        assert ambient() is base
