"""An event as the old client would have sent it: with what the call gave, and nothing of what was around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.destinations.opentrace import wire as w

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from footspan.event import Event

UTM: Final = {f"utm_{field}": f"footspan.utm.{field}" for field in ("source", "medium", "campaign")}
CLICKS: Final = {field: f"footspan.click_id.{field}" for field in ("fbclid", "ttclid")}
PAGE: Final = {
    "url": c.URL_FULL,
    "ref": c.HTTP_REQUEST_HEADER_REFERER,
    "res": c.SCREEN,
    "lang": c.BROWSER_LANGUAGE,
}
"""OpenTrace's fields, and the attributes they are of."""

_CAMPAIGN: Final = frozenset({*c.TOUCHES.values(), *c.FIRST_TOUCHES.values(), c.CAMPAIGN_START_CODE})
_FIELDS: Final = _CAMPAIGN | {*PAGE.values(), c.SESSION_ID}
_KNOWN: Final = frozenset({*c.PROPERTY_NAMES, *_CAMPAIGN, c.LOG_RECORD_UID, c.SERVER_PORT, c.URL_SCHEME})


def body_as_given(event: Event, wire: Mapping[str, Any], project: str) -> tuple[str, dict[str, Any]]:
    """Which request an old client's event is, and its body, with the keys in the client's order.

    Args:
        event: The event.
        wire: What it says for OpenTrace alone.
        project: Whose it is.
    """
    attributes = given_of(event.attributes, wire)
    payload = _payload(event, attributes, wire)
    integers = wire.get(w.INTEGERS)
    if isinstance(integers, list):
        payload = _restored(payload, [each for each in integers if isinstance(each, list)])
    payload = payload or {}
    utm = {field: attributes.get(attribute) for field, attribute in UTM.items()}
    resolved = wire.get(w.RESOLVED)
    if isinstance(resolved, dict) and resolved and c.CAMPAIGN_START_CODE in attributes:
        utm = {field: value or resolved.get(field) for field, value in utm.items()}
        if isinstance(payload, dict):
            payload = {**payload, "bot_param": attributes.get(c.CAMPAIGN_START_CODE)}
    name, session = wire.get(w.NAME, event.name), wire.get(w.SESSION)
    if session is None and w.GIVEN in wire:
        session = attributes.get(c.SESSION_ID)
    body: dict[str, Any]
    if wire.get(w.ENDPOINT) != w.COLLECT:
        body = {"name": name, "project_id": project, "payload": payload, **utm, "session_id": session}
        return w.EVENT, body
    body = {"type": name, "rid": project, "meta": payload}
    body |= {field: attributes.get(attribute) for field, attribute in CLICKS.items()}
    if session is not None:
        body["sid"] = session
    body |= {field: _first(attributes[name]) for field, name in PAGE.items() if attributes.get(name)}
    body |= {field[:5]: value for field, value in utm.items() if value is not None}
    return w.COLLECT, body


def _first(value: Any) -> Any:
    """A value; of a list, as headers are kept, its first."""
    return value[0] if isinstance(value, list) and value else value


def given_of(attributes: Mapping[str, Any], wire: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes that the call itself gave."""
    given = wire.get(w.GIVEN)
    if not isinstance(given, list):
        return attributes
    names: Iterable[str] = dict.fromkeys(map(str, given))
    return {name: attributes[name] for name in names if name in attributes}


def _payload(event: Event, attributes: Mapping[str, Any], wire: Mapping[str, Any]) -> Any:
    """The caller's payload, from wherever it is kept."""
    verbatim, order = wire.get(w.PAYLOAD), wire.get(w.ORDER)
    if w.PAYLOAD in wire and not isinstance(order, list):
        return verbatim
    own = _own(attributes, listed=w.GIVEN in wire)
    if isinstance(verbatim, dict):
        own |= verbatim
        return {key: own[key] for key in map(str, order or ()) if key in own}
    return own or event.body


def _own(attributes: Mapping[str, Any], *, listed: bool) -> dict[str, Any]:
    """A caller's payload: of listed attributes all but those with fields, else those that have no meaning to us."""
    if listed:
        return {name: value for name, value in attributes.items() if name not in _FIELDS}
    return {
        name: value for name, value in attributes.items() if name not in _KNOWN and not name.startswith("footspan.")
    }


def _restored(value: Any, paths: list[list[Any]]) -> Any:
    """A value with integers again where their digits are, each at the end of a path."""
    if [] in paths:
        return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,700}", value, re.ASCII) else value
    inner: dict[Any, list[list[Any]]] = {}
    for first, *rest in paths:
        if isinstance(first, (str, int)):
            inner.setdefault(first, []).append(rest)
    if isinstance(value, dict):
        return {key: _restored(item, inner[key]) if key in inner else item for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, inner[at]) if at in inner else item for at, item in enumerate(value)]
    return value
