"""Lines of the other SDK's queue file: one event each, in JSON, as its POST would have it."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, Protocol

from footspan import conventions as c
from footspan._version import __version__
from footspan.compat.trace_telemetry.content import content_of
from footspan.emit import SCOPE_NAME, Draft, new_uid
from footspan.otlp_json import encode_line, encode_record, encode_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from footspan.destinations.trace_telemetry.wire import Wire
    from footspan.processors import Processor

_START: Final = '{"id": '
_ID: Final = re.compile(r"[0-9a-f]{32}")
_TRIES: Final = 32
"""Places in a line at which no event begins and after which the next one is looked for."""

_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MOST_SUFFIXES: Final = 256
_DECODER: Final = json.JSONDecoder()
_NEEDED: Final = frozenset({"name", "timestampUtc"})
_RESOURCE: Final = {
    "applicationName": c.SERVICE_NAME,
    "applicationVersion": c.SERVICE_VERSION,
    "machineName": c.HOST_NAME,
    "osDescription": c.OS_DESCRIPTION,
    "ipAddress": c.HOST_IP,
}
_KEYS: Final = {key.lower(): key for key in ("id", *_NEEDED, "data", *_RESOURCE, "countryCode")}


def events_in(line: bytes) -> Iterator[Mapping[str, Any] | None]:
    """The events of a line, and one ``None`` where something of it is none of it; nothing for a blank line.

    Bytes that are no UTF-8 are replaced. Where a line was cut off and the next event was appended to it, both are found
    if only the newline is missing, else the second.
    """
    text = line.decode("utf-8", "replace").strip("\0 \t\r\n\ufeff")
    start, tries = 0, _TRIES
    whole = True
    while 0 <= start < len(text) and tries:
        found, end = _event(text, start)
        if found is not None:
            yield found
            start = end
            continue
        if whole:
            yield None
        whole = False
        tries -= 1
        # Inside a text its quotes would have backslashes; inside data it lacks an event's keys.
        start = text.find(_START, start + 1)


def _event(text: str, start: int) -> tuple[Mapping[str, Any] | None, int]:
    """The event that begins at a place, and where it ends."""
    try:
        found, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    if not isinstance(found, dict):
        return None, end
    if not found.keys() >= _NEEDED:  # keys count whatever their case, as everywhere in this format
        found = {_KEYS.get(key.lower(), key): value for key, value in found.items()}
    return (found if found.keys() >= _NEEDED else None), end


class Cleaning(Protocol):
    """What lines go through: a :class:`~footspan.processors.redaction.Redactor`."""

    def __call__(self, draft: Draft) -> None:
        """Clean an event in place."""
        ...

    def mapping(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Attributes, cleaned, and the keys that were touched."""
        ...


class Writer:
    """Writes such events as lines of a spool.

    Args:
        redactor: What they go through.
        consent: What they go through before; it may drop them.
    """

    def __init__(self, redactor: Cleaning, consent: Processor) -> None:
        self._redactor = redactor
        self._consent = consent
        self._suffixes: dict[tuple[str, ...], bytes] = {}

    def line(self, event: Mapping[str, Any]) -> bytes:
        """One event, with its id and its time.

        Raises:
            DropEvent: It may not be stored.
        """
        now = time.time_ns()
        said: Wire = {}
        uid, moment = _text(event.get("id")), _text(event.get("timestampUtc"))
        if uid and not _ID.fullmatch(uid):
            said["id"] = uid
        time_ns = nanoseconds(moment)
        if moment and (time_ns is None or _written(time_ns) != moment):
            said["time"] = moment
        country = _text(event.get("countryCode"))
        about = {key: _text(event.get(key)) for key in _RESOURCE}
        content = content_of(event.get("name"), event.get("data"), said)
        attributes = {
            c.LOG_RECORD_UID: uid or new_uid(now),
            **content.attributes,
            **({c.GEO_COUNTRY_ISO_CODE: country} if country else {}),
        }
        draft = Draft(content.name, now if time_ns is None else time_ns, now, attributes, content.body)
        self._consent(draft)
        self._redactor(draft)
        record = encode_record(
            name=draft.name,
            time_ns=draft.time_ns,
            attributes=draft.attributes,
            observed_ns=draft.observed_ns,
            body=draft.body,
            severity_number=draft.severity_number,
            severity_text=draft.severity_text,
        )
        return encode_line(record, self._suffix(about))

    def _suffix(self, about: Mapping[str, str]) -> bytes:
        key = tuple(about.values())
        found = self._suffixes.get(key)
        if found is None:
            resource: dict[str, Any] = {_RESOURCE[name]: value for name, value in about.items() if value}
            if c.HOST_IP in resource:
                resource[c.HOST_IP] = [resource[c.HOST_IP]]
            resource[c.TELEMETRY_DISTRO_NAME] = "footspan"
            resource[c.TELEMETRY_DISTRO_VERSION] = __version__
            clean, _ = self._redactor.mapping(resource)
            if len(self._suffixes) > _MOST_SUFFIXES:
                self._suffixes.clear()
            found = self._suffixes[key] = encode_suffix(clean, SCOPE_NAME, __version__)
        return found


def nanoseconds(moment: str) -> int | None:
    """A ``timestampUtc`` as nanoseconds since the epoch; ``None`` where it is no time that an event can bear."""
    match = _TIME.fullmatch(moment.strip())
    if match is None:
        return None
    *numbers, fraction, zone = match.groups()
    try:
        found = datetime(*(int(each or 0) for each in numbers), tzinfo=timezone.utc)  # type: ignore[misc,arg-type] # six
    except ValueError:
        return None
    if zone not in {None, "Z"}:
        away = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        found = found + away if zone[0] == "-" else found - away
    seconds = (found - _EPOCH) // timedelta(seconds=1)
    result = seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))
    return result if 0 < result < 1 << 63 else None


def _written(time_ns: int) -> str:
    """A time as the encoder spells it."""
    moment = _EPOCH.replace(tzinfo=None) + timedelta(microseconds=time_ns // 1000)
    return moment.isoformat() + "Z"


def _text(value: Any) -> str:
    return "" if value is None else str(value)
