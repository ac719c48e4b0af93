"""Proxies, only on request: through a real one, for plain and secure addresses and for gRPC."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from destinations.making import line, settings
from destinations.test_http import CERTIFICATE, listening, read_request
from footspan.config import ConfigurationError, load_settings
from footspan.destinations import build_destination
from footspan.destinations.base import Outcome, Verdict
from servers.otlp import OtlpSink
from servers.otlp_grpc import OtlpGrpcSink
from servers.proxy import Proxy

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

DELIVERED = Outcome(Verdict.DELIVERED)
PEM = str(CERTIFICATE)
SOCKS = "socks5://ann:s3cret@p"


@pytest.fixture
def secure_sink() -> Iterator[OtlpSink]:
    """A receiver behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    with OtlpSink(tls=context) as sink:
        yield sink


def send(endpoint: str, timeout: float = 10.0, **options: Any) -> Outcome:
    """Send one event to an OTLP endpoint."""
    destination = build_destination(settings("otlp", timeout=timeout, endpoint=endpoint, **options))
    try:
        return destination.send([line()], timeout)
    finally:
        destination.close()


def test_a_plain_address_goes_to_the_proxy_whole(otlp_sink: OtlpSink) -> None:
    """As a forward proxy wants it."""
    with Proxy() as proxy:
        assert send(otlp_sink.url, proxy=proxy.url) == DELIVERED
    assert proxy.requests == [f"POST {otlp_sink.url}/v1/logs HTTP/1.1"]
    assert len(otlp_sink.events) == 1


def test_a_secure_address_goes_through_a_tunnel(secure_sink: OtlpSink) -> None:
    """The proxy sees host and port, and nothing else; the certificate is still checked."""
    with Proxy() as proxy:
        assert send(secure_sink.url, proxy=proxy.url, certificate=PEM) == DELIVERED
        assert send(secure_sink.url, proxy=proxy.url) == Outcome(Verdict.PARK, "tls")
    tunnels = [request.rpartition(" ")[0] for request in proxy.requests]
    assert tunnels == [f"CONNECT 127.0.0.1:{secure_sink.port}"] * 2
    assert len(secure_sink.events) == 1


def test_user_name_and_password_are_sent_to_the_proxy_alone(secure_sink: OtlpSink, otlp_sink: OtlpSink) -> None:
    """Both ways; the destination never sees them."""
    with Proxy(authorization="Basic YW5uOnB3") as proxy:
        named = f"http://ann:pw@{proxy.address}"
        assert send(secure_sink.url, proxy=named, certificate=PEM) == DELIVERED
        assert send(otlp_sink.url, proxy=named) == DELIVERED
    assert not any("proxy-authorization" in request.headers for request in secure_sink.requests)


@pytest.mark.parametrize(
    ("status", "tunnelled", "forwarded"),
    [
        (407, Outcome(Verdict.PARK, "proxy_refused"), Outcome(Verdict.PARK, "http_407")),
        (403, Outcome(Verdict.PARK, "proxy_refused"), Outcome(Verdict.PARK, "http_403")),
        (503, Outcome(Verdict.RETRY, "connection_refused"), Outcome(Verdict.RETRY, "http_503")),
        (502, Outcome(Verdict.RETRY, "connection_refused"), Outcome(Verdict.AMBIGUOUS, "http_502")),
    ],
)
def test_a_proxy_that_refuses(status: int, tunnelled: Outcome, forwarded: Outcome) -> None:
    """Nothing left through a tunnel that was not made; what a forwarded request became, its answer says."""
    with Proxy(refuse=status) as proxy:
        assert send("https://127.0.0.1:9", proxy=proxy.url) == tunnelled
        assert send("http://127.0.0.1:9", proxy=proxy.url) == forwarded


def test_a_proxy_that_is_down_is_waited_for(otlp_sink: OtlpSink) -> None:
    """It is as if the destination were down."""
    with Proxy() as proxy:
        gone = proxy.url
    for endpoint in (otlp_sink.url, otlp_sink.url.replace("http:", "https:")):
        assert send(endpoint, proxy=gone) == Outcome(Verdict.RETRY, "connection_refused")


def test_the_environment_on_request(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exceptions included; without the setting it says nothing to us, and with it `.netrc` still does not."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert send(otlp_sink.url) == DELIVERED
        assert not proxy.requests
        assert send(otlp_sink.url, proxy="environment") == DELIVERED
        assert len(proxy.requests) == 1
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert send(otlp_sink.url, proxy="environment") == DELIVERED
        assert len(proxy.requests) == 1


def test_netrc_stays_unread_with_the_environments_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Asking for one thing of the environment is not asking for another."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with listening(serve) as url:
        assert send(url, proxy="environment") == DELIVERED
    assert b"authorization" not in seen[0].lower()


def test_grpc_goes_through_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The named proxy, or the environment's; none unless asked for."""
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Proxy() as proxy, OtlpGrpcSink() as sink:
        assert send(sink.url, protocol="grpc", proxy=proxy.url) == DELIVERED
        assert proxy.requests == [f"CONNECT 127.0.0.1:{sink.port} HTTP/1.1"]
        monkeypatch.setenv("http_proxy", proxy.url)
        assert send(sink.url, protocol="grpc") == DELIVERED
        assert len(proxy.requests) == 1
        assert send(sink.url, protocol="grpc", proxy="environment") == DELIVERED
        assert len(proxy.requests) == 2
        assert len(sink.events) == 3


def test_no_password_of_a_proxys_in_text_or_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not of one that is down, not of a setting that cannot be used."""
    with caplog.at_level(logging.DEBUG):
        assert send("http://127.0.0.1:9", proxy="http://ann:s3cret@127.0.0.1:9").verdict is Verdict.RETRY
        with pytest.raises(ConfigurationError) as caught:
            load_settings(overrides={"destinations": {"otlp": {"endpoint": "http://a", "proxy": SOCKS}}})
    assert "s3cret" not in f"{caplog.text} {caught.value}"
    assert "proxy" in caught.value.key
