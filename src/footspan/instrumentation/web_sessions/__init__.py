"""Sessions of a web app's visitors, in a signed cookie.

* ``flask`` and ``asgi``: the frameworks.
* ``visits``: one request, whatever the framework: who, which session, what the answer's cookie says.
* ``records``: what the cookie holds, and how it is signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan import _guard
from footspan.instrumentation.web_sessions.asgi import AsgiSessions, current
from footspan.instrumentation.web_sessions.flask import VISIT, FlaskSessions
from footspan.instrumentation.web_sessions.visits import Visit
from footspan.processors.surroundings import flask_request

if TYPE_CHECKING:
    from footspan.config import Settings
    from footspan.tracking.sessions import Session

__all__ = [
    "AsgiSessions",
    "FlaskSessions",
    "Visit",
    "current_visit",
    "end_session",
    "install",
    "reset",
    "rotate_session",
]

_installed: list[FlaskSessions] = []


def install(settings: Settings) -> None:
    """Give every Flask app of the process sessions, if the settings say so; for auto-instrumentation. Once."""
    if not settings.sessions.enabled or _installed:
        return
    try:
        _installed.append(FlaskSessions())
    except ImportError:
        _guard.warn_once(
            "flask sessions",
            "footspan: sessions.enabled is for Flask, which is not installed: pip install 'footspan[flask]'",
        )


def reset() -> None:
    """Take back what :func:`install` did; for tests."""
    while _installed:
        _installed.pop().uninstall()


def current_visit() -> Visit | None:
    """The visit that the current request is; ``None`` outside one, and for a request that is nobody's visit."""
    request = flask_request()
    visit = current.get() if request is None else request.environ.get(VISIT)
    return visit if isinstance(visit, Visit) else None


def end_session() -> bool:
    """End the current visitor's session, as at a logout; their next request starts another.

    Returns:
        Whether there was one.
    """
    visit = current_visit()
    return visit is not None and visit.end_session()


def rotate_session() -> Session | None:
    """End the current visitor's session and start the next, as when somebody else logs in.

    Returns:
        The new one; ``None`` where there is no visit, or nobody may remember its visitor.
    """
    visit = current_visit()
    return None if visit is None else visit.rotate()
