"""Tests for footspan.tracking.tracker: from the call to the stored event."""

from __future__ import annotations

import datetime as dt
import logging
import os
import time
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import footspan
from footspan import _guard
from footspan.tracking.values import epoch_ns
from spooled import Spooled, spooled


def only() -> Spooled:
    """The one event there is."""
    (event,) = spooled()
    return event


def state() -> Path:
    """The folder of every service's spool."""
    return Path(os.environ["XDG_STATE_HOME"]) / "footspan"


def test_the_event_is_on_disk_when_track_returns() -> None:
    """One call is one stored event, with name, time, id, severity, scope and distro."""
    uid = footspan.track("checkout.completed", user_id="u_1", amount=9.99)
    event = only()

    assert event.name == "checkout.completed"
    assert event.uid == uid
    assert event.attributes == {"log.record.uid": uid, "user.id": "u_1", "amount": 9.99}
    assert event.record["severityNumber"] == 9
    assert abs(int(event.record["timeUnixNano"]) / 1e9 - time.time()) < 60
    assert event.resource["telemetry.distro.name"] == "footspan"
    assert event.resource["telemetry.distro.version"] == footspan.__version__


def test_the_id_is_a_uuid_of_version_7() -> None:
    """Ids sort by time and are unique."""
    uids = [footspan.track("x") for _ in range(50)]

    assert {uuid.UUID(uid).version for uid in uids} == {7}
    assert len(set(uids)) == 50


def test_the_event_bears_the_trace_it_happened_in() -> None:
    """Inside a span, the event carries the span's ids."""
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("work") as span:
        footspan.track("x")
    context = span.get_span_context()

    assert only().record["traceId"] == trace.format_trace_id(context.trace_id)
    assert only().record["spanId"] == trace.format_span_id(context.span_id)


def test_keywords_become_standard_attributes() -> None:
    """Identity, request, campaign and click ids get their attribute names; other keywords keep theirs."""
    footspan.track(
        "payment", user_id=7, session_id="s", request_id="r", email="a@b.example", full_name="Ada", utm_source="news",
        gclid="g", method="card", url="custom", name="n", category="money",
    )  # fmt: skip
    attributes = only().attributes
    del attributes["log.record.uid"]

    assert attributes == {
        "user.id": 7,
        "session.id": "s",
        "footspan.request.id": "r",
        "user.email": "a@b.example",
        "user.full_name": "Ada",
        "footspan.utm.source": "news",
        "footspan.click_id.gclid": "g",
        "method": "card",
        "url": "custom",
        "name": "n",
        "footspan.event.category": "money",
    }


def test_the_name_may_be_a_keyword() -> None:
    """``event_name=`` names the event when nothing else does, and is a property otherwise."""
    footspan.track(event_name="a.b", x=1)
    footspan.track("c.d", event_name="kept")
    first, second = spooled()

    assert (first.name, first.attributes["x"]) == ("a.b", 1)
    assert (second.name, second.attributes["event_name"]) == ("c.d", "kept")


def test_track_event_takes_a_mapping_or_a_body() -> None:
    """Keys that are no identifiers are fine in a mapping; anything else is the record's body."""
    footspan.track_event("button_click", {"the button": "submit", "page": "/signup"})
    footspan.track_event("list", [1, "two"])  # type: ignore[arg-type]
    footspan.track_event("bare")
    first, second, third = spooled()

    assert first.attributes["the button"] == "submit"
    assert [item.get("stringValue") for item in second.record["body"]["arrayValue"]["values"]] == [None, "two"]
    assert third.name == "bare"


def test_page_view_fields() -> None:
    """A page view's fields become web attributes."""
    footspan.page_view(
        "https://shop.example/cart?x=1", title="Cart", referrer="https://a.example/", ip="203.0.113.1",
        user_agent="UA", language="de", screen="10x10", tag="t", hostname="shop.example",
    )  # fmt: skip
    event = only()

    assert event.name == "footspan.page_view"
    assert event.attributes | {"log.record.uid": ""} == {
        "log.record.uid": "",
        "url.full": "https://shop.example/cart?x=1",
        "footspan.page.title": "Cart",
        "http.request.header.referer": ["https://a.example/"],
        "client.address": "203.0.113.1",
        "user_agent.original": "UA",
        "browser.language": "de",
        "footspan.screen": "10x10",
        "footspan.tag": "t",
        "server.address": "shop.example",
    }


def test_identify() -> None:
    """What is known of a user is an event of its own."""
    footspan.identify("u_1", plan="pro", email="a@b.example")
    event = only()

    assert event.name == "footspan.identify"
    assert event.attributes["user.id"] == "u_1"
    assert event.attributes["plan"] == "pro"
    assert event.attributes["user.email"] == "a@b.example"


def test_track_exception() -> None:
    """An exception becomes an error event with its type, text and stack trace, and extra data beside them."""

    def look_up() -> None:
        raise LookupError("no such card")

    try:
        look_up()
    except LookupError as error:
        footspan.track_exception(error, extra_data={"order": 7})
        footspan.track_exception(error, "payment.broke", extra_data="free")
    first, second = spooled()

    assert first.name == "exception"
    assert first.record["severityNumber"] == 17
    assert first.attributes["error.type"] == "LookupError"
    assert first.attributes["exception.message"] == "no such card"
    assert "in look_up" in first.attributes["exception.stacktrace"]
    assert first.attributes["order"] == 7
    assert first.attributes["footspan.event.category"] == "error"
    assert (second.name, second.attributes["extra"]) == ("payment.broke", "free")


@pytest.mark.parametrize("no_exception", [None, "broke", LookupError, 7])
def test_track_exception_of_what_is_none(no_exception: Any) -> None:
    """What is no exception is an error event all the same, as far as it says what it is."""
    footspan.track_exception(no_exception)
    event = only()

    assert event.name == "exception"
    assert event.attributes["error.type"] == type(no_exception).__name__
    assert event.attributes["exception.message"] == str(no_exception)


class Unreadable(dict[str, int]):
    """A mapping that fails whoever reads it."""

    def __len__(self) -> int:
        raise LookupError

    def keys(self) -> Any:
        raise LookupError

    def __iter__(self) -> Any:
        raise LookupError


def test_a_mapping_that_cannot_be_read_keeps_the_event() -> None:
    """Properties that fail whoever reads them cost themselves and not the event."""
    assert footspan.track_event("a", Unreadable(x=1))
    assert footspan.track_exception(LookupError("gone"), extra_data=Unreadable(x=1))
    first, second = spooled()

    assert first.name == "a"
    assert second.attributes["exception.message"] == "gone"


def test_timestamp_sets_the_event_time() -> None:
    """An aware datetime or epoch seconds become the event's time and are no property."""
    when = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.timezone.utc)
    footspan.track("a", timestamp=when)
    footspan.track("b", timestamp=1_767_225_600.5)
    first, second = spooled()

    assert first.record["timeUnixNano"] == str(int(when.timestamp()) * 10**9 + 678_901_000)
    assert second.record["timeUnixNano"] == "1767225600500000000"
    assert "timestamp" not in first.attributes


@pytest.mark.parametrize(
    "useless",
    [
        "yesterday",
        dt.datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
        -1,
        0,
        float("nan"),
        1_767_225_600_000,
        True,
        None,
    ],
)
def test_an_unusable_timestamp_stays_a_property(useless: Any) -> None:
    """What is no point in time is kept as it is, and the event happens now."""
    assert epoch_ns(useless) is None
    footspan.track("a", timestamp=useless, kept=1)
    event = only()

    assert int(event.record["timeUnixNano"]) > 1_700_000_000 * 10**9
    assert event.attributes["kept"] == 1


class Hostile:
    """Raises whatever is done with it."""

    def __str__(self) -> str:
        raise RuntimeError("hunter2")

    __repr__ = __str__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("hunter2")


def cycle() -> dict[str, Any]:
    """A mapping that holds itself."""
    value: dict[str, Any] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    "value",
    [
        Hostile(),
        cycle(),
        "\ud800",
        10**400,
        float("nan"),
        Decimal("1.10"),
        b"\xff",
        {1: {2: 3}},
        object(),
        {"a", "b"},
        [[[[["deep"]]]]],
        lambda: None,
        type("Odd", (int,), {"__str__": lambda _: "x" * 10})(3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_can_be_tracked(value: Any) -> None:
    """No value loses its event or its neighbours, and none raises, in any of the calls."""
    footspan.track("x", value=value, good=1)
    footspan.track_event("x", {"value": value, "good": 1})
    footspan.page_view("/", value=value, good=1)
    footspan.identify(value, good=1)
    footspan.track_event(value, {"good": 1})
    events = spooled()

    assert [event.attributes["good"] for event in events] == [1] * 5
    assert "hunter2" not in repr(events)


def test_failing_inside_does_not_reach_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a bug of ours stays ours."""
    _guard.reraise_in_tests(False)
    footspan.track("before")
    monkeypatch.setattr("footspan.tracking.tracker.emit_event", lambda *_, **__: 1 / 0)

    assert footspan.track("x") == ""


def test_a_bad_configuration_is_said_once_and_the_host_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without init, a setting that cannot be used turns tracking off with one clear line."""
    monkeypatch.setenv("FOOTSPAN_SPOOL_MAX_BYTES", "many")
    with caplog.at_level(logging.ERROR, logger="footspan"):
        assert footspan.track("x") == ""
        assert footspan.track("x") == ""

    assert len(caplog.records) == 1
    assert "FOOTSPAN_SPOOL_MAX_BYTES" in caplog.text


def test_init_refuses_a_bad_configuration() -> None:
    """In code, the same is an exception that names key and fix."""
    with pytest.raises(footspan.ConfigurationError, match="max_bytes"):
        footspan.init(spool={"max_bytes": "many"})


def test_init_names_the_service_and_is_idempotent() -> None:
    """The service's name reaches resource and folder; the same init again changes nothing."""
    footspan.init(service_name="shop")
    footspan.init(service_name="shop")
    footspan.track("x")

    assert only().resource["service.name"] == "shop"
    assert [folder.name for folder in state().iterdir()] == ["shop"]


@pytest.mark.parametrize(("name", "value"), [("TELEMETRY_ENABLED", "false"), ("OTEL_SDK_DISABLED", "true")])
def test_disabled_means_nothing(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off, nothing is written and no id is made."""
    monkeypatch.setenv(name, value)
    footspan.init(service_name="shop", enabled=True)

    assert footspan.track("x") == ""
    assert spooled() == []


def test_before_the_start_nothing_is_started() -> None:
    """Flush, status and shutdown of a process that tracked nothing do nothing."""
    assert footspan.flush(1.0) == {}
    assert footspan.status() == {}
    footspan.shutdown()
    assert not state().exists()


def test_shutdown_is_idempotent_and_events_after_it_are_kept() -> None:
    """Whoever tracks after shutdown finds the event on disk all the same."""
    footspan.track("a")
    footspan.shutdown()
    footspan.shutdown()
    footspan.track("b")

    assert [event.name for event in spooled()] == ["a", "b"]
