"""What a request says of its visitor's consent, where whoever serves it can know."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan import conventions as c
from footspan.privacy.consent import granted, is_said, request_state, state_of
from footspan.processors.context import ambient, set_context
from footspan.tracking.in_force import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.config import Settings
    from footspan.privacy.consent import State

HEARD: Final = "footspan.consent"
"""Set in a WSGI environment whose request was heard, or whose app has said itself what its visitor agrees to."""

_heard: list[tuple[Any, Callable[..., None]]] = []


def consent_of(header: Callable[[str], str], settings: Settings | None = None) -> State | None:
    """What a request says; ``None`` if nothing. Never raises.

    Args:
        header: Gives a header's value by its name in lower case; empty without one.
        settings: Those in force, when not given.
    """
    with _guard.guard("consent"):
        found = settings_in_force() if settings is None else settings
        return request_state(found.privacy.purposes, header)
    return None


def fields_of(header: Callable[[str], str]) -> dict[str, Any]:
    """The same as what a request's context bears; empty where it says nothing."""
    state = consent_of(header)
    return {} if state is None else {c.CONSENT: state}


def agrees_to_analytics() -> bool:
    """Whether the person of the current context agrees to analytics; where nobody has spoken, the settings decide."""
    said = ambient().get(c.CONSENT)
    silence = settings_in_force().privacy.consent != "opt_in"
    return "analytics" in granted({} if said is None else state_of(said), otherwise=silence)


def hear(request: Any) -> None:
    """Put what Flask's current request says into its context, once."""
    if HEARD in request.environ:
        return
    request.environ[HEARD] = True
    found = fields_of(lambda name: request.headers.get(name, ""))
    if found:
        set_context(**found)


def hear_flask(settings: Settings) -> None:
    """Hear the requests of every Flask app of the process, where the settings read anything of them. Once."""
    if _heard or not is_said(settings.privacy.purposes):
        return
    from flask import request, request_started  # noqa: PLC0415 - loaded by the apps that it is for

    def begin(*_: Any, **__: Any) -> None:
        with _guard.guard("consent"):
            hear(request)

    request_started.connect(begin, weak=False)
    _heard.append((request_started, begin))


def hear_flask_if_loaded(settings: Settings) -> None:
    """The same where the program has loaded Flask by now."""
    if hasattr(sys.modules.get("flask"), "request_started"):
        with _guard.guard("consent"):
            hear_flask(settings)


def reset() -> None:
    """Hear nothing more; for tests."""
    while _heard:
        signal, receiver = _heard.pop()
        signal.disconnect(receiver)
