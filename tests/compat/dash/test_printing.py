"""Development: neither an endpoint nor a repository, so events are lines on standard output."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import footspan
from compat.dash.apps import shared
from compat.dash.recorded import PORT, recording
from footspan.compat.dash_user_tracker import Tracker

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from servers.otlp import OtlpSink

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}


def visit(app: Any) -> None:
    """One page."""
    assert app.server.test_client().get("/", headers=BROWSER, base_url=f"http://127.0.0.1:{PORT}").status_code == 200


def test_each_event_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """As it was recorded; nothing else is printed, and there is nothing to be asked."""
    app = shared()
    tracker = Tracker(app)
    visit(app)
    visit(app)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    moment = json.loads(lines[0])["timestamp"]
    (recorded,) = recording("page_load_print_mode")["stdout"]
    assert lines[0] == recorded.replace("{TIMESTAMP}", moment)
    assert tracker.analytics is tracker.repository is None
    assert (tracker.flush(), tracker.status()) == (0, {"counts": {}})
    assert footspan.status() == {}


def test_the_process_gets_them_too(otlp_sink: OtlpSink, capsys: pytest.CaptureFixture[str]) -> None:
    """As standard events, where it has destinations."""
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url}})
    app = shared()
    tracker = Tracker(app, user_provider=lambda: {"id": "u1", "team": "x"})
    visit(app)
    assert footspan.flush(20) == {"otlp": 0}
    (event,) = otlp_sink.events
    assert event["name"] == "footspan.page_view"
    assert (event["attributes"]["user.id"], event["attributes"]["team"]) == ("u1", "x")
    assert event["attributes"]["url.full"] == f"http://127.0.0.1:{PORT}/"
    printed = json.loads(capsys.readouterr().out)["data"]
    assert (printed["user_id"], printed["id"], printed["team"]) == ("u1", "u1", "x")
    del tracker


def test_what_nobody_agreed_to_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A container's log is a place like others; it is counted."""
    monkeypatch.setenv("FOOTSPAN_PRIVACY_CONSENT", "opt_in")
    app = shared()
    tracker = Tracker(app)
    visit(app)
    assert capsys.readouterr().out == ""
    assert tracker.status() == {"counts": {"no_consent": 1}}
    with footspan.context(consent=["analytics"]):
        visit(app)
    (printed,) = capsys.readouterr().out.splitlines()
    assert "consent" not in printed


def test_the_policy_holds_for_what_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The one of the settings, not the default."""
    policy = tmp_path / "privacy.yaml"
    policy.write_text("identity: {user_id: drop}\n")
    monkeypatch.setenv("FOOTSPAN_PRIVACY_POLICY", str(policy))
    app = shared()
    tracker = Tracker(app, user_provider=lambda: {"user_id": "u_secret"})
    visit(app)
    printed = capsys.readouterr().out
    assert printed
    assert "u_secret" not in printed
    del tracker


def test_switched_off(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As everything of ours."""
    monkeypatch.setenv("TELEMETRY_ENABLED", "false")
    app = shared()
    tracker = Tracker(app)
    visit(app)
    assert not capsys.readouterr().out
    del tracker


def test_an_output_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages go on, and it is counted."""
    app = shared()
    tracker = Tracker(app)
    monkeypatch.setattr(sys, "stdout", None)
    visit(app)
    assert tracker.status() == {"counts": {"unprinted": 1}}
