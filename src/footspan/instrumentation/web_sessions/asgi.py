"""Visitors' sessions in ASGI applications: a middleware for Starlette, FastAPI, Quart, Django and any other."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from footspan import _guard
from footspan.config.errors import ConfigurationError
from footspan.instrumentation.web_sessions.visits import Asked, Visit, Visits
from footspan.processors.context import enter_request, leave
from footspan.tracking.consent import fields_of
from footspan.tracking.in_force import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping

    from footspan.tracking.tracker import Tracker

_WITH_CLIENTS: Final = frozenset({"http", "websocket"})
_ANSWERS: Final = frozenset({"http.response.start", "websocket.accept"})
_SCHEMES: Final = {"ws": "http", "wss": "https"}

current: ContextVar[Visit | None] = ContextVar("footspan_visit", default=None)
"""The visit of the connection that runs here."""


class AsgiSessions:
    """Gives the visitors of an ASGI application sessions that a signed cookie keeps.

    Args:
        app: The application. Wrap the whole of it, outside OpenTelemetry's middleware, so that page views bear the
            session.
        secret: The key that signs the cookie; the setting ``sessions.secret`` when not given.
        consent: Asked with the connection's ``scope`` what its visitor agrees to, as for
            :class:`~footspan.instrumentation.web_sessions.flask.FlaskSessions`; it runs in the event loop and must not
            block.
        tracker: What records ``session.start`` and ``session.end``; the module functions' tracker when not given.

    Raises:
        ConfigurationError: There is no key.
    """

    def __init__(
        self,
        app: Callable[[Any, Any, Any], Awaitable[Any]],
        *,
        secret: str | bytes | None = None,
        consent: Callable[[Any], bool | Mapping[str, bool]] | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        if not (secret or settings_in_force().sessions.secret):
            raise ConfigurationError(
                "sessions.secret", "no key to sign cookies", "Set it, or hand one to AsgiSessions."
            )
        self._app = app
        self._secret = secret
        self._consent = consent
        self._tracker = tracker
        self._visits: Visits | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve a connection."""
        visit, opened = None, None
        if scope["type"] in _WITH_CLIENTS:
            headers = _headers(scope)
            fields = fields_of(lambda name: headers.get(name, ""))
            with _guard.guard("session"):
                visit = self._begin(scope, headers)
                if visit is not None:
                    fields.update(visit.fields())
            opened = enter_request(fields) if fields else None
        if visit is None:
            try:
                await self._app(scope, receive, send)
            finally:
                if opened is not None:
                    leave(opened)
            return
        seen = visit

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] in _ANSWERS:
                with _guard.guard("session"):
                    message = _with_cookie(message, seen)
            await send(message)

        token = current.set(visit)
        try:
            visit.tell()
            await self._app(scope, receive, answer)
        finally:
            current.reset(token)
            if opened is not None:
                leave(opened)

    def _begin(self, scope: MutableMapping[str, Any], headers: dict[str, str]) -> Visit | None:
        settings = settings_in_force()
        visits = self._visits
        if visits is None or visits.settings is not settings:
            keys = [key for key in (self._secret or settings.sessions.secret, settings.sessions.previous_secret) if key]
            visits = self._visits = Visits(settings, keys, tracker=self._tracker, consent=self._consent)
        return visits.begin(
            Asked(
                method=str(scope.get("method", "GET")),
                url=_url(scope, headers),
                path=str(scope.get("path", "")),
                cookie=_cookie(headers.get("cookie", ""), settings.sessions.cookie_name),
                header=lambda name: headers.get(name, ""),
                native=scope,
            )
        )


def _headers(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """The headers by name; of repeated ones the first, but cookies, which HTTP/2 may spread, together."""
    headers: dict[str, str] = {}
    for raw, value in scope.get("headers", ()):
        name, text = bytes(raw).decode("latin-1").lower(), bytes(value).decode("latin-1")
        if name == "cookie" and name in headers:
            headers[name] += f"; {text}"
        else:
            headers.setdefault(name, text)
    return headers


def _url(scope: MutableMapping[str, Any], headers: dict[str, str]) -> str:
    scheme = str(scope.get("scheme", "http"))
    query = bytes(scope.get("query_string", b"")).decode("latin-1")
    path = quote(str(scope.get("path", "")), safe="/%:@!$&'()*+,;=~-._", errors="replace")
    host = headers.get("host", "")
    return f"{_SCHEMES.get(scheme, scheme)}://{host}{path}{'?' if query else ''}{query}"


def _cookie(header: str, name: str) -> str:
    """Our cookie's value. Read pair by pair: another's that is malformed must not hide it."""
    for pair in header.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value.strip('"')
    return ""


def _with_cookie(message: MutableMapping[str, Any], visit: Visit) -> MutableMapping[str, Any]:
    headers: Iterable[tuple[bytes, bytes]] = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
    control = b",".join(value for name, value in headers if name.lower() == b"cache-control")
    cookie = visit.set_cookie(control.decode("latin-1"))
    if cookie is None:
        return message
    added = [(b"set-cookie", cookie.encode("latin-1")), (b"vary", b"Cookie")]
    return {**message, "headers": [*headers, *added]}
