"""Tests for footspan.pipeline.build."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry._logs import get_logger

import footspan
from footspan import pipeline
from spooled import spooled

if TYPE_CHECKING:
    from servers.otlp import OtlpSink


def counters() -> dict[str, int]:
    """The spool's counters."""
    current = pipeline.get_pipeline()
    assert current is not None
    found: Any = current.spool.status()["counters"]
    return dict(found)


def test_an_event_that_no_destination_takes_is_counted_and_named_once(
    otlp_sink: OtlpSink, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays in the spool, the count says how many, the log says which, once."""
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url, "events": ["user.*"]}})
    with caplog.at_level(logging.WARNING, logger="footspan"):
        footspan.track("user.seen")
        for _ in range(3):
            footspan.track("system.started")

    assert counters()["unrouted"] == 3
    assert [record.getMessage().count("system.started") for record in caplog.records] == [1]
    assert len(spooled()) == 4


def test_the_logging_destination_writes_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """What goes to the log is there when the call returns, redacted, and only what its patterns take."""
    footspan.init(destinations={"logging": {"enabled": True, "level": "INFO", "events": ["error.*"]}})
    with caplog.at_level(logging.INFO, logger="footspan.events"):
        footspan.track("error.raised", password="hunter2", code=7)
        footspan.track("user.seen")
    lines = [record.getMessage() for record in caplog.records if record.name == "footspan.events"]

    assert len(lines) == 1
    assert "error.raised" in lines[0]
    assert "hunter2" not in lines[0]


def test_a_log_handler_that_tracks_comes_to_an_end() -> None:
    """An app that tracks what it logs, and logs what it tracks, does not go round in circles."""

    class Tracking(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            footspan.track("log.written", level=record.levelname)

    footspan.init(destinations={"logging": {"enabled": True}})
    logger = logging.getLogger("footspan.events")
    handler = Tracking()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        footspan.track("user.seen")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)

    assert [event.name for event in spooled()] == ["user.seen", "log.written"]


def test_sampling_drops_before_the_disk() -> None:
    """At rate 0 nothing but errors is stored, and what was dropped is counted."""
    footspan.init(sampling={"enabled": True, "rate": 0.0})
    footspan.track("user.seen")
    footspan.track("error.raised")

    assert [event.name for event in spooled()] == ["error.raised"]
    assert counters()["sampled_out"] == 1


@pytest.mark.parametrize(
    ("key", "setting"),
    [
        ("privacy.policy", {"privacy": {"policy": "no-such-file.yaml"}}),
        ("privacy.pseudonyms.key", {"privacy": {"purposes": {"without": {"analytics": "pseudonymise"}}}}),
    ],
)
def test_a_promise_that_would_not_be_kept_is_refused(key: str, setting: dict[str, Any]) -> None:
    """Better no start than events that nobody delivers, or a privacy policy that does not hold."""
    with pytest.raises(footspan.ConfigurationError, match=key):
        footspan.init(**setting)


def test_events_reach_their_destination(otlp_sink: OtlpSink) -> None:
    """From the call to the sink, and the books say so."""
    footspan.init(service_name="shop", destinations={"otlp": {"endpoint": otlp_sink.url}})
    uids = [footspan.track("user.seen", n=n) for n in range(25)]

    assert footspan.flush(10.0) == {"otlp": 0}
    assert [event["uid"] for event in otlp_sink.events] == uids
    assert footspan.status()["destinations"]["otlp"]["delivered"] == 25


def test_the_scope_is_redacted_as_the_resource_is() -> None:
    """What a library says of its scope stands in every line of it."""
    footspan.init()
    get_logger("by bob@example.com", attributes={"password": "hunter2"}).emit(event_name="x")
    current = pipeline.get_pipeline()
    assert current is not None
    (segment,) = Path(str(current.spool.status()["directory"])).glob("events/*.jsonl")
    shown = segment.read_text()

    assert "scope" in shown
    assert "bob" not in shown
    assert "hunter2" not in shown


def test_flush_after_shutdown_says_what_waits_at_once(otlp_sink: OtlpSink) -> None:
    """Nobody carries here any more, so there is nothing to wait for."""
    otlp_sink.faults.down()
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url}})
    footspan.track("user.seen")
    footspan.shutdown(0.2)
    started = time.monotonic()

    assert footspan.flush(30.0) == {"otlp": 1}
    assert time.monotonic() - started < 10
