"""A request of Flask's in the terms of :mod:`.reading`; nothing is read that the app has not read.

To read a body here might mean to wait for it, for instance where the app turns strangers away before it looks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from footspan.instrumentation.dash.places import Place, place, split
from footspan.instrumentation.dash.reading import App, Asked

if TYPE_CHECKING:
    from flask import Request, Response

LARGEST_BODY: Final = 1 << 20
"""Bytes of a callback's request that are looked at."""
_FAILURE: Final = 500
_BROWSER: Final = ("User-Agent", "Accept-Language", "Sec-CH-UA", "Sec-CH-UA-Platform", "X-Forwarded-For")
"""Headers that a browser sends alike with every request."""


def asked_of(request: Request, response: Response | None, *, untouched: bool = False) -> Asked:
    """A request and its answer.

    Args:
        request: Flask's request.
        response: Its answer; ``None`` where it failed without one.
        untouched: The body is to be as it came, whatever callbacks have done to the values that they were given.
    """
    return Asked(
        method=request.method,
        origin=request.host_url.rstrip("/"),
        path=request.path,
        query=request.query_string.decode("latin-1"),
        endpoint=request.endpoint,
        referer=request.headers.get("Referer", ""),
        body=_body(request, untouched=untouched) if request.method == "POST" else None,
        status=_FAILURE if response is None else response.status_code,
        media_type="" if response is None else response.headers.get("Content-Type", ""),
        script_root=request.root_path,
    )


def page_shown(request: Request, app: App) -> Place | None:
    """The page that a browser says it is at; ``None`` where it does not say."""
    parts = split(request.headers.get("Referer", ""))
    return None if parts is None else place(*parts, app.requests)


def browser_of(request: Request) -> tuple[str, ...]:
    """What tells a browser from another."""
    return (request.remote_addr or "", *(request.headers.get(name, "") for name in _BROWSER))


def _body(request: Request, *, untouched: bool) -> Any:
    """What a callback was asked; ``None`` where Dash has not come to read it."""
    parsed, data = vars(request).get("_cached_json"), vars(request).get("_cached_data")
    if not isinstance(data, bytes) or len(data) > LARGEST_BODY or not request.is_json:
        return None
    if not untouched and isinstance(parsed, tuple) and parsed and parsed[0] is not Ellipsis:
        return parsed[0]
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
