"""Tests for footspan.compat.clients: a destination of one's own, and the process's besides."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan.compat import clients
from footspan.compat.clients import Client
from footspan.config import ConfigurationError
from servers.otlp import OtlpSink
from spooled import spooled

if TYPE_CHECKING:
    from servers.umami import UmamiServer

UID = "log.record.uid"


def client(sink: OtlpSink, **settings: Any) -> Client:
    """A client whose own destination is a sink."""
    return Client("otlp", {"endpoint": sink.url, "headers": None}, **settings)


def seen(sink: OtlpSink) -> list[tuple[str, str]]:
    """Names and ids of what arrived."""
    return [(event["name"], event["attributes"][UID]) for event in sink.events]


def test_an_event_goes_to_the_clients_own_destination(otlp_sink: OtlpSink) -> None:
    """Where nothing else is set up, there alone, and no pipeline of the process starts."""
    own = client(otlp_sink)
    uid = own.emit("a", {"k": 1})
    assert own.flush(20) == 0
    assert seen(otlp_sink) == [("a", uid)]
    assert footspan.status() == {}
    assert len(spooled()) == 1


def test_the_process_gets_it_too(otlp_sink: OtlpSink) -> None:
    """The same event, by its id."""
    with OtlpSink() as other:
        footspan.init(destinations={"otlp": {"endpoint": other.url}})
        own = client(otlp_sink)
        uid = own.emit("a", {"k": 1})
        assert own.flush(20) == 0
        assert footspan.flush(20) == {"otlp": 0}
        assert seen(otlp_sink) == seen(other) == [("a", uid)]


def test_the_environment_starts_the_process_pipeline(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the first `track()` would."""
    with OtlpSink() as other:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", other.url)
        own = client(otlp_sink)
        uid = own.emit("a", {})
        assert (own.flush(20), footspan.flush(20)) == (0, {"otlp": 0})
        assert seen(otlp_sink) == seen(other) == [("a", uid)]


def test_one_place_gets_it_once(otlp_sink: OtlpSink) -> None:
    """The process has the very same destination."""
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url}})
    own = client(otlp_sink)
    uid = own.emit("a", {})
    assert (own.flush(20), footspan.flush(20)) == (0, {"otlp": 0})
    assert seen(otlp_sink) == [("a", uid)]
    assert len(spooled()) == 1


def test_one_place_that_the_environment_names_gets_it_once(
    umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There it stands beside the client's own, which is no mistake."""
    for name, value in (("URL", umami_server.url), ("WEBSITE", umami_server.website)):
        monkeypatch.setenv(f"FOOTSPAN_DESTINATIONS_UMAMI_{name}", value)
    own = Client("umami", {"url": umami_server.url, "website": umami_server.website})
    own.emit("a", {})
    assert (own.flush(20), footspan.flush(20)) == (0, {"umami": 0})
    assert len(umami_server.events("a")) == 1


def test_a_client_apart_keeps_it_to_itself(otlp_sink: OtlpSink, tmp_path: Any) -> None:
    """Its spool is looked after by somebody: the same place gets nothing from the process."""
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url}})
    own = client(otlp_sink, apart=True, spool={"directory": str(tmp_path / "queue")})
    uid = own.emit("a", {})
    assert (own.flush(20), footspan.flush(20)) == (0, {"otlp": 0})
    assert seen(otlp_sink) == [("a", uid)]
    assert not spooled()


def test_clients_know_nothing_of_each_other(otlp_sink: OtlpSink) -> None:
    """Each has its destination."""
    with OtlpSink() as other:
        first, second = client(otlp_sink), client(other)
        uids = first.emit("a", {}), second.emit("b", {})
        assert (first.flush(20), second.flush(20)) == (0, 0)
        assert (seen(otlp_sink), seen(other)) == ([("a", uids[0])], [("b", uids[1])])


def test_clients_of_one_place_share_a_pipeline(otlp_sink: OtlpSink) -> None:
    """Apps make one for every request; and what is closed is made anew."""
    first = client(otlp_sink)
    assert client(otlp_sink).pipeline is first.pipeline is not None
    first.close()
    assert first.emit("late", {}) == ""
    again = client(otlp_sink)
    assert again.emit("a", {})
    assert again.flush(20) == 0
    assert [name for name, _ in seen(otlp_sink)] == ["a"]


def test_as_many_places_as_one_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is let go once nobody has a client of it; who has one goes on."""
    monkeypatch.setattr(clients, "KEPT", 2)
    with OtlpSink() as sink:
        first = client(sink)
        for number in range(4):
            Client("otlp", {"endpoint": f"http://127.0.0.1:1/{number}"})
        assert len(clients._kept) == 2
        uid = first.emit("a", {})
        assert first.flush(20) == 0
        assert seen(sink) == [("a", uid)]


def test_no_key_of_another_destination_gets_there(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of the process's destination of the type stays with that one."""
    with OtlpSink() as other:
        monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", other.url)
        monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_HEADERS", "x-key=secret")
        own = client(otlp_sink)
        own.emit("a", {})
        assert (own.flush(20), footspan.flush(20)) == (0, {"otlp": 0})
        assert [request.headers.get("x-key") for request in other.requests] == ["secret"]
        assert [request.headers.get("x-key") for request in otlp_sink.requests] == [None]


@pytest.mark.parametrize("variable", ["TELEMETRY_ENABLED=false", "OTEL_SDK_DISABLED=true"])
def test_it_can_be_switched_off(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """As everything of ours."""
    monkeypatch.setenv(*variable.split("="))
    own = client(otlp_sink)
    assert own.emit("a", {}) == ""
    assert own.flush(1) == 0
    assert own.destination is None
    assert not otlp_sink.requests


def test_options_that_cannot_be_used_are_refused() -> None:
    """At once, by the key."""
    with pytest.raises(ConfigurationError, match="otlpclient"):
        Client("otlp", {"endpoint": "nowhere"})


def test_a_bad_setting_of_the_process_is_said_at_once(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the client is made, before an event is lost to it."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_URL", "http://127.0.0.1:9")  # no website
    with pytest.raises(ConfigurationError, match="website"):
        client(otlp_sink)


def test_a_forked_child_delivers(otlp_sink: OtlpSink) -> None:
    """With the pipeline that it inherited."""
    own = client(otlp_sink)
    own.emit("parent", {})
    assert own.flush(20) == 0
    child = os.fork()
    if not child:
        own.emit("child", {})
        os._exit(0 if own.flush(20) == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert sorted(name for name, _ in seen(otlp_sink)) == ["child", "parent"]


def test_a_closed_client_leaves_the_others_alone(otlp_sink: OtlpSink) -> None:
    """They share a pipeline, which ends with the last of them."""
    one, other = client(otlp_sink), client(otlp_sink)
    one.emit("a", {})
    one.close()
    assert one.emit("b", {}) == ""
    other.emit("c", {})
    other.close()
    assert [name for name, _ in seen(otlp_sink)] == ["a", "c"]
    assert other.pipeline is None


def test_flush_waits_for_the_process_pipeline_where_events_go_by_it(otlp_sink: OtlpSink) -> None:
    """The client's own pipeline has nothing to wait for then."""
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url}})
    own = client(otlp_sink)
    uid = own.emit("a", {})
    assert own.flush(20) == 0
    assert seen(otlp_sink) == [("a", uid)]


def test_a_place_may_be_less_than_the_identity(umami_server: UmamiServer) -> None:
    """An event that says itself for which website it is goes by the process's destination in that place, once."""
    site = {"url": umami_server.url, "website": umami_server.website}
    footspan.init(destinations={"umami": {**site, "tag": "a"}})
    other = {**site, "website": "22222222-2222-4333-8444-555555555555"}
    own = Client("umami", other, place=("url",))
    assert own.emit("a", {})
    assert own.flush(20) == 0
    assert 1 == len(umami_server.events())
    assert 2 == len(own.carriers)
    assert 1 == len(Client("umami", other).carriers)
