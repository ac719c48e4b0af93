"""One person's way from a link in Telegram to a purchase: the whole of it under one session, with its campaign."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from aiogram import Dispatcher
from aiogram.types import Update as AiogramUpdate
from flask import Flask
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from telegram import Update
from telegram.ext import CommandHandler

import footspan
from footspan.config.settings import PageViewSettings
from footspan.instrumentation.defaults import apply_defaults
from footspan.instrumentation.web_sessions import FlaskSessions
from footspan.processors.page_views import PageViewSpanProcessor
from instrumentation.telegram.updates import aiogram_bot, application, message
from programs import until
from servers.opentrace import PROJECT
from serving import FIREFOX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers.opentrace import OpenTraceServer
    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

CODE = "a1B2c3"
PAGE = "https://shop.example/tea"


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A shop in Flask, whose purchases are a worker's work."""
    for name in (
        "OTEL_SEMCONV_STABILITY_OPT_IN",
        *(f"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_{each}" for each in ("REQUEST", "RESPONSE")),
    ):
        monkeypatch.setenv(name, "")  # taken back with it
    monkeypatch.delenv("OTEL_SEMCONV_STABILITY_OPT_IN")
    apply_defaults(page_views=True)
    app = Flask(__name__)
    provider = TracerProvider()
    provider.add_span_processor(PageViewSpanProcessor(PageViewSettings()))
    FlaskInstrumentor().instrument_app(app, tracer_provider=provider)  # type: ignore[no-untyped-call] # upstream
    sessions = FlaskSessions(app)
    with footspan.CarryingExecutor(ThreadPoolExecutor(1)) as workers:

        @app.get("/tea")
        def tea() -> str:
            return "<!doctype html><title>Tea</title>"

        @app.post("/buy")
        def buy() -> str:
            return str(workers.submit(footspan.track, "payment.completed", amount=9.9).result(timeout=20))

        yield app
    sessions.uninstall()


def by_aiogram(update: dict[str, Any]) -> str:
    """What the bot answers."""
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def start(_: Any) -> str:
        return footspan.link(PAGE)

    return str(asyncio.run(dispatcher.feed_update(aiogram_bot(), AiogramUpdate.model_validate(update))))


def by_python_telegram_bot(update: dict[str, Any]) -> str:
    """The same with the other library."""
    answers: list[str] = []

    async def start(*_: Any) -> None:
        answers.append(footspan.link(PAGE))

    async def run() -> None:
        app = application()
        app.add_handler(CommandHandler("start", start))
        async with app:
            await app.process_update(Update.de_json(update, app.bot))

    asyncio.run(run())
    return answers[0]


@pytest.mark.parametrize("bot", [by_aiogram, by_python_telegram_bot])
def test_bot_page_and_purchase_are_one_session_everywhere(
    bot: Callable[[dict[str, Any]], str],
    instrumented: Callable[..., None],
    pages: Flask,
    umami_server: UmamiServer,
    otlp_sink: OtlpSink,
    opentrace_server: OpenTraceServer,
) -> None:
    """At every destination, the three events bear one session and the code."""
    footspan.init(
        service_name="tea",
        destinations={
            "umami": {"url": umami_server.url, "website": umami_server.website},
            "otlp": {"endpoint": otlp_sink.url},
            "opentrace": {"url": opentrace_server.url, "project_id": PROJECT},
        },
        sessions={"secret": "key"},
    )
    instrumented()

    address = urlsplit(bot(message(f"/start {CODE}")))
    browser = pages.test_client()
    headers = {"User-Agent": FIREFOX}
    assert browser.get(f"{address.path}?{address.query}", base_url=PAGE[:20], headers=headers).status_code == 200
    assert browser.post("/buy", base_url=PAGE[:20], headers=headers).status_code == 200
    assert until(lambda: not any(footspan.flush(5).values()), 30)

    names = ["telegram.command", "footspan.page_view", "payment.completed"]
    arrived = {each["name"]: each["attributes"] for each in otlp_sink.events}
    (session,) = {each["attributes"]["session.id"] for each in otlp_sink.events}
    assert sorted(arrived) == sorted([*names, "session.start"])
    assert {arrived[name]["footspan.campaign.start_code"] for name in names} == {CODE}
    stored = {
        row.get("event_name") or names[1]: umami_server.data_of(row["event_id"])
        for row in umami_server.rows["website_event"]
    }
    assert {(stored[name]["session_id"], stored[name]["bot_param"]) for name in names} == {(session, CODE)}
    traced = {row["event_type"]: row for row in opentrace_server.rows}
    for name in ("telegram.command", "page_view", "payment.completed"):
        assert traced[name]["session_id"] == session
        assert CODE in json.loads(traced[name]["payload"]).values()
