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
from footspan.destinations.umami.urls import CAMPAIGN, host_name, page_address, referrer, without_nul
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
        _ACCEPT_LANGUAGE,
        *CAMPAIGN,
    }
)
"""Attributes that are no properties: they have a field of their own, or no place in Umami's format at all.

A person's e-mail address and name are of the second kind, and so never leave for Umami.
"""


@dataclass(frozen=True, slots=True)
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


def item_of(event: Event, *, website: str, hostname: str = "", tag: str = "") -> Item:
    """Translate one event.

    Args:
        event: The event, from any OpenTelemetry SDK.
        website: The website's id.
        hostname: The host name to report, whatever the event says; empty to take the event's.
        tag: The tag of events that bear none.
    """
    identifies = event.name == c.EVENT_IDENTIFY
    payload: dict[str, Any] = {"website": website}
    _who(payload, event)
    _where(payload, event, hostname, page=not identifies)
    _when(payload, event)
    name = "" if event.name == c.EVENT_PAGE_VIEW else (event.name.replace("\0", "").strip() or NAMELESS)
    properties = _properties(event)
    if not identifies:
        _what(payload, event, name, tag)
        if name and payload["name"] != name:
            properties.setdefault(FULL_NAME, name)
    data = shape(properties, revenue=bool(name) and not identifies)
    if data:
        payload["data"] = data
    body = {"type": "identify" if identifies else "event", "payload": payload}
    return Item(body, dumps(body), revenue=bool(name) and not identifies and is_revenue(data))


def distinct_id(user_id: str) -> str:
    """A user's id as Umami can hold it: a longer one becomes a UUID, always the same for the same id."""
    user_id = text(user_id, 100_000).strip()
    return user_id if utf16_length(user_id) <= MAX_ID else str(uuid.uuid5(_ID_NAMESPACE, user_id))


# -- fields ------------------------------------------------------------------------------------------------------------


def _who(payload: dict[str, Any], event: Event) -> None:
    """The visitor, sent with the first event already: a session keeps what its first event says."""
    _put(payload, "id", distinct_id(event.text(c.USER_ID)))
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


def _what(payload: dict[str, Any], event: Event, name: str, tag: str) -> None:
    _put(payload, "name", stable_cut(name, MAX_NAME))
    _put(payload, "title", without_nul(text(event.text(c.PAGE_TITLE), MAX_TITLE)))
    _put(payload, "tag", text(event.text(c.TAG), MAX_TAG) or tag)


def _when(payload: dict[str, Any], event: Event) -> None:
    # Whole seconds: a fraction is a 400, and milliseconds are the year 57971. 0 would mean now, as nothing does.
    seconds = (event.time_ns or event.observed_ns) // 1_000_000_000
    if 0 < seconds <= _LAST_SECOND:
        payload["timestamp"] = seconds


def _properties(event: Event) -> dict[str, Any]:
    """Everything that has no field, under the names that people gave it."""
    properties = {
        c.PROPERTY_NAMES.get(name, name): value for name, value in event.attributes.items() if name not in _FIELDS
    }
    body = event.body
    if isinstance(body, dict):
        for name, value in body.items():
            properties.setdefault(name, value)
    elif body is not None:
        properties.setdefault("body", body)
    return properties


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
