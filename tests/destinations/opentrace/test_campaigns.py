"""What a start code stands for: asked once, off the caller's thread, within a time, for every destination."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from destinations.making import line, settings
from footspan import conventions as c
from footspan.config.campaigns import CampaignServers, Server
from footspan.config.load import load_settings
from footspan.config.one import load_destination
from footspan.destinations import build_destination, campaigns, sending
from footspan.destinations.base import Destination, Outcome, Verdict
from footspan.destinations.opentrace.campaigns import CampaignServer, address_of
from servers.opentrace import CAMPAIGN, OpenTraceServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.otlp_json import LogLine

CODE = c.CAMPAIGN_START_CODE
UTM = {f"footspan.{name.replace('_', '.', 1)}": value for name, value in CAMPAIGN.items()}


class Keeping(Destination):
    """Keeps what it gets."""

    type = "keeping"

    def __init__(self, servers: Sequence[Server] = (), timeout: float = 2.0) -> None:
        told = settings("keeping")
        object.__setattr__(told, "campaigns", CampaignServers(tuple(servers), timeout))
        super().__init__(told)
        self.got: list[LogLine] = []
        self.timeouts: list[float] = []

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        """Keep them."""
        self.got += events
        self.timeouts.append(timeout)
        return Outcome(Verdict.DELIVERED)

    def attributes(self, event: LogLine, timeout: float = 5.0) -> dict[str, Any]:
        """What an event looks like when it gets here, its id left out."""
        assert sending.send(self, [event], timeout).verdict is Verdict.DELIVERED
        return {key: value for key, value in self.got[-1].event.attributes.items() if key != c.LOG_RECORD_UID}


def at(server: OpenTraceServer) -> Keeping:
    """A destination whose codes a server resolves."""
    return Keeping([Server(server.url)])


def test_all_five_fields_become_attributes(opentrace_server: OpenTraceServer) -> None:
    """And the code stays; the event is the same otherwise, its line in the spool as it was."""
    event = line("bot_start", {CODE: "utm_a1B2c3", "k": {"n": [1]}}, severity_number=9, trace_id=5, span_id=6)
    before = event.line
    there = at(opentrace_server)
    assert there.attributes(event) == {CODE: "utm_a1B2c3", "k": {"n": [1]}, **UTM}
    got = there.got[0]
    assert (got.uid, got.time_ns, got.name, got.suffix) == (event.uid, event.time_ns, event.name, event.suffix)
    assert (got.event.trace_id, got.event.severity_number) == (event.event.trace_id, 9)
    assert event.line is before


def test_manual_values_win(opentrace_server: OpenTraceServer) -> None:
    """What the event says of its campaign stays; with a source of its own nobody is asked."""
    there = at(opentrace_server)
    found = there.attributes(line("e", {CODE: "a1B2c3", "footspan.utm.medium": "mine"}))
    assert found == {CODE: "a1B2c3", **UTM, "footspan.utm.medium": "mine"}
    opentrace_server.forget()
    own = {CODE: "a1B2c3x", "footspan.utm.source": "mine"}
    assert there.attributes(line("e", own)) == own
    assert opentrace_server.requests == []


@pytest.mark.parametrize("code", ["", 5, True, ["a"], "x" * 600])
def test_what_is_no_code_is_not_looked_up(opentrace_server: OpenTraceServer, code: Any) -> None:
    """And kept."""
    assert at(opentrace_server).attributes(line("e", {CODE: code})) == {CODE: code}
    assert opentrace_server.requests == []


def test_an_unknown_code_is_kept_and_asked_for_once(opentrace_server: OpenTraceServer) -> None:
    """Misses are remembered, as hits are."""
    there = at(opentrace_server)
    for _ in range(3):
        assert there.attributes(line("e", {CODE: "nope"})) == {CODE: "nope"}
        assert there.attributes(line("e", {CODE: "utm_a1B2c3"}))["footspan.utm.source"] == "telegram"
    assert opentrace_server.asked == ["nope", "a1B2c3"]


def test_what_is_remembered_is_bounded_and_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes; a miss is asked again earlier than a hit."""
    monkeypatch.setattr(campaigns, "KEPT", 3)
    monkeypatch.setattr(campaigns, "UNKNOWN_FOR", 0.0)
    with OpenTraceServer(campaigns=dict.fromkeys("abcd", CAMPAIGN)) as server:
        there = at(server)
        for code in ("a", "b", "c", "a", "d", "b", "a"):
            there.attributes(line("e", {CODE: code}))
        assert server.asked == ["a", "b", "c", "d", "b"]
        for _ in range(2):
            there.attributes(line("e", {CODE: "nope"}))
        assert server.asked[-2:] == ["nope", "nope"]


def test_several_at_once_ask_once(opentrace_server: OpenTraceServer) -> None:
    """Whoever comes second hears the first one's answer."""
    opentrace_server.faults.latency = 0.2
    there = at(opentrace_server)
    threads = [threading.Thread(target=there.attributes, args=(line("e", {CODE: "a1B2c3"}),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    assert opentrace_server.asked == ["a1B2c3"]
    assert [each.event.attributes["footspan.utm.term"] for each in there.got] == ["vpn"] * 4


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("utm_utm_x", "utm_x"),
        ("x_utm_y", "x_utm_y"),
        ("../../v1/rules/x", "..%2F..%2Fv1%2Frules%2Fx"),
        ("a?b=1", "a%3Fb%3D1"),
        ("a#b", "a%23b"),
        ("a b", "a%20b"),
        ("a%2Fb", "a%252Fb"),
        ("\u043f\u2713", "%D0%BF%E2%9C%93"),
        ("a\r\nX: y", "a%0D%0AX%3A%20y"),
        ("utm_", ""),
    ],
)
def test_a_code_stays_one_part_of_the_path(opentrace_server: OpenTraceServer, code: str, path: str) -> None:
    """Whatever a stranger wrote into the link; one prefix is taken off."""
    at(opentrace_server).attributes(line("e", {CODE: code}))
    assert [request.path for request in opentrace_server.requests] == [f"/api/campaigns/resolve/{path}"]


@pytest.mark.parametrize("code", [".", "..", "utm_.."])
def test_dots_alone_are_no_code(opentrace_server: OpenTraceServer, code: str) -> None:
    """They would name another folder, escaped or not."""
    assert address_of("http://h", code) == ""
    assert at(opentrace_server).attributes(line("e", {CODE: code})) == {CODE: code}
    assert opentrace_server.requests == []


def test_a_code_of_two_campaigns_fails_alone() -> None:
    """The server fails on it; others are resolved, also after it has broken the connection."""
    with OpenTraceServer(doubled=["dup"]) as server:
        there = at(server)
        assert there.attributes(line("e", {CODE: "utm_dup"})) == {CODE: "utm_dup"}
        assert there.attributes(line("e", {CODE: "a1B2c3"}))["footspan.utm.source"] == "telegram"
        assert server.asked == ["dup", "a1B2c3"]


@pytest.mark.parametrize("answer", [b"<html>", b"[1]", b'"text"', b"{}", b"", b"null", b'{"utm_source'])
def test_an_answer_that_is_no_campaign(opentrace_server: OpenTraceServer, answer: bytes) -> None:
    """Counts as none."""
    opentrace_server.faults.answer(200, answer)
    assert at(opentrace_server).attributes(line("e", {CODE: "a1B2c3"})) == {CODE: "a1B2c3"}


def test_fields_without_text_are_left_out(opentrace_server: OpenTraceServer) -> None:
    """Nulls and empty ones are no attributes; a number is its digits; anything else is nothing."""
    fields = {"utm_source": "s", "utm_medium": None, "utm_campaign": "", "utm_content": 5, "utm_term": ["x"], "x": "y"}
    opentrace_server.faults.answer(200, json.dumps(fields).encode())
    found = at(opentrace_server).attributes(line("e", {CODE: "a1B2c3"}))
    assert found == {CODE: "a1B2c3", "footspan.utm.source": "s", "footspan.utm.content": "5"}


def test_a_slow_server_costs_one_budget_then_nothing(opentrace_server: OpenTraceServer) -> None:
    """Events go without the campaign; what is left of the request's time is the destination's."""
    opentrace_server.faults.hang(5.0)
    there = Keeping([Server(opentrace_server.url)], timeout=0.4)
    began = time.monotonic()
    assert there.attributes(line("e", {CODE: "one"})) == {CODE: "one"}
    assert there.attributes(line("e", {CODE: "two"})) == {CODE: "two"}
    assert time.monotonic() - began < 4.0
    assert opentrace_server.asked == ["one"]
    assert there.timeouts[0] <= 5.0 - 0.3
    assert there.timeouts[1] > 4.5


def test_a_dead_server_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """And asked again after that."""
    monkeypatch.setattr(campaigns, "AWAY_FOR", 0.3)
    with OpenTraceServer() as server:
        server.faults.down()
        there = at(server)
        assert there.attributes(line("e", {CODE: "a1B2c3"})) == {CODE: "a1B2c3"}
        server.faults.up()
        assert there.attributes(line("e", {CODE: "a1B2c3"})) == {CODE: "a1B2c3"}
        assert server.asked == []
        time.sleep(0.35)
        assert there.attributes(line("e", {CODE: "a1B2c3"}))["footspan.utm.source"] == "telegram"


def test_a_batch_has_one_budget_for_all_its_codes(opentrace_server: OpenTraceServer) -> None:
    """However many there are, and however slow each answer is; a server that answers is not given up for that."""
    opentrace_server.campaigns = {f"c{number}": CAMPAIGN for number in range(50)}
    opentrace_server.faults.latency = 0.1
    there = Keeping([Server(opentrace_server.url)], timeout=0.5)
    events = [line("e", {CODE: f"c{number}"}) for number in range(50)]
    began = time.monotonic()
    sending.send(there, events, 5.0)
    assert time.monotonic() - began < 4.0
    assert [each.uid for each in there.got] == [each.uid for each in events]
    resolved = sum("footspan.utm.source" in each.event.attributes for each in there.got)
    assert 0 < resolved < 50
    opentrace_server.faults.latency = 0.0
    assert there.attributes(line("e", {CODE: "c49"}))["footspan.utm.source"] == "telegram"


def test_servers_are_asked_in_turn() -> None:
    """The first that knows a code counts."""
    other = {**CAMPAIGN, "utm_source": "other"}
    with OpenTraceServer(campaigns={"a": CAMPAIGN}) as one, OpenTraceServer(campaigns={"a": other, "b": other}) as two:
        there = Keeping([Server(one.url), Server(two.url)])
        assert there.attributes(line("e", {CODE: "a"}))["footspan.utm.source"] == "telegram"
        assert there.attributes(line("e", {CODE: "b"}))["footspan.utm.source"] == "other"


def test_an_event_without_code_is_not_even_looked_at() -> None:
    """It gets there as it is."""
    there = Keeping([Server("http://127.0.0.1:9")])
    events = [line("e"), line("f")]
    sending.send(there, events, 5.0)
    assert all(got is event for got, event in zip(there.got, events, strict=True))
    assert there.timeouts == [5.0]


def test_the_mark_inside_data_is_no_code(opentrace_server: OpenTraceServer) -> None:
    """A property that speaks of it."""
    event = line("e", {"text": f'say "{CODE}"', "nested": {CODE: "a1B2c3"}})
    there = at(opentrace_server)
    sending.send(there, [event], 5.0)
    assert there.got == [event]
    assert opentrace_server.requests == []


def test_an_old_clients_event_tells_what_it_was_given(opentrace_server: OpenTraceServer) -> None:
    """A source from the context is none of the call's; what the server said is kept for the client's own body."""
    wire = {"opentrace": {"parity": True, "given": [CODE, "footspan.utm.medium"]}}
    around = {"footspan.utm.source": "ambient", "footspan.utm.medium": "mine", "footspan.utm.term": "ambient"}
    found = at(opentrace_server).attributes(line("e", {CODE: "a1B2c3", c.WIRE: wire, **around}))
    assert found.pop(c.WIRE) == {"opentrace": {**wire["opentrace"], "resolved": CAMPAIGN}}
    assert found == {CODE: "a1B2c3", **UTM, "footspan.utm.medium": "mine"}


def test_the_body_of_an_old_clients_event(opentrace_server: OpenTraceServer) -> None:
    """From the line to the wire, as the recordings have it."""
    destination = build_destination(settings("opentrace", url=opentrace_server.url, project_id="ot_web_test01"))
    wire = {"endpoint": "event", "parity": True, "session": "777", "given": [CODE]}
    event = line("bot_start", {CODE: "utm_a1B2c3", c.WIRE: {"opentrace": wire}})
    assert sending.send(destination, [event], 5.0).verdict is Verdict.DELIVERED
    assert opentrace_server.requests[-1].body == (
        b'{"name": "bot_start", "project_id": "ot_web_test01", "payload": {"bot_param": "utm_a1B2c3"}, '
        b'"utm_source": "telegram", "utm_medium": "bot", "utm_campaign": "spring", "session_id": "777"}'
    )


def test_a_native_event_keeps_its_code_in_the_payload(opentrace_server: OpenTraceServer) -> None:
    """Resolved or not."""
    destination = build_destination(settings("opentrace", url=opentrace_server.url, project_id="p"))
    for code in ("a1B2c3", "nope"):
        sending.send(destination, [line("e", {CODE: code, c.SESSION_ID: "s"})], 5.0)
    known, unknown = opentrace_server.rows
    assert json.loads(known["payload"]) == {"bot_param": "a1B2c3", "utm_content": "banner", "utm_term": "vpn"}
    assert (known["utm_source"], known["utm_campaign"]) == ("telegram", "spring")
    assert (json.loads(unknown["payload"]), unknown["utm_source"]) == ({"bot_param": "nope"}, "")


# -- whom to ask -------------------------------------------------------------------------------------------------------


def test_the_settings_name_the_server() -> None:
    """Else the destinations of the type do; a destination by itself knows the setting, too."""
    ours = {"opentrace": {"url": "http://ot.example/", "proxy": "http://proxy.example:1"}, "umami": {}}
    ours["umami"] = {"url": "http://u.example", "website": "6f3a1f0e-5f0a-4a52-9a6e-0f7a3f5f2c11"}
    found = load_settings(environ={}, overrides={"destinations": ours}).destinations
    assert {each.campaigns for each in found} == {
        CampaignServers((Server("http://ot.example", "http://proxy.example:1"),))
    }
    environ = {"FOOTSPAN_CAMPAIGNS_URL": "http://c.example", "FOOTSPAN_CAMPAIGNS_TIMEOUT": "500ms"}
    told = CampaignServers((Server("http://c.example"),), 0.5)
    found = load_settings(environ=environ, overrides={"destinations": ours}).destinations
    assert {each.campaigns for each in found} == {told}
    one = load_destination("umami", None, ours["umami"], environ=environ)
    assert one is not None
    assert one.destination.campaigns == told
    assert "example" not in repr(told)


def test_a_server_that_gets_events_is_asked_first(opentrace_server: OpenTraceServer) -> None:
    """Its own codes are its own affair, whoever else is named."""
    told = settings("opentrace", url=opentrace_server.url)
    object.__setattr__(told, "campaigns", CampaignServers((Server("http://c.example"), Server(opentrace_server.url))))
    servers, _ = campaigns.servers_for(build_destination(told))
    assert servers == (Server(opentrace_server.url), Server("http://c.example"))


def test_a_disabled_destination_is_not_asked() -> None:
    """Nothing is sent there."""
    ours = {"opentrace": {"url": "http://ot.example/", "enabled": False}, "console": {}}
    (*_, console) = load_settings(environ={}, overrides={"destinations": ours}).destinations
    assert console.campaigns == CampaignServers()


def test_where_nobody_is_named_this_processs_own_servers_are_asked(opentrace_server: OpenTraceServer) -> None:
    """Such as an old client's, which no settings know."""
    there = Keeping()
    assert there.attributes(line("e", {CODE: "a1B2c3"})) == {CODE: "a1B2c3"}
    client = build_destination(settings("opentrace", url=opentrace_server.url))
    assert there.attributes(line("e", {CODE: "a1B2c3"}))["footspan.utm.source"] == "telegram"
    client.close()


def test_a_server_that_drips_its_answer_is_cut_off() -> None:
    """The time is for all of it, not for each piece."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
                with suppress(OSError):
                    while not stop.wait(0.05):
                        connection.sendall(b" ")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        began = time.monotonic()
        server = CampaignServer(Server(f"http://127.0.0.1:{listener.getsockname()[1]}"))
        assert server.resolve("a", 0.4) is None
        assert time.monotonic() - began < 3.0
        server.close()
        stop.set()
        thread.join(10.0)
