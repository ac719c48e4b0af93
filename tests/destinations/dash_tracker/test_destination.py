"""The destination against a server that checks the contract."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destinations.making import line, settings
from footspan.config import ConfigurationError
from footspan.destinations import build_destination, make_destination
from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.dash_tracker import DashTrackerDestination
from servers.dash_tracker import KEY, DashTrackerServer

DELIVERED = Outcome(Verdict.DELIVERED)


def destination(server: DashTrackerServer, **options: Any) -> DashTrackerDestination:
    """The destination for a server."""
    built = build_destination(settings("dash_tracker", **{"url": server.endpoint, "api_key": KEY, **options}))
    assert isinstance(built, DashTrackerDestination)
    return built


def test_what_is_sent(dash_tracker_server: DashTrackerServer) -> None:
    """The address as it was given, the key, JSON."""
    own = destination(dash_tracker_server, url=f"{dash_tracker_server.endpoint}?src=a")
    assert own.send([line()], 5.0) == DELIVERED
    own.close()
    (request,) = dash_tracker_server.requests
    assert (request.method, request.path) == ("POST", "/track?src=a")
    assert request.headers["x-api-key"] == KEY
    assert (request.headers["accept"], request.headers["content-type"]) == ("*/*", "application/json")
    assert request.headers["user-agent"].startswith("footspan/")
    assert len(dash_tracker_server.events) == 1


@pytest.mark.parametrize(("key", "sent"), [(None, None), ("", "")])
def test_no_key(key: str | None, sent: str | None) -> None:
    """Without one there is no header; an empty one is sent empty, as the old client does."""
    with DashTrackerServer() as server:
        own = destination(server, api_key=key)
        assert own.send([line()], 5.0) == DELIVERED
        own.close()
        assert server.requests[0].headers.get("x-api-key") == sent


@pytest.mark.parametrize("key", [None, "", "secret"])
def test_keys_from_settings(key: str | None) -> None:
    """Kept as they are."""
    options = {} if key is None else {"api_key": key}
    made = make_destination("dash_tracker", url="http://localhost/t", **options)
    assert made.settings.options.get("api_key") == key


def test_an_empty_variable_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shells cannot tell the two apart."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_DASH_TRACKER_API_KEY", "")
    assert make_destination("dash_tracker", url="http://localhost/t").settings.options.get("api_key") is None


@pytest.mark.parametrize("address", ["http://h/Track/", "http://h/track//x?a=%20", "http://h"])
def test_the_address_stays_as_it_is(address: str) -> None:
    """A slash at the end is another place."""
    assert getattr(make_destination("dash_tracker", url=address), "url") == address  # noqa: B009 - no attribute of all


def test_without_an_address() -> None:
    """The key is named."""
    with pytest.raises(ConfigurationError, match=r"dash_tracker\.url"):
        build_destination(settings("dash_tracker"))


def test_one_event_a_request(dash_tracker_server: DashTrackerServer) -> None:
    """The format has no batches, whatever the settings wish."""
    own = make_destination("dash_tracker", url=dash_tracker_server.endpoint, batch={"max_items": 50})
    assert own.max_items == 1


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (201, b"", Verdict.DELIVERED),
        (204, b"", Verdict.DELIVERED),
        (200, b"ok", Verdict.DELIVERED),
        (200, b"<p>thanks</p>", Verdict.DELIVERED),
        (200, b" \n<!DOCTYPE HTML><title>Sign in", Verdict.PARK),
        (200, b"<html lang=en>", Verdict.PARK),
        (302, b"", Verdict.PARK),
        (422, b"", Verdict.REFUSED),
        (500, b"", Verdict.AMBIGUOUS),
    ],
)
def test_answers(dash_tracker_server: DashTrackerServer, status: int, body: bytes, verdict: Verdict) -> None:
    """Any success is one, unless somebody's web page stands there."""
    dash_tracker_server.faults.answer(status, body, {"Content-Type": "text/html"})
    own = destination(dash_tracker_server)
    assert own.send([line()], 5.0).verdict is verdict
    own.close()


def test_the_key_is_shown_nowhere(dash_tracker_server: DashTrackerServer, caplog: pytest.LogCaptureFixture) -> None:
    """Neither by the object nor in a log."""
    caplog.set_level(logging.DEBUG)
    own = destination(dash_tracker_server, api_key="very-secret")
    assert own.send([line()], 5.0) == Outcome(Verdict.PARK, "http_401")
    own.close()
    assert "very-secret" not in repr(own) + repr(own.build([line()])) + caplog.text
