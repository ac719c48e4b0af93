"""One event as the body of a Umami ``/api/send`` request: the table of attributes and fields.

Every field is brought inside both limits, the schema's (a 400) and the database's (a 500 after the event was written).
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.destinations.umami.limits import is_revenue, shape, stable_cut, text, utf16_length
from footspan.destinations.umami.urls import CAMPAIGN, cut, host_name, page_address, referrer, without_nul
from footspan.otlp_json.text import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.event import Event

MAX_NAME: Final = 50
MAX_TAG: Final = 50
MAX_LANGUAGE: Final = 35
MAX_TITLE: Final = 500
MAX_ID: Final = 50
MAX_USER_AGENT: Final = 4_096
MAX_OLD_ADDRESS: Final = 500
"""Of a whole address, before 2.16."""

NAMELESS: Final = "log"
"""The name of a record without one: an empty name would make it a page view."""

FULL_NAME: Final = "event_name"
"""The property that keeps a name which had to be cut."""

_ID_NAMESPACE: Final = uuid.UUID("6f0b5d1e-3f0a-5c53-9d1d-6a1f5f4b7c11")
_ACCEPT_LANGUAGE: Final = "http.request.header.accept-language"
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_SCREEN: Final = re.compile(r"\s*(\d{1,5})\s*[xX\u00d7*]\s*(\d{1,5})\s*", re.ASCII)
_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999; Umami has no range check and fails beyond what JavaScript can hold."""

_FIELDS: Final = frozenset(
    {
        c.BROWSER_LANGUAGE,
        c.CLIENT_ADDRESS,
        c.DESTINATION,
        c.HTTP_REQUEST_HEADER_REFERER,
        c.LOG_RECORD_UID,
        c.PAGE_TITLE,
        c.CONSENT,
        c.PURPOSE,
        c.REDACTED,
        c.SCREEN,
        c.SERVER_ADDRESS,
        c.SERVER_PORT,
        c.TAG,
        c.URL_FULL,
        c.URL_PATH,
        c.URL_QUERY,
        c.URL_SCHEME,
        c.USER_AGENT_ORIGINAL,
        c.USER_EMAIL,
        c.USER_FULL_NAME,
        c.USER_ID,
        c.WIRE,
        _ACCEPT_LANGUAGE,
        *CAMPAIGN,
    }
)
"""Attributes that are no properties: they have a field of their own, or no place in Umami's format at all.

A person's e-mail address and name are of the second kind, and so never leave for Umami.
"""

_NAMES: Final = c.PROPERTY_NAMES
_VISITOR: Final = frozenset({c.BROWSER_LANGUAGE, c.CLIENT_ADDRESS, c.SCREEN, c.USER_AGENT_ORIGINAL, _ACCEPT_LANGUAGE})
_PLACES: Final = frozenset(
    {c.HTTP_REQUEST_HEADER_REFERER, c.SERVER_ADDRESS, c.URL_FULL, c.URL_PATH, c.URL_QUERY, *CAMPAIGN}
)


@dataclass(slots=True)
class Item:
    """One element of a request.

    Attributes:
        body: ``type`` and ``payload``.
        json: The same, encoded.
        revenue: Whether Umami writes a revenue row for it.
    """

    body: dict[str, Any]
    json: bytes
    revenue: bool = False

    @property
    def identifies(self) -> bool:
        """Whether it describes a user instead of something that happened."""
        return bool(self.body["type"] == "identify")

    @property
    def user_agent(self) -> str:
        """The visitor's user agent, or empty."""
        return str(self.body["payload"].get("userAgent", ""))


@dataclass(frozen=True, slots=True)
class Site:
    """What the settings say of every event.

    Attributes:
        website: The website's id.
        hostname: The host name to report, whatever an event says; empty to take the event's.
        tag: The tag of events that bear none.
        amounts: Properties that stand for ``revenue`` where an event has none.
        currency: The currency of amounts that name none; empty for none.
        old: Whether the server is of before 2.17: it wants an address and a host name from every event, and takes
            shorter addresses only.
    """

    website: str
    hostname: str = ""
    tag: str = ""
    amounts: tuple[str, ...] = ()
    currency: str = ""
    old: bool = False


def item_of(event: Event, site: Site) -> Item:
    """Translate one event.

    Args:
        event: The event, from any OpenTelemetry SDK.
        site: What the settings say of every event.
    """
    identifies = event.name == c.EVENT_IDENTIFY
    payload: dict[str, Any] = {"website": site.website}
    # One look at each attribute: what has a field of its own, and what is a property.
    fields: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for key, value in event.attributes.items():
        if key in _FIELDS:
            fields[key] = value
        else:
            properties[_NAMES.get(key, key)] = value
    if fields:
        _who(payload, fields, event)
    if _PLACES.isdisjoint(fields):
        _put(payload, "hostname", site.hostname)
    else:
        _where(payload, event, site.hostname, page=not identifies)
    _when(payload, event)
    if event.body is not None:
        _body(properties, event.body)
    name = "" if event.name == c.EVENT_PAGE_VIEW else (event.name.replace("\0", "").strip() or NAMELESS)
    if not identifies:
        _what(payload, fields, event, name, site.tag)
        if name and payload["name"] != name:
            properties.setdefault(FULL_NAME, name)
    sells = bool(name) and not identifies
    data = shape(properties, revenue=sells, amounts=site.amounts, currency=site.currency)
    if data:
        payload["data"] = data
    if site.old:
        _suit_old(payload)
    body = {"type": "identify" if identifies else "event", "payload": payload}
    return Item(body, dumps(body), revenue=sells and "revenue" in data and is_revenue(data))


def distinct_id(user_id: str) -> str:
    """A user's id as Umami can hold it: a longer one becomes a UUID, always the same for the same id."""
    user_id = text(user_id, 100_000).strip()
    if len(user_id) <= MAX_ID and user_id.isascii():
        return user_id
    return user_id if utf16_length(user_id) <= MAX_ID else str(uuid.uuid5(_ID_NAMESPACE, user_id))


# -- fields ------------------------------------------------------------------------------------------------------------


def _who(payload: dict[str, Any], fields: Mapping[str, Any], event: Event) -> None:
    """The visitor, sent with the first event already: a session keeps what its first event says."""
    if c.USER_ID in fields:
        _put(payload, "id", distinct_id(event.text(c.USER_ID)))
    if _VISITOR.isdisjoint(fields):
        return
    _put(payload, "ip", _address(event.text(c.CLIENT_ADDRESS)))
    _put(payload, "userAgent", text(event.text(c.USER_AGENT_ORIGINAL), MAX_USER_AGENT).strip())
    _put(payload, "language", _language(event.text(c.BROWSER_LANGUAGE)) or _language(event.text(_ACCEPT_LANGUAGE)))
    screen = _SCREEN.fullmatch(event.text(c.SCREEN))
    _put(payload, "screen", f"{screen[1]}x{screen[2]}" if screen else "")


def _where(payload: dict[str, Any], event: Event, hostname: str, *, page: bool) -> None:
    campaign = {parameter: event.text(attribute) for attribute, parameter in CAMPAIGN.items()}
    address, host = page_address(
        event.text(c.URL_FULL),
        event.text(c.URL_PATH),
        event.text(c.URL_QUERY),
        {name: value for name, value in campaign.items() if value},
    )
    _put(payload, "hostname", hostname or host_name(event.text(c.SERVER_ADDRESS)) or host)
    if page:
        _put(payload, "url", address)
        _put(payload, "referrer", referrer(event.text(c.HTTP_REQUEST_HEADER_REFERER)))


def _what(payload: dict[str, Any], fields: Mapping[str, Any], event: Event, name: str, tag: str) -> None:
    _put(payload, "name", stable_cut(name, MAX_NAME))
    if c.PAGE_TITLE in fields:
        _put(payload, "title", without_nul(text(event.text(c.PAGE_TITLE), MAX_TITLE)))
    _put(payload, "tag", (text(event.text(c.TAG), MAX_TAG) if c.TAG in fields else "") or tag)


def _suit_old(payload: dict[str, Any]) -> None:
    """What Umami before 2.17 asks for beyond that. Fields that it does not know it passes over."""
    payload.setdefault("hostname", "localhost")
    payload.setdefault("url", "/")
    for field in ("url", "referrer"):
        if field in payload:
            payload[field] = cut(payload[field], MAX_OLD_ADDRESS)


def _when(payload: dict[str, Any], event: Event) -> None:
    # Whole seconds: a fraction is a 400, and milliseconds are the year 57971. 0 would mean now, as nothing does.
    seconds = (event.time_ns or event.observed_ns) // 1_000_000_000
    if 0 < seconds <= _LAST_SECOND:
        payload["timestamp"] = seconds


def _body(properties: dict[str, Any], body: Any) -> None:
    """What is said beside the attributes: more properties, or one of the name ``body``."""
    if isinstance(body, dict):
        for name, value in body.items():
            properties.setdefault(name, value)
    else:
        properties.setdefault("body", body)


def _put(payload: dict[str, Any], field: str, value: str) -> None:
    """Set a field that has a value: ``null`` is never accepted for one that has none."""
    if value:
        payload[field] = value


def _address(value: str) -> str:
    """A valid IP address in its shortest form, or empty: servers before 3.0 refuse anything else."""
    try:
        address = ipaddress.ip_address(value.strip().strip("[]").partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _language(value: str) -> str:
    """The first language tag of an ``Accept-Language`` list, without the subtags that do not fit."""
    tag = re.split(r"[,;]", value, maxsplit=1)[0].strip().replace("_", "-")
    if not _LANGUAGE.fullmatch(tag):
        return ""
    while len(tag) > MAX_LANGUAGE:
        tag = tag.rpartition("-")[0]
    return tag


def option_text(options: Mapping[str, Any], name: str) -> str:
    """A textual option, empty when unset."""
    return str(options.get(name) or "").strip()
