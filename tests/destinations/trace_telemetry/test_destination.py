"""The destination against a server that takes only what the real client sends."""

from __future__ import annotations

import json
import ssl
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.carrying import carry
from delivery.rig import Rig
from destinations.making import line, settings
from destinations.trace_telemetry.test_encoding import stored
from footspan import conventions as c
from footspan.destinations import build_destination
from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.trace_telemetry import TraceTelemetryDestination
from footspan.destinations.trace_telemetry.wire import attribute
from footspan.exporters import TraceTelemetryLogExporter, TraceTelemetrySpanExporter
from servers.trace_telemetry import TraceTelemetryServer
from test_servers.test_trace_telemetry_recordings import CASES, filled, headers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from footspan.otlp_json import LogLine

DELIVERED = Outcome(Verdict.DELIVERED)
AUTHORITY = str(Path(__file__).parents[1] / "localhost.pem")


def made(server: TraceTelemetryServer, **options: Any) -> TraceTelemetryDestination:
    """The destination for a server."""
    options = {"url": server.endpoint, "api_key": server.api_key, **options}
    destination = build_destination(settings("trace_telemetry", **options))
    assert isinstance(destination, TraceTelemetryDestination)
    return destination


def delivered(directory: Path, server: TraceTelemetryServer, events: Sequence[LogLine]) -> dict[str, Any]:
    """Have a spool and a courier deliver some events; what became of them."""
    given = settings("trace_telemetry", url=server.endpoint, api_key=server.api_key)
    rig = Rig(directory, [replace(given, concurrency=8)])
    try:
        assert rig.destinations[0].concurrency == 1
        for event in events:
            rig.spool.append(event.line + b"\n")
        rig.courier.wake()
        assert rig.courier.flush(30.0) == {"trace_telemetry": 0}
        (status,) = rig.courier.status()["destinations"].values()
        return dict(status)
    finally:
        rig.close()


# -- requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_the_recorded_requests(name: str) -> None:
    """Byte for byte what the real client sent, from events as any SDK may write them."""
    request = CASES[name]
    events = [_event_of(each) for each in json.loads(filled(request["body"]))]
    recorded = headers_of(request)
    destination = build_destination(
        settings("trace_telemetry", url="http://localhost/telemetry", api_key=recorded.get("X-API-Key"))
    )
    built = destination.build(events)  # type: ignore[attr-defined] # an HttpDestination
    assert built.body.decode() == filled(request["body"])
    sent = {key: value for key, value in recorded.items() if key in {"Content-Type", "Accept", "X-API-Key"}}
    assert built.headers == sent


def _event_of(element: Mapping[str, Any]) -> Any:
    """An event that becomes this element; its data as attributes or body, an exception's by the conventions."""
    data = element["data"]
    fields: dict[str, Any] = {"time_ns": 1_738_268_968_543_062_000}
    names: dict[str, str] = {
        "message": c.EXCEPTION_MESSAGE,
        "stackTrace": c.EXCEPTION_STACKTRACE,
        "exceptionType": c.EXCEPTION_TYPE,
    }
    bearing: dict[str, Any] = {c.LOG_RECORD_UID: element["id"]}
    if isinstance(data, dict) and "stackTrace" in data:
        bearing |= {names[key] if key in names else str(key): value for key, value in data.items()}
    elif isinstance(data, dict) and data:
        bearing |= data
    else:
        fields["body"] = data
    resource = {
        c.SERVICE_NAME: element["applicationName"],
        c.SERVICE_VERSION: element["applicationVersion"],
        c.HOST_NAME: element["machineName"],
        c.OS_DESCRIPTION: element["osDescription"],
        c.HOST_IP: [element["ipAddress"]],
    }
    return stored(element["name"], bearing, resource, **fields)


@pytest.mark.parametrize("key", [None, "", "  "])
def test_without_a_key_there_is_no_header(key: str | None) -> None:
    """The server refuses a header that nobody asked for."""
    with TraceTelemetryServer() as server:
        assert made(server, api_key=key).send([line()], 5.0) == DELIVERED
        [request] = server.requests
    assert "x-api-key" not in request.headers


def test_a_key_is_sent_without_blanks_around_it(trace_telemetry_server: TraceTelemetryServer) -> None:
    """As the client does."""
    assert made(trace_telemetry_server, api_key=" secret-key ").send([line()], 5.0) == DELIVERED
    assert made(trace_telemetry_server, api_key="another").send([line()], 5.0) == Outcome(Verdict.PARK, "http_401")


@pytest.mark.parametrize("path", ["/", "/telemetry/", "/v1/in?code=a%20b&x=1", "/telemetry//"])
def test_the_address_is_used_as_it_stands(path: str) -> None:
    """With its slash at the end and its query."""
    with TraceTelemetryServer(path=path) as server:
        assert made(server).send([line()], 5.0) == DELIVERED


def test_another_key_is_the_same_place() -> None:
    """A key that is changed keeps what waits; another address is another place."""
    ids = [
        build_destination(settings("trace_telemetry", url=f"http://localhost/{path}", api_key=key)).id
        for path, key in (("a", "one"), ("a", "two"), ("b", "one"))
    ]
    assert ids[0] == ids[1] != ids[2]


def test_other_shapes() -> None:
    """Capitals, and an object around the array."""
    with TraceTelemetryServer(pascal=True, wrapper="events") as server:
        destination = made(server, key_case="pascal", wrapper="events")
        assert destination.send([line("a", {"x": 1}), line("b")], 5.0) == DELIVERED
        assert [(event["name"], event["data"]) for event in server.events] == [("a", {"x": 1}), ("b", None)]


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("body", [b"", b"x", b'{"error": "no"}', b"\xff\xfe"])
def test_any_success_is_one(trace_telemetry_server: TraceTelemetryServer, status: int, body: bytes) -> None:
    """Whatever the body says: nobody has ever read one."""
    trace_telemetry_server.faults.answer(status, body)
    assert made(trace_telemetry_server).send([line()], 5.0) == DELIVERED


@pytest.mark.parametrize("body", [b"<!DOCTYPE HTML><title>Sign in</title>", b"\xef\xbb\xbf\r\n <html lang=en>"])
def test_a_page_is_none(trace_telemetry_server: TraceTelemetryServer, body: bytes) -> None:
    """A device behind a sign-in page of a hotel must not lose its events to it."""
    trace_telemetry_server.faults.answer(200, body, {"Content-Type": "text/html"})
    assert made(trace_telemetry_server).send([line()], 5.0) == Outcome(Verdict.PARK, "web_page")


def test_a_redirect_is_not_followed(trace_telemetry_server: TraceTelemetryServer) -> None:
    """The events would leave as a request without a body, and be taken for delivered."""
    trace_telemetry_server.faults.answer(302, b"", {"Location": f"{trace_telemetry_server.url}/elsewhere"})
    assert made(trace_telemetry_server).send([line()], 5.0) == Outcome(Verdict.PARK, "http_302")
    assert len(trace_telemetry_server.requests) == 1


def test_an_event_that_the_server_dislikes_stops_no_other(trace_telemetry_server: TraceTelemetryServer) -> None:
    """It is found by halves; the others arrive in their order."""
    trace_telemetry_server.refused = {"poison"}
    names = ["a", "b", "poison", "c", "d", "e", "f"]
    carried = carry(made(trace_telemetry_server), [line(name) for name in names])
    assert (carried.delivered, carried.rejected) == (6, ["http_400"])
    assert [event["name"] for event in trace_telemetry_server.events] == [each for each in names if each != "poison"]


def test_a_request_that_is_too_large_is_cut(trace_telemetry_server: TraceTelemetryServer, tmp_path: Path) -> None:
    """Until its parts are taken; an event that is too large by itself stops no other."""
    trace_telemetry_server.max_body = 3_000
    events = [line(f"event.{number}", {"text": "x" * (5_000 if number == 5 else 500)}) for number in range(12)]
    status = delivered(tmp_path, trace_telemetry_server, events)
    assert (status["delivered"], status["refused"]) == (11, {"http_413": 1})
    assert [event["name"] for event in trace_telemetry_server.events] == [
        f"event.{number}" for number in range(12) if number != 5
    ]


def test_a_duplicate_can_be_told(trace_telemetry_server: TraceTelemetryServer) -> None:
    """Nobody knows whether a request that got a 500 was stored: it goes again, under the same ids."""
    trace_telemetry_server.faults.answer(500, stored=True)
    carried = carry(made(trace_telemetry_server), [line("a"), line("b")])
    assert carried.delivered == 2
    assert [event["name"] for event in trace_telemetry_server.received] == ["a", "b", "a", "b"]
    assert [event["name"] for event in trace_telemetry_server.events] == ["a", "b"]


def test_order_is_kept_through_faults(trace_telemetry_server: TraceTelemetryServer, tmp_path: Path) -> None:
    """One request at a time, whatever the settings say, and none overtakes one that goes again."""
    faults = trace_telemetry_server.faults
    faults.answer(503, headers={"Retry-After": "0"}, times=2)
    faults.answer(500, stored=True)
    faults.reset()
    status = delivered(tmp_path, trace_telemetry_server, [line(f"event.{number}") for number in range(300)])
    assert status["delivered"] == 300
    assert [event["name"] for event in trace_telemetry_server.events] == [f"event.{number}" for number in range(300)]


def test_a_certificate_is_verified() -> None:
    """Unless the settings name its authority, it does not count; there is no way to switch that off."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(AUTHORITY)
    with TraceTelemetryServer(api_key="secret-key", tls=context) as server:
        assert made(server).send([line()], 5.0) == Outcome(Verdict.PARK, "tls")
        assert server.requests == []
        assert made(server, certificate=AUTHORITY).send([line()], 5.0) == DELIVERED


# -- exporters ---------------------------------------------------------------------------------------------------------


def test_as_exporters(trace_telemetry_server: TraceTelemetryServer) -> None:
    """By keywords, in any application of OpenTelemetry's own; events keep what their resource says of the host."""
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415 - only this test needs an SDK
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor  # noqa: PLC0415 - the same
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415 - the same

    options: Any = {"url": trace_telemetry_server.endpoint, "api_key": "secret-key"}
    resource = Resource({c.SERVICE_NAME: "shop", c.HOST_NAME: "till-7", c.HOST_IP: ["192.0.2.10"]})
    logs = LoggerProvider(resource, shutdown_on_exit=False)
    logs.add_log_record_processor(SimpleLogRecordProcessor(TraceTelemetryLogExporter(**options)))
    logs.get_logger("app").emit(timestamp=1, event_name="order.paid", attributes={"user.id": "u1", "password": "p"})
    logs.shutdown()
    spans = TracerProvider(resource=resource, shutdown_on_exit=False)
    spans.add_span_processor(SimpleSpanProcessor(TraceTelemetrySpanExporter(spans=["job.*"], **options)))
    spans.get_tracer("app").start_span("job.run").end()
    spans.shutdown()
    paid, ran = trace_telemetry_server.events
    assert (paid["name"], paid["data"]["user_id"], paid["applicationName"]) == ("order.paid", "u1", "shop")
    assert paid["data"]["password"] != "p"
    assert (ran["name"], ran["machineName"], ran["ipAddress"]) == ("job.run", "till-7", "192.0.2.10")


def test_the_wires_members_pass_through_a_pipeline(trace_telemetry_server: TraceTelemetryServer) -> None:
    """What the drop-in client says is cleaned like any other attribute, and its keys find theirs."""
    import footspan  # noqa: PLC0415 - the one test here with a pipeline
    from footspan.emit import emit_event  # noqa: PLC0415 - the same

    there = {"trace_telemetry": {"url": trace_telemetry_server.endpoint, "api_key": "secret-key"}}
    footspan.init(service_name="shop", destinations=there, spool={"durability": "memory"})
    with footspan.context(user_id="u1", plan="pro"):
        emit_event("a", {"x": 1, **attribute(parity=True, keys=["x"], machine="M")})
        emit_event("b", attribute(parity=True, data={"password": "p", "n": None}))
        emit_event("c", attribute(parity=True, keys=[], name=" "))
        emit_event("d", {"x": 1})
    assert footspan.flush(10.0) == {"trace_telemetry": 0}
    a, b, blank, d = trace_telemetry_server.events
    assert (a["data"], a["machineName"]) == ({"x": 1}, "M")
    assert list(b["data"]) == ["password", "n"]
    assert b["data"]["password"] != "p"
    assert (blank["name"], blank["data"]) == (" ", None)
    assert d["data"] == {"x": 1, "user_id": "u1", "plan": "pro"}
    assert d["applicationName"] == "shop"
    assert "" not in (d["machineName"], d["osDescription"])
