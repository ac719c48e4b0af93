"""Puts secrets into every field of every signal: what an application can hand to telemetry, it hands over here."""

from __future__ import annotations

import asyncio
import logging
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dash import Dash, Input, Output, dcc, html
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry._logs import SeverityNumber, get_logger, get_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

import footspan
from footspan.compat.dash_user_tracker import HttpTrackerRepository, Tracker
from footspan.compat.opentrace import OpenTrace
from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions

if TYPE_CHECKING:
    from privacy.canary.kinds import Planter

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class BrokenError(Exception):
    """What the planted code raises."""


def by_calls(plant: Planter) -> None:
    """Footspan's own API."""
    text, deep = plant.text, plant.deep
    footspan.track(text("track: name"))
    footspan.track("planted.value", user_id="u_1", note=text("track: value"), nested=deep("track: nested"))
    footspan.track("planted.key", **{text("track: key"): 1})
    footspan.track("planted.category", category=text("track: category"))
    footspan.track("planted.object", thing=_Thing(text("track: object")), kind={text("track: set")})
    footspan.track_event("planted.event", {text("track_event: key"): text("track_event: value")})
    footspan.track_event("planted.data", [text("track_event: list")])  # type: ignore[arg-type]
    footspan.track(
        "planted.campaign",
        utm_source=text("utm_source"),
        utm_campaign=text("utm_campaign"),
        gclid=text("gclid"),
        bot_param=text("start code"),
        tag=text("tag"),
    )
    address = quote(text("page_view: path"))
    query = (
        f"q={quote(text('page_view: query'))}&utm_source={quote(text('page_view: utm'))}&fbclid={quote(text('fbclid'))}"
    )
    footspan.page_view(
        f"https://shop.example/{address}?{query}#{quote(text('page_view: fragment'))}",
        title=text("page_view: title"),
        referrer=f"https://search.example/?q={quote(text('page_view: referrer'))}",
        screen=text("page_view: screen"),
        language=text("page_view: language"),
        hostname=text("page_view: hostname"),
        tag=text("page_view: tag"),
    )
    footspan.page_view(path=text("page_view: bare path"), query=text("page_view: bare query"))
    footspan.identify("u_1", plan=text("trait"), about=deep("trait: nested"))
    with footspan.context(tenant=text("context"), path=text("context: path"), about=deep("context: nested")):
        footspan.track("planted.context")
    try:
        _fail(text("exception"), text("exception: cause"))
    except BrokenError as error:
        footspan.track_exception(error, extra_data={"note": text("exception: extra")})
    _watched(plant)


class _Thing:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def _fail(message: str, cause: str) -> None:
    try:
        raise ValueError(cause)  # noqa: TRY301 - both are planted
    except ValueError as error:
        raise BrokenError(message) from error


def _watched(plant: Planter) -> None:
    @footspan.track_duration("planted.duration", include_args=True, include_result=True)
    def answer(question: str, options: dict[Any, Any]) -> str:
        return f"{question} {options and plant.text('decorator: result')}"

    @footspan.track_function("planted.function", include_args=True)
    def fail(reason: str) -> None:
        raise BrokenError(reason)

    @footspan.track_error("planted.error", include_args=True)
    def fail_too(reason: str) -> None:
        raise BrokenError(reason)

    answer(plant.text("decorator: argument"), plant.deep("decorator: nested argument"))
    for function in (fail, fail_too):
        with suppress(BrokenError):
            function(plant.text(f"decorator: message of {function.__name__}"))


def by_logs(plant: Planter) -> None:
    """OpenTelemetry's API of logs: events, plain records and Python's own logging."""
    text, deep = plant.text, plant.deep
    logger = get_logger(
        text("log: scope"),
        text("log: scope version"),
        schema_url=text("log: schema"),
        attributes={"note": text("log: scope attribute")},
    )
    logger.emit(event_name=text("log: event name"), severity_number=SeverityNumber.WARN)
    logger.emit(event_name="planted.body", body=text("log: body"), severity_text=text("log: severity"))
    for name in ("planted.log", None):
        kind = "event" if name else "plain"
        logger.emit(event_name=name, body=deep(f"{kind}: body"), attributes={"nested": deep(f"{kind}: nested")})
        logger.emit(
            event_name=name, body=[text(f"{kind}: list")], attributes={text(f"{kind}: key"): text(f"{kind}: value")}
        )
        logger.emit(
            event_name=name, body=text(f"{kind}: text").encode(), attributes={"event.name": text(f"{kind}: old name")}
        )
        logger.emit(
            event_name=name, exception=BrokenError(text(f"{kind}: exception")), severity_text=text(f"{kind}: severity")
        )
    _by_logging(plant)


def _by_logging(plant: Planter) -> None:
    """Python's logging through the SDK's handler; nothing else hears these loggers."""
    provider = get_logger_provider()
    if not isinstance(provider, LoggerProvider):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opentelemetry.sdk._logs import LoggingHandler  # noqa: PLC0415 - the import itself warns

        handler = LoggingHandler(logger_provider=provider)
    logger = logging.getLogger("planted")
    logger.handlers, logger.propagate = [handler], False
    logger.error("for %s", plant.text("logging: argument"), extra={"note": plant.text("logging: extra")})
    logger.error(plant.text("logging: message"))
    try:
        _fail(plant.text("logging: exception"), plant.text("logging: cause"))
    except BrokenError:
        logger.exception("it failed")
    logger.handlers = []


def by_spans(plant: Planter) -> None:
    """OpenTelemetry's API of traces."""
    text, deep = plant.text, plant.deep
    tracer = trace.get_tracer(
        text("span: scope"),
        text("span: scope version"),
        schema_url=text("span: schema"),
        attributes={"note": text("span: scope attribute")},
    )
    state = TraceState([("vendor", quote(plant.text("span: trace state"), safe="@")[:250])])
    other = SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    parent = trace.set_span_in_context(trace.NonRecordingSpan(other))
    carried = baggage.set_baggage("note", text("baggage"))
    token = otel_context.attach(carried)
    span = tracer.start_span(
        text("span: name"),
        parent,
        attributes={"note": text("span: attribute"), text("span: key"): 1, "nested": deep("span: nested")},
        links=[Link(other, {"note": text("link: attribute"), text("link: key"): [text("link: list")]})],
    )
    with trace.use_span(span, end_on_exit=True, record_exception=True):
        span.add_event(text("span event: name"), {"note": text("span event: attribute"), text("span event: key"): 1})
        span.record_exception(BrokenError(text("span: exception")), {"note": text("span: exception attribute")})
        span.set_status(Status(StatusCode.ERROR, text("span: status")))
    with suppress(BrokenError), tracer.start_as_current_span("planted.failed"):
        _fail(text("span: raised"), text("span: cause"))
    path, query = quote(text("server span: path")), f"q={quote(text('server span: query'))}"
    tracer.start_span(
        "GET /planted",
        kind=SpanKind.SERVER,
        attributes={
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "http.response.header.content_type": ["text/html"],
            "url.path": f"/{path}",
            "url.query": query,
            "url.full": f"https://shop.example/{path}?{query}",
            "user_agent.original": FIREFOX,
            "http.request.header.referer": [f"https://search.example/?q={quote(text('server span: referrer'))}"],
            "http.request.header.authorization": [f"Bearer {text('server span: header')}"],
            "http.request.header.x_note": [text("server span: another header")],
        },
    ).end()
    tracer.start_span(
        "SELECT planted",
        attributes={
            "db.system.name": "sqlite",
            "db.query.text": f"-- {text('statement')}",
            "note": text("span event of a span"),
        },
    ).end()
    otel_context.detach(token)


def by_clients(plant: Planter, opentrace: str, trace_telemetry: str, queue: str, dash: str, dash_key: str) -> None:
    """The drop-in clients, each with a destination of its own.

    Args:
        plant: What is planted.
        opentrace: The address of an OpenTrace server.
        trace_telemetry: The address of a TraceTelemetry endpoint.
        queue: Where its client keeps its queue.
        dash: The address of a Dash-Tracker endpoint.
        dash_key: Its key.
    """
    text, deep = plant.text, plant.deep
    with OpenTrace(opentrace, "project") as client:
        client.track_event(
            text("opentrace: name"), payload=deep("opentrace: payload"), bot_param=text("opentrace: start code")
        )
        client.track_event(
            "a", utm_source=text("opentrace: utm"), utm_medium="m", note=text("opentrace: another keyword")
        )
        client.capture("b", payload={"note": text("opentrace: captured")}, fbclid=text("opentrace: click id"))
        client.track("c", text("opentrace: text"))
        client.resolve_bot_param("a1B2c3")
        client.flush(20.0)
    told = TelemetryClient(TelemetryOptions(trace_telemetry, "secret-key", queue, application_name="kiosk"))
    told.track(text("telemetry: name"), deep("telemetry: data"))
    told.track("a", text("telemetry: property"), text("telemetry: value"))
    told.track("b", [text("telemetry: list")])
    try:
        _fail(text("telemetry: exception"), text("telemetry: cause"))
    except BrokenError as error:
        told.track_exception(error, extra_data={"note": text("telemetry: extra")})
    told.flush()
    told.stop()
    repository = HttpTrackerRepository(dash, dash_key)
    asyncio.run(repository.save_event(_dash_event(plant)))
    _by_dash(plant, repository)


def _dash_event(plant: Planter) -> dict[str, Any]:
    fields = ("app_name", "base_url", "url", "url_root", "referrer", "path", "full_path", "endpoint", "method")
    data = {"app_name": "", "ip": "192.0.2.7", "user_agent": FIREFOX, **dict.fromkeys(fields, "")}
    data.update({name: plant.text(f"dash: own {name}") for name in fields})
    return {
        "event": plant.text("dash: own name"),
        "data": {**data, "email": "jane@shop.example", "note": plant.deep("dash: own data")},
        "timestamp": "2026-01-01T00:00:00+00:00",
    }


def _by_dash(plant: Planter, repository: HttpTrackerRepository) -> None:
    app = Dash("planted", suppress_callback_exceptions=True)
    app.server.secret_key = "only for tests"
    app.layout = html.Div([dcc.Location(id="url"), dcc.Input(id="box"), html.Div(id="out")])
    app.callback(Output("out", "title"), Input("box", "value"))(str)
    tracker = Tracker(
        app,
        repository=repository,
        user_provider=lambda: {"id": "u_1", "plan": plant.text("dash: user"), "about": plant.deep("dash: user's data")},
        enable_page_interaction_tracking=True,
        interaction_values=True,
    )
    browser = {"User-Agent": FIREFOX, "Accept": "text/html", "Accept-Language": "en"}
    visitor = app.server.test_client()
    visitor.get(f"/{quote(plant.text('dash: path'))}?q={quote(plant.text('dash: query'))}", headers=browser)
    body = {
        "output": "out.title",
        "outputs": {"id": "out", "property": "title"},
        "inputs": [{"id": "box", "property": "value", "value": plant.text("dash: interaction")}],
        "changedPropIds": ["box.value"],
    }
    visitor.post("/_dash-update-component", json=body, headers=browser)
    tracker.flush(20.0)


EVERY_WAY = (by_calls, by_logs, by_spans)
