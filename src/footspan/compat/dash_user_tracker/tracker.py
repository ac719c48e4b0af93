"""``Tracker``: page views and interactions of a Dash app, recorded after each request has been answered."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan import conventions as c
from footspan.compat.dash_user_tracker import ignoring, users
from footspan.compat.dash_user_tracker.analytics import TrackerAnalytics
from footspan.compat.dash_user_tracker.http_repository import HttpTrackerRepository
from footspan.compat.dash_user_tracker.interactions import interaction_of
from footspan.compat.dash_user_tracker.sending import sender_for
from footspan.compat.dash_user_tracker.visitors import is_speculative, standard, wire_of
from footspan.config import ConfigurationError
from footspan.destinations.dash_tracker import wire as w
from footspan.processors.bots import is_bot
from footspan.processors.context import set_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flask import Flask, Request, Response

    from footspan.instrumentation.dash.reading import App, FullLoad, Navigation, Run

GENERIC_NAME: Final = "Generic Dash App"
_STARTED: Final = "footspan.dash_tracker.started"
_TRACKERS: Final = "footspan_dash_trackers"
_SHOWS_PAGE: Final = "_pages_location.pathname"
"""What changes when the pages plugin shows another page, which is no interaction even where it is no move."""


class Tracker:
    """Tracks page views of a Dash app on Flask, and interactions where that is switched on.

    Whatever goes wrong in here, the app's answers stay what they are, and none waits for the network.

    Args:
        app: The app.
        app_name: What it is called in events.
        tracker_endpoint: The address that takes events.
        api_key: Its key.
        ignore_routes: Routes without page views, as Flask's rules and without the app's base pathname.
        user_provider: Says who the user is, in the request's context: a mapping, as a rule of ``user_id``, ``email``
            and ``full_name``. Without one, ``session["user"]`` is looked at.
        repository: Takes events in place of an address. Without either, each is a line of JSON on standard output.
        enable_page_view_tracking: Whether page views are tracked.
        enable_page_interaction_tracking: Whether interactions are.
        ignore_route: Whether a route, without the app's base pathname, is to be left out.
        ignore_callback: Whether interactions of a callback are to be left out; asked of its outputs, of the ids of
            their components and of the name of its function.
        interaction_values: Whether interactions bear the values of inputs and states.
        count_bots: Whether visits of known bots count.

    Raises:
        ConfigurationError: Something cannot be used.

    Attributes:
        app: The app.
        app_name: Its name.
        repository: Where events go; ``None`` when they are printed.
        analytics: The queries; ``None`` when events are printed.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the published signature
        self,
        app: Any,
        app_name: str | None = None,
        tracker_endpoint: str | None = None,
        api_key: str | None = None,
        ignore_routes: Iterable[str] | Callable[[str], Any] | None = None,
        user_provider: Callable[[], Mapping[str, Any]] | None = None,
        repository: Any = None,
        enable_page_view_tracking: bool | None = True,  # noqa: FBT001, FBT002 - the published signature
        enable_page_interaction_tracking: bool | None = False,  # noqa: FBT001, FBT002 - the same
        *,
        ignore_route: Callable[[str], Any] | Iterable[str] | None = None,
        ignore_callback: Callable[[str], Any] | None = None,
        interaction_values: bool = False,
        count_bots: bool = False,
    ) -> None:
        self.app = app
        self.app_name = app_name or GENERIC_NAME
        self.tracker_endpoint = tracker_endpoint
        self.api_key = api_key
        self.enable_page_view_tracking = bool(enable_page_view_tracking)
        self.enable_page_interaction_tracking = bool(enable_page_interaction_tracking)
        self.interaction_values = interaction_values
        self.count_bots = count_bots
        self._server = _server_of(app)
        self._rules = ignoring.rules_of(self._server)
        self._predicates: list[Callable[[str], Any]] = []
        for given in (ignore_routes, ignore_route):
            if callable(given):
                self._predicates.append(given)
            elif given is not None:
                self._rules.add(given)
        self._ignore_callback = ignore_callback
        self._provider: Callable[[], Any] = user_provider or users.from_session
        if repository is None and tracker_endpoint:
            repository = HttpTrackerRepository(tracker_endpoint, api_key)
        self.repository: Any = repository
        self.analytics: TrackerAnalytics | None = repository and TrackerAnalytics(repository=repository)
        self._sender = sender_for(repository)
        self._connect()

    def set_user_provider(self, user_provider: Callable[[], Mapping[str, Any]]) -> None:
        """Have another function say who the user is."""
        self._provider = user_provider

    def flush(self, timeout: float = 5.0) -> int:
        """Wait until what was recorded so far has been delivered.

        Args:
            timeout: Seconds to wait at the most.

        Returns:
            Events that still wait.
        """
        return self._sender.flush(timeout)

    def status(self) -> Mapping[str, Any]:
        """What became of every event; see ``docs/delivery.md``."""
        return self._sender.status()

    # -- requests ------------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        import flask  # noqa: PLC0415 - the app has it

        from footspan.compat.dash_user_tracker.moves import Moves  # noqa: PLC0415 - needs Flask
        from footspan.instrumentation.dash import recorders  # noqa: PLC0415 - the same
        from footspan.instrumentation.dash.apps import Mounted  # noqa: PLC0415 - the same
        from footspan.instrumentation.dash.reading import CALLBACKS, CATCH_ALL  # noqa: PLC0415 - the same

        prefix = str(getattr(self.app.config, "routes_pathname_prefix", None) or "/")
        self._mounted = Mounted(prefix, self.app)
        self._pages = frozenset({prefix, prefix + CATCH_ALL})
        self._callbacks = prefix + CALLBACKS
        self._moves = Moves(self._sender.place, self._sender.spool)
        recorders.add(self.app, self)
        # A signal's receivers are held weakly: the app holds its trackers.
        self._server.extensions.setdefault(_TRACKERS, []).append(self)
        flask.request_started.connect(self._started, self._server)
        # When it is sent the session has been saved, so that whoever reads it changes no header of the answer.
        flask.request_finished.connect(self._finished, self._server)

    def _started(self, sender: Flask, **_: Any) -> None:  # noqa: ARG002 - the signal's
        from flask import request  # noqa: PLC0415 - loaded

        request.environ.setdefault(_STARTED, time.time_ns())

    def _finished(self, sender: Flask, response: Response, **_: Any) -> None:  # noqa: ARG002 - the signal's
        with _guard.guard("dash tracker"):
            from flask import request  # noqa: PLC0415 - loaded

            page = request.endpoint in self._pages and request.method in {"GET", "HEAD"}
            if not page and not (request.endpoint == self._callbacks and request.method == "POST"):
                return
            if self.count_bots or not is_bot(request.headers.get("User-Agent", "")):
                self._look(request, response)

    def _look(self, request: Request, response: Response) -> None:
        from footspan.instrumentation.dash.asking import asked_of  # noqa: PLC0415 - needs Flask
        from footspan.instrumentation.dash.reading import Run, read  # noqa: PLC0415 - the same

        app = self._mounted.facts()
        asked = asked_of(request, response, untouched=True)
        # The old client counts whoever asks for a page's headers alone.
        found = read(replace(asked, method="GET") if asked.method == "HEAD" else asked, app)
        if isinstance(found, Run):
            if not request.args.get("cacheKey"):  # asks how a job of the background is doing
                self._ran(request, found, asked.body, app)
        elif found is not None and self.enable_page_view_tracking and not is_speculative(request):
            self._loaded(request, found, app)

    def _loaded(self, request: Request, found: FullLoad, app: App) -> None:
        self._moves.loaded(request, found.place, app)
        if not self._ignores(found.place.route):
            attributes = standard(request, found.place.url, found.page, found.referrer)
            self._emit(c.EVENT_PAGE_VIEW, attributes, request, request.path, by_span=_span_counts(request))

    def _ran(self, request: Request, run: Run, body: Mapping[str, Any], app: App) -> None:
        if not self.enable_page_view_tracking:
            if self.enable_page_interaction_tracking:
                self._touched(request, run, body, app)
        elif run.navigation is not None:
            self._moved(request, run, run.navigation, app)
        elif self.enable_page_interaction_tracking and run.triggers and _SHOWS_PAGE not in map(str, run.triggers):
            self._touched(request, run, body, app)

    def _moved(self, request: Request, run: Run, found: Navigation, app: App) -> None:
        verdict = self._moves.reported(request, run, found, app)
        if verdict.counts and not self._ignores(found.place.route):
            attributes = standard(request, found.place.url, found.page, verdict.previous)
            self._emit(c.EVENT_PAGE_VIEW, attributes, request, found.pathname)

    def _touched(self, request: Request, run: Run, body: Mapping[str, Any], app: App) -> None:
        from footspan.instrumentation.dash.asking import page_shown  # noqa: PLC0415 - needs Flask

        place = page_shown(request, app)
        if self._is_ignored(run) or (place is not None and self._ignores(place.route)):
            return
        only = not self.enable_page_view_tracking
        attributes = standard(request, "" if place is None else place.url, None, "")
        attributes["callback"] = self._mounted.function_name(run.output) or run.callback
        if run.triggers:
            attributes.update(component=run.triggers[0].component, property=run.triggers[0].property)
        interaction = interaction_of(body, output=only, values=self.interaction_values)
        self._emit(c.EVENT_INTERACTION, attributes, request, request.path, {w.INTERACTION: interaction})

    def _emit(
        self,
        name: str,
        attributes: dict[str, Any],
        request: Request,
        path: str,
        more: Mapping[str, Any] | None = None,
        *,
        by_span: bool = False,
    ) -> None:
        user = users.user_of(self._provider, self._sender.count)
        known = set(attributes)
        wire = wire_of(name, attributes, request, path, self.app_name, user, whole=by_span)
        attributes[c.WIRE] = {w.SYSTEM: {**wire, **(more or {})}}
        moment = request.environ.get(_STARTED)
        self._sender.record(name, attributes, time_ns=moment, everywhere=not by_span)
        if by_span:  # the request's context says to the span's event what the span does not know
            set_context(**{name: each for name, each in attributes.items() if name not in known})

    # -- what is left out ----------------------------------------------------------------------------------------------

    def _ignores(self, route: str) -> bool:
        return self._rules.match(route) or any(ignoring.says(each, route) for each in self._predicates)

    def _is_ignored(self, run: Run) -> bool:
        """Whether interactions of a callback are left out."""
        callback = getattr(self.app, "callback_map", {}).get(run.output)
        function = callback.get("callback") if isinstance(callback, dict) else None
        if ignoring.is_marked(function):
            return True
        if self._ignore_callback is None:
            return False
        outputs = run.callback.split(",")
        components = [each.rpartition(".")[0] for each in outputs]
        named = getattr(ignoring.unwrapped(function), "__name__", "")
        names = dict.fromkeys([str(named), run.output, run.callback, *outputs, *components])
        return ignoring.says(self._ignore_callback, *names)


def _span_counts(request: Request) -> bool:
    """Whether the process's destinations get this page view by the request's server span."""
    from footspan.instrumentation.dash.emitting import Emitting  # noqa: PLC0415 - needs Flask
    from footspan.tracking import default_tracker  # noqa: PLC0415 - loaded

    emitting = Emitting(default_tracker, request)
    return request.method == "GET" and not emitting.is_bot() and emitting.spans_count()


def _server_of(app: Any) -> Flask:
    """The Flask app below a Dash app.

    Raises:
        ConfigurationError: There is none.
    """
    from flask import Flask  # noqa: PLC0415 - whoever has a Dash app has it

    server = getattr(app, "server", None)
    if not isinstance(server, Flask):
        found = f"a {type(app).__name__} without a Flask server"
        raise ConfigurationError("Tracker(app)", found, "Hand over a Dash app on Flask; after init_app, if it has one.")
    return server
