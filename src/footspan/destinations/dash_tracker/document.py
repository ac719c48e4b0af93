"""One event as the JSON object that a Dash-Tracker endpoint takes.

Every field of the documented format is there in every event, because a server may ask for each: what an event does not
say is empty, and whoever did something is ``anonymous``. The caller's own properties follow under their own names.
"""

from __future__ import annotations

import base64
import json
import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from footspan import conventions as c
from footspan.destinations.dash_tracker import wire as w

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.event import Event

PAGE_VIEW: Final = "page_view"
INTERACTION: Final = "page_interaction"
NAMELESS: Final = "log"
"""The word for a record without a name."""
LEFT_OVER: Final = "properties"
"""The field with those properties whose names are fields of the format."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_WORDS: Final = {
    c.EVENT_PAGE_VIEW: PAGE_VIEW,
    c.EVENT_INTERACTION: INTERACTION,
    c.EVENT_IDENTIFY: "identify",
    "": NAMELESS,
}
_FIELDS: Final = frozenset(
    {
        c.CLIENT_ADDRESS,
        c.DESTINATION,
        c.HTTP_REQUEST_HEADER_REFERER,
        c.HTTP_REQUEST_METHOD,
        c.HTTP_ROUTE,
        c.LOG_RECORD_UID,
        c.CONSENT,
        c.PURPOSE,
        c.REDACTED,
        c.SERVER_ADDRESS,
        c.SERVER_PORT,
        c.URL_FULL,
        c.URL_PATH,
        c.URL_QUERY,
        c.URL_SCHEME,
        c.USER_AGENT_ORIGINAL,
        c.USER_EMAIL,
        c.USER_FULL_NAME,
        c.USER_ID,
        c.WIRE,
    }
)
"""Attributes that have a field of their own, or none at all."""


def document_of(event: Event) -> dict[str, Any]:
    """One event as the object that is posted.

    Args:
        event: Any event. One from the drop-in client becomes what the old client wrote, field by field.
    """
    wire = w.wire_of(event)
    data: dict[str, Any] = {
        "app_name": wire.get(w.APP_NAME, event.resource.get(c.SERVICE_NAME, "")),
        "ip": event.text(c.CLIENT_ADDRESS),
        "user_agent": event.text(c.USER_AGENT_ORIGINAL),
        **request_of(event),
    }
    request = wire.get(w.REQUEST)
    if isinstance(request, dict):
        data.update({name: value for name, value in request.items() if name in data})
    user = w.user_of(wire, event)
    if user is None:
        data.update({name: event.attributes.get(attribute, w.ANONYMOUS) for name, attribute in _IDENTITY.items()})
        _add(data, _properties(event))
    else:
        data.update(user)
    if w.INTERACTION in wire:
        data["interaction"] = wire[w.INTERACTION]
    return {"event": wire.get(w.EVENT) or _WORDS.get(event.name, event.name), "data": data, "timestamp": _when(event)}


_IDENTITY: Final = {name: attribute for name, attribute in w.IDENTITY.items() if name != "id"}


def encoded(document: Mapping[str, Any]) -> str:
    """An object as the text that is posted, spelt as the old client spells JSON."""
    try:
        return json.dumps(document, default=_other, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(document), default=_other, allow_nan=False)


def request_of(event: Event) -> dict[str, Any]:
    """The page, in the words of Flask's request."""
    full = event.text(c.URL_FULL)
    try:
        parts = urlsplit(full)
    except ValueError:  # a forged host
        parts = urlsplit("")
    path = event.text(c.URL_PATH) or parts.path or ("/" if parts.netloc else "")
    query = event.text(c.URL_QUERY) or parts.query
    page = event.name == c.EVENT_PAGE_VIEW
    return {
        "base_url": full.partition("#")[0].partition("?")[0],
        "url": full,
        "url_root": f"{parts.scheme}://{parts.netloc}/" if parts.netloc else "",
        "referrer": event.text(c.HTTP_REQUEST_HEADER_REFERER) or None,
        "path": path,
        "full_path": f"{path}?{query}" if path or query else "",
        "endpoint": event.text(c.HTTP_ROUTE) or path,
        "method": event.text(c.HTTP_REQUEST_METHOD) or ("GET" if page else ""),
    }


def _properties(event: Event) -> dict[str, Any]:
    """What the event says besides, under the names that people gave it."""
    found = {c.PROPERTY_NAMES.get(name, name): value for name, value in event.attributes.items() if name not in _FIELDS}
    if isinstance(event.body, dict):
        for name, value in event.body.items():
            found.setdefault(name, value)
    elif event.body is not None:
        found.setdefault("body", event.body)
    return found


def _add(data: dict[str, Any], properties: Mapping[str, Any]) -> None:
    """Add properties; none takes the place of a field, and none is lost for having the name of one."""
    left_over = {name: value for name, value in properties.items() if name in data}
    data.update({name: value for name, value in properties.items() if name not in left_over})
    if left_over:
        own = data.get(LEFT_OVER)
        data[LEFT_OVER] = {**left_over, **(own if isinstance(own, dict) else {LEFT_OVER: own} if own else {})}


def _when(event: Event) -> str:
    """ISO 8601 in UTC; microseconds as the old client wrote them: six digits, or none where there are none."""
    moment = event.time_ns or event.observed_ns
    try:
        return (_EPOCH + timedelta(microseconds=moment // 1000)).isoformat()
    except OverflowError:  # beyond the year 9999
        return _EPOCH.isoformat()


def _finite(value: Any) -> Any:
    """The same without NaN and infinities, which JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def _other(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
