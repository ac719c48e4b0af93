"""Visitors' sessions in Flask apps, by Flask's own signals: nothing of the app is wrapped or replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from footspan import _guard
from footspan.instrumentation.web_sessions.visits import Asked, Visit, Visits
from footspan.processors.context import set_context
from footspan.tracking.consent import hear
from footspan.tracking.in_force import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flask import Flask, Request

    from footspan.tracking.tracker import Tracker

VISIT: Final = "footspan.visit"
"""Where a request's environment (WSGI) or connection (ASGI) keeps its visit."""


class FlaskSessions:
    """Gives the visitors of Flask apps sessions that a signed cookie keeps.

    Each request's session id, visitor id and touches are in the context from before the app's own functions see it, so
    every event and page view of the request bears them.

    Args:
        app: The app; without one, every Flask app of the process.
        secret: The key that signs the cookie; else the setting ``sessions.secret``, else the app's ``SECRET_KEY``.
            Without any there are no sessions, which is said once.
        consent: Asked with Flask's request what its visitor agrees to: a mapping of purposes to yes or no, which every
            event of the request then bears, or just whether they may be remembered. Where analytics are refused there
            is no cookie and no session, and a cookie that is there is taken back.
        tracker: What records ``session.start`` and ``session.end``; the module functions' tracker when not given.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        secret: str | bytes | None = None,
        consent: Callable[[Request], bool | Mapping[str, bool]] | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        from flask import request_finished, request_started  # noqa: PLC0415 - loaded by the app that it is for

        self._secret = secret
        self._consent = consent
        self._tracker = tracker
        self._visits: WeakKeyDictionary[Any, Visits] = WeakKeyDictionary()
        self._signals = ((request_started, self._begin), (request_finished, self._finish))
        for signal, receiver in self._signals:
            # Held by the signal: whoever writes `FlaskSessions(app)` need not keep it.
            signal.connect(receiver, **({} if app is None else {"sender": app}), weak=False)

    def uninstall(self) -> None:
        """Take it back."""
        for signal, receiver in self._signals:
            signal.disconnect(receiver)

    def _begin(self, app: Flask, **_: Any) -> None:
        from flask import request  # noqa: PLC0415 - as above

        with _guard.guard("session"):
            hear(request)
            visits = None if VISIT in request.environ else self._visits_of(app)
            if visits is None:
                return
            headers = request.headers
            visit = visits.begin(
                Asked(
                    method=request.method,
                    url=request.url,
                    path=request.path,
                    cookie=request.cookies.get(visits.settings.sessions.cookie_name, ""),
                    header=lambda name: headers.get(name, ""),
                    native=request._get_current_object(),  # type: ignore[attr-defined] # noqa: SLF001 - werkzeug documents it
                )
            )
            if visit is not None:
                request.environ[VISIT] = visit
                set_context(**visit.fields())
                visit.tell()

    def _finish(self, app: Flask, response: Any, **_: Any) -> None:
        from flask import request  # noqa: PLC0415 - as above

        with _guard.guard("session"):
            visit = request.environ.get(VISIT)
            if isinstance(visit, Visit) and app in self._visits:
                cookie = visit.set_cookie(response.headers.get("Cache-Control", ""))
                if cookie is not None:
                    response.headers.add("Set-Cookie", cookie)
                    response.vary.add("Cookie")

    def _visits_of(self, app: Flask) -> Visits | None:
        settings = settings_in_force()
        visits = self._visits.get(app)
        if visits is None or visits.settings is not settings:
            secrets = self._secrets(app, settings.sessions)
            if not secrets:
                _guard.warn_once(
                    "session secret",
                    "footspan: no sessions: no key to sign their cookie. Set FOOTSPAN_SESSIONS_SECRET or the app's "
                    "SECRET_KEY",
                )
                return None
            visits = Visits(settings, secrets, tracker=self._tracker, consent=self._consent)
            self._visits[app] = visits
        return visits

    def _secrets(self, app: Flask, sessions: Any) -> Sequence[str | bytes]:
        own = self._secret or sessions.secret
        fallbacks = app.config.get("SECRET_KEY_FALLBACKS") or ()
        keys = (own, sessions.previous_secret) if own else (app.secret_key, sessions.previous_secret, *fallbacks)
        return [key for key in keys if key] if keys[0] else []
