"""What a spawned deliverer is started with, and when the app does its work after all."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import footspan
from footspan.delivery import calling, spawned

if TYPE_CHECKING:
    from servers.otlp import OtlpSink


def test_the_interpreter_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that embeds Python names itself as the executable: starting that would start the server again."""
    assert calling.interpreter() == sys.executable
    monkeypatch.setattr(sys, "executable", "/usr/local/bin/uwsgi")

    assert Path(calling.interpreter()).parent == Path(sys.prefix, "bin")
    monkeypatch.setattr(sys, "prefix", "/nowhere")
    with pytest.raises(calling.CallError):
        calling.interpreter()


def test_the_deliverer_is_not_instrumented(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not become an app that spawns a deliverer."""
    folder = "/lib/opentelemetry/instrumentation/auto_instrumentation"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([folder, "/mine"]))
    found = calling.environment()

    assert "/mine" == found["PYTHONPATH"]
    assert "true" == found["OTEL_SDK_DISABLED"]


def test_memory_cannot_be_left_to_another_process() -> None:
    """The setting that cannot work is named at start."""
    with pytest.raises(footspan.ConfigurationError, match="durability"):
        footspan.init(courier="process", spool={"durability": "memory"})


def test_the_app_delivers_while_nothing_can_be_started(
    otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning; every event arrives by a thread of the app's."""

    def refuse(*_: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr(spawned, "call", refuse)
    footspan.init(service_name="shop", courier="process", destinations={"otlp": {"endpoint": otlp_sink.url}})
    uids = [footspan.track("order.placed", n=n) for n in range(20)]

    assert footspan.flush(20.0) == {"otlp": 0}
    assert [event["uid"] for event in otlp_sink.events] == uids
    assert footspan.status()["destinations"]["otlp"]["here"] is True
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert ["BlockingIOError" in record.getMessage() for record in warnings] == [True]


def test_nothing_is_started_before_there_is_an_event(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that tracks nothing has no deliverer, at its end neither."""
    calls: list[object] = []
    monkeypatch.setattr(spawned, "call", lambda *arguments: calls.append(arguments))
    footspan.init(service_name="shop", courier="process", destinations={"otlp": {"endpoint": otlp_sink.url}})
    footspan.shutdown()

    assert calls == []


def test_an_event_costs_no_look_at_the_disk(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a deliverer stands is looked at once a second at the most, however many events come."""
    looks: list[object] = []

    def look(*arguments: object) -> bool:
        looks.append(arguments)
        return True

    monkeypatch.setattr(spawned, "is_standing", look)
    monkeypatch.setattr(spawned, "LOOK_EVERY", 1000.0)
    monkeypatch.setattr(spawned, "who", lambda *_: {})
    footspan.init(service_name="shop", courier="process", destinations={"otlp": {"endpoint": otlp_sink.url}})
    for _ in range(100):
        footspan.track("order.placed")

    assert len(looks) == 1
