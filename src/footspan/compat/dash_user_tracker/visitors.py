"""One request to a Dash app as an event: who it was, where, and the old client's own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.destinations.dash_tracker import wire as w
from footspan.destinations.dash_tracker.document import request_of as fields_of
from footspan.event import Event
from footspan.processors.page_views import request_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

    from footspan.instrumentation.dash.pages import Page

_SPECULATIVE: Final = ("prefetch", "prerender", "preview")
_SHOWN: Final = frozenset({"", "document", "iframe", "frame"})


def standard(request: Request, url: str, page: Page | None, referrer: str) -> dict[str, Any]:
    """The standard attributes: who asked, and which page it is about.

    Args:
        request: Flask's request.
        url: The page's address, as the browser shows it.
        page: What it shows there.
        referrer: Where they came from; empty where that is not known.
    """
    return request_of(
        {
            c.PAGE_URL: url,
            c.PAGE_TITLE: page.title if page else "",
            c.PAGE_NOT_FOUND: page is not None and not page.known,
            c.HTTP_ROUTE: page.template if page else "",
            c.HTTP_REQUEST_METHOD: "GET",
            c.HTTP_REQUEST_HEADER_REFERER: [referrer],
            c.CLIENT_ADDRESS: request.remote_addr,
            c.USER_AGENT_ORIGINAL: request.headers.get("User-Agent", ""),
            "http.request.header.accept-language": [request.headers.get("Accept-Language", "")],
        }
    )


def wire_of(
    name: str,
    attributes: dict[str, Any],
    request: Request,
    path: str,
    app_name: str,
    user: Mapping[str, Any],
    *,
    whole: bool = False,
) -> dict[str, Any]:
    """Add the user to an event's attributes, and say what the old client would write otherwise than they do.

    Args:
        name: The event's name.
        attributes: Its attributes; the user's are added.
        request: The request that the old client would describe.
        path: What it would call the path.
        app_name: The app's name.
        user: The user's fields.
        whole: Somebody else makes the event, so that it may say the same otherwise than these attributes.

    Returns:
        What belongs under ``footspan.wire``.
    """
    # What the context is told of goes by the names that people write there.
    theirs, named = w.wire_user(user, {*attributes, *c.REQUEST_ALIASES} if whole else attributes)
    attributes.update(theirs)
    described = {
        "base_url": request.base_url,
        "url": request.url,
        "url_root": request.url_root,
        "referrer": request.referrer,
        "path": path,
        "full_path": request.full_path,
        "endpoint": request.endpoint or "",
        "method": request.method,
    }
    same = fields_of(Event(name=name, attributes=attributes))
    differing = {field: value for field, value in described.items() if whole or value != same[field]}
    wire: dict[str, Any] = {w.APP_NAME: app_name, **named}
    if differing:
        wire[w.REQUEST] = differing
    return wire


def is_speculative(request: Request) -> bool:
    """Whether the browser fetched a page ahead, which nobody may ever see, or a script fetched it."""
    headers = request.headers
    purpose = " ".join(headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz")).lower()
    fetched = headers.get("Sec-Fetch-Dest", "").lower() not in _SHOWN
    return fetched or any(word in purpose for word in _SPECULATIVE)
