"""One event as an element of TraceTelemetry's array, in the spelling of its own Python client.

================================  ======================================================================================
key                               where it comes from
================================  ======================================================================================
``id``                            the event's id: 32 hex digits, lower case, the same in every request
``name``                          the event's name, ``page_view`` and ``identify`` for ours; empty where it has none
``timestampUtc``                  its time, ``Z``, to the microsecond; a fraction of nothing is left out
``data``                          its properties; a body that is no mapping, where there are none; else ``null``
``applicationName``, ``…Version`` ``service.name``, ``service.version``
``machineName``                   ``host.name``
``osDescription``                 ``os.description``
``ipAddress``                     the first of ``host.ip``
``countryCode``                   ``geo.country.iso_code``, else what the country database knows
================================  ======================================================================================

An exception's data begin with ``message``, ``stackTrace`` and ``exceptionType``, the class without its module. A
person's e-mail address and full name have no place in the format and never leave.
"""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.destinations.trace_telemetry.wire import wire_of
from footspan.otlp_json.records import NO_NAME
from footspan.otlp_json.sanitise import UNNAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from footspan.destinations.trace_telemetry.wire import Wire
    from footspan.event import Event
    from footspan.otlp_json import LogLine

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - written with a Z of our own
_HEX: Final = re.compile(r"[0-9a-f]{32}")
_EVENT_NAMES: Final = {
    **dict.fromkeys((NO_NAME, UNNAMED), ""),
    c.EVENT_PAGE_VIEW: "page_view",
    c.EVENT_IDENTIFY: "identify",
}
"""Names of our own making, and what the client's users write for them."""

_NO_DATA: Final = frozenset(
    {
        c.LOG_RECORD_UID,
        c.CONSENT,
        c.DESTINATION,
        c.PURPOSE,
        c.REDACTED,
        c.WIRE,
        c.GEO_COUNTRY_ISO_CODE,
        c.USER_EMAIL,
        c.USER_FULL_NAME,
    }
)
_EXCEPTION: Final = frozenset({c.EXCEPTION_MESSAGE, c.EXCEPTION_STACKTRACE, c.EXCEPTION_TYPE})
_NAMES: Final = c.PROPERTY_NAMES
_OWN: Final = "footspan."


@dataclass(frozen=True, slots=True)
class Form:
    """What the settings say of every event.

    Attributes:
        pascal: Keys begin with a capital, as those of the .NET client.
        country: The country code of an address, or empty; ``None`` where no country is looked up.
    """

    pascal: bool = False
    country: Callable[[str], str] | None = None


def encode(line: LogLine, form: Form) -> bytes:
    """Write one event."""
    return _json(element(line, form))


def element(line: LogLine, form: Form) -> dict[str, Any]:
    """One event as an element of the array."""
    event = line.event
    wire = wire_of(event)
    resource = event.resource
    address = wire.get("ip", _text(resource.get(c.HOST_IP)))
    found = {
        "id": wire["id"] if "id" in wire else _id(event, line),
        "name": wire.get("name", _EVENT_NAMES.get(event.name, event.name)),
        "timestampUtc": wire.get("time") or _moment(event.time_ns or event.observed_ns),
        "data": _data(event, wire),
        "applicationName": wire.get("app", _text(resource.get(c.SERVICE_NAME))),
        "applicationVersion": wire.get("version", _text(resource.get(c.SERVICE_VERSION))),
        "machineName": wire.get("machine", _text(resource.get(c.HOST_NAME))),
        "osDescription": wire.get("os", _text(resource.get(c.OS_DESCRIPTION))),
        "ipAddress": address,
        "countryCode": wire["country"] if "country" in wire else _country(event, address, form),
    }
    return {key[0].upper() + key[1:]: value for key, value in found.items()} if form.pascal else found


# -- fields ------------------------------------------------------------------------------------------------------------


def _id(event: Event, line: LogLine) -> str:
    """An id as the clients write theirs; of anything else a digest, which is the same in every request too."""
    digits = event.uid.replace("-", "").lower()
    return digits if _HEX.fullmatch(digits) else sha256(event.uid.encode() or line.line).hexdigest()[:32]


def _moment(time_ns: int) -> str:
    try:
        moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    except OverflowError:
        moment = _EPOCH
    return moment.isoformat() + "Z"


def _country(event: Event, address: str, form: Form) -> str:
    known = event.text(c.GEO_COUNTRY_ISO_CODE).strip().upper()
    if known or form.country is None:
        return known
    return form.country(event.text(c.CLIENT_ADDRESS) or address)


def _text(value: Any) -> str:
    """A resource's attribute as text; the first of a list."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


# -- data --------------------------------------------------------------------------------------------------------------


def _data(event: Event, wire: Wire) -> Any:
    if "data" in wire:
        return wire["data"]
    properties = _properties(event.attributes, wire)
    if not _EXCEPTION.isdisjoint(event.attributes):
        properties = {**_exception(event), **properties}
    if event.body is None:
        return properties or None
    if not properties:
        return event.body
    return {**event.body, **properties} if isinstance(event.body, dict) else {"body": event.body, **properties}


def _properties(attributes: Mapping[str, Any], wire: Wire) -> dict[str, Any]:
    """The attributes that are data, under the names people gave them; a caller's own name wins over a convention's."""
    if "keys" in wire:
        return {key: attributes[key] for key in map(str, wire["keys"]) if key in attributes}
    fails = not _EXCEPTION.isdisjoint(attributes)
    alone = wire.get("parity", False)
    found: dict[str, Any] = {}
    for key, value in attributes.items():
        if key in _NO_DATA or (fails and (key in _EXCEPTION or key == c.ERROR_TYPE)):
            continue
        name = _NAMES.get(key)
        if name is None:
            if not (alone and key.startswith(_OWN)):
                found[key] = value
        elif not alone and name not in attributes:
            found[name] = _text(value) if key in c.STRING_LIST_ATTRIBUTES else value
    return found


def _exception(event: Event) -> dict[str, str]:
    kind = event.text(c.EXCEPTION_TYPE) or event.text(c.ERROR_TYPE)
    return {
        "message": event.text(c.EXCEPTION_MESSAGE),
        "stackTrace": event.text(c.EXCEPTION_STACKTRACE),
        "exceptionType": kind.rpartition(".")[2],
    }


# -- JSON --------------------------------------------------------------------------------------------------------------


def _json(value: Any) -> bytes:
    try:
        return _ENCODER.encode(value).encode()
    except ValueError:  # a number that JSON has no word for
        return _ENCODER.encode(_finite(value)).encode()


def _finite(value: Any) -> Any:
    """The same with numbers that have no JSON as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value


def _other(value: Any) -> str:
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


_ENCODER: Final = json.JSONEncoder(allow_nan=False, default=_other)
