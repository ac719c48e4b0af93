"""Servers before 2.17: no batches, an address and a host name wanted from every event, other answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from destinations.making import CHROME, line, settings
from footspan import conventions as c
from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.umami import UmamiDestination
from servers.umami.old import OldUmamiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.umami.old import Version

VERSIONS: tuple[Version, ...] = ("2.10", "2.16")
DELIVERED = Outcome(Verdict.DELIVERED)


@pytest.fixture(params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[OldUmamiServer]:
    """A running server of each old version."""
    with OldUmamiServer(request.param) as running:
        yield running


def umami(server: OldUmamiServer, **options: Any) -> UmamiDestination:
    """The destination for a server."""
    return UmamiDestination(settings("umami", **{"url": server.url, "website": server.website, **options}))


def test_a_first_event_alone_finds_out_what_the_server_wants(server: OldUmamiServer) -> None:
    """Its refusal is not the event's fault; with an address and a host name it is taken, and so are all that follow."""
    destination = umami(server)
    assert destination.send([line("a")], 5.0) == Outcome(Verdict.AGAIN, "old_server")
    assert destination.max_items == 1
    for name in ("a", "b"):
        assert destination.send([line(name)], 5.0) == DELIVERED
    assert [(row["event_name"], row["url_path"]) for row in server.events()] == [("a", "/"), ("b", "/")]


def test_a_first_batch_finds_it_out_too(server: OldUmamiServer) -> None:
    """The missing batch says it before anything is refused."""
    destination = umami(server)
    events = [line("a"), line("b")]
    assert destination.send(events, 5.0) == Outcome(Verdict.AGAIN, "no_batches")
    assert [destination.send([event], 5.0) for event in events] == [DELIVERED, DELIVERED]
    assert len(server.events()) == 2


def test_what_such_a_server_does_not_know_harms_nobody(server: OldUmamiServer) -> None:
    """Fields of later versions go along and are passed over; addresses are cut to what fits."""
    destination = umami(server)
    destination.send([line(), line()], 5.0)
    attributes = {
        c.USER_ID: "u1",
        c.CLIENT_ADDRESS: "203.0.113.7",
        c.USER_AGENT_ORIGINAL: CHROME,
        c.URL_FULL: "https://shop.example/" + "p" * 600 + "?" + "q" * 600,
        c.HTTP_REQUEST_HEADER_REFERER: "https://other.example/" + "%C3%A4" * 200,
        c.TAG: "exp",
    }
    assert destination.send([line("a", attributes)], 5.0) == DELIVERED
    assert server.events()[-1]["url_path"].startswith("/ppp")


def test_an_event_that_is_refused_again_is_at_fault(server: OldUmamiServer) -> None:
    """The server is asked for its age once; from then on a 400 is a 400."""
    destination = umami(server)
    destination.send([line("a")], 5.0)
    server.faults.answer(400)
    assert destination.send([line("b")], 5.0) == Outcome(Verdict.REFUSED, "http_400")


def test_an_unknown_website_parks_though_an_event_names_an_address(server: OldUmamiServer) -> None:
    """In 2.10 that is a 403 and plain text: no reason to throw an event away as an ignored visitor's."""
    destination = umami(server, website="00000000-0000-4000-8000-000000000000", hostname="shop.example")
    event = line("a", {c.CLIENT_ADDRESS: "203.0.113.7", c.URL_PATH: "/"})
    assert destination.send([event], 5.0) == Outcome(Verdict.PARK, "unknown_website")


def test_a_bot_is_refused_as_a_bot(server: OldUmamiServer) -> None:
    """2.10 says so by an empty object, 2.16 by its beep; both look at the request's own user agent as well."""
    server.faults.answer(200, b"{}" if server.version == "2.10" else b'{"beep":"boop"}')
    assert umami(server).send([line("a")], 5.0) == Outcome(Verdict.REFUSED, "bot")


def test_a_500_is_not_sent_again_even_if_the_server_turns_out_old() -> None:
    """Something may be stored of it. The next event is made as the server wants it."""
    with OldUmamiServer("2.16") as server:
        destination = umami(server)
        server.faults.answer(500, path="/api/send")
        assert destination.send([line("a")], 5.0) == Outcome(Verdict.REFUSED, "umami_500_partial")
        assert destination.send([line("b")], 5.0) == DELIVERED


def test_a_current_server_is_not_taken_for_an_old_one(umami_server: Any) -> None:
    """A 400 there is the event's own, whatever the event leaves out; asked once."""
    destination = umami(umami_server)
    umami_server.faults.answer(400, times=2, path="/api/send")
    for _ in range(2):
        assert destination.send([line("a")], 5.0) == Outcome(Verdict.REFUSED, "http_400")
    assert [request.path for request in umami_server.requests] == ["/api/send", "/api/batch", "/api/send"]
    assert destination.send([line("b"), line("c")], 5.0) == DELIVERED
