"""Tests for footspan.compat.telemetry: an app of the telemetry module, with only its import changed."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import TYPE_CHECKING

import pytest

import footspan
from footspan.compat.telemetry import (
    EventCategory,
    Telemetry,
    track,
    track_duration,
    track_error,
    track_event,
    track_function,
)
from spooled import spooled

if TYPE_CHECKING:
    from pathlib import Path


def test_calls() -> None:
    """Both spellings of a call make events."""
    track("generation.started", model="flux-dev", user_id="user_123", credits_cost=10)
    track_event("button_click", {"button": "submit", "page": "/signup"})
    first, second = spooled()

    assert (first.name, first.attributes["user.id"], first.attributes["credits_cost"]) == (
        "generation.started",
        "user_123",
        10,
    )
    assert (second.name, second.attributes["page"]) == ("button_click", "/signup")


def test_context_is_added_until_it_is_cleared() -> None:
    """What is set through the instance is on every event from then on, and gone after clearing."""
    telemetry = Telemetry.get_instance()
    assert telemetry is Telemetry.get_instance()
    telemetry.set_context(user_id="u", session_id="s", request_id="r", hostname="myapp.example", path="/api/x")
    track("a.b", custom="v")
    telemetry.clear_context()
    track("c.d")
    first, second = spooled()
    attributes = first.attributes

    assert (attributes["user.id"], attributes["session.id"], attributes["footspan.request.id"]) == ("u", "s", "r")
    assert (attributes["server.address"], attributes["url.path"], attributes["custom"]) == (
        "myapp.example",
        "/api/x",
        "v",
    )
    assert set(second.attributes) == {"log.record.uid"}


def test_decorators() -> None:
    """The three decorators take what the document passes them."""

    @track_duration("api.generate")
    def generate() -> int:
        return 1

    @track_function("generate_image", model="flux")
    def image(prompt: str) -> str:
        return prompt

    @track_error("critical_function")
    def might_fail() -> None:
        raise RuntimeError("no")

    assert (generate(), image("x")) == (1, "x")
    with pytest.raises(RuntimeError, match="no"):
        might_fail()

    assert [event.name for event in spooled()] == [
        "api.generate.started",
        "api.generate.completed",
        "generate_image",
        "critical_function",
    ]


def test_categories() -> None:
    """The documented categories have their documented values."""
    names = ("USER", "GENERATION", "PAYMENT", "ERROR", "PERFORMANCE", "SYSTEM")

    assert [getattr(EventCategory, name) for name in names] == [name.lower() for name in names]


def test_the_calls_are_footspans_own() -> None:
    """Nothing lies between them and the hot path."""
    assert (track, track_event) == (footspan.track, footspan.track_event)
    assert (track_duration, track_function) == (footspan.track_duration, footspan.track_function)


def test_a_failure_has_its_event_and_stays_the_apps() -> None:
    """The timing decorator's ``.failed`` has what the document promises; the exception comes out as it went in."""
    error = ValueError("no image")

    @track_duration("api.generate")
    def generate() -> None:
        raise error

    with pytest.raises(ValueError, match="no image") as caught:
        generate()
    started, failed = spooled()

    assert caught.value is error
    assert (started.name, failed.name) == ("api.generate.started", "api.generate.failed")
    assert failed.attributes["error.type"] == "ValueError"
    assert "no image" in failed.attributes["exception.stacktrace"]
    assert isinstance(failed.attributes["footspan.duration_ms"], int)


def test_coroutines_are_timed_to_their_end_and_keep_their_users_apart() -> None:
    """What the module's code did not do: it called a coroutine completed before it ran, and mixed two users up."""
    telemetry = Telemetry.get_instance()
    first_is_in, second_is_in = asyncio.Event(), asyncio.Event()

    @track_duration("job")
    async def job(user: str, mine: asyncio.Event, other: asyncio.Event) -> None:
        telemetry.set_context(user_id=user)
        mine.set()
        await asyncio.wait_for(other.wait(), 10)
        track("job.step", user=user)

    async def both() -> None:
        await asyncio.gather(job("u1", first_is_in, second_is_in), job("u2", second_is_in, first_is_in))

    asyncio.run(both())
    events = spooled()
    steps = [event for event in events if event.name == "job.step"]

    assert [event.name for event in events][:2] == ["job.started"] * 2
    assert sorted(event.name for event in events)[:2] == ["job.completed"] * 2
    assert [event.attributes["user.id"] for event in steps] == [event.attributes["user"] for event in steps]
    assert {event.attributes["user"] for event in steps} == {"u1", "u2"}


def test_an_app_keeps_its_own_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line in the app's own ``shared/telemetry/__init__.py``, and no other file of it changes."""
    package = tmp_path / "shared" / "telemetry"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from footspan.compat.telemetry import *\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("shared", "shared.telemetry"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    try:
        module = importlib.import_module("shared.telemetry")
        module.track("generation.started")
    finally:
        for name in ("shared", "shared.telemetry"):
            sys.modules.pop(name, None)

    assert [event.name for event in spooled()] == ["generation.started"]
    assert module.Telemetry.get_instance() is Telemetry.get_instance()
    assert module.EventCategory is EventCategory


# -- what only the module's code had -----------------------------------------------------------------------------------


def test_the_context_can_be_read() -> None:
    """By the names that it was set with; the module's own fields are always there."""
    telemetry = Telemetry.get_instance()
    with telemetry.context(user_id="u1", ip_address="203.0.113.5", referrer="https://g.example/", plan="pro"):
        inside = telemetry.get_context()
        track("seen")
    seen = spooled()[0].attributes

    assert inside == {
        "user_id": "u1",
        "session_id": None,
        "request_id": None,
        "hostname": None,
        "path": None,
        "referrer": "https://g.example/",
        "user_agent": None,
        "ip_address": "203.0.113.5",
        "plan": "pro",
    }
    assert (seen["client.address"], seen["http.request.header.referer"]) == ("203.0.113.5", ["https://g.example/"])
    assert set(telemetry.get_context().values()) == {None}


def test_a_failure_can_be_swallowed() -> None:
    """``reraise=False``: the event, then ``None``, of a function and of a coroutine function."""

    @track_error("cache.failed", reraise=False)
    def read(key: str) -> str:
        return {"a": "1"}[key]

    @track_error("cache.failed", reraise=False, include_args=True)
    async def fetch(key: str) -> str:
        return {"a": "1"}[key]

    assert (read("a"), read("b")) == ("1", None)
    assert (asyncio.run(fetch("a")), asyncio.run(fetch("b"))) == ("1", None)
    assert read.__name__ == "read"
    first, second = spooled()
    assert (first.name, first.attributes["error.type"]) == ("cache.failed", "KeyError")
    assert second.attributes["arg_key"] == "b"


def test_a_swallowed_failure_is_never_the_end_of_the_program() -> None:
    """Ctrl-C and the like come out, and what is run in steps cannot be had this way."""

    @track_error("cache.failed", reraise=False)
    def read() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()
    with pytest.raises(TypeError, match="functions and coroutine functions only"):

        @track_error("rows.failed", reraise=False)
        def rows() -> object:
            yield 1


def test_tracking_can_be_switched_off_and_on() -> None:
    """In between nothing is recorded, by decorators neither."""
    telemetry = Telemetry.get_instance()
    work = track_function("work.done")(lambda: 1)
    telemetry.enable()
    telemetry.disable()
    telemetry.disable()
    assert (track("ui.x"), work()) == ("", 1)
    telemetry.enable()
    assert track("ui.y")
    assert work() == 1

    assert [event.name for event in spooled()] == ["ui.y", "work.done"]


def test_what_the_settings_switched_off_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """``enable`` takes back ``disable`` and nothing else."""
    monkeypatch.setenv("TELEMETRY_ENABLED", "false")
    telemetry = Telemetry.get_instance()
    track("ui.x")
    telemetry.disable()
    telemetry.enable()

    assert (track("ui.y"), spooled()) == ("", [])


def test_the_instance_has_every_call() -> None:
    """For code that holds the instance and nothing else."""
    telemetry = Telemetry.get_instance()
    telemetry.page_view("/home", title="Home")
    telemetry.identify("u1", plan="pro")
    telemetry.track_exception(ValueError("no"))

    assert [event.name for event in spooled()] == ["footspan.page_view", "footspan.identify", "exception"]
