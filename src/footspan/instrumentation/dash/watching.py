"""Watches the requests of Dash apps by Flask's own signals: each is read when its answer is there, and told of once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakSet

from footspan import _guard
from footspan import conventions as c
from footspan.config import ConfigurationError
from footspan.instrumentation.dash import recorders
from footspan.instrumentation.dash.apps import Mounted, Mounts
from footspan.instrumentation.dash.asking import asked_of, browser_of, page_shown
from footspan.instrumentation.dash.callbacks import RAN, Wrapping
from footspan.instrumentation.dash.emitting import Emitting
from footspan.instrumentation.dash.memory import Memory, browser_key, digest, open_memory, short
from footspan.instrumentation.dash.options import Options
from footspan.instrumentation.dash.reading import App, FullLoad, Navigation, Run, page_at, read
from footspan.instrumentation.dash.visits import Report, Verdict, load, report
from footspan.processors.context import ambient
from footspan.processors.page_views import ignored
from footspan.tracking.in_force import settings_in_force
from footspan.tracking.salts import service_salt
from footspan.tracking.tracker import Tracker, default_tracker

if TYPE_CHECKING:
    from flask import Flask, Request, Response

    from footspan.instrumentation.dash.callbacks import Ran
    from footspan.instrumentation.dash.places import Place
    from footspan.pipeline import Pipeline

_TOLD: Final = "footspan.dash.told"
_FAILED: Final = "footspan.dash.failed"
_WHO: Final = (c.SESSION_ID, c.ENDUSER_PSEUDO_ID, c.USER_ID)
_REFUSED: Final = 400


class Watching:
    """Watches apps from :meth:`watch` on until :meth:`stop`."""

    def __init__(self) -> None:
        self._everywhere: tuple[Options, Tracker | None] | None = None
        self._apps: WeakKeyDictionary[Any, tuple[Options, Tracker | None]] = WeakKeyDictionary()
        self._offered: WeakSet[Any] = WeakSet()
        self._mounts = Mounts()
        self._memories: WeakKeyDictionary[Any, Memory] = WeakKeyDictionary()
        self._wrapping = Wrapping()
        self._connected: list[tuple[Any, Any]] = []

    def watch(self, app: Any, options: Options, tracker: Tracker | None = None) -> None:
        """Watch an app, or every app of the process. Doing it again replaces the options.

        Args:
            app: The Dash app; ``None`` for every one that no other call named.
            options: What is recorded.
            tracker: What records it; the module functions' tracker when not given.
        """
        if app is None:
            self._everywhere = (options, tracker)
        else:
            self._apps[app] = (options, tracker)
            self._offered.discard(app)
        self._connect()

    def offer(self, app: Any) -> None:
        """Watch an app if the process has destinations, which may be known only once it serves."""
        if app not in self._apps:
            self._offered.add(app)
            self._connect()

    def stop(self, app: Any = None) -> None:
        """Watch an app no more, or none at all."""
        if app is not None:
            self._apps.pop(app, None)
            self._offered.discard(app)
            if self._apps or self._offered or self._everywhere:
                return
        self._everywhere = None
        self._apps.clear()
        self._offered.clear()
        for signal, receiver in self._connected:
            signal.disconnect(receiver)
        self._connected = []
        self._wrapping.remove()

    def _connect(self) -> None:
        self._wrapping.install()
        if not self._connected:
            import flask  # noqa: PLC0415 - loaded by the app that it is for

            self._connected = [
                (flask.request_started, self._started),
                (flask.request_finished, self._finished),
                (flask.got_request_exception, self._failed),
                (flask.request_tearing_down, self._torn_down),
            ]
            for signal, receiver in self._connected:
                signal.connect(receiver)

    # -- a request -----------------------------------------------------------------------------------------------------

    def _started(self, sender: Flask, **_: Any) -> None:  # noqa: ARG002 - the signal's
        self._wrapping.install()

    def _finished(self, sender: Flask, response: Response, **_: Any) -> None:
        with _guard.guard("dash"):
            self._tell(sender, response)

    def _failed(self, sender: Flask, exception: BaseException, **_: Any) -> None:  # noqa: ARG002 - the signal's
        from flask import request  # noqa: PLC0415 - loaded

        with _guard.guard("dash"):
            request.environ[_FAILED] = exception

    def _torn_down(self, sender: Flask, **_: Any) -> None:
        """A request that ended by an exception which the server shows itself, so that there was no answer."""
        with _guard.guard("dash"):
            self._tell(sender, None)

    def _tell(self, server: Flask, response: Response | None) -> None:
        from flask import request  # noqa: PLC0415 - loaded

        environ = request.environ
        if _TOLD in environ:
            return
        mounted = self._mounts.of(server, request.endpoint)
        if mounted is None:
            return
        environ[_TOLD] = True
        options, tracker = self._asked(mounted.dash)
        # `_ready` starts the process's pipeline, as the first event of any kind does.
        if options is None or not tracker._ready():  # noqa: SLF001 - one package
            return
        slot = tracker._slot  # noqa: SLF001 - a tracker's way to its pipeline
        pipeline = None if slot is None else slot.pipeline
        if pipeline is not None and (
            pipeline.settings.dash.enabled or (mounted.dash is not None and mounted.dash in self._apps)
        ):
            _Told(self._memory(pipeline), pipeline, tracker, options, mounted).tell(request, response)

    def _asked(self, dash: Any) -> tuple[Options | None, Tracker]:
        """What is recorded of an app, if anything, and by what."""
        found = (self._apps.get(dash) if dash is not None else None) or self._everywhere
        if found is not None:
            return found[0], found[1] or default_tracker
        offered = dash is not None and dash in self._offered and _has_destinations()
        return Options() if offered else None, default_tracker

    def _memory(self, pipeline: Pipeline) -> Memory:
        spool = pipeline.spool
        memory = self._memories.get(spool)
        if memory is None:
            layout = getattr(spool, "layout", None)
            memory = self._memories[spool] = open_memory(None if layout is None else Path(layout.root))
        return memory


def _has_destinations() -> bool:
    """Whether somebody said where the process's events go."""
    try:
        settings = settings_in_force()
    except ConfigurationError:
        return True  # starting says what is wrong with it, once
    return settings.dash.enabled and any(each.enabled for each in settings.destinations)


class _Told:
    """One request of a Dash app, and what is told of it."""

    def __init__(
        self, memory: Memory, pipeline: Pipeline, tracker: Tracker, options: Options, mounted: Mounted
    ) -> None:
        self._memory = memory
        self._settings = pipeline.settings
        self._redactor = pipeline.redactor
        self._tracker = tracker
        self._options = options.over(pipeline.settings)
        self._mounted = mounted

    def tell(self, request: Request, response: Response | None) -> None:
        """Read it, and emit what it means."""
        app = self._mounted.facts()
        found = read(asked_of(request, response), app)
        emitting = Emitting(self._tracker, request)
        if isinstance(found, FullLoad):
            assert response is not None
            self._remember(request, found.place, app)
            wanted = self._options.page_views and (not recorders.pages_of(self._mounted.dash) or emitting.spans_count())
            if wanted and not self._ignores(found.place, found.page.template):
                settings = self._settings.page_views
                emitting.load(found, response, settings)
        elif found is not None:
            self._run(found, request, emitting, app, answered=response is not None and response.status_code < _REFUSED)

    def _run(self, run: Run, request: Request, emitting: Emitting, app: App, *, answered: bool) -> None:
        polls = bool(request.args.get("cacheKey"))  # asks how a job of the background is doing
        navigation = None if polls else run.navigation
        verdict = self._verdict(run, navigation, request, app) if navigation else Verdict(counts=False)
        function = self._mounted.function_name(run.output)
        silent = ignored(self._options.ignore_callbacks, function, run.callback, run.output)
        place = navigation.place if navigation else page_shown(request, app)
        if (place is not None and self._ignores(place, page_at(place, app).template)) or emitting.is_bot():
            return
        elsewhere = recorders.pages_of(self._mounted.dash)
        if navigation is not None and verdict.counts and self._options.page_views and not elsewhere:
            emitting.move(navigation, verdict.previous)
        if silent:
            return
        ran: Ran | None = request.environ.get(RAN)
        wanted = self._options.interactions and not recorders.interactions_of(self._mounted.dash)
        if run.interaction and wanted and not polls and (ran is not None or answered):
            background = self._mounted.is_job(run.output)
            emitting.interaction(run, function, ran, background=background, values=bool(self._options.values))
        error = request.environ.get(_FAILED) if ran is None or ran.error is None else ran.error
        if error is not None and self._options.errors:
            emitting.error(run, function, error)

    def _ignores(self, place: Place, template: str) -> bool:
        return ignored(self._options.ignore_routes, place.path, place.route, template)

    # -- where the browser is ------------------------------------------------------------------------------------------

    def _remember(self, request: Request, place: Place, app: App) -> None:
        page, url, who = self._page_id(place), self._clean(place.url), _who()
        now = time.time()
        self._memory.change(_browser(request, app), lambda visits: (load(visits, page, url, who, now), None))

    def _verdict(self, run: Run, found: Navigation, request: Request, app: App) -> Verdict:
        told = Report(
            self._page_id(found.place),
            self._clean(found.place.url),
            digest(run.output),
            tab=digest(request.args["endId"]) if request.args.get("endId") else "",
            who=_who(),
            mounting=found.mounting,
            single=found.single,
            vague=found.vague,
        )
        now = time.time()
        return self._memory.change(_browser(request, app), lambda visits: report(visits, told, now))

    def _clean(self, url: str) -> str:
        """An address as it may be on disk."""
        cleaned, _ = self._redactor.mapping({c.URL_FULL: short(url)})
        return str(cleaned.get(c.URL_FULL, ""))

    @staticmethod
    def _page_id(place: Place) -> str:
        return digest(place.route, place.query)


def _browser(request: Request, app: App) -> bytes:
    """Stands for a browser at an app: what happens inside an app is no news of its neighbours."""
    return browser_key(service_salt().today(), app.routes, *browser_of(request))


def _who() -> str:
    """The session, or else the visitor or user, of the current request; empty where nobody said."""
    known = ambient()
    return next((digest(str(known[name])) for name in _WHO if known.get(name)), "")
