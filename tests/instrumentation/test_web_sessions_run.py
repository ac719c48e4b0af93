"""Sessions by settings alone: an app under ``opentelemetry-instrument``, in two worker processes."""

from __future__ import annotations

import http.client
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from programs import until
from servers.otlp import OtlpSink
from serving import FIREFOX, Served

pytestmark = pytest.mark.slow


def visit(server: Served, path: str, cookie: str) -> str:
    """One request; returns our cookie as a browser has it afterwards."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    try:
        connection.request("GET", path, headers={"User-Agent": FIREFOX, "Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        found = [each for each in answer.headers.get_all("Set-Cookie") or [] if each.startswith("footspan=")]
    finally:
        connection.close()
    return found[0].partition(";")[0] if found else cookie


def test_every_worker_knows_a_visitor(tmp_path: Path) -> None:
    """One visitor, one session, whichever process answers; events and page views bear it, with how they came."""
    shutil.copy(Path(__file__).with_name("web.py"), tmp_path / "web.py")
    command = ["gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "web:app"]
    with OtlpSink() as sink:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_SERVICE_NAME": "web",
            "FOOTSPAN_SESSIONS_ENABLED": "true",
        }
        with Served(command, tmp_path, env) as server:
            cookie = visit(server, "/page/tea?utm_source=news&utm_medium=email", "")
            assert cookie, server.said()
            for number in range(20):
                cookie = visit(server, f"/track/{number}", cookie)
            visit(server, "/page/coffee", cookie)
            assert server.stop() == 0, server.said()

        assert until(lambda: len(sink.events) >= 23), server.said()
        starts = [each for each in sink.events if each["name"] == "session.start"]
        others = [each for each in sink.events if each["name"] in {"footspan.page_view", "order.placed"}]
        assert len(starts) == 1
        assert len(others) == 22
        (session,) = {each["attributes"]["session.id"] for each in sink.events}
        assert session == starts[0]["attributes"]["session.id"]
        for each in others:
            assert each["attributes"]["footspan.utm.source"] == "news"
            assert each["attributes"]["footspan.first_touch.referrer.class"] == "email"
