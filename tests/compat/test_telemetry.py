"""Tests for footspan.compat.telemetry: an app of the telemetry module, with only its import changed."""

from __future__ import annotations

import pytest

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
