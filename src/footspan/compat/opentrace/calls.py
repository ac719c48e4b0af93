"""What a call of the OpenTrace client said, as a standard event.

The event bears the conventional attributes, and the payload's entries under their own names. What only OpenTrace's own
request tells (which of the two it is, a session that was a number or missing, …) stands under
:data:`footspan.conventions.WIRE`; see :mod:`footspan.destinations.opentrace.wire`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.compat.opentrace.spelling import spelled
from footspan.destinations.opentrace import wire
from footspan.otlp_json.sanitise import event_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEANT: Final = frozenset({c.LOG_RECORD_UID, c.EVENT_NAME, c.OTEL_EVENT_NAME, *c.PROPERTY_NAMES})
"""Attributes with a meaning: a payload's entry of such a name is none of them."""
_PAGE: Final = {
    "url": c.URL_FULL,
    "ref": c.HTTP_REQUEST_HEADER_REFERER,
    "lang": c.BROWSER_LANGUAGE,
    "res": c.SCREEN,
}


class Call:
    """One call, on its way to an event.

    Args:
        endpoint: Which of the two requests it is.
        name: The event's name, as given.
        project: The project it belongs to.
        payload: The caller's data, as given. Never changed.

    Attributes:
        name: The event's name.
        body: What of the payload no attribute can carry.
    """

    def __init__(self, endpoint: str, name: Any, project: str, payload: Any) -> None:
        self.name: str = event_name(name)
        self.body: Any = None
        self._wire: dict[str, Any] = {wire.ENDPOINT: endpoint, wire.PROJECT: project, wire.PARITY: True}
        self._fields: dict[str, Any] = {}
        self._besides: dict[str, Any] = {}
        self._data: dict[str, Any] = {}
        if type(name) is not str or name != self.name:
            self._wire[wire.NAME] = name
        self._take(payload)

    @property
    def attributes(self) -> dict[str, Any]:
        """What the event bears. The caller's data comes last: of too many attributes the last ones are dropped."""
        own = {**self._wire, wire.GIVEN: [*self._fields, *self._data]}
        return {c.WIRE: {wire.SEED: own}, **self._besides, **self._fields, **self._data}

    def person(self, user_id: Any) -> None:
        """Who it is."""
        self._besides[c.USER_ID] = str(user_id)

    def session(self, session: Any) -> None:
        """Whose session it is in: any value, which goes out as it is; nothing of the context takes its place."""
        if type(session) is str and session:
            self._fields[c.SESSION_ID] = session  # an id of somebody passes redaction there, whatever it is
            return
        self._wire[wire.SESSION] = session
        if session is not None and (text := str(session)):
            self._besides[c.SESSION_ID] = text

    def touch(self, fields: Mapping[str, Any]) -> None:
        """How the visitor came: ``utm_source`` and its like, click ids; those that are ``None`` were not given."""
        for keyword, value in fields.items():
            if value is not None:
                self._fields[c.ALIASES[keyword]] = value

    def page(self, fields: Mapping[str, Any]) -> None:
        """On which page: ``url``, ``ref``, ``lang``, ``res``; those that are ``None`` were not given."""
        for keyword, value in fields.items():
            if value is not None:
                name = _PAGE[keyword]
                self._fields[name] = [value] if name in c.STRING_LIST_ATTRIBUTES else value

    def _take(self, payload: Any) -> None:
        """The caller's data: as attributes where they can carry it, else as the body."""
        found, integers = spelled(payload)
        if integers:
            self._wire[wire.INTEGERS] = integers
        if not isinstance(found, dict):
            self.body = found
            return
        kept = {}
        for key, value in found.items():
            if key and key not in _MEANT and not key.startswith("footspan."):
                self._data[key] = value
            else:
                kept[key] = value
        if kept:
            self._wire[wire.PAYLOAD] = self.body = kept
            self._wire[wire.ORDER] = [*found]
