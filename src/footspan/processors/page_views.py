"""Page views out of server spans: the rule that says what a page view is, and the processor that emits it.

A page view is a document that a person asked for and got: a ``GET`` answered with 2xx and HTML, in a server span that
has no local parent. Not one: an API's answer, a static file, an ignored path, a redirect, an error, a prefetch, a
fragment fetched by a script, a known bot.

Spans are read by both generations of the HTTP conventions, and header attributes with dashes (the conventions) or
underscores (what the Python instrumentations write).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind

from footspan import _guard
from footspan import conventions as c
from footspan.emit import emit_event
from footspan.privacy.consent import request_state
from footspan.processors.bots import is_bot
from footspan.processors.context import ambient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import ReadableSpan

    from footspan.config import PageViewSettings
    from footspan.config.consent import PurposeSettings

# Span attributes of the stable conventions, then of the ones before (HTTP semantic conventions 1.20 and earlier).
METHOD: Final = (c.HTTP_REQUEST_METHOD, "http.method")
STATUS: Final = (c.HTTP_RESPONSE_STATUS_CODE, "http.status_code")
SCHEME: Final = (c.URL_SCHEME, "http.scheme")
URL: Final = (c.URL_FULL, "http.url")
HOST: Final = (c.SERVER_ADDRESS, "net.host.name", "http.host")
PORT: Final = (c.SERVER_PORT, "net.host.port")
CLIENT: Final = (c.CLIENT_ADDRESS, "http.client_ip", "net.peer.ip")
AGENT: Final = (c.USER_AGENT_ORIGINAL, "http.user_agent")
TARGET: Final = "http.target"
SYNTHETIC: Final = "user_agent.synthetic.type"

NOT_FOUND: Final = "not_found"
"""The property of a page view whose page says that there is no such page."""

REQUEST_HEADERS: Final = (
    "accept-language",
    "dnt",
    "host",
    "hx-boosted",
    "hx-request",
    "purpose",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-gpc",
    "sec-purpose",
    "x-moz",
    "x-requested-with",
)
"""Request headers the rule reads; whoever instruments must capture them on the span."""
RESPONSE_HEADERS: Final = ("content-type",)
"""Response headers the rule reads."""

# Frameworks give them their default content type all the same, and a browser that gets one stays where it is.
_NO_CONTENT: Final = (204, 205)
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
# A frame shows a page of its own; whoever serves widgets to other sites names their paths in `ignore_routes`.
_DOCUMENTS: Final = frozenset({"document", "iframe", "frame"})
_PREFETCHES: Final = ("prefetch", "prerender", "preview")
_SANITIZED: Final = "[REDACTED]"  # what OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS leaves of a value
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_LONE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_URL_SAFE: Final = "/%:@!$&'()*+,;=~?"


def page_view_of(span: ReadableSpan, settings: PageViewSettings) -> dict[str, Any] | None:
    """The attributes of the page view that a span stands for.

    Args:
        span: Any ended span.
        settings: Whether page views are wanted, and which paths are no pages.

    Returns:
        Attribute name to value, or ``None`` when the span is no page view.
    """
    if span.kind is not SpanKind.SERVER or not _is_local_root(span):
        return None
    return page_view_in(dict(span.attributes or {}), settings)


def page_view_in(attributes: Mapping[str, Any], settings: PageViewSettings) -> dict[str, Any] | None:
    """The same of a request that has no span: by the attributes that its span would bear.

    Args:
        attributes: Those of a server span.
        settings: As above.
    """
    if not settings.enabled:
        return None
    if _first(attributes, METHOD) != "GET" or not _succeeded(attributes) or not _is_html(attributes):
        return None
    location = _Location(attributes)
    if ignored(settings.ignore_routes, location.path, str(attributes.get(c.HTTP_ROUTE) or "")):
        return None
    agent = str(_first(attributes, AGENT) or "")
    if _is_prefetch(attributes) or _is_fragment(attributes) or SYNTHETIC in attributes or is_bot(agent):
        return None
    return _request(attributes, location)


def request_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Who asked for what, by the attributes of a server span: as those of an event."""
    return _request(attributes, _Location(attributes))


def shows_answer(span: ReadableSpan) -> bool:
    """Whether a span says what media type was answered, without which it is no page view.

    True also for a span that could be none whatever it says.
    """
    attributes = span.attributes or {}
    if span.kind is not SpanKind.SERVER or _first(attributes, METHOD) != "GET" or not _succeeded(attributes):
        return True
    return any(name.startswith("http.response.header.") for name in attributes)


def _request(attributes: Mapping[str, Any], location: _Location) -> dict[str, Any]:
    referrer = _header(attributes, "referer")
    found = {
        c.URL_FULL: location.full,
        c.URL_PATH: location.path,
        c.URL_QUERY: location.query,
        c.SERVER_ADDRESS: location.hostname,
        c.CLIENT_ADDRESS: _first(attributes, CLIENT),
        c.USER_AGENT_ORIGINAL: str(_first(attributes, AGENT) or ""),
        c.HTTP_REQUEST_HEADER_REFERER: [referrer] if referrer else None,
        c.BROWSER_LANGUAGE: _language(_header(attributes, "accept-language")),
        c.HTTP_ROUTE: attributes.get(c.HTTP_ROUTE),
        c.HTTP_REQUEST_METHOD: _first(attributes, METHOD),
        c.PAGE_TITLE: attributes.get(c.PAGE_TITLE),
        NOT_FOUND: attributes.get(c.PAGE_NOT_FOUND),
    }
    return {name: value for name, value in found.items() if value}


def consent_in(span: ReadableSpan, purposes: PurposeSettings | None) -> dict[str, Any]:
    """What a server span's request says of its visitor's consent, as an event's attributes; else none.

    Args:
        span: Any span.
        purposes: What a browser's signals refuse. Where the context says what the visitor agrees to, nothing is asked.
    """
    if purposes is None or span.kind is not SpanKind.SERVER or c.CONSENT in ambient():
        return {}
    given = span.attributes or {}
    consent = request_state(purposes, lambda name: _header(given, name))
    return {} if consent is None else {c.CONSENT: consent}


class PageViewSpanProcessor(SpanProcessor):
    """Emits ``footspan.page_view`` when a server span ends, in the request's own thread and with its trace.

    It reads every recorded span, sampled or not: see :class:`~footspan.processors.spans.RecordServerSpans`.

    Args:
        settings: The rule's settings.
        emit: How the event is emitted; :func:`footspan.emit.emit_event` or alike.
        purposes: What a browser's signals refuse, where nobody has said in the context what the visitor agrees to.
    """

    def __init__(
        self,
        settings: PageViewSettings,
        emit: Callable[..., object] = emit_event,
        purposes: PurposeSettings | None = None,
    ) -> None:
        self._settings = settings
        self._emit = emit
        self._purposes = purposes

    def on_end(self, span: ReadableSpan) -> None:
        """Emit the page view that an ended span stands for, if any. Never raises."""
        if span.kind is not SpanKind.SERVER:
            return
        with _guard.guard("page view"):
            attributes = page_view_of(span, self._settings)
            if attributes is not None:
                attributes.update(consent_in(span, self._purposes))
                place = span.get_span_context() or trace.INVALID_SPAN_CONTEXT
                context = trace.set_span_in_context(trace.NonRecordingSpan(place))
                self._emit(c.EVENT_PAGE_VIEW, attributes, time_ns=span.start_time, context=context)


class _Location:
    """Where the visitor was, as their address bar shows it."""

    __slots__ = ("full", "hostname", "path", "query")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        shown = _split(_text(attributes.get(c.PAGE_URL)))
        if shown.netloc:
            self.path, self.query = _encoded(shown.path) or "/", _encoded(shown.query)
            self.hostname = _hostname(shown.netloc)
            self.full = f"{shown.scheme}://{shown.netloc}{self.path}{'?' if self.query else ''}{self.query}"
            return
        url = _split(_text(_first(attributes, URL)))
        target, _, target_query = _text(attributes.get(TARGET)).partition("?")
        scheme = _text(_first(attributes, SCHEME)) or url.scheme or "http"
        host = _host(attributes, scheme) or url.netloc
        path = _text(attributes.get(c.URL_PATH)) or target or url.path or _text(attributes.get(c.HTTP_ROUTE))
        self.path = _encoded(_decoded_twice(path)) or "/"
        self.query = _encoded(_text(attributes.get(c.URL_QUERY)) or target_query or url.query)
        self.hostname = _hostname(host)
        self.full = f"{scheme}://{host}{self.path}{'?' if self.query else ''}{self.query}" if host else ""


def _is_local_root(span: ReadableSpan) -> bool:
    return span.parent is None or span.parent.is_remote


def _succeeded(attributes: Mapping[str, Any]) -> bool:
    status = _first(attributes, STATUS)
    if status in _NO_CONTENT:
        return False
    return isinstance(status, int) and 200 <= status < 300  # noqa: PLR2004 - HTTP's 2xx


def _is_html(attributes: Mapping[str, Any]) -> bool:
    media_type = _header(attributes, "content-type", "response").partition(";")[0]
    return media_type.strip().lower() in _HTML


def _is_prefetch(attributes: Mapping[str, Any]) -> bool:
    """Fetched ahead by the browser: nobody has seen it yet, and perhaps nobody will."""
    purpose = " ".join(_header(attributes, name) for name in ("sec-purpose", "purpose", "x-moz")).lower()
    return any(word in purpose for word in _PREFETCHES)


def _is_fragment(attributes: Mapping[str, Any]) -> bool:
    """Fetched by a script for a part of a page, as far as the request says.

    htmx's boosted links are navigations that merely travel as scripts' requests. ``X-Requested-With`` counts only with
    the value that scripts send: Android's web view puts the app's package name there.
    """
    if _header(attributes, "hx-boosted").lower() == "true":
        return False
    destination = _header(attributes, "sec-fetch-dest").lower()
    mode = _header(attributes, "sec-fetch-mode").lower()
    return (
        bool(destination and destination not in _DOCUMENTS)
        or bool(mode and mode != "navigate")
        or _header(attributes, "hx-request").lower() == "true"
        or _header(attributes, "x-requested-with").lower() == "xmlhttprequest"
    )


def ignored(patterns: tuple[str, ...], *paths: str) -> bool:
    """Whether one of some paths or routes is no page by the setting ``page_views.ignore_routes``."""
    matches = _matcher(patterns)
    return any(path and matches(path) for path in paths)


@lru_cache(maxsize=16)
def _matcher(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """Whole paths only; ``*`` stands for any run of characters, slashes included, and nothing else is special."""
    alternatives = (".*".join(re.escape(part) for part in pattern.split("*")) for pattern in patterns)
    return re.compile("|".join(alternatives) or r"(?!)", re.DOTALL).fullmatch


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return value
    return None


def _header(attributes: Mapping[str, Any], name: str, side: str = "request") -> str:
    """A captured header's first value, or nothing."""
    for spelling in (name.replace("-", "_"), name):
        value = attributes.get(f"http.{side}.header.{spelling}")
        if isinstance(value, (list, tuple)):
            value = value[0] if value else None
        if isinstance(value, str) and value != _SANITIZED:
            return value.strip()
    return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _host(attributes: Mapping[str, Any], scheme: str) -> str:
    """Host and port as the visitor wrote them.

    The ``Host`` header says it best. The server's own port is only a guess at it, and WSGI's instrumentations put the
    whole header into the server's address.
    """
    header = _header(attributes, "host")
    if header:
        return header
    host = _text(_first(attributes, HOST))
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    port = _first(attributes, PORT)
    has_port = ":" in host.rpartition("]")[2]
    if not host or has_port or not isinstance(port, int) or port == _DEFAULT_PORTS.get(scheme):
        return host
    return f"{host}:{port}"


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a host such as "[": the header is the client's to forge
        return urlsplit("")


def _hostname(host: str) -> str:
    return _split(f"//{host}").hostname or ""


def _decoded_twice(path: str) -> str:
    """WSGI hands a path's bytes over as Latin-1 (PEP 3333); what they spell is nearly always UTF-8."""
    try:
        return path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return path


def _encoded(part: str) -> str:
    """A path or query in URL characters; what is encoded already stays as it is."""
    return quote(_LONE_PERCENT.sub("%25", part), safe=_URL_SAFE, errors="replace")


def _language(header: str) -> str:
    match = _LANGUAGE.match(header)
    return match.group() if match else ""
