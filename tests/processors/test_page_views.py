"""What a page view is, and what its event says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.semconv._incubating.attributes import http_attributes, net_attributes, user_agent_attributes
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from footspan import _guard
from footspan.config import PageViewSettings
from footspan.processors import page_views
from footspan.processors.page_views import PageViewSpanProcessor, page_view_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

NEW: dict[str, Any] = {
    "http.request.method": "GET",
    "url.scheme": "http",
    "server.address": "shop.example",
    "server.port": 80,
    "url.path": "/product/2",
    "url.query": "utm_source=news&gclid=abc",
    "client.address": "203.0.113.7",
    "user_agent.original": FIREFOX,
    "http.route": "/product/<int:number>",
    "http.response.status_code": 200,
    "http.request.header.host": ("shop.example:8000",),
    "http.request.header.referer": ("https://search.example/?q=tea",),
    "http.request.header.accept_language": ("de-CH,de;q=0.9,en;q=0.8",),
    "http.response.header.content_type": ("text/html; charset=utf-8",),
}
OLD: dict[str, Any] = {
    "http.method": "GET",
    "http.scheme": "http",
    "http.host": "shop.example:8000",
    "net.host.name": "shop.example:8000",
    "net.host.port": 8000,
    "http.target": "/product/2?utm_source=news&gclid=abc",
    "net.peer.ip": "203.0.113.7",
    "http.user_agent": FIREFOX,
    "http.route": "/product/<int:number>",
    "http.status_code": 200,
    "http.request.header.referer": ("https://search.example/?q=tea",),
    "http.request.header.accept-language": ("de-CH,de;q=0.9,en;q=0.8",),
    "http.response.header.content-type": ("text/html; charset=utf-8",),
}
EXPECTED = {
    "url.full": "http://shop.example:8000/product/2?utm_source=news&gclid=abc",
    "url.path": "/product/2",
    "url.query": "utm_source=news&gclid=abc",
    "server.address": "shop.example",
    "client.address": "203.0.113.7",
    "user_agent.original": FIREFOX,
    "http.request.header.referer": ["https://search.example/?q=tea"],
    "browser.language": "de-CH",
    "http.route": "/product/<int:number>",
    "http.request.method": "GET",
}
SETTINGS = PageViewSettings()
CONTEXT = SpanContext(trace_id=0xA1, span_id=0xB2, is_remote=False)


def span(
    *, base: Mapping[str, Any] | None = None, kind: SpanKind = SpanKind.SERVER, parent: SpanContext | None = None
) -> ReadableSpan:
    """An ended server span."""
    return ReadableSpan(
        "GET /product/<int:number>",
        context=CONTEXT,
        parent=parent,
        kind=kind,
        attributes=dict(NEW if base is None else base),
        start_time=1_700_000_000_000_000_000,
        end_time=1_700_000_000_100_000_000,
    )


def changed(base: dict[str, Any] | None = None, /, **changes: Any) -> dict[str, Any]:
    """Attributes with some set (double underscore for a dot), or left out by ``None``."""
    merged = {**(base or NEW), **{key.replace("__", "."): value for key, value in changes.items()}}
    return {key: value for key, value in merged.items() if value is not None}


def header(name: str, value: str) -> dict[str, Any]:
    """Attributes with one more request header, as the Python instrumentations capture it."""
    return {**NEW, f"http.request.header.{name.replace('-', '_')}": (value,)}


class TestAttributes:
    """What the event says."""

    @pytest.mark.parametrize("base", [NEW, OLD], ids=["stable conventions", "old conventions"])
    def test_both_generations_of_conventions_read_alike(self, base: dict[str, Any]) -> None:
        """The same request makes the same page view, whichever conventions described it."""
        assert page_view_of(span(base=base), SETTINGS) == EXPECTED

    def test_what_the_request_lacks_is_left_out(self) -> None:
        """No referrer, no language, no query: no such attributes."""
        bare = changed(
            url__query=None, http__request__header__referer=None, http__request__header__accept_language=None
        )
        found = page_view_of(span(base=bare), SETTINGS)
        assert found is not None
        assert set(EXPECTED) - set(found) == {"url.query", "http.request.header.referer", "browser.language"}
        assert found["url.full"] == "http://shop.example:8000/product/2"

    @pytest.mark.parametrize(
        ("changes", "full"),
        [
            ({"http__request__header__host": None}, "http://shop.example/product/2"),
            ({"http__request__header__host": None, "server__port": 8080}, "http://shop.example:8080/product/2"),
            (
                {"http__request__header__host": None, "server__address": "[::1]:5000", "server__port": 5000},
                "http://[::1]:5000/product/2",
            ),
            ({"http__request__header__host": None, "server__address": "::1"}, "http://[::1]/product/2"),
            (
                {"url__scheme": "https", "http__request__header__host": ("shop.example",)},
                "https://shop.example/product/2",
            ),
            ({"url__path": "/caf\u00c3\u00a9"}, "http://shop.example:8000/caf%C3%A9"),
            ({"url__path": "/café"}, "http://shop.example:8000/caf%C3%A9"),
            ({"url__path": "/50% off/a%20b"}, "http://shop.example:8000/50%25%20off/a%20b"),
            ({"url__path": None}, "http://shop.example:8000/product/%3Cint:number%3E"),
        ],
    )
    def test_url(self, changes: dict[str, Any], full: str) -> None:
        """Host and port are the visitor's, bytes of WSGI's paths are UTF-8, and the result is a valid URL."""
        found = page_view_of(span(base=changed(url__query=None, **changes)), SETTINGS)
        assert found is not None
        assert found["url.full"] == full

    def test_a_forged_host_does_no_harm(self) -> None:
        """A host header that is no host leaves the hostname out."""
        found = page_view_of(span(base=header("host", "[")), SETTINGS)
        assert found is not None
        assert "server.address" not in found

    @pytest.mark.parametrize(
        ("value", "language"), [("en", "en"), ("*", None), ("x'; drop--", "x"), ("fr;q=0.9, en", "fr"), ("", None)]
    )
    def test_language_is_the_first_tag(self, value: str, language: str | None) -> None:
        """The first language tag of the header, without its weight; nothing else passes."""
        found = page_view_of(span(base=header("accept-language", value)), SETTINGS)
        assert found is not None
        assert found.get("browser.language") == language

    def test_a_sanitized_header_counts_as_absent(self) -> None:
        """What the operator has blanked out is not sent on as if it were a value."""
        found = page_view_of(span(base=header("referer", "[REDACTED]")), SETTINGS)
        assert found is not None
        assert "http.request.header.referer" not in found


class TestRule:
    """What is a page view and what is not."""

    @pytest.mark.parametrize(
        "attributes",
        [
            changed(http__request__method="POST"),
            changed(http__request__method="HEAD"),
            changed(http__response__status_code=204),
            changed(http__response__status_code=205),
            changed(http__response__status_code=302),
            changed(http__response__status_code=304),
            changed(http__response__status_code=404),
            changed(http__response__status_code=500),
            changed(http__response__status_code=None),
            changed(http__response__header__content_type=("application/json",)),
            changed(http__response__header__content_type=("text/css; charset=utf-8",)),
            changed(http__response__header__content_type=None),
            changed(url__path="/static/help.html"),
            changed(url__path="/health"),
            changed(user_agent__original=GOOGLEBOT),
            changed(user_agent__original=None),
            changed(user_agent__synthetic__type="test"),
            header("sec-purpose", "prefetch"),
            header("sec-purpose", "prefetch;prerender"),
            header("purpose", "Prefetch"),
            header("x-moz", "prefetch"),
            header("sec-fetch-dest", "empty"),
            header("sec-fetch-dest", "image"),
            header("sec-fetch-mode", "cors"),
            header("x-requested-with", "XMLHttpRequest"),
            header("hx-request", "true"),
            changed(OLD, http__status_code=404),
            changed(OLD, http__target="/health?full=1"),
            changed(OLD, http__method="POST"),
            changed(OLD, http__user_agent="curl/8.9.1"),
        ],
    )
    def test_not_a_page_view(self, attributes: dict[str, Any]) -> None:
        """One thing is different from a page view, and it is none."""
        assert page_view_of(span(base=attributes), SETTINGS) is None

    @pytest.mark.parametrize(
        "attributes",
        [
            NEW,
            OLD,
            changed(http__response__status_code=203),
            changed(http__response__header__content_type=("APPLICATION/XHTML+XML",)),
            changed(url__path="/healthy-food"),
            changed(url__path="/help/static/tour"),
            header("sec-fetch-dest", "document"),
            header("sec-fetch-dest", "iframe"),
            header("sec-fetch-mode", "navigate"),
            header("x-requested-with", "com.example.browser"),
            {**header("hx-request", "true"), "http.request.header.hx_boosted": ("true",)},
        ],
    )
    def test_a_page_view(self, attributes: dict[str, Any]) -> None:
        """Documents in any dress are page views."""
        assert page_view_of(span(base=attributes), SETTINGS) is not None

    def test_only_server_spans_without_a_local_parent(self) -> None:
        """A browser's remote parent is no obstacle; a span inside the process is no request of its own."""
        remote = SpanContext(trace_id=0xA1, span_id=0xC3, is_remote=True)
        local = SpanContext(trace_id=0xA1, span_id=0xC3, is_remote=False)
        assert page_view_of(span(parent=remote), SETTINGS) is not None
        assert page_view_of(span(parent=local), SETTINGS) is None
        assert page_view_of(span(kind=SpanKind.CLIENT), SETTINGS) is None
        assert page_view_of(span(kind=SpanKind.INTERNAL), SETTINGS) is None

    @pytest.mark.parametrize(
        ("pattern", "path", "ignored"),
        [
            ("/admin/*", "/admin/a/b", True),
            ("/admin/*", "/admin", False),
            ("*.php", "/wp/x.php", True),
            ("/a?c", "/abc", False),
            ("/product/<int:number>", "/product/2", True),  # the route names it
            ("/product", "/product/2", False),
        ],
    )
    def test_ignored_routes(self, pattern: str, path: str, *, ignored: bool) -> None:
        """A pattern names whole paths or routes; only the star is special, and it crosses slashes."""
        settings = PageViewSettings(ignore_routes=(pattern,))
        found = page_view_of(span(base=changed(url__path=path)), settings)
        assert (found is None) is ignored

    def test_no_pattern_ignores_nothing(self) -> None:
        """An empty list means that every path may be a page."""
        assert page_view_of(span(base=changed(url__path="/health")), PageViewSettings(ignore_routes=())) is not None

    def test_switched_off(self) -> None:
        """`page_views.enabled: false` means none."""
        assert page_view_of(span(), PageViewSettings(enabled=False)) is None


class TestProcessor:
    """The event that leaves."""

    def test_emits_with_the_spans_time_and_trace(self) -> None:
        """One event, at the span's start, inside the span's trace."""
        emitted: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        processor = PageViewSpanProcessor(
            SETTINGS, lambda name, attributes, **rest: emitted.append((name, attributes, rest))
        )
        processor.on_end(span())
        processor.on_end(span(base=changed(http__response__status_code=404)))
        processor.on_end(span(kind=SpanKind.CLIENT))
        [(name, attributes, rest)] = emitted
        assert name == "footspan.page_view"
        assert attributes == EXPECTED
        assert rest["time_ns"] == 1_700_000_000_000_000_000
        place = trace.get_current_span(rest["context"]).get_span_context()
        assert (place.trace_id, place.span_id, place.trace_flags) == (0xA1, 0xB2, TraceFlags.DEFAULT)

    def test_never_raises_into_the_request(self, caplog: pytest.LogCaptureFixture) -> None:
        """A failing emit is logged by its class only, and the request goes on."""
        _guard.reraise_in_tests(False)
        _guard.reset()

        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError(FIREFOX)

        try:
            PageViewSpanProcessor(SETTINGS, broken).on_end(span())
        finally:
            _guard.reraise_in_tests(True)
            _guard.reset()
        assert "RuntimeError" in caplog.text
        assert FIREFOX not in caplog.text


def test_attribute_names_are_the_conventions() -> None:
    """The names read from spans are those of the semantic conventions, present and past."""
    assert {
        http_attributes.HTTP_METHOD,
        http_attributes.HTTP_STATUS_CODE,
        http_attributes.HTTP_SCHEME,
        http_attributes.HTTP_URL,
        http_attributes.HTTP_HOST,
        http_attributes.HTTP_CLIENT_IP,
        http_attributes.HTTP_USER_AGENT,
        http_attributes.HTTP_TARGET,
        net_attributes.NET_HOST_NAME,
        net_attributes.NET_HOST_PORT,
        net_attributes.NET_PEER_IP,
        user_agent_attributes.USER_AGENT_SYNTHETIC_TYPE,
    } == {
        page_views.METHOD[1],
        page_views.STATUS[1],
        page_views.SCHEME[1],
        page_views.URL[1],
        *page_views.HOST[1:],
        *page_views.CLIENT[1:],
        page_views.PORT[1],
        page_views.AGENT[1],
        page_views.TARGET,
        page_views.SYNTHETIC,
    }
