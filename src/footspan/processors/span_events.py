"""Events out of spans: which spans mean something to people who look at a product, and what is kept of them.

A server span that is a page (:mod:`footspan.processors.page_views`) is a page view, and nothing else. Of the others,
those become events that a destination's ``spans`` patterns name, by the span's name or by ``<area>.<name>``, where the
area is what kind of work the span's attributes tell of: ``db``, ``http``, ``messaging``, ``rpc``, ``gen_ai``, ``faas``.
The event bears the span's name, its start, its trace, its attributes, ``duration_ms``, ``status`` (``ok`` or ``error``)
and, of a failed one, ``error_type``.

Left out: statements, captured headers, stack traces and messages, which are long and tell of people; and, unless the
span is a server's, where the request went: that is not where the visitor was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from footspan import _guard
from footspan import conventions as c
from footspan.emit import SEVERITY_ERROR, SEVERITY_INFO, emit_event
from footspan.patterns import matcher
from footspan.processors.page_views import METHOD, consent_in, page_view_of, request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from footspan.config import DestinationSettings, PageViewSettings
    from footspan.config.consent import PurposeSettings

STATUS: Final = "status"
"""The property that says how a span ended."""

OTHER_ERROR: Final = "_OTHER"
"""What the conventions write for an error without a type (attribute ``error.type``)."""

# By the attribute that the conventions require of each kind of work, of their stable and their last unstable version.
_AREAS: Final = (
    ("gen_ai", ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.system")),
    ("db", ("db.system.name", "db.system")),
    ("messaging", ("messaging.system",)),
    ("rpc", ("rpc.system.name", "rpc.system")),
    ("faas", ("faas.trigger", "faas.invoked_name")),
    ("http", METHOD),
)
_IDENTITY: Final = (c.USER_ID, c.SESSION_ID, c.ENDUSER_PSEUDO_ID, c.REQUEST_ID)
_LEFT_OUT: Final = frozenset(
    {"db.statement", "db.query.text", "code.stacktrace", c.EXCEPTION_MESSAGE, c.EXCEPTION_STACKTRACE, c.REDACTED}
    | {c.SERVER_ADDRESS, c.SERVER_PORT, c.USER_AGENT_ORIGINAL, c.BROWSER_LANGUAGE}
)
_BEGINNINGS_LEFT_OUT: Final = (
    "db.query.parameter.",
    "db.operation.parameter.",
    "gen_ai.input.",
    "gen_ai.output.",
    "gen_ai.system_instructions",
    "http.request.header.",
    "http.response.header.",
    "rpc.request.metadata.",
    "rpc.response.metadata.",
    # Where a request came from and went to, by both generations of the conventions.
    "client.",
    "http.client_ip",
    "http.host",
    "http.target",
    "http.url",
    "http.user_agent",
    "net.",
    "url.",
)


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """The event that a span stands for.

    Attributes:
        name: The event's name.
        time_ns: When the span began.
        attributes: The event's attributes.
        severity_number: OpenTelemetry's: an error's for a failed span.
    """

    name: str
    time_ns: int
    attributes: Mapping[str, Any]
    severity_number: int = SEVERITY_INFO


class SpanRule:
    """Which spans become events.

    Args:
        page_views: Whether server spans become page views, and which paths are no pages.
        patterns: The spans besides that become events; ``None`` for none of them.
    """

    def __init__(self, page_views: PageViewSettings, patterns: tuple[str, ...] | None = None) -> None:
        self._page_views = page_views
        self._matches = None if patterns is None else matcher(patterns)

    def event_of(self, span: ReadableSpan) -> SpanEvent | None:
        """The event that an ended span stands for, if any."""
        page = page_view_of(span, self._page_views)
        if page is not None:
            given = span.attributes or {}
            page.update({name: given[name] for name in _IDENTITY if given.get(name)})
            return SpanEvent(c.EVENT_PAGE_VIEW, span.start_time or 0, page)
        if self._matches is None:
            return None
        area = area_of(span.attributes or {})
        if not self._matches(span.name, area):
            return None
        failed = span.status.status_code is StatusCode.ERROR
        return SpanEvent(
            span.name,
            span.start_time or 0,
            _attributes(span, area, failed=failed),
            SEVERITY_ERROR if failed else SEVERITY_INFO,
        )


class SpanEventProcessor(SpanProcessor):
    """Emits the events that spans stand for, page views excepted, each for the one destination that asked for it.

    Args:
        page_views: The rule of page views, which :class:`~footspan.processors.page_views.PageViewSpanProcessor` emits.
        destinations: Settings of the destinations with ``spans`` patterns.
        emit: How an event is emitted; :func:`footspan.emit.emit_event` or alike.
        purposes: What a browser's signals refuse.
    """

    def __init__(
        self,
        page_views: PageViewSettings,
        destinations: Sequence[DestinationSettings],
        emit: Callable[..., object] = emit_event,
        purposes: PurposeSettings | None = None,
    ) -> None:
        self._purposes = purposes
        self._rules = [(each.name, SpanRule(page_views, tuple(each.options["spans"]))) for each in destinations]
        self._emit = emit

    def on_end(self, span: ReadableSpan) -> None:
        """Emit the events of an ended, sampled span, in its own thread and with its trace. Never raises."""
        place = span.get_span_context()
        if place is None or not place.trace_flags.sampled:
            return
        with _guard.guard("span event"):
            for name, rule in self._rules:
                event = rule.event_of(span)
                if event is None or event.name == c.EVENT_PAGE_VIEW:
                    continue
                self._emit(
                    event.name,
                    {**event.attributes, **consent_in(span, self._purposes), c.DESTINATION: name},
                    time_ns=event.time_ns,
                    severity_number=event.severity_number,
                    context=trace.set_span_in_context(trace.NonRecordingSpan(place)),
                )


def area_of(attributes: Mapping[str, Any]) -> str:
    """The kind of work that a span's attributes tell of, or empty."""
    for area, marks in _AREAS:
        if any(mark in attributes for mark in marks):
            return area
    return ""


def _attributes(span: ReadableSpan, area: str, *, failed: bool) -> dict[str, Any]:
    given = span.attributes or {}
    kept: dict[str, Any] = {name: value for name, value in given.items() if not _left_out(name)}
    if span.kind is SpanKind.SERVER and area == "http":
        kept.update(request_of(given))
    kept.update({name: given[name] for name in _IDENTITY if given.get(name)})
    if span.start_time and span.end_time:
        kept[c.DURATION_MS] = max(0, round((span.end_time - span.start_time) / 1_000_000))
    kept[STATUS] = "error" if failed else "ok"
    if area:
        kept[c.CATEGORY] = area
    if failed:
        kept[c.ERROR_TYPE] = _error_type(span)
    return kept


def _left_out(name: str) -> bool:
    return name in _LEFT_OUT or name.startswith(_BEGINNINGS_LEFT_OUT)


def _error_type(span: ReadableSpan) -> str:
    """As the conventions have it; else the class of the last exception that was recorded."""
    for attributes in (span.attributes, *(event.attributes for event in reversed(span.events))):
        found = (attributes or {}).get(c.ERROR_TYPE) or (attributes or {}).get(c.EXCEPTION_TYPE)
        if found:
            return str(found)
    return OTHER_ERROR
