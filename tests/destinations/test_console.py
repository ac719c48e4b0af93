"""Events on the console: readable or JSON, on standard error."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

from destinations.making import line, settings
from footspan import conventions as c
from footspan.destinations import build_destination
from footspan.destinations.base import Outcome, Verdict

if TYPE_CHECKING:
    import pytest


def test_text_is_a_time_a_name_and_properties(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each event, standard output untouched."""
    destination = build_destination(settings("console"))
    assert destination.send([line("a", {c.USER_ID: "u1"}), line("b")], 1.0) == Outcome(Verdict.DELIVERED)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "2026-01-01T00:00:00.123Z a user_id=u1\n2026-01-01T00:00:00.123Z b\n"


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """For machines; values that JSON does not have become text."""
    event = line("a", {"n": float("nan"), "raw": b"\xff", "big": 2**62, "nested": {"x": [1]}}, trace_id=1)
    assert build_destination(settings("console", format="json")).send([event], 1.0).verdict is Verdict.DELIVERED
    (printed,) = capsys.readouterr().err.splitlines()
    assert json.loads(printed) == {
        "time": "2026-01-01T00:00:00.123Z",
        "name": "a",
        "uid": event.uid,
        "category": "a",
        "trace_id": f"{1:032x}",
        "properties": {"n": "nan", "raw": "/w==", "big": 2**62, "nested": {"x": [1]}},
    }


def test_a_console_of_another_encoding_still_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it cannot show is escaped."""
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(buffer, encoding="ascii"))
    event = line("a", {"price": "5\u20ac"})
    assert build_destination(settings("console")).send([event], 1.0) == Outcome(Verdict.DELIVERED)
    assert b"price=" in buffer.getvalue()


def test_without_a_console_events_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon has none; a closed one is none."""
    destination = build_destination(settings("console"))
    monkeypatch.setattr(sys, "stderr", None)
    assert destination.send([line("a")], 1.0) == Outcome(Verdict.PARK, "no_console")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    assert destination.send([line("a")], 1.0) == Outcome(Verdict.PARK, "console_closed")
