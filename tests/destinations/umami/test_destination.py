"""The Umami destination against a server that checks the contract: what is stored, and whose fault a refusal is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from destinations.making import CHROME, line, settings
from footspan import conventions as c
from footspan.config import ConfigurationError
from footspan.destinations import build_destination
from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.umami import UmamiDestination
from servers.umami import WEBSITE_ID, UmamiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

BOT = "Googlebot/2.1"


def umami(server: UmamiServer, **options: Any) -> UmamiDestination:
    """The destination for a server."""
    options = {"url": server.url, "website": server.website, **options}
    destination = build_destination(settings("umami", **options))
    assert isinstance(destination, UmamiDestination)
    return destination


@pytest.fixture
def server() -> Iterator[UmamiServer]:
    """A running Umami."""
    with UmamiServer() as running:
        yield running


def paths(server: UmamiServer) -> list[str]:
    """The paths of the requests so far."""
    return [request.path for request in server.requests]


DELIVERED = Outcome(Verdict.DELIVERED)


# -- what is stored ----------------------------------------------------------------------------------------------------


def test_one_event_is_stored_with_all_its_fields(server: UmamiServer) -> None:
    """A single event goes to /api/send and arrives as it happened."""
    event = line(
        "order.paid",
        {
            c.USER_ID: "u1",
            c.CLIENT_ADDRESS: "203.0.113.7",
            c.USER_AGENT_ORIGINAL: CHROME,
            c.BROWSER_LANGUAGE: "de-AT,de;q=0.9",
            c.URL_FULL: "https://shop.example/pay?step=2",
            "footspan.utm.source": "news",
            c.TAG: "exp-a",
            c.PAGE_TITLE: "Pay",
            "revenue": 19.99,
            "currency": "eur",
            "at": "2026-01-02T03:04:05+02:00",
            "card": {"brand": "visa"},
        },
    )
    assert umami(server).send([event], 5.0) == DELIVERED
    assert paths(server) == ["/api/send"]
    (stored,) = server.events("order.paid")
    expected = {
        "url_path": "/pay",
        "url_query": "step=2&utm_source=news",
        "utm_source": "news",
        "tag": "exp-a",
        "page_title": "Pay",
        "hostname": "shop.example",
    }
    assert expected == {name: stored[name] for name in expected}
    assert stored["created_at"].startswith("2026-01-01T00:00:00")
    assert server.data_of(stored["event_id"]) == {
        "revenue": 19.99,
        "currency": "EUR",
        "at": "2026-01-02T01:04:05.000Z",
        "card.brand": "visa",
    }
    session = server.session_of(stored)
    assert session is not None
    assert (session["distinct_id"], session["language"], session["country"]) == ("u1", "de-AT", "DE")
    assert len(server.rows["revenue"]) == 1


def test_several_events_share_a_batch_and_keep_their_order(server: UmamiServer) -> None:
    """One request; page views and events side by side."""
    events = [line("a"), line(c.EVENT_PAGE_VIEW, {c.URL_PATH: "/x"}), line("b")]
    assert umami(server).send(events, 5.0) == DELIVERED
    assert paths(server) == ["/api/batch"]
    assert [row["event_name"] for row in server.events()] == ["a", "b"]
    assert [row["url_path"] for row in server.page_views()] == ["/x"]


def test_a_user_is_described_before_his_events(server: UmamiServer) -> None:
    """A description goes first in the batch, whenever it was called."""
    events = [line("a", {c.USER_ID: "u1"}), line(c.EVENT_IDENTIFY, {c.USER_ID: "u1", "plan": "pro"})]
    assert umami(server).send(events, 5.0) == DELIVERED
    assert [item["type"] for item in server.requests[0].json()] == ["identify", "event"]
    assert [row["data_key"] for row in server.rows["session_data"]] == ["plan"]


def test_the_request_is_what_umami_wants(server: UmamiServer) -> None:
    """No coding, no slash, no token of a browser page; an honest user agent that passes the bot check."""
    umami(server, url=server.url + "/").send([line("a"), line("b")], 5.0)
    (request,) = server.requests
    assert request.headers["user-agent"].startswith("Mozilla/5.0 (X11; Linux x86_64) footspan/")
    assert request.headers["content-type"] == "application/json"
    assert not {"content-encoding", "x-umami-cache", "authorization", "cookie"} & set(request.headers)
    assert server.bots == 0


def test_paths_can_be_set(server: UmamiServer) -> None:
    """A server may take events elsewhere, out of ad blockers' sight."""
    destination = umami(server, path="/collect", batch_path="/collect/many")
    assert destination.send_url == f"{server.url}/collect"
    assert destination.batch_url == f"{server.url}/collect/many"


# -- bots --------------------------------------------------------------------------------------------------------------


def test_a_dropped_bot_is_refused_and_not_delivered(server: UmamiServer) -> None:
    """The answer "beep boop" is a 200."""
    outcome = umami(server).send([line("a", {c.USER_AGENT_ORIGINAL: BOT})], 5.0)
    assert outcome.items == {0: Outcome(Verdict.REFUSED, "bot")}
    assert server.events() == []


def test_bots_cast_no_doubt_on_the_server_unless_it_may_mean_us(server: UmamiServer) -> None:
    """Only a verdict on our own user agent could be the same for every event, and parks after three."""
    destination = umami(server)
    events = [line("a", {c.USER_AGENT_ORIGINAL: BOT})] * 3
    assert destination.send(events, 5.0).verdict is Verdict.DELIVERED
    server.faults.answer(200, b'{"beep":"boop"}')
    assert destination.send([line("a")], 5.0) == Outcome(Verdict.REFUSED, "bot")


def test_suspects_are_sent_alone_so_that_the_verdict_is_read(server: UmamiServer) -> None:
    """Inside a batch a bot counts as processed."""
    events = [line("a"), line("bot", {c.USER_AGENT_ORIGINAL: BOT}), line("b"), line("c")]
    outcome = umami(server).send(events, 5.0)
    assert paths(server) == ["/api/send", "/api/batch"]
    assert outcome.verdict is Verdict.DELIVERED
    assert outcome.items == {1: Outcome(Verdict.REFUSED, "bot")}
    assert [row["event_name"] for row in server.events()] == ["a", "b", "c"]


def test_a_batch_without_a_token_was_all_bots(server: UmamiServer) -> None:
    """A user agent that slips past our suspicion is noticed where a whole batch bears it."""
    destination = umami(server)
    server.faults.answer(200, b'{"size":2,"processed":2,"errors":0,"details":[]}', path="/api/batch")
    outcome = destination.send([line("a"), line("b")], 5.0)
    assert {outcome.items.get(index, outcome).reason for index in (0, 1)} == {"bot"}


def test_an_old_server_without_tokens_is_believed(server: UmamiServer) -> None:
    """2.17 to 3.0.2 never name a token: an empty batch tells them from a batch of bots."""
    server.faults.answer(200, b'{"size":2,"processed":2,"errors":0,"details":[]}', path="/api/batch")
    server.faults.answer(200, b'{"size":0,"processed":0,"errors":0,"details":[]}', path="/api/batch")
    assert umami(server).send([line("a"), line("b")], 5.0) == DELIVERED
    assert [request.body for request in server.requests][1:] == [b"[]"]


# -- batches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 405])
def test_without_batches_events_go_one_by_one(server: UmamiServer, status: int) -> None:
    """The hosted Umami and old versions; from the first refusal on."""
    server.faults.no_batch(status)
    destination = umami(server)
    events = [line("a"), line("b"), line("c")]
    assert destination.send(events, 5.0).verdict is Verdict.AGAIN
    assert destination.max_items == 1
    assert destination.concurrency > 1, "single events are slow one after the other"
    assert destination.send(events, 5.0).verdict is Verdict.DELIVERED
    assert [row["event_name"] for row in server.events()] == ["a", "b", "c"]
    assert paths(server) == ["/api/batch", *["/api/send"] * 3]


def batch_answer(*errors: tuple[int, int, str], size: int, extra: dict[str, Any] | None = None) -> bytes:
    """A batch answer with errors at some places."""
    details = [
        {"index": index, "response": {"error": {"message": message, "code": "x", "status": status, **(extra or {})}}}
        for index, status, message in errors
    ]
    bad = len(errors)
    return json.dumps(
        {
            "size": size,
            "processed": size - bad,
            "errors": bad,
            "details": details,
            "cache": None if bad == size else "t",
        }
    ).encode()


def test_errors_in_a_batch_are_those_events_own(server: UmamiServer) -> None:
    """The others are delivered; a 500 is never sent again, because the event's row may be there."""
    server.faults.answer(200, batch_answer((0, 400, "Bad request"), (2, 500, "Server error"), size=4))
    outcome = umami(server).send([line(str(number)) for number in range(4)], 5.0)
    assert outcome.verdict is Verdict.DELIVERED
    assert outcome.items == {
        0: Outcome(Verdict.REFUSED, "http_400"),
        2: Outcome(Verdict.REFUSED, "umami_500_partial"),
    }


def test_the_index_in_an_answer_is_the_place_in_the_request(server: UmamiServer) -> None:
    """The description moved to the front; the outcome names the event by its own place."""
    server.faults.answer(200, batch_answer((1, 400, "Bad request"), size=3))
    events = [line("a"), line("b"), line(c.EVENT_IDENTIFY, {c.USER_ID: "u1"})]
    assert umami(server).send(events, 5.0).items == {0: Outcome(Verdict.REFUSED, "http_400")}


def test_a_batch_that_failed_as_a_whole_is_the_servers_trouble(server: UmamiServer) -> None:
    """Every item a 500: the database is away. Two of them may still be the events' own fault."""
    errors = [(index, 500, "Server error") for index in range(3)]
    server.faults.answer(200, batch_answer(*errors, size=3))
    server.faults.answer(200, batch_answer(*errors[:2], size=2))
    destination = umami(server)
    assert destination.send([line("a")] * 3, 5.0) == Outcome(Verdict.AMBIGUOUS, "umami_500")
    refused = Outcome(Verdict.REFUSED, "umami_500_partial")
    assert destination.send([line("a")] * 2, 5.0).items == {0: refused, 1: refused}


def test_an_unknown_website_parks_the_whole_batch() -> None:
    """All events share the website: nothing was stored, and all are kept."""
    with UmamiServer(websites=("11111111-1111-4111-8111-111111111111",)) as server:
        destination = umami(server, website=WEBSITE_ID)
        assert destination.send([line("a"), line("b")], 5.0) == Outcome(Verdict.PARK, "unknown_website")
        assert destination.send([line("a")], 5.0) == Outcome(Verdict.PARK, "unknown_website")


def test_ignored_addresses_are_the_events_or_the_machines() -> None:
    """A visitor whom Umami was told to ignore is refused; without an address it is this machine that is ignored."""
    with UmamiServer(env={"IGNORE_IP": "198.51.100.9,127.0.0.1"}) as server:
        destination = umami(server)
        ignored = line("a", {c.CLIENT_ADDRESS: "198.51.100.9"})
        assert destination.send([ignored], 5.0).items == {0: Outcome(Verdict.REFUSED, "ignored_ip")}
        assert destination.send([line("b")], 5.0) == Outcome(Verdict.PARK, "http_403")
        visitor = line("c", {c.CLIENT_ADDRESS: "198.51.100.1"})
        outcome = destination.send([visitor, ignored, line("d")], 5.0)
        verdicts = [outcome.items.get(index, outcome).verdict for index in range(3)]
        assert verdicts == [Verdict.DELIVERED, Verdict.REFUSED, Verdict.PARK]


def test_a_whole_500_on_an_old_server_ends_batches(server: UmamiServer) -> None:
    """2.17 to 3.0.2 can fail before the first item; a server that names tokens may have stored some."""
    server.faults.answer(500, b"{}", path="/api/batch")
    server.faults.answer(200, b'{"size":0,"processed":0,"errors":0,"details":[]}', path="/api/batch")
    destination = umami(server)
    assert destination.send([line("a"), line("b")], 5.0).verdict is Verdict.AGAIN
    assert not destination.batches
    server.faults.clear()
    server.faults.answer(500, b"{}", path="/api/batch")
    assert umami(server).send([line("a"), line("b")], 5.0) == Outcome(Verdict.AMBIGUOUS, "http_500")


# -- answers and faults ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"cache":"t"}', DELIVERED),
        (200, b'{"sessionId":"s","visitId":"v"}', DELIVERED),
        (200, b'"a-bare-token"', DELIVERED),
        (200, b"{}", Outcome(Verdict.REFUSED, "bot")),
        (200, b'{"beep":"boop"}', Outcome(Verdict.REFUSED, "bot")),
        (200, b'{"ok":true}', Outcome(Verdict.PARK, "not_umami")),
        (200, b"<html>parked</html>", Outcome(Verdict.PARK, "not_umami")),
        (200, b"", Outcome(Verdict.PARK, "not_umami")),
        (200, b'{"cache":"t', Outcome(Verdict.AMBIGUOUS, "unreadable_answer")),
        (301, b"", Outcome(Verdict.PARK, "http_301")),
        (308, b"", Outcome(Verdict.PARK, "http_308")),
        (400, b'{"error":{"message":"Bad request"}}', Outcome(Verdict.REFUSED, "http_400")),
        (
            400,
            b'{"error":{"properties":{"payload":{"properties":{"website":{"errors":["Invalid"]}}}}}}',
            Outcome(Verdict.PARK, "invalid_website"),
        ),
        (401, b"", Outcome(Verdict.PARK, "http_401")),
        (403, b"", Outcome(Verdict.PARK, "http_403")),
        (404, b"", Outcome(Verdict.PARK, "http_404")),
        (405, b"", Outcome(Verdict.PARK, "http_405")),
        (413, b"", Outcome(Verdict.REFUSED, "http_413")),
        (429, b"", Outcome(Verdict.RETRY, "http_429", 7.0)),
        (500, b"", Outcome(Verdict.REFUSED, "umami_500_partial")),
        (502, b"", Outcome(Verdict.AMBIGUOUS, "http_502")),
        (503, b"", Outcome(Verdict.RETRY, "http_503", 7.0)),
        (504, b"", Outcome(Verdict.AMBIGUOUS, "http_504")),
    ],
)
def test_every_answer_to_one_event(server: UmamiServer, status: int, body: bytes, outcome: Outcome) -> None:
    """The table of the answers module, over HTTP."""
    server.faults.answer(status, body, headers={"Retry-After": "7"})
    assert outcome == umami(server).send([line("a")], 5.0)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"<html>", Verdict.PARK),
        (200, b'{"size":2', Verdict.AMBIGUOUS),
        (200, b'{"size":2,"processed":1,"errors":1,"details":[],"cache":"t"}', Verdict.AMBIGUOUS),
        (307, b"", Verdict.PARK),
        (400, b"", Verdict.REFUSED),
        (401, b"", Verdict.PARK),
        (413, b"", Verdict.REFUSED),
        (429, b"", Verdict.RETRY),
        (502, b"", Verdict.AMBIGUOUS),
        (503, b"", Verdict.RETRY),
    ],
)
def test_every_answer_to_a_batch(server: UmamiServer, status: int, body: bytes, verdict: Verdict) -> None:
    """A refusal of a whole batch names no event, so that the courier cuts it in halves."""
    server.faults.answer(status, body)
    outcome = umami(server).send([line("a"), line("b")], 5.0)
    assert verdict is outcome.verdict
    assert outcome.items == {}


def test_a_server_that_is_down_is_tried_again(server: UmamiServer) -> None:
    """Nothing can have been stored."""
    server.faults.down()
    assert umami(server).send([line("a")], 5.0) == Outcome(Verdict.RETRY, "connection_refused")


def test_an_answer_that_does_not_come_is_ambiguous(server: UmamiServer) -> None:
    """The server goes on with a request whose client has left."""
    server.faults.hang(1.0)
    assert umami(server).send([line("a")], 0.3) == Outcome(Verdict.AMBIGUOUS, "read_timeout")


def test_a_connection_reset_in_the_answer_is_ambiguous(server: UmamiServer) -> None:
    """The event may be stored, and was."""
    server.faults.reset()
    assert umami(server).send([line("a")], 5.0).verdict is Verdict.AMBIGUOUS
    assert len(server.events("a")) == 1


def test_events_after_a_failed_request_wait(server: UmamiServer) -> None:
    """A suspect's request fails: the batch behind it is not tried, and says so."""
    server.faults.answer(503, headers={"Retry-After": "3"})
    events = [line("a"), line("bot", {c.USER_AGENT_ORIGINAL: BOT})]
    outcome = umami(server).send(events, 5.0)
    assert (outcome.verdict, outcome.retry_after) == (Verdict.RETRY, 3.0)
    assert len(server.requests) == 1


# -- revenue -----------------------------------------------------------------------------------------------------------


def test_revenue_is_sent_at_most_once_by_default(server: UmamiServer) -> None:
    """Of an ambiguous batch the courier gives the payments up and sends the rest again."""
    server.faults.reset()
    paid = line("paid", {"revenue": 5, "currency": "EUR"})
    destination = umami(server)
    assert destination.send([line("a"), paid], 5.0) == Outcome(Verdict.AMBIGUOUS, "reset")
    assert (destination.on_ambiguous_for(paid), destination.on_ambiguous_for(line("a"))) == ("drop", "retry")


def test_the_setting_decides_about_revenue_where_it_is_set(server: UmamiServer) -> None:
    """Whoever says retry means every event."""
    server.faults.reset()
    paid = line("paid", {"revenue": 5, "currency": "EUR"})
    made = build_destination(settings("umami", on_ambiguous="retry", url=server.url, website=server.website))
    assert made.send([line("a"), paid], 5.0) == Outcome(Verdict.AMBIGUOUS, "reset")
    assert made.on_ambiguous_for(paid) == "retry"


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"website": WEBSITE_ID}, "url"),
        ({"url": "http://localhost"}, "website"),
        ({"url": "http://localhost", "website": "shop"}, "website"),
        ({"url": "http://localhost", "website": WEBSITE_ID, "hostname": "no host"}, "hostname"),
    ],
)
def test_settings_that_umami_would_refuse_are_errors_at_once(options: dict[str, Any], key: str) -> None:
    """A website that is no UUID would be a 400 for every event."""
    with pytest.raises(ConfigurationError) as caught:
        build_destination(settings("umami", **options))
    assert caught.value.key == f"telemetry.destinations.umami.{key}"


def test_identity_is_address_and_website() -> None:
    """Another host name or path keeps the destination's place in the spool."""
    base: dict[str, Any] = {"url": "http://localhost", "website": WEBSITE_ID}
    one = build_destination(settings("umami", **base))
    assert one.id == build_destination(settings("umami", **base, hostname="shop.example")).id
    assert one.id != build_destination(settings("umami", **{**base, "url": "http://127.0.0.1"})).id
    assert (one.max_items, one.on_ambiguous) == (100, "retry")
