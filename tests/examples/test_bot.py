"""The bot's example: one person's way from a link in Telegram to a purchase, over three processes."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import footspan
from footspan.instrumentation.telegram.aiogram import AiogramInstrumentor
from programs import until
from serving import FIREFOX, Served, umami_variables
from spooled import spooled

if TYPE_CHECKING:
    from servers.opentrace import OpenTraceServer
    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "bot"
CODE = "spring_24"
NAMES = ("telegram.command", "footspan.page_view", "payment.completed")


def test_the_bot_answers_and_tracks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Fed with updates, in this process."""
    monkeypatch.syspath_prepend(str(FOLDER))
    footspan.init(
        service_name="bot",
        courier="external",
        destinations={"console": {"enabled": True}},
        sessions={"secret": "change-me"},
    )
    AiogramInstrumentor().instrument()
    try:
        feed = importlib.import_module("feed")
        asyncio.run(feed.main([f"/start {CODE}", "Is there Darjeeling?", "coffee"]))
    finally:
        AiogramInstrumentor().uninstrument()
        for name in ("feed", "bot"):
            sys.modules.pop(name, None)
    said = capsys.readouterr().out.splitlines()
    tracked = [each for each in spooled() if not each.name.startswith("session.")]

    assert said[0] == "Welcome!"
    assert re.fullmatch(r"http://127\.0\.0\.1:5000/tea\?fs_token=[\w.-]+", said[1])
    assert said[2:] == ["darjeeling", "Nothing found"]
    assert [each.name for each in tracked] == [
        "telegram.command",
        "tea.searched",
        "telegram.message",
        "tea.searched",
        "telegram.message",
    ]
    assert {each.attributes["footspan.campaign.start_code"] for each in tracked} == {CODE}
    assert len({each.attributes["session.id"] for each in tracked}) == 1


@pytest.mark.slow
def test_one_user_story(
    tmp_path: Path, otlp_sink: OtlpSink, umami_server: UmamiServer, opentrace_server: OpenTraceServer
) -> None:
    """Bot, page and purchase, each in a process of its own, arrive under one session, with the campaign, everywhere."""
    env = {
        **umami_variables(umami_server),
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_sink.url,
        "FOOTSPAN_DESTINATIONS_OPENTRACE_URL": opentrace_server.url,
        "FOOTSPAN_DESTINATIONS_OPENTRACE_PROJECT_ID": "tea",
        "FOOTSPAN_SESSIONS_ENABLED": "true",
        "FOOTSPAN_SESSIONS_SECRET": "change-me",
        "PYTHONPATH": str(FOLDER),
        "OTEL_SERVICE_NAME": "tea",
        "FOOTSPAN_EXIT_TIMEOUT": "10",
    }
    with Served(["flask", "--app", "web", "run", "--port", "0"], tmp_path, env) as web:
        tools = Path(sys.executable).parent
        bot = subprocess.run(
            [str(tools / "opentelemetry-instrument"), sys.executable, "-m", "feed", f"/start {CODE}"],
            env={**web.env, "SHOP_URL": web.url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert bot.returncode == 0, bot.stderr
        address = urlsplit(bot.stdout.splitlines()[1])
        cookies = Cookies(web)
        assert cookies.ask("GET", f"{address.path}?{address.query}") == 200
        assert cookies.ask("POST", "/buy") == 200, web.said()
        arrived = until(lambda: {each["name"] for each in otlp_sink.events} >= set(NAMES), 40)
        assert arrived, web.said()
        assert until(lambda: len(opentrace_server.rows) >= 4 and len(umami_server.rows["website_event"]) >= 4, 40)
        assert web.stop() in {0, -15}, web.said()

    found = {each["name"]: each["attributes"] for each in otlp_sink.events}
    (session,) = {each["attributes"]["session.id"] for each in otlp_sink.events}
    assert sorted(each["name"] for each in otlp_sink.events) == sorted([*NAMES, "session.start"])
    for name in NAMES:
        assert found[name]["footspan.campaign.start_code"] == CODE
    assert found["payment.completed"]["amount"] == 9.9
    assert found["telegram.command"]["user.id"] != "123454321"
    rows = {
        row.get("event_name") or "footspan.page_view": umami_server.data_of(row["event_id"])
        for row in umami_server.rows["website_event"]
    }
    for name in NAMES:
        assert rows[name]["session_id"] == session
        assert rows[name]["bot_param"] == CODE
    traced = {row["event_type"]: row for row in opentrace_server.rows}
    for name in ("telegram.command", "page_view", "payment.completed"):
        assert traced[name]["session_id"] == session
        assert json.loads(traced[name]["payload"])["bot_param"] == CODE
    everything = str(otlp_sink.logs) + str(umami_server.rows) + str(opentrace_server.bodies)
    assert address.query.partition("=")[2] not in everything
    assert "123454321" not in everything


class Cookies:
    """A browser that keeps its cookies."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self.kept = ""

    def ask(self, method: str, path: str) -> int:
        """One request."""
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=70)
        try:
            connection.request(method, path, headers={"User-Agent": FIREFOX, "Cookie": self.kept})
            answer = connection.getresponse()
            answer.read()
            self.kept = (answer.headers.get("Set-Cookie") or self.kept).partition(";")[0]
            return answer.status
        finally:
            connection.close()
