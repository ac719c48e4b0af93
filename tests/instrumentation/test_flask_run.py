"""``opentelemetry-instrument flask run`` with environment variables only: spans over OTLP, page views in Umami."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from programs import until
from servers.otlp import OtlpSink
from servers.umami import UmamiServer
from serving import FIREFOX, Served, umami_variables

SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

VISITOR = {
    "User-Agent": SAFARI,
    "X-Forwarded-For": "203.0.113.20",
    "Accept-Language": "fr-CH, fr;q=0.9, en;q=0.8",
    "Referer": "https://search.example/results?q=tea",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
}
LANDING = "/page/tea?utm_source=news&utm_campaign=spring&gclid=G-1"

NO_PAGE_VIEWS: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/json", {}),
    ("GET", "/go", {}),
    ("GET", "/missing", {}),
    ("GET", "/nowhere", {}),
    ("GET", "/boom", {}),
    ("GET", "/health", {}),
    ("GET", "/static/help.html", {}),
    ("POST", "/form", {}),
    ("HEAD", "/page/head", {}),
    ("GET", "/page/bot", {"User-Agent": GOOGLEBOT}),
    ("GET", "/page/curl", {"User-Agent": "curl/8.9.1"}),
    ("GET", "/page/prefetch", {"Sec-Purpose": "prefetch;prerender"}),
    ("GET", "/page/old-prefetch", {"Purpose": "prefetch"}),
    ("GET", "/page/fetch", {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}),
    ("GET", "/page/xhr", {"X-Requested-With": "XMLHttpRequest"}),
    ("GET", "/page/htmx", {"HX-Request": "true"}),
]
SAMPLERS = {
    "always_off": {"OTEL_TRACES_SAMPLER": "always_off"},
    "a tenth": {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "always_on": {"OTEL_TRACES_SAMPLER": "always_on"},
}


@dataclass
class Visit:
    """What a server process has sent after the same requests."""

    sampler: str
    url: str
    page_views: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any] | None] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    sent: bytes = b""
    output: str = ""


@pytest.fixture(scope="module", params=list(SAMPLERS))
def visit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """One server process for each sampler, visited once."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copy(Path(__file__).with_name("web.py"), folder / "web.py")
    (folder / "static").mkdir()
    (folder / "static" / "help.html").write_text("<p>help</p>")
    with UmamiServer() as umami, OtlpSink() as sink:
        env = {
            **SAMPLERS[request.param],
            **umami_variables(umami),
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_SERVICE_NAME": "web",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        with Served(["flask", "--app", "web", "run", "--port", "0"], folder, env) as server:
            statuses = [server.get(LANDING, VISITOR)[0]]
            statuses += [server.get(path, headers, method)[0] for method, path, headers in NO_PAGE_VIEWS]
            statuses += [server.get("/", {"X-Forwarded-For": "203.0.113.21"})[0]]
            found = Visit(request.param, server.url)
            assert 200 in statuses, server.said()
            assert until(lambda: len(umami.page_views()) >= 2), server.said()
            # Nothing can still be on its way once a later event has arrived by the same road.
            server.get("/track/1", {"X-Forwarded-For": "203.0.113.22"})
            assert until(lambda: umami.events("order.placed")), server.said()
            assert until(lambda: "order.placed" in {event["name"] for event in sink.events}), server.said()
            if request.param == "always_on":
                assert until(lambda: len(sink.spans) >= len(NO_PAGE_VIEWS) + 3), server.said()
        found.page_views = umami.page_views()
        found.sessions = [umami.session_of(row) for row in found.page_views]
        found.spans, found.events = sink.spans, sink.events
        found.sent = b"".join(each.body for each in umami.requests)
        found.output = server.said()
    return found


def test_page_views_are_the_two_pages_that_people_saw(visit: Visit) -> None:
    """No API, file, health check, redirect, error, form, bot, prefetch or fragment; and no page twice."""
    assert [row["url_path"] for row in visit.page_views] == ["/page/tea", "/"]


def test_a_page_view_says_who_and_where(visit: Visit) -> None:
    """The visitor's address, agent and language, the referrer, and the whole URL with its campaign."""
    row, session = visit.page_views[0], visit.sessions[0]
    assert session is not None
    assert row["url_query"] == "utm_source=news&utm_campaign=spring&gclid=G-1"
    assert (row["utm_source"], row["utm_campaign"], row["gclid"]) == ("news", "spring", "G-1")
    assert (row["referrer_domain"], row["referrer_path"]) == ("search.example", "/results")
    assert row["hostname"] == "127.0.0.1"
    assert session["language"] == "fr-CH"
    assert (session["country"], session["browser"]) == ("DE", "safari")
    body = visit.sent.decode()
    assert '"203.0.113.20"' in body
    assert SAFARI in body


def test_a_visitor_without_headers_counts_too(visit: Visit) -> None:
    """What a request does not say is left out of its page view, not made up."""
    row, session = visit.page_views[1], visit.sessions[1]
    assert session is not None
    assert "referrer_domain" not in row
    assert "language" not in session
    assert not row.get("url_query")


def test_events_bear_their_trace_at_any_rate(visit: Visit) -> None:
    """Page views go to OTLP as well, each in the trace of its request."""
    views = [event for event in visit.events if event["name"] == "footspan.page_view"]
    assert len(views) == 2
    assert all(event["trace_id"] and event["span_id"] for event in views)
    assert views[0]["attributes"]["url.full"] == visit.url + LANDING
    assert views[0]["attributes"]["http.route"] == "/page/<name>"
    assert views[0]["attributes"]["user_agent.original"] == SAFARI
    assert views[0]["resource"]["telemetry.distro.name"] == "footspan"
    assert views[0]["resource"]["service.name"] == "web"


def test_spans_follow_the_sampler(visit: Visit) -> None:
    """Every span at ``always_on``, none at ``always_off``: what is recorded for page views is not exported."""
    servers = [span for span in visit.spans if span["attributes"].get("url.path")]
    if visit.sampler == "always_on":
        assert len(servers) == len(NO_PAGE_VIEWS) + 3
        [landing] = [span for span in servers if span["attributes"]["url.path"] == "/page/tea"]
        views = {event["span_id"]: event for event in visit.events if event["name"] == "footspan.page_view"}
        assert views[landing["span_id"]]["trace_id"] == landing["trace_id"]
        assert landing["name"] == "GET /page/<name>"
        assert landing["resource"]["telemetry.distro.name"] == "footspan"
    elif visit.sampler == "always_off":
        assert visit.spans == []
    else:
        assert len(servers) < len(NO_PAGE_VIEWS) + 3


def test_what_must_not_leave_does_not(visit: Visit) -> None:
    """An address in a property is cut out before it is stored or sent, and the log says nothing of it."""
    [placed] = [event for event in visit.events if event["name"] == "order.placed"]
    assert placed["attributes"]["note"] == "write to [contact]"
    assert placed["attributes"]["footspan.redacted"] == ["note"]
    assert "canary" not in visit.output
    assert b"canary" not in visit.sent


def test_the_app_is_quiet(visit: Visit) -> None:
    """Nothing of footspan is worth a line in the app's log, beyond the app's own."""
    said = [line for line in visit.output.splitlines() if "footspan" in line]
    # OpenTelemetry itself says so where another distro is installed too.
    assert [line for line in said if not line.endswith("not loaded, footspan already loaded")] == []
    assert FIREFOX not in visit.output
