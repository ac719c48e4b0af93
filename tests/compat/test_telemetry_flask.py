"""The telemetry module's patterns in a Flask app: around each request, by hand in a view, and by decorator."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from flask import Flask, Response, request

from footspan.compat.telemetry import Telemetry, track, track_duration
from spooled import Spooled, spooled

telemetry = Telemetry.get_instance()


@pytest.fixture
def app() -> Flask:
    """A picture service, written for the telemetry module."""
    app = Flask("pictures")

    @app.before_request
    def enter() -> None:
        telemetry.set_context(user_id=request.headers.get("X-User"), request_id=str(uuid.uuid4()), path=request.path)

    @app.after_request
    def leave(response: Response) -> Response:
        telemetry.clear_context()
        return response

    def draw(order: dict[str, Any]) -> str:
        if order.get("prompt") is None:
            raise LookupError("what shall I draw?")
        return str(order["prompt"]).upper()

    @app.post("/by-hand")
    def by_hand() -> dict[str, str]:
        track("generation.started", model=request.json.get("model", "default"))
        start = time.monotonic()
        try:
            picture = draw(request.json)
        except Exception as error:
            track("generation.failed", error=str(error), duration_ms=int((time.monotonic() - start) * 1000))
            raise
        track("generation.completed", duration_ms=int((time.monotonic() - start) * 1000), credits_used=10)
        return {"picture": picture}

    @app.post("/by-decorator")
    @track_duration("api.generate")
    def by_decorator() -> dict[str, str]:
        track("generation.params", model=request.json.get("model"))
        return {"picture": draw(request.json)}

    return app


def ask(app: Flask, path: str, user: str, **order: Any) -> int:
    """Order a picture; the answer's status."""
    return app.test_client().post(path, json=order, headers={"X-User": user}).status_code


def who(event: Spooled) -> tuple[str, Any, Any]:
    """An event, whose it is, and where it happened."""
    return event.name, event.attributes.get("user.id"), event.attributes.get("url.path")


@pytest.mark.parametrize(
    ("path", "ends"),
    [
        ("/by-hand", ["generation.started", "generation.completed", "generation.started", "generation.failed"]),
        (
            "/by-decorator",
            [
                "api.generate.started",
                "generation.params",
                "api.generate.completed",
                "api.generate.started",
                "generation.params",
                "api.generate.failed",
            ],
        ),
    ],
)
def test_each_request_is_told_with_its_user(app: Flask, path: str, ends: list[str]) -> None:
    """A request that works and one that fails; nothing of either is left behind."""
    assert (ask(app, path, "u1", prompt="a cat"), ask(app, path, "u2")) == (200, 500)
    track("between.requests")
    *events, between = spooled()
    half = len(ends) // 2

    assert [who(event) for event in events] == [(name, "u1" if n < half else "u2", path) for n, name in enumerate(ends)]
    assert len({event.attributes["footspan.request.id"] for event in events}) == 2
    assert between.attributes.keys() == {"log.record.uid"}


def test_the_failure_says_what_it_was(app: Flask) -> None:
    """In the words of the view, and in those of the decorator."""
    ask(app, "/by-hand", "u1")
    ask(app, "/by-decorator", "u1")
    failed = [event for event in spooled() if event.name.endswith(".failed")]

    assert failed[0].attributes["error"] == "what shall I draw?"
    assert failed[1].attributes["exception.message"] == "what shall I draw?"
    assert failed[1].attributes["error.type"] == "LookupError"
