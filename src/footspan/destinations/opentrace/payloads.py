"""One event as the body of an OpenTrace request: what convention says, and what an old client's event says besides.

A business event goes to ``/api/v1/event``; a page view, and whatever tells of a page or an advertisement, to
``/api/v1/collect``, which alone has fields for that. A native event always has a session, the same for whoever did it:
without one the server would draw one for each event, or lump all of them together.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.destinations.opentrace import wire as w
from footspan.destinations.opentrace.given import CLICKS, UTM, body_as_given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.event import Event

NAMELESS: Final = "log"
PAGE_VIEW: Final = "page_view"
"""The name by which OpenTrace's own reports know a page view."""

IDENTIFY: Final = "identify"
UID: Final = "footspan.uid"
TIME: Final = "footspan.time"
"""The properties of ``include_ids``."""

MAX_USER_AGENT: Final = 1_000

_NAMES: Final = {c.EVENT_PAGE_VIEW: PAGE_VIEW, c.EVENT_IDENTIFY: IDENTIFY}
_ACCEPT_LANGUAGE: Final = "http.request.header.accept-language"
_PAGE: Final = frozenset(
    {
        c.URL_FULL,
        c.URL_PATH,
        c.URL_QUERY,
        c.HTTP_REQUEST_HEADER_REFERER,
        c.BROWSER_LANGUAGE,
        c.SCREEN,
        *CLICKS.values(),
    }
)
"""Any of these makes an event one for ``collect``."""

_HIDDEN: Final = frozenset(
    {
        c.CLIENT_ADDRESS,
        c.DESTINATION,
        c.ENDUSER_PSEUDO_ID,
        c.LOG_RECORD_UID,
        c.CONSENT,
        c.PURPOSE,
        c.REDACTED,
        c.SERVER_PORT,
        c.SESSION_ID,
        c.URL_SCHEME,
        c.USER_AGENT_ORIGINAL,
        c.USER_EMAIL,
        c.USER_FULL_NAME,
        c.USER_ID,
        c.WIRE,
        _ACCEPT_LANGUAGE,
        *UTM.values(),
        *_PAGE,
    }
)
"""Attributes that are no properties: they have a field of their own, or no place in OpenTrace's format at all."""

_HEADER: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_TAG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Site:
    """What the settings say of every event.

    Attributes:
        project: The project's id; empty where each event names its own.
        amounts: Properties that stand for ``amount`` where an event has none.
        ids: Whether an event's id and time go with it, as properties.
    """

    project: str = ""
    amounts: tuple[str, ...] = ()
    ids: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One request's worth.

    Attributes:
        endpoint: ``event`` or ``collect``.
        body: The body, as plain data.
        project: Whose event it is; empty where nobody says.
        user_agent: The visitor's, empty for none that a header can carry.
    """

    endpoint: str
    body: dict[str, Any]
    project: str
    user_agent: str = ""

    @property
    def json(self) -> bytes:
        """The body as it leaves."""
        return spelled(self.body)


def item_of(event: Event, site: Site) -> Item:
    """Translate one event.

    Args:
        event: The event, from any OpenTelemetry SDK.
        site: What the settings say of every event.
    """
    wire = w.wire_of(event.attributes)
    project = wire.get(w.PROJECT)
    project = project if isinstance(project, str) and project else site.project
    if wire.get(w.PARITY) is True:
        endpoint, body = body_as_given(event, wire, project)
        return Item(endpoint, body, project)
    return _native(event, wire, project, site)


def user_hash(value: str) -> str:
    """The 16 hex digits by which OpenTrace's clients stand for a user: a pseudonym, which anyone can recompute."""
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()[:16]


def spelled(body: Mapping[str, Any]) -> bytes:
    """A body as OpenTrace's own client spells JSON. What JSON has no number for becomes ``null``, bytes base64."""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError):
        return json.dumps(_plain(body)).encode()


# -- native events -----------------------------------------------------------------------------------------------------


def _native(event: Event, wire: Mapping[str, Any], project: str, site: Site) -> Item:
    attributes = event.attributes
    name = _NAMES.get(event.name, event.name) or NAMELESS
    endpoint = wire.get(w.ENDPOINT)
    if endpoint not in (w.EVENT, w.COLLECT):
        page = name == PAGE_VIEW or any(attributes.get(each) not in (None, "", []) for each in _PAGE)
        endpoint = w.COLLECT if page else w.EVENT
    session = wire.get(w.SESSION)
    session = str(session) if session not in (None, "") else session_of(event)
    payload = _properties(event, site)
    agent = event.text(c.USER_AGENT_ORIGINAL).strip()[:MAX_USER_AGENT].strip()
    body: dict[str, Any]
    if endpoint == w.EVENT:
        body = {"name": name, "project_id": project, "payload": payload}
        body |= {field: event.text(attribute) or None for field, attribute in UTM.items()}
        body["session_id"] = session
    else:
        body = {"type": name, "rid": project, "meta": payload}
        body |= {field: event.text(attribute) or None for field, attribute in CLICKS.items()}
        body["sid"] = session
        body |= _place(event)
        body |= {field[:5]: text for field, attribute in UTM.items() if (text := event.text(attribute))}
    return Item(endpoint, body, project, agent if _HEADER.fullmatch(agent) else "")


def session_of(event: Event) -> str:
    """An event's session: its own, else one for its user, its visitor, its service. Never one drawn by chance."""
    session = event.text(c.SESSION_ID).strip()
    if session:
        return session
    for attribute in (c.USER_ID, c.ENDUSER_PSEUDO_ID):
        who = event.text(attribute).strip()
        if who:
            return user_hash(who)
    address = event.text(c.CLIENT_ADDRESS).strip()
    if address:
        return user_hash(f"{address}\n{event.text(c.USER_AGENT_ORIGINAL).strip()}")
    service = event.resource.get(c.SERVICE_NAME)
    return f"service:{service}" if isinstance(service, str) and service else "service"


def _properties(event: Event, site: Site) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for key, value in event.attributes.items():
        if key in _HIDDEN:
            continue
        alias = c.PROPERTY_NAMES.get(key)
        if alias is None:
            properties[key] = value
        else:
            properties.setdefault(alias, value)
    if isinstance(event.body, dict):
        for key, value in event.body.items():
            properties.setdefault(key, value)
    elif event.body is not None:
        properties.setdefault("body", event.body)
    if properties.get("amount") is None:
        amount = next(filter(None, (_amount(properties, name) for name in site.amounts)), None)
        if amount is not None:
            properties["amount"] = amount
    if site.ids:
        properties[UID] = event.uid
        properties[TIME] = _moment(event.time_ns or event.observed_ns)
    return properties


def _amount(properties: Mapping[str, Any], name: str) -> float | str | None:
    """A property that is an amount: by its name, or by the dotted way to it."""
    value: Any = properties.get(name)
    if value is None and "." in name:
        value = properties
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str):
        text = value.strip()
        return text if _NUMBER.fullmatch(text) and 0.0 < abs(float(text)) < math.inf else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) and value else None


def _place(event: Event) -> dict[str, str]:
    """What ``collect`` has fields for besides click ids: never ``null``, which it does not take."""
    fields = {
        "url": _address(event),
        "ref": event.text(c.HTTP_REQUEST_HEADER_REFERER),
        "res": event.text(c.SCREEN),
        "lang": _language(event.text(c.BROWSER_LANGUAGE)) or _language(event.text(_ACCEPT_LANGUAGE)),
    }
    return {field: value for field, value in fields.items() if value}


def _address(event: Event) -> str:
    whole = event.text(c.URL_FULL)
    if whole:
        return whole
    path, query = event.text(c.URL_PATH), event.text(c.URL_QUERY).removeprefix("?")
    return f"{path or '/'}?{query}" if query else path


def _language(value: str) -> str:
    """The first language of a list."""
    tag = re.split(r"[,;]", value, maxsplit=1)[0].strip().replace("_", "-")
    return tag if _TAG.fullmatch(tag) else ""


def _moment(nanoseconds: int) -> str | None:
    try:
        moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1_000_000 % 1000:03d}Z" if nanoseconds else None


def _plain(value: Any) -> Any:
    """Any value as JSON has it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)
