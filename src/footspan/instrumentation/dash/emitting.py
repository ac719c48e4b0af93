"""What a reading of a request becomes: page views, interactions, exceptions; by whose hand a loaded page is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from footspan import _otel
from footspan import conventions as c
from footspan.pipeline.aside import ours
from footspan.processors.bots import is_bot
from footspan.processors.page_views import (
    REQUEST_HEADERS,
    PageViewSpanProcessor,
    page_view_in,
    request_of,
)
from footspan.tracking.arguments import shown

if TYPE_CHECKING:
    from flask import Request, Response

    from footspan.config import PageViewSettings
    from footspan.instrumentation.dash.callbacks import Ran
    from footspan.instrumentation.dash.pages import Page
    from footspan.instrumentation.dash.places import Place
    from footspan.instrumentation.dash.reading import FullLoad, Navigation, Run
    from footspan.tracking.tracker import Tracker

_FLASK_SPAN: Final = "opentelemetry-flask.span_key"
"""Where Flask's instrumentation keeps its span in a request's environment."""


class Emitting:
    """Emits the events of one request.

    Args:
        tracker: What records them.
        request: Flask's request.
    """

    def __init__(self, tracker: Tracker, request: Request) -> None:
        self._tracker = tracker
        self._request = request

    def is_bot(self) -> bool:
        """Whether a program asked."""
        return is_bot(self._request.headers.get("User-Agent", ""))

    def load(self, found: FullLoad, response: Response, settings: PageViewSettings) -> None:
        """A page was loaded.

        Where server spans become page views, its span is told what it does not know; else the same rule is applied
        here. Either way there is one page view.
        """
        known = _known(found.place, found.page)
        span = self._server_span()
        if self.spans_count():
            if getattr(span, "kind", None) is SpanKind.SERVER:
                here = f"{self._request.host_url.rstrip('/')}{self._request.path}"
                same = found.place.url.partition("?")[0] == here
                span.set_attributes({name: each for name, each in known.items() if name != c.PAGE_URL or not same})
            return
        request = self._request
        headers = {
            f"http.request.header.{name}": [request.headers[name]]
            for name in REQUEST_HEADERS
            if name in request.headers
        }
        attributes = page_view_in(
            {
                **self._who(),
                **headers,
                **known,
                c.HTTP_REQUEST_METHOD: request.method,
                c.HTTP_RESPONSE_STATUS_CODE: response.status_code,
                "http.response.header.content-type": [response.headers.get("Content-Type", "")],
                c.HTTP_ROUTE: None if request.url_rule is None else request.url_rule.rule,
            },
            settings,
        )
        if attributes is not None:
            self._tracker.page_view(**attributes)

    def move(self, found: Navigation, previous: str) -> None:
        """Somebody moved to a page inside the app.

        Args:
            found: Where.
            previous: Where they were; empty where that is not known.
        """
        referrer = {c.HTTP_REQUEST_HEADER_REFERER: [previous]} if previous else {}
        self._tracker.page_view(**request_of({**self._who(), **_known(found.place, found.page), **referrer}))

    def interaction(self, run: Run, function: str, ran: Ran | None, *, background: bool, values: bool) -> None:
        """Somebody touched something.

        Args:
            run: What the request says.
            function: The function's name; empty where it is not known.
            ran: What the function did; ``None`` where it runs elsewhere, or nobody could see it.
            background: Whether it runs elsewhere.
            values: Whether the event bears values.
        """
        touched = run.interaction
        properties = {**self._where(run), "component": touched[0].component, "property": touched[0].property}
        properties.update(_callback(run, function))
        if len(touched) > 1:
            properties["changed"] = [str(each) for each in touched]
        if background:
            properties["background"] = True
        if ran is not None:
            properties[c.DURATION_MS] = ran.duration_ms
            if ran.error is not None:
                properties[c.ERROR_TYPE] = type(ran.error).__name__
        if values:
            names = {str(each) for each in touched}
            clean = self._clean
            properties["values"] = {name: shown(each, clean) for name, each in run.values.items() if name in names}
        self._tracker.track_event(c.EVENT_INTERACTION, properties)

    def error(self, run: Run, function: str, error: BaseException) -> None:
        """A callback failed."""
        properties = {**self._where(run), **_callback(run, function)}
        if run.triggers:
            properties.update(component=run.triggers[0].component, property=run.triggers[0].property)
        self._tracker.track_exception(error, extra_data=properties)

    def _clean(self, text: str) -> str:
        slot = self._tracker._slot  # noqa: SLF001 - a tracker's way to its pipeline
        pipeline = None if slot is None else slot.pipeline
        return "" if pipeline is None else pipeline.redactor.text(text)

    def _who(self) -> dict[str, Any]:
        """Who asked, as a server span would say it."""
        request = self._request
        return {
            c.URL_SCHEME: request.scheme,
            c.URL_PATH: f"{request.root_path.rstrip('/')}{request.path}",
            c.URL_QUERY: request.query_string.decode("latin-1"),
            c.CLIENT_ADDRESS: request.remote_addr,
            c.USER_AGENT_ORIGINAL: request.headers.get("User-Agent", ""),
            "http.request.header.host": [request.host],
            "http.request.header.accept-language": [request.headers.get("Accept-Language", "")],
        }

    def _where(self, run: Run) -> dict[str, Any]:
        """Who did something, and on which page: the one that the browser says it is at."""
        place = run.navigation.place.url if run.navigation else self._request.headers.get("Referer", "")
        found = request_of({**self._who(), c.PAGE_URL: place})
        if not place:
            for name in (c.URL_FULL, c.URL_PATH, c.URL_QUERY):
                found.pop(name, None)
        return found

    def spans_count(self) -> bool:
        """Whether the request has a server span that becomes a page view by itself."""
        span = self._server_span()
        return span is not None and span.is_recording() and _spans_become_page_views()

    def _server_span(self) -> Any:
        span = trace.get_current_span()
        if span.is_recording() and getattr(span, "kind", None) is SpanKind.SERVER:
            return span
        return self._request.environ.get(_FLASK_SPAN)


def _known(place: Place, page: Page) -> dict[str, Any]:
    """What is known of a page besides what a server span says."""
    found: dict[str, Any] = {c.PAGE_URL: place.url}
    if page.title:
        found[c.PAGE_TITLE] = page.title
    if not page.known:
        found[c.PAGE_NOT_FOUND] = True
    return found


def _callback(run: Run, function: str) -> dict[str, Any]:
    return {"callback": function or run.callback, "output": run.callback}


def _spans_become_page_views() -> bool:
    """Whether something of ours reads page views from the process's server spans."""
    provider = trace.get_tracer_provider()
    if any(isinstance(each, PageViewSpanProcessor) for each in _otel.span_processors_of(provider)):
        return True
    return bool(ours(provider, "DestinationSpanExporter"))
