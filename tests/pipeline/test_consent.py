"""What becomes of events without consent: nothing on disk, or as much as each destination may have."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan import conventions as c
from footspan import emit, pipeline
from footspan.destinations import HttpDestination, tightening
from footspan.otlp_json import LogLine
from footspan.pipeline import quick
from servers.otlp import OtlpSink
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "correct-horse-battery-staple"
UTM = {"utm_source": "mail", "gclid": "g1"}


def start(**privacy: Any) -> None:
    """A pipeline that delivers nothing, with two destinations."""
    footspan.init(
        service_name="shop",
        courier="external",
        privacy={"pseudonyms": {"key": KEY}, **privacy},
        destinations={"console": {}, "otlp": {"endpoint": "http://127.0.0.1:9"}},
    )


def on_disk() -> bytes:
    """Everything in the state home."""
    root = Path(os.environ["XDG_STATE_HOME"])
    return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


def counted(name: str) -> int:
    """What the ledger counts."""
    return int(footspan.status()["counters"].get(name, 0))


@pytest.mark.parametrize("said", [None, {}, False, {"marketing": True}, "nothing", 7])
def test_opt_in_without_consent_leaves_nothing_on_disk(said: Any) -> None:
    """Neither the name nor a value, and it is counted."""
    start(consent="opt_in")
    if said is not None:
        footspan.set_context(consent=said)
    for _ in range(4):  # the quick road would open by now
        footspan.track("checkout.secretname", user_id="u_secret", amount=1)

    assert spooled() == []
    assert b"secret" not in on_disk()
    assert counted("no_consent") == 4


def test_opt_in_with_consent() -> None:
    """What was agreed to stands on the event; other purposes stay out."""
    start(consent="opt_in", purposes={"events": {"marketing": ["campaign.*"]}})
    with footspan.context(consent={"analytics": True}):
        footspan.track("checkout", user_id="u_1")
        footspan.track("campaign.seen")
        footspan.track("error.shown")
    [event] = spooled()

    assert event.attributes[c.CONSENT] == ["analytics"]
    assert event.attributes[c.PURPOSE] == "analytics"
    assert event.attributes["user.id"] == "u_1"


def test_consent_given_later_sends_nothing_that_was_dropped() -> None:
    """And withdrawn later, it keeps what comes."""
    start(consent="opt_in")
    footspan.track("before")
    footspan.set_context(consent=True)
    footspan.track("during")
    footspan.set_context(consent=None)
    footspan.track("after")

    assert [event.name for event in spooled()] == ["during"]


def test_opt_out_until_somebody_refuses() -> None:
    """Nothing is written on events of which nobody said anything."""
    start()
    footspan.track("checkout")
    with footspan.context(consent={"analytics": False}):
        footspan.track("cart")
        footspan.track_exception(ValueError("x"))
    plain, error = spooled()

    assert (plain.name, error.name) == ("checkout", "exception")
    assert c.CONSENT not in plain.attributes
    assert error.attributes[c.CONSENT] == ["marketing", "functional"]


def test_pseudonymised_before_the_disk_where_nobody_may_have_more() -> None:
    """As far as the rule that all destinations share demands."""
    start(purposes={"without": {"analytics": {"otlp": "pseudonymise", "console": "drop"}}})
    with footspan.context(
        consent=[], user_id="u_secret", session_id="s_secret", visitor_id="v_secret", email="a@secret.example",
        full_name="Ann Secret", ip="203.0.113.77",
    ):  # fmt: skip
        footspan.track("cart", customer_id="c_secret", amount=3)
    [event] = spooled()

    assert b"secret" not in on_disk().replace(b"Secret", b"secret")
    assert event.attributes["user.id"].startswith("p_")
    assert event.attributes["client.address"] == "203.0.113.0"
    assert event.attributes["amount"] == 3
    assert counted("withheld") == 1


def test_an_event_that_only_a_forbidden_destination_would_take_is_dropped() -> None:
    """Where it may go by consent, it does not go by its name."""
    footspan.init(
        service_name="shop",
        courier="external",
        privacy={"purposes": {"without": {"analytics": {"otlp": "send"}}}},
        destinations={"console": {}, "otlp": {"endpoint": "http://127.0.0.1:9", "events": ["user.*"]}},
    )
    footspan.set_context(consent=False)
    footspan.track("cart")
    footspan.track("user.login")

    assert [event.name for event in spooled()] == ["user.login"]


@pytest.mark.parametrize("campaigns", [True, False])
def test_campaigns_need_consent_to_marketing_where_configured(campaigns: bool) -> None:
    """Click ids and UTM parameters, in attributes and in addresses."""
    start(purposes={"campaigns": campaigns})
    url = "https://shop.example/a?x=1&utm_source=mail&GCLID=g1#top"
    with footspan.context(consent={"marketing": False}):
        footspan.page_view(url, referrer=url, query="utm_medium=m&b=2", **UTM)
    [event] = spooled()

    found = str(event.attributes)
    assert ("utm" in found) is not campaigns
    assert ("g1" in found) is not campaigns
    if campaigns:
        assert event.attributes["url.full"] == "https://shop.example/a?x=1#top"
        assert event.attributes["url.query"] == "b=2"


def test_two_destinations_get_what_each_may_have() -> None:
    """One the event as it is, one with pseudonyms, one nothing."""
    with OtlpSink() as whole, OtlpSink() as part, OtlpSink() as none:
        footspan.init(
            service_name="shop",
            privacy={
                "pseudonyms": {"key": KEY},
                "purposes": {"without": {"analytics": {"whole": "send", "part": "pseudonymise"}}},
            },
            destinations={
                name: {"type": "otlp", "endpoint": sink.url}
                for name, sink in (("whole", whole), ("part", part), ("none", none))
            },
        )
        with footspan.context(consent={"marketing": True, "analytics": False}):
            footspan.track("cart", user_id="u_secret")
        footspan.track("open", user_id="u_2")
        assert not any(footspan.flush(30).values())

        def users(sink: OtlpSink) -> dict[str, Any]:
            return {event["name"]: event["attributes"]["user.id"] for event in sink.events}

        assert users(whole) == {"cart": "u_secret", "open": "u_2"}
        assert users(none) == {"open": "u_2"}
        assert set(users(part)) == {"cart", "open"}
        assert users(part)["cart"].startswith("p_")
        assert users(part)["open"] == "u_2"
        assert counted("withheld") == 1


def test_a_logger_in_the_calling_process_gets_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """The destination that writes at once is one of them."""
    caplog.set_level(logging.INFO)
    footspan.init(
        courier="external",
        privacy={
            "pseudonyms": {"key": KEY},
            "purposes": {"without": {"analytics": {"console": "send", "logging": "pseudonymise"}}},
        },
        destinations={"console": {}, "logging": {}},
    )
    with footspan.context(consent=False):
        footspan.track("cart", user_id="u_secret")

    assert "cart" in caplog.text
    assert "u_secret" not in caplog.text


@pytest.mark.parametrize(("consent", "is_open"), [("opt_out", True), ("opt_in", False)])
def test_the_quick_road(consent: str, is_open: bool) -> None:
    """It is closed where every event needs a look, and else declines what somebody said something of."""
    start(consent=consent)
    started = pipeline.get_pipeline()
    assert started is not None
    road = quick.quick_road(started, emit.default_logger())
    assert (road is not None) is is_open
    if road is not None:
        assert [bool(road("x", {"n": 1})) for _ in range(3)] == [False, False, True]
        with footspan.context(consent=True):
            assert not road("x", {"n": 1})
        for properties in ({c.CONSENT: "analytics"}, {c.PURPOSE: "analytics"}):
            _declined(road, properties)


def _declined(road: Any, properties: Mapping[str, Any]) -> None:
    assert not any(road("y", dict(properties)) for _ in range(4))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("umami", {"url": "https://u.example", "website": "6f3a1f0e-5f0a-4a52-9a6e-0f7a3f5f2c11"}),
        ("opentrace", {"url": "https://o.example", "include_ids": True}),
        ("trace_telemetry", {"url": "https://t.example"}),
        ("dash_tracker", {"url": "https://d.example", "api_key": "k"}),
    ],
)
def test_no_destination_undoes_a_pseudonym(kind: str, options: dict[str, Any]) -> None:
    """Sessions and visitors that they make of a user id are made of the token: no hash of the id itself leaves."""
    footspan.init(
        service_name="shop",
        courier="external",
        privacy={
            "pseudonyms": {"key": KEY},
            "purposes": {"without": {"analytics": {"console": "send", "*": "pseudonymise"}}},
        },
        destinations={"console": {}, kind: options},
    )
    with footspan.context(consent=False, user_id="u_secret"):
        footspan.page_view("https://shop.example/a")
    started = pipeline.get_pipeline()
    assert started is not None
    destination = next(each for each in started.destinations if isinstance(each, HttpDestination))
    root = Path(os.environ["XDG_STATE_HOME"])
    [line] = [line for path in root.rglob("events/*.jsonl") for line in path.read_bytes().splitlines()]
    assert b"u_secret" in line
    event = tightening.tightened(destination, LogLine(line))
    assert event is not None
    body = destination.build([event]).body
    body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body

    assert body
    assert b"u_secret" not in body
    for name in ("sha256", "sha1", "md5"):
        assert hashlib.new(name, b"u_secret").hexdigest()[:16].encode() not in body
