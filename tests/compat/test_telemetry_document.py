"""The telemetry module's own document, run block by block with only the import changed.

The document is no part of this project: ``FOOTSPAN_SEED_DOCS`` names the folder that holds it, and the tests are
skipped without. Every call of it has a test in our own words in ``test_telemetry.py`` and ``test_telemetry_flask.py``
as well.
"""

from __future__ import annotations

import functools
import os
import re
import textwrap
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from flask import Flask, request

import footspan
from footspan.compat import telemetry as module
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.umami import UmamiServer

FOLDER: Final = os.environ.get("FOOTSPAN_SEED_DOCS", "")
DOCUMENT: Final = Path(FOLDER, "telemetry-module.md")
pytestmark = pytest.mark.skipif(
    not FOLDER or not DOCUMENT.is_file(),
    reason="FOOTSPAN_SEED_DOCS names no folder with telemetry-module.md",
)

_BLOCK: Final = re.compile(r"^```(\w+)\r?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_IMPORT: Final = re.compile(r"^from shared\.telemetry import", re.MULTILINE)


@functools.cache
def blocks(language: str) -> list[str]:
    """The document's blocks of a language. Its bytes are broken in places: none of them in a block of code."""
    text = DOCUMENT.read_text(encoding="utf-8", errors="replace")
    return [textwrap.dedent(code) for found, code in _BLOCK.findall(text) if found == language]


class App:
    """What the blocks take for granted: an app, who asks, and work to be done. Each block has an app of its own."""

    def __init__(self) -> None:
        self.fails = False
        self.names: dict[str, Any] = {
            **{name: getattr(module, name) for name in module.__all__},
            "__name__": "app.services",
            "do_generation": self.generate,
            "get_current_user": lambda: {"id": "user_123"},
            "get_current_user_id": lambda: "user_123",
            "request": request,
            "require_auth": self.guarded,
            "result": "an image",
            "time": time,
            "uuid": uuid,
        }

    def run(self, code: str) -> Flask:
        """Run a block."""
        self.names["app"] = app = Flask("app")
        exec(_IMPORT.sub("from footspan.compat.telemetry import", code), self.names)
        return app

    def generate(self, data: dict[str, Any]) -> dict[str, Any]:
        """The work."""
        if self.fails:
            raise RuntimeError("no image today")
        return {"prompt": data.get("prompt")}

    @staticmethod
    def guarded(view: Callable[..., Any]) -> Callable[..., Any]:
        """An app's own decorator, as they are written."""

        @functools.wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs)

        return wrapper


def post(app: Flask) -> int:
    """Call the page of a block; its status."""
    return app.test_client().post("/api/generate", json={"model": "flux", "prompt": "a cat"}).status_code


def names() -> list[str]:
    """The names of the events recorded so far."""
    return [event.name for event in spooled()]


def test_the_document_is_the_one_that_is_known() -> None:
    """The blocks below are found by their place, and all of them are tried."""
    assert (len(blocks("python")), len(blocks("yaml")), len(blocks("bash"))) == (11, 1, 1)


def test_calls_and_decorators() -> None:
    """From the first block to the decorators, in one namespace."""
    app = App()
    called = [("generate_image", "a cat"), None, None, ("generate",), ("generate", "a cat"), ("might_fail",)]
    for code, call in zip(blocks("python"), called, strict=False):
        app.run(code)
        if call is not None:
            app.names[call[0]](*call[1:])

    assert names() == [
        "generation.started",
        "generation.started",
        "generation.completed",
        "generation.started",
        "checkout.completed",
        "button_click",
        "api.generate.started",
        "api.generate.completed",
        "generate_image",
    ]


def test_context_and_the_flask_pattern() -> None:
    """Set, borne, cleared; then around each request of an app."""
    app = App()
    app.run(blocks("python")[6])
    flask = app.run(blocks("python")[7])
    flask.add_url_rule("/", view_func=lambda: footspan.track("seen"))
    flask.test_client().get("/")
    footspan.track("after")
    first, seen, after = spooled()

    said = ("user.id", "session.id", "footspan.request.id", "server.address", "url.path", "custom_prop")
    assert [first.attributes[name] for name in said] == [
        "user_123",
        "sess_456",
        "req_789",
        "myapp.com",
        "/api/generate",
        "value",
    ]
    assert (seen.attributes["user.id"], seen.attributes["url.path"]) == ("user_123", "/")
    assert str(uuid.UUID(seen.attributes["footspan.request.id"])) == seen.attributes["footspan.request.id"]
    assert after.attributes.keys() == {"log.record.uid"}


def test_categories() -> None:
    """The class that the document shows has the values of the one that it imports."""
    app = App()
    app.run(blocks("python")[8])
    shown = {name: value for name, value in vars(app.names["EventCategory"]).items() if name.isupper()}

    assert shown == {name: getattr(module.EventCategory, name) for name in shown}
    assert len(shown) == 6


@pytest.mark.parametrize("fails", [False, True])
def test_the_endpoint_by_hand(fails: bool) -> None:
    """A start and its end, with what each says; the app's error stays the app's."""
    app = App()
    flask = app.run(blocks("python")[9])
    app.fails = fails

    assert post(flask) == (500 if fails else 200)
    started, ended = spooled()
    assert (started.name, started.attributes["model"]) == ("generation.started", "flux")
    assert ended.name == ("generation.failed" if fails else "generation.completed")
    assert {event.attributes["user.id"] for event in (started, ended)} == {"user_123"}
    assert isinstance(ended.attributes["duration_ms"], int)


@pytest.mark.parametrize("fails", [False, True])
def test_the_endpoint_by_decorator(fails: bool) -> None:
    """The same with the decorator, below the app's own."""
    app = App()
    flask = app.run(blocks("python")[10])
    app.fails = fails

    assert post(flask) == (500 if fails else 200)
    assert names() == [
        "api.generate.started",
        "generation.params",
        "api.generate.failed" if fails else "api.generate.completed",
    ]


def test_settings_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, umami_server: UmamiServer
) -> None:
    """The file as it stands, the variables as they stand, and the one thing that neither says: where Umami is."""
    file = tmp_path / "config.yaml"
    file.write_text(blocks("yaml")[0], encoding="utf-8")
    for line in blocks("bash")[0].split():
        monkeypatch.setenv(*line.split("=", 1))
    monkeypatch.setenv("FOOTSPAN_CONFIG", str(file))
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_URL", umami_server.url)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE", umami_server.website)
    with caplog.at_level("INFO"):
        for name in ("user.login", "generation.started", "payment.made", "error.api", "system.started"):
            footspan.track(name)

    assert footspan.flush(20) == {"umami": 0}
    assert [row["event_name"] for row in umami_server.events()] == ["user.login", "generation.started", "payment.made"]
    assert ["error.api" in caplog.text, "system.started" in caplog.text, "user.login" in caplog.text] == [
        True,
        True,
        False,
    ]
