"""The HTTP client: every way not to get an answer, told apart, and nothing said that is nobody's business."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from opentelemetry import context as otel_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

from destinations.making import line, settings
from footspan.config import ConfigurationError
from footspan.destinations.base import Answer, FaultKind, Outcome, Request, Verdict
from footspan.destinations.http import HttpDestination, join
from footspan.destinations.status import outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from footspan.otlp_json import LogLine

CERTIFICATE = Path(__file__).with_name("localhost.pem")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Plain(HttpDestination):
    """The least a destination has to say."""

    type: ClassVar[str] = "plain"
    address_options: ClassVar[tuple[str, ...]] = ("url",)

    def build(self, events: Sequence[LogLine]) -> Request:
        """All events but those named ``bad``; an event named ``fails`` fails."""
        if any(event.name == "fails" for event in events):
            raise RuntimeError
        refused = {index: "bad" for index, event in enumerate(events) if event.name == "bad"}
        body = b"\n".join(event.line for event in events if event.name != "bad")
        return Request(str(self.settings.options["url"]), body, self.settings.options.get("headers", {}), refused)

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:
        """As the status says; a body that names places refuses the events there."""
        if answer.body.startswith(b"refuse "):
            refused = Outcome(Verdict.REFUSED, "named")
            return Outcome(Verdict.DELIVERED, items={int(answer.body[7:]): refused})
        assert all(event.name != "bad" for event in events)
        return outcome_of(answer)


def plain(url: str, timeout: float = 5.0, **options: Any) -> Plain:
    """A destination for an address."""
    return Plain(settings("plain", timeout=timeout, url=url, **options))


def read_request(connection: socket.socket) -> bytes:
    """One request, to the end of its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(field[15:]) for field in head.lower().split(b"\r\n") if field.startswith(b"content-length:"))
    while len(body) < length and (more := connection.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


@contextmanager
def listening(serve: Callable[[socket.socket], object], times: int = 1) -> Iterator[str]:
    """A server that handles some connections by ``serve``, one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def run() -> None:
            for _ in range(times):
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(10)
                    try:
                        serve(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/in"
    thread.join(10)
    assert not thread.is_alive()


def answering(data: bytes) -> Callable[[socket.socket], None]:
    """Read one request and answer it with some bytes."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)

    return serve


def reset(connection: socket.socket) -> None:
    """Close a connection by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


def post(url: str, timeout: float = 5.0, body: bytes = b"{}", **headers: str) -> Answer | FaultKind:
    """Post something once."""
    destination = plain(url)
    try:
        return destination.post(Request(url, body, headers), timeout)
    finally:
        destination.close()


# -- answers -----------------------------------------------------------------------------------------------------------


def test_an_answer_has_its_status_headers_in_lower_case_and_body() -> None:
    """What `read` gets."""
    with listening(answering(b"HTTP/1.1 202 Accepted\r\nX-Thing: Yes\r\nContent-Length: 3\r\n\r\nabc")) as url:
        answer = post(url)
    assert answer == Answer(202, {"x-thing": "Yes", "content-length": "3"}, b"abc")


def test_a_redirect_to_nowhere_is_an_answer_too() -> None:
    """An address that cannot be read is no reason to think that the request may have been stored."""
    with listening(answering(b"HTTP/1.1 302 Found\r\nLocation: //[\r\nContent-Length: 0\r\n\r\n")) as url:
        answer = post(url)
    assert isinstance(answer, Answer)
    assert answer.status == 302


def test_redirects_are_not_followed() -> None:
    """A redirect of a POST may go anywhere; it is an answer like another."""
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as url:
        answer = post(url)
    assert isinstance(answer, Answer)
    assert answer.status == 307
    assert len(seen) == 1


def test_a_huge_answer_is_cut() -> None:
    """256 KiB are read, and no more of it is waited for."""
    size = 4 * 1024 * 1024
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
    with listening(answering(head + b"x" * size)) as url:
        answer = post(url)
    assert isinstance(answer, Answer)
    assert len(answer.body) == 256 * 1024


def test_an_early_refusal_of_a_large_body_is_read() -> None:
    """A server that answers 413 before it has read everything is understood."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while connection.recv(1 << 20):
            pass

    with listening(serve) as url:
        answer = post(url, body=b"x" * 4_000_000)
    assert isinstance(answer, Answer)
    assert answer.status == 413


def test_the_connection_is_used_again() -> None:
    """One connection carries many requests."""

    def serve(connection: socket.socket) -> None:
        for _ in range(3):
            read_request(connection)
            connection.sendall(OK)

    with listening(serve) as url:
        destination = plain(url)
        for _ in range(3):
            assert destination.send([line()], 5.0) == Outcome(Verdict.DELIVERED)
        destination.close()


def test_closing_is_not_the_end() -> None:
    """A destination may be used again after `close`."""
    with listening(answering(OK), times=2) as url:
        destination = plain(url)
        assert destination.send([line()], 5.0).verdict is Verdict.DELIVERED
        destination.close()
        assert destination.send([line()], 5.0).verdict is Verdict.DELIVERED
        destination.close()


# -- faults ------------------------------------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    """Refused: nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/") is FaultKind.REFUSED


def test_no_such_name() -> None:
    """A name that does not resolve."""
    assert post("http://nowhere.invalid/") is FaultKind.DNS


@pytest.mark.parametrize("url", ["", "shop.example", "ftp://127.0.0.1/", "http://", "http://a..b/", "http://[::1/"])
def test_an_address_that_is_none(url: str) -> None:
    """The request cannot even be made."""
    assert post(url) in (FaultKind.INVALID, FaultKind.DNS)


@pytest.mark.parametrize("value", ["a\r\nb: c", "\u20ac"])
def test_a_header_that_cannot_be_sent(value: str) -> None:
    """Neither a second header smuggled in nor a character beyond Latin-1."""
    assert post("http://127.0.0.1:9/", authorization=value) is FaultKind.INVALID


def test_a_connection_that_is_not_accepted_times_out_before_anything_is_sent() -> None:
    """A full backlog: the connection is never made."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = []
        try:
            for _ in range(4):  # fill the backlog
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(address)
                waiting.append(client)
            time.sleep(0.05)
            started = time.monotonic()
            assert post(f"http://127.0.0.1:{address[1]}/", timeout=0.6) is FaultKind.CONNECT_TIMEOUT
            assert time.monotonic() - started < 2
        finally:
            for client in waiting:
                client.close()


def test_no_answer_in_time() -> None:
    """The request arrived; what became of it nobody knows."""
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        done.wait(10)

    with listening(serve) as url:
        started = time.monotonic()
        assert post(url, timeout=0.4) is FaultKind.READ_TIMEOUT
        assert time.monotonic() - started < 2
        done.set()


def test_an_answer_that_drips_in_does_not_outlast_the_time() -> None:
    """Each single wait is short; the time is for all of them."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    with listening(serve) as url:
        started = time.monotonic()
        assert post(url, timeout=0.4) is FaultKind.READ_TIMEOUT
        assert time.monotonic() - started < 2


def test_a_reset_after_the_request_is_ambiguous() -> None:
    """The server had all of it."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        reset(connection)

    with listening(serve) as url:
        assert post(url) is FaultKind.RESET


def test_a_close_without_an_answer_is_ambiguous() -> None:
    """The same, politely."""
    with listening(read_request) as url:
        assert post(url) is FaultKind.RESET


def test_a_reset_in_a_successful_answer_is_ambiguous_and_in_another_it_is_not() -> None:
    """A 200 whose body breaks off may hide a refusal; a 503 says enough with its status."""
    for status, expected in ((200, FaultKind.RESET), (503, 503)):
        head = f"HTTP/1.1 {status} X\r\nContent-Length: 100\r\n\r\nhalf".encode()
        with listening(answering(head)) as url:
            result = post(url)
            assert expected == (result.status if isinstance(result, Answer) else result)


def test_a_reset_in_the_middle_of_the_request_stored_nothing() -> None:
    """Half a body is no request: it may go again without a doubt."""

    def serve(connection: socket.socket) -> None:
        connection.recv(100)
        reset(connection)

    with listening(serve) as url:
        assert post(url, body=b"x" * 30_000_000) is FaultKind.REFUSED


def test_what_is_no_http() -> None:
    """Something else listens there; it has our request, though."""
    with listening(answering(b"SSH-2.0-OpenSSH_9.6\r\n")) as url:
        assert post(url) is FaultKind.RESET


# -- TLS ---------------------------------------------------------------------------------------------------------------


def serving_tls(connection: socket.socket) -> None:
    """Answer one request over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with context.wrap_socket(connection, server_side=True) as secure:
        read_request(secure)
        secure.sendall(OK)


def test_a_certificate_nobody_vouches_for_is_a_tls_fault() -> None:
    """Certificates are verified; nothing was sent."""
    with listening(serving_tls) as url:
        assert post(url.replace("http:", "https:")) is FaultKind.TLS


def test_the_operator_can_name_the_authority() -> None:
    """`certificate` is the file of the authorities to trust."""
    with listening(serving_tls) as url:
        destination = plain(url.replace("http:", "https:"), certificate=str(CERTIFICATE))
        assert destination.send([line()], 5.0) == Outcome(Verdict.DELIVERED)
        destination.close()


def test_https_to_a_plain_server_is_a_tls_fault() -> None:
    """A wrong scheme or port: what comes back is no handshake."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as url:
        assert post(url.replace("http:", "https:")) is FaultKind.TLS


def test_a_missing_certificate_file_is_an_error_at_once(tmp_path: Path) -> None:
    """Not at the first request, hours later."""
    with pytest.raises(ConfigurationError) as caught:
        plain("https://localhost/", certificate=str(tmp_path / "none.pem"))
    assert caught.value.key == "telemetry.destinations.plain.certificate"


# -- send --------------------------------------------------------------------------------------------------------------


def test_events_left_out_of_a_request_keep_their_places() -> None:
    """The answer counts the events in the body; the outcome counts those handed in."""
    with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nrefuse 1")) as url:
        destination = plain(url)
        outcome = destination.send([line("bad"), line("a"), line("b")], 5.0)
        destination.close()
    assert outcome.verdict is Verdict.DELIVERED
    assert outcome.items == {0: Outcome(Verdict.REFUSED, "bad"), 2: Outcome(Verdict.REFUSED, "named")}


def test_a_request_of_nothing_is_not_made() -> None:
    """All events left out, or none given."""
    destination = plain("http://127.0.0.1:9/")
    assert destination.send([], 5.0) == Outcome(Verdict.DELIVERED)
    assert destination.send([line("bad")], 5.0).items == {0: Outcome(Verdict.REFUSED, "bad")}


def test_an_event_that_cannot_be_encoded_is_refused_and_nothing_raised(caplog: pytest.LogCaptureFixture) -> None:
    """The courier cuts the batch down to it."""
    from footspan import _guard  # noqa: PLC0415 - only here failures must not surface

    _guard.reraise_in_tests(False)
    assert plain("http://127.0.0.1:9/").send([line("fails")], 5.0) == Outcome(Verdict.REFUSED, "unencodable")
    assert "plain.build failed with RuntimeError" in caplog.text


# -- manners -----------------------------------------------------------------------------------------------------------


def test_requests_are_made_with_instrumentation_suppressed() -> None:
    """An instrumented `requests` must not trace the telemetry itself."""
    seen: list[object] = []

    class Watching(Plain):
        def _open_session(self) -> Any:
            seen.append(otel_context.get_value(_SUPPRESS_INSTRUMENTATION_KEY))
            return super()._open_session()

    with listening(answering(OK)) as url:
        destination = Watching(settings("plain", url=url))
        destination.send([line()], 5.0)
        destination.close()
    assert seen == [True]
    assert otel_context.get_value(_SUPPRESS_INSTRUMENTATION_KEY) is None


def test_neither_netrc_nor_environment_proxies_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials and detours come from our settings only."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(OK)

    with listening(serve) as url:
        assert isinstance(post(url), Answer)
    assert b"authorization" not in seen[0].lower()
    assert b"accept-encoding: identity" in seen[0].lower()
    assert b"user-agent: footspan/" in seen[0].lower()


def test_no_secret_in_text_or_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not in what an object says of itself, not in our log."""
    url = "http://127.0.0.1:9/in?key=s3cret"
    destination = plain(url, headers={"authorization": "Bearer s3cret"})
    with caplog.at_level(logging.DEBUG, logger="footspan"):
        outcome = destination.send([line("a", {"password": "s3cret"})], 1.0)
    request = destination.build([line()])
    assert "s3cret" not in f"{destination!r} {outcome!r} {caplog.text} {request.headers and ''}"
    assert "Bearer" not in repr(request)


def test_nothing_is_left_open() -> None:
    """`close` closes; warnings are errors, so a socket left to the garbage collector would fail this test."""
    with listening(answering(OK)) as url:
        destination = plain(url)
        destination.send([line()], 5.0)
        destination.close()
        del destination
        gc.collect()


@pytest.mark.parametrize(
    ("base", "joined"),
    [
        ("http://h", "http://h/v1/logs"),
        ("http://h/", "http://h/v1/logs"),
        ("http://h/base/", "http://h/base/v1/logs"),
        ("http://h/?k=v", "http://h/v1/logs?k=v"),
    ],
)
def test_paths_are_joined_with_one_slash(base: str, joined: str) -> None:
    """With or without a slash at the end of the base."""
    assert joined == join(base, "v1/logs")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_child_does_not_wait_for_a_lock_of_its_parents_threads() -> None:
    """A carrier may be opening its connections while another thread forks; the child still comes to its end."""
    destination = plain("http://127.0.0.1:9")
    with destination._session_lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)  # ends a child that waits
            destination.close()
            os._exit(0)
    _, status = os.waitpid(child, 0)

    assert status == 0
