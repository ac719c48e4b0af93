"""The OTLP destination over gRPC, against a receiver made of gRPC's own server and the generated services."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from opentelemetry import context as otel_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from destinations.making import TIME_NS, line, settings
from footspan import conventions as c
from footspan.config import ConfigurationError
from footspan.destinations import build_destination, otlp_grpc
from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.otlp import OtlpDestination
from footspan.exporters import OtlpJsonSpanExporter
from footspan.otlp_json import encode_spans
from servers.otlp_grpc import OtlpGrpcSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DELIVERED: Final = Outcome(Verdict.DELIVERED)
REFUSED: Final = Outcome(Verdict.REFUSED, "partial_success")
CERTIFICATE: Final = Path(__file__).with_name("localhost.pem")
SETTINGS_FRAME: Final = b"\0\0\0\4\0\0\0\0\0"


def grpc_to(endpoint: str, **options: Any) -> OtlpDestination:
    """The destination for an endpoint."""
    destination = build_destination(settings("otlp", endpoint=endpoint, protocol="grpc", **options))
    assert isinstance(destination, OtlpDestination)
    return destination


@pytest.fixture
def sink() -> Iterator[OtlpGrpcSink]:
    """A running receiver."""
    with OtlpGrpcSink() as running:
        yield running
        assert not running.problems


@pytest.fixture
def destination(sink: OtlpGrpcSink) -> Iterator[OtlpDestination]:
    """A destination that sends to the receiver."""
    made = grpc_to(sink.url)
    yield made
    made.close()


@pytest.fixture
def tls_sink() -> Iterator[OtlpGrpcSink]:
    """A receiver behind TLS, for which no authority of this machine vouches."""
    pem = CERTIFICATE.read_bytes()
    with OtlpGrpcSink(certificate=(pem, pem), authority=pem) as running:
        yield running


def spans(count: int = 2) -> list[ReadableSpan]:
    """Ended spans."""
    tracer = TracerProvider(resource=Resource({"service.name": "shop"})).get_tracer("tests")
    made: list[Any] = []
    for number in range(count):
        span = tracer.start_span(f"GET /{number}", attributes={"n": number})
        span.end()
        made.append(span)
    return made


@contextmanager
def listening(serve: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that treats connections by ``serve``, each in a thread, until the end of the block."""
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                serve(connection)
            except OSError:
                return
            ended.wait(10)

    def accept() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                continue
            threads.append(threading.Thread(target=handle, args=(connection,), daemon=True))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        threads.append(threading.Thread(target=accept, daemon=True))
        threads[0].start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        for thread in threads:
            thread.join(10)


# -- what arrives ------------------------------------------------------------------------------------------------------


def test_events_arrive_as_they_were_stored(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """Name, id, time, trace, attributes of every kind, resource."""
    attributes = {"amount": 9.99, "items": [1, "a"], "card": {"brand": "visa"}, "ok": True, "big": 2**60}
    event = line("order.paid", {**attributes, "raw": b"\xff"}, trace_id=0xABC, span_id=0xDEF, flags=1, body="paid")
    assert destination.send([event, line("b")], 5.0) == DELIVERED
    first, second = sink.events
    assert (first["name"], first["uid"], first["time_ns"]) == ("order.paid", event.uid, TIME_NS)
    assert (first["trace_id"], first["span_id"]) == (f"{0xABC:032x}", f"{0xDEF:016x}")
    assert {name: first["attributes"][name] for name in attributes} == attributes
    assert (first["resource"][c.SERVICE_NAME], first["body"], second["name"]) == ("shop", "paid", "b")


def test_spans_arrive(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """By the trace service, on the same connection as events."""
    assert destination.send_spans(encode_spans(spans()), 5.0) == DELIVERED
    assert destination.send([line()], 5.0) == DELIVERED
    assert [(span["name"], span["attributes"]) for span in sink.spans] == [("GET /0", {"n": 0}), ("GET /1", {"n": 1})]
    assert [call.signal for call in sink.calls] == ["traces", "logs"]
    assert len({call.peer for call in sink.calls}) == 1


def test_headers_are_metadata_in_lower_case(sink: OtlpGrpcSink) -> None:
    """Those that would change the call itself are left out; we say who we are."""
    made = grpc_to(sink.url, headers={"X-Key": "k 1", "Content-Type": "application/json", "TE": "x"})
    assert made.send([line()], 5.0) == DELIVERED
    metadata = sink.calls[0].metadata
    assert metadata["x-key"] == "k 1"
    assert metadata["user-agent"].startswith("footspan/")
    assert "content-type" not in metadata


@pytest.mark.parametrize(
    "headers", [{"x-key": "\u00e9"}, {"x-key": "a\tb"}, {"x!": "1"}, {"x-bin": "AAAA"}, {"grpc-timeout": "1S"}]
)
def test_headers_that_grpc_cannot_carry_are_errors_at_once(headers: dict[str, str]) -> None:
    """With the key in the error, and without the value."""
    with pytest.raises(ConfigurationError) as caught:
        grpc_to("http://h:4317", headers=headers)
    assert caught.value.key == "telemetry.destinations.otlp.headers"
    assert not set(headers.values()) & set(str(caught.value).split())


def test_requests_are_compressed_unless_told_otherwise(sink: OtlpGrpcSink) -> None:
    """A megabyte of the same letter is a few kilobytes on the wire."""
    received = {"gzip": 0, "none": 0}
    events = [line("a", {"text": "x" * 50_000}) for _ in range(20)]

    def relay(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", sink.port), 10) as onward:

            def back() -> None:
                with suppress(OSError):
                    while data := onward.recv(65536):
                        connection.sendall(data)

            threading.Thread(target=back, daemon=True).start()
            while data := connection.recv(65536):
                received[compression] += len(data)
                onward.sendall(data)

    for compression in received:
        with listening(relay) as url:
            made = grpc_to(url, compression=compression)
            assert made.send(events, 10.0) == DELIVERED
            made.close()
    assert received["gzip"] < 50_000
    assert received["none"] > 1_000_000


@pytest.mark.parametrize(
    ("options", "logs", "traces"),
    [
        ({"endpoint": "http://h:4317"}, "http://h:4317", "http://h:4317"),
        ({"endpoint": "https://h:4317/ignored"}, "https://h:4317", "https://h:4317"),
        ({"endpoint": "http://h", "logs_endpoint": "http://l/v1/logs"}, "http://l", "http://h"),
        ({"logs_endpoint": "http://l"}, "http://l", ""),
        ({"endpoint": "http://h", "traces_endpoint": "https://t"}, "http://h", "https://t"),
    ],
)
def test_endpoints(options: dict[str, Any], logs: str, traces: str) -> None:
    """A server is all that gRPC needs; a path means nothing."""
    made = build_destination(settings("otlp", protocol="grpc", **options))
    assert isinstance(made, OtlpDestination)
    assert made.logs_url == logs + otlp_grpc.METHODS["logs"]
    assert made.traces_url == (traces and traces + otlp_grpc.METHODS["traces"])


def test_the_calls_are_those_of_the_specification() -> None:
    """Their paths are the services' and methods' full names."""
    for module, signal in ((logs_service_pb2, "logs"), (trace_service_pb2, "traces")):
        (service,) = module.DESCRIPTOR.services_by_name.values()
        (method,) = service.methods
        assert otlp_grpc.METHODS[signal] == f"/{service.full_name}/{method.name}"  # type: ignore[index]


def test_the_protocol_is_no_part_of_the_identity() -> None:
    """Changing it keeps the place in the spool."""
    http = build_destination(settings("otlp", endpoint="http://h:4317"))
    assert grpc_to("http://h:4317").id == http.id


def test_spans_without_an_address_park() -> None:
    """Only a logs endpoint was named."""
    made = build_destination(settings("otlp", logs_endpoint="http://127.0.0.1:9", protocol="grpc"))
    assert isinstance(made, OtlpDestination)
    assert made.send_spans(b"{}", 1.0) == Outcome(Verdict.PARK, "invalid_request")


def test_grpc_is_loaded_by_the_first_request_only(sink: OtlpGrpcSink) -> None:
    """Building a destination costs nothing; only the first that is sent does."""
    program = (
        "import sys\n"
        "from footspan.config import DestinationSettings\n"
        "from footspan.destinations import build_destination\n"
        "from footspan.otlp_json import LogLine\n"
        "options = {'endpoint': sys.argv[1], 'protocol': 'grpc'}\n"
        "made = build_destination(DestinationSettings(name='otlp', type='otlp', options=options))\n"
        "heavy = {'requests', 'urllib3', 'google.protobuf', 'opentelemetry.proto', 'grpc'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "print(made.send([LogLine(sys.stdin.buffer.read())], 10.0).verdict.value, 'grpc' in sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, sink.url], input=line().line, capture_output=True, timeout=60, check=True
    )
    assert result.stdout.decode().strip() == "delivered True"


def test_the_instrumentation_of_grpc_stays_out(
    sink: OtlpGrpcSink, destination: OtlpDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call of ours must leave no span, or every export would make the next one."""
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy

    seen: list[object] = []

    class Watching(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
        """Stands where an instrumentation's interceptor does."""

        def intercept_unary_unary(self, proceed: Any, details: Any, request: Any) -> Any:
            seen.append(otel_context.get_value(_SUPPRESS_INSTRUMENTATION_KEY))
            return proceed(details, request)

    real = grpc.insecure_channel
    monkeypatch.setattr(grpc, "insecure_channel", lambda *a, **k: grpc.intercept_channel(real(*a, **k), Watching()))
    assert destination.send([line()], 5.0) == DELIVERED
    assert seen == [True]


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "retry", "outcome"),
    [
        ("cancelled", None, Outcome(Verdict.AMBIGUOUS, "grpc_cancelled")),
        ("unknown", None, Outcome(Verdict.PARK, "grpc_unknown")),
        ("invalid_argument", None, Outcome(Verdict.REFUSED, "grpc_invalid_argument")),
        ("deadline_exceeded", None, Outcome(Verdict.AMBIGUOUS, "read_timeout")),
        ("not_found", None, Outcome(Verdict.PARK, "grpc_not_found")),
        ("already_exists", None, Outcome(Verdict.PARK, "grpc_already_exists")),
        ("permission_denied", None, Outcome(Verdict.PARK, "grpc_permission_denied")),
        ("resource_exhausted", None, Outcome(Verdict.REFUSED, "grpc_resource_exhausted")),
        ("resource_exhausted", 1.5, Outcome(Verdict.RETRY, "grpc_resource_exhausted", 1.5)),
        ("resource_exhausted", 0, Outcome(Verdict.RETRY, "grpc_resource_exhausted")),
        ("failed_precondition", None, Outcome(Verdict.PARK, "grpc_failed_precondition")),
        ("aborted", None, Outcome(Verdict.AMBIGUOUS, "grpc_aborted")),
        ("out_of_range", 9, Outcome(Verdict.AMBIGUOUS, "grpc_out_of_range")),
        ("unimplemented", None, Outcome(Verdict.PARK, "grpc_unimplemented")),
        ("internal", None, Outcome(Verdict.PARK, "grpc_internal")),
        ("unavailable", None, Outcome(Verdict.RETRY, "grpc_unavailable")),
        ("unavailable", 9, Outcome(Verdict.RETRY, "grpc_unavailable", 9.0)),
        ("unavailable", 10**6, Outcome(Verdict.RETRY, "grpc_unavailable", 3600.0)),
        ("data_loss", None, Outcome(Verdict.AMBIGUOUS, "grpc_data_loss")),
        ("unauthenticated", None, Outcome(Verdict.PARK, "grpc_unauthenticated")),
    ],
)
def test_every_status(
    sink: OtlpGrpcSink, destination: OtlpDestination, code: str, retry: float | None, outcome: Outcome
) -> None:
    """By the specification; the next request goes out on the same connection, whatever the status was."""
    assert destination.send([line()], 5.0) == DELIVERED
    sink.answer(code, retry=retry, details="words")
    assert outcome == destination.send([line("a"), line("b")], 5.0)
    assert destination.send([line()], 5.0) == DELIVERED
    assert len(sink.events) == 2


def test_unreadable_details_of_a_status_are_none(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """A broken RetryInfo asks for nothing."""
    sink.answer("unavailable", garbage=True)
    assert destination.send([line()], 5.0) == Outcome(Verdict.RETRY, "grpc_unavailable")
    sink.answer("resource_exhausted", garbage=True)
    assert destination.send([line()], 5.0).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    ("rejected", "outcome"),
    [
        (0, DELIVERED),
        (1, Outcome(Verdict.DELIVERED, items={2: REFUSED})),
        (2, Outcome(Verdict.DELIVERED, items={1: REFUSED, 2: REFUSED})),
        (3, REFUSED),
        (-1, DELIVERED),
    ],
)
def test_a_partial_success_is_counted_exactly(
    sink: OtlpGrpcSink, destination: OtlpDestination, rejected: int, outcome: Outcome
) -> None:
    """As over HTTP."""
    sink.partial_success(rejected, "slow down")
    assert outcome == destination.send([line("a"), line("b"), line("c")], 5.0)


def test_rejected_spans_are_no_success(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """The answer says how many, and that is enough to say so."""
    sink.partial_success(1)
    assert destination.send_spans(encode_spans(spans()), 5.0) == REFUSED


def test_a_request_that_is_too_large_is_refused(destination: OtlpDestination) -> None:
    """A server takes 4 MiB unless it is told otherwise; the courier then cuts the request."""
    events = [line("a", {"text": os.urandom(25_000).hex()}) for _ in range(100)]
    outcome = destination.send(events, 10.0)
    assert outcome == Outcome(Verdict.REFUSED, "grpc_resource_exhausted")


def test_the_span_exporter_cuts_what_is_too_large(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """And waits as long as it is told to."""
    sink.answer("resource_exhausted")
    sink.answer("unavailable", retry=0.1)
    assert OtlpJsonSpanExporter(destination).export(spans(4)) is SpanExportResult.SUCCESS
    assert sorted(span["name"] for span in sink.spans) == [f"GET /{number}" for number in range(4)]
    assert len(sink.calls) == 4


def test_nothing_secret_is_logged(sink: OtlpGrpcSink, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a backend's words nor a header, at any level of anybody's logger."""
    made = grpc_to(sink.url, headers={"x-key": "secret-key"})
    with caplog.at_level(logging.DEBUG):
        for code in ("unauthenticated", "internal", "unavailable", "invalid_argument"):
            sink.answer(code, details="secret words", retry=1)
            made.send([line("a", {"text": "secret text"})], 5.0)
        sink.partial_success(1, "secret words")
        made.send([line("a"), line("b")], 5.0)
    assert "secret" not in caplog.text
    assert "secret" not in repr(made)
    made.close()


# -- no answer ---------------------------------------------------------------------------------------------------------


def test_nobody_there_is_tried_again(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """Each time anew: gRPC's own pauses between connections do not add to ours."""
    assert destination.send([line()], 5.0) == DELIVERED
    sink.stop()
    # The first may still meet the old connection on its way down.
    assert destination.send([line()], 5.0).verdict in (Verdict.RETRY, Verdict.AMBIGUOUS)
    for _ in range(3):
        assert destination.send([line()], 5.0) == Outcome(Verdict.RETRY, "connection_refused")
    with OtlpGrpcSink(port=sink.port):
        assert destination.send([line()], 5.0) == DELIVERED


def test_an_unknown_host_parks() -> None:
    """As over HTTP."""
    assert grpc_to("http://nowhere.invalid:4317").send([line()], 5.0) == Outcome(Verdict.PARK, "dns")


def test_a_host_called_like_a_scheme_is_a_host() -> None:
    """There are addresses such as `unix:path` in gRPC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(otlp_grpc, "MAX_CONNECT_SECONDS", 1.0)
        assert grpc_to("http://unix:4317").send([line()], 3.0).reason in {"dns", "connection_refused"}


def test_silence_is_ambiguous(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """The request has arrived; within the time that was given, no longer. Then a new connection is made."""
    sink.hang(5.0, stored=True)
    began = time.monotonic()
    assert destination.send([line("a")], 0.5) == Outcome(Verdict.AMBIGUOUS, "read_timeout")
    assert time.monotonic() - began < 1.5
    assert [event["name"] for event in sink.events] == ["a"]
    assert sink.calls[0].seconds < 0.6
    assert destination.send([line("b")], 5.0) == DELIVERED
    assert len({call.peer for call in sink.calls}) == 2


def test_a_connection_that_never_comes_about_is_not_ambiguous() -> None:
    """Nothing was sent, whether our time or the time for connections was over first."""
    with listening(lambda _: None) as url:
        assert grpc_to(url).send([line()], 0.5) == Outcome(Verdict.RETRY, "connect_timeout")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(otlp_grpc, "MAX_CONNECT_SECONDS", 0.5)
        with listening(lambda _: None) as url:
            assert grpc_to(url).send([line()], 5.0) == Outcome(Verdict.RETRY, "connect_timeout")


def test_a_connection_that_breaks_under_a_request_is_ambiguous() -> None:
    """Nobody knows what the server has done with it."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(SETTINGS_FRAME)
        data = b""
        while b"order.paid" not in data:
            data += connection.recv(65536)
        raise OSError

    with listening(serve) as url:
        made = grpc_to(url, compression="none")
        assert made.send([line("order.paid")], 5.0) == Outcome(Verdict.AMBIGUOUS, "reset")


def test_a_server_that_speaks_no_grpc_parks(caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP port instead of the one for gRPC: said once, with the usual number."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as url:
        made = grpc_to(url)
        for _ in range(2):
            assert made.send([line()], 5.0) == Outcome(Verdict.PARK, "wrong_protocol")
    assert caplog.text.count("4317") == 1


def test_what_cannot_be_called_parks(destination: OtlpDestination, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure inside gRPC is reported by its class, and keeps the events."""
    import grpc  # noqa: PLC0415 - heavy

    def fail(*_: object, **__: object) -> None:
        raise ValueError("secret")

    monkeypatch.setattr(grpc, "insecure_channel", fail)
    assert destination.send([line()], 5.0) == Outcome(Verdict.PARK, "invalid_request")


def test_closing_ends_what_is_under_way(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """A process that ends must not wait for an answer; afterwards the destination works as before."""
    sink.hang(20.0)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(destination.send([line()], 20.0)), daemon=True)
    thread.start()
    assert sink.wait_for(lambda: sink.calls)
    destination.close()
    thread.join(5)
    assert outcomes == [Outcome(Verdict.AMBIGUOUS, "grpc_cancelled")]
    assert destination.send([line()], 5.0) == DELIVERED


def test_a_connection_closed_just_before_its_call_is_no_fault(
    destination: OtlpDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent; the next request opens a new one."""
    use = otlp_grpc.GrpcClient._use

    def use_and_close(self: otlp_grpc.GrpcClient, front: str) -> Any:
        link = use(self, front)
        self.close()
        return link

    with monkeypatch.context() as patch:
        patch.setattr(otlp_grpc.GrpcClient, "_use", use_and_close)
        assert destination.send([line()], 5.0).verdict is Verdict.RETRY
    assert destination.send([line()], 5.0) == DELIVERED


def test_calls_side_by_side_do_not_end_each_other(sink: OtlpGrpcSink, destination: OtlpDestination) -> None:
    """One that fails gives up the connection, but not under another call."""
    sink.hang(2.0)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(destination.send([line()], 10.0)), daemon=True)
    thread.start()
    assert sink.wait_for(lambda: sink.calls)
    sink.hang(5.0)
    assert destination.send([line()], 0.3).reason == "read_timeout"
    thread.join(10)
    assert outcomes == [Outcome(Verdict.RETRY, "grpc_unavailable")]


def test_a_call_that_never_comes_back_is_left_behind(
    destination: OtlpDestination, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The native core can hang for good after a fork: the courier goes on, and tries again once the call has ended."""
    import grpc  # noqa: PLC0415 - heavy

    asleep = threading.Event()

    def hang(*_: object, **__: object) -> None:
        asleep.wait(20)
        raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr(grpc, "insecure_channel", hang)
        patch.setattr(otlp_grpc, "GRACE", 0.1)
        assert destination.send([line()], 0.1) == Outcome(Verdict.AMBIGUOUS, "read_timeout")
        began = time.monotonic()
        assert destination.send([line()], 5.0) == Outcome(Verdict.PARK, "transport_unusable")
        destination.close()
        assert time.monotonic() - began < 1
    stuck = next(thread for thread in threading.enumerate() if thread.name == "footspan-grpc")
    asleep.set()
    stuck.join(5)
    assert destination.send([line()], 5.0) == DELIVERED
    assert "http/protobuf" in caplog.text


# -- TLS ---------------------------------------------------------------------------------------------------------------


def test_a_certificate_nobody_vouches_for_is_a_tls_fault(tls_sink: OtlpGrpcSink) -> None:
    """Certificates are verified."""
    assert grpc_to(tls_sink.url).send([line()], 5.0) == Outcome(Verdict.PARK, "tls")


def test_the_operator_names_authority_certificate_and_key(tls_sink: OtlpGrpcSink) -> None:
    """The key may stand in the certificate's file, as over HTTP."""
    pem = str(CERTIFICATE)
    url = tls_sink.url.replace("127.0.0.1", "localhost")
    for more in ({}, {"client_key": pem}):
        made = grpc_to(url, certificate=pem, client_certificate=pem, **more)
        assert made.send([line()], 5.0) == DELIVERED
        made.close()
    without = grpc_to(url, certificate=pem).send([line()], 5.0)
    assert without.verdict is not Verdict.DELIVERED
    assert len(tls_sink.events) == 2


def test_a_wrong_scheme_parks_or_waits(sink: OtlpGrpcSink, tls_sink: OtlpGrpcSink) -> None:
    """`https` to a plain server is a TLS fault; plain to a TLS server, the server just closes."""
    assert grpc_to(sink.url.replace("http:", "https:")).send([line()], 5.0) == Outcome(Verdict.PARK, "tls")
    outcome = grpc_to(tls_sink.url.replace("https:", "http:")).send([line()], 5.0)
    assert outcome.verdict in (Verdict.RETRY, Verdict.PARK)


def test_a_certificate_that_is_none_is_a_tls_fault(tls_sink: OtlpGrpcSink, tmp_path: Path) -> None:
    """Also one that cannot be read any more."""
    file = tmp_path / "authority.pem"
    file.write_text("nothing")
    made = grpc_to(tls_sink.url, certificate=str(file))
    assert made.send([line()], 5.0) == Outcome(Verdict.PARK, "tls")
    file.unlink()
    assert made.send([line()], 5.0) == Outcome(Verdict.PARK, "tls")
