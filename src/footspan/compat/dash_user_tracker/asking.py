"""A request of Flask's in the terms of the Dash instrumentor; nothing is read that the app has not read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from footspan.instrumentation.dash.places import Place, place, split
from footspan.instrumentation.dash.reading import App, Asked

if TYPE_CHECKING:
    from flask import Request, Response

LARGEST_BODY: Final = 1 << 20
"""Bytes of a callback's request that are looked at."""
_BROWSER: Final = ("User-Agent", "Accept-Language", "Sec-CH-UA", "Sec-CH-UA-Platform", "X-Forwarded-For")
"""Headers that a browser sends alike with every request."""


def asked_of(request: Request, response: Response) -> Asked:
    """A request and its answer."""
    return Asked(
        method="GET" if request.method == "HEAD" else request.method,
        origin=request.host_url.rstrip("/"),
        path=request.path,
        query=request.query_string.decode("latin-1"),
        endpoint=request.endpoint,
        referer=request.headers.get("Referer", ""),
        body=_body(request) if request.method == "POST" else None,
        status=response.status_code,
        media_type=response.headers.get("Content-Type", ""),
        script_root=request.root_path,
    )


def page_shown(request: Request, app: App) -> Place | None:
    """The page that a browser says it is at; ``None`` where it does not say."""
    parts = split(request.headers.get("Referer", ""))
    return None if parts is None else place(*parts, app.requests)


def browser_of(request: Request) -> tuple[str, ...]:
    """What tells a browser from another."""
    return (request.remote_addr or "", *(request.headers.get(name, "") for name in _BROWSER))


def _body(request: Request) -> Any:
    """What a callback was asked; ``None`` where Dash has not read it.

    To read it here might mean to wait for it, for instance where the app turns strangers away before it looks.
    """
    data = vars(request).get("_cached_data")
    if not isinstance(data, bytes) or len(data) > LARGEST_BODY or not request.is_json:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
