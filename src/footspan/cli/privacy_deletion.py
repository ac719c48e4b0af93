"""What is left to delete where events have gone: by which ids, and how. Facts only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from footspan import conventions as c
from footspan.cli.privacy_person import hash_of, pseudonyms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from footspan.cli.privacy_person import Given
    from footspan.config import DestinationSettings, Settings

_UMAMI_TABLES: Final = (
    "Delete the rows of those sessions from session_data, revenue (2.19 and later), event_data (by its event), "
    "website_event and, last, session."
)
_ADDRESSES: Final = ("url", "endpoint", "logs_endpoint", "path", "logger")


@dataclass(slots=True)
class Deletion:
    """What is to be deleted at one destination.

    Attributes:
        name: Its name in the settings.
        type: Its kind.
        place: Where it is: a host, never more of the address.
        knows: The ids that it may have, by what it calls them.
        how: How they are deleted there.
    """

    name: str
    type: str
    place: str
    knows: dict[str, list[str]] = field(default_factory=dict)
    how: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"type": self.type, "place": self.place, "knows": self.knows, "how": self.how}


def place_of(settings: DestinationSettings) -> str:
    """Where a destination is, without user, password, path and parameters."""
    for option in _ADDRESSES:
        value = settings.options.get(option)
        if value:
            text = str(value)
            return (urlsplit(text).hostname or "an address without a host") if "://" in text else text
    return "standard error" if settings.type == "console" else "an address of its own"


def deletions(settings: Settings, given: Given, linked: Sequence[str]) -> list[Deletion]:
    """What is to be deleted, destination by destination.

    Args:
        settings: They name the destinations, and what each may have.
        given: Who is forgotten.
        linked: Their sessions and visitor ids.
    """
    found = []
    for each in settings.destinations:
        known = _Known(settings, each)
        ids = known.under(c.USER_ID, given.user_ids)
        emails = known.under(c.USER_EMAIL, given.addresses)
        sessions = known.under(c.SESSION_ID, (*given.sessions, *linked))
        deletion = Deletion(each.name, each.type, place_of(each))
        _BY_TYPE.get(each.type, _other)(deletion, each, ids, emails, sessions)
        deletion.knows = {what: values for what, values in deletion.knows.items() if values}
        found.append(deletion)
    return found


class _Known:
    """What one destination may have of an attribute of identity."""

    def __init__(self, settings: Settings, destination: DestinationSettings) -> None:
        self._settings = settings
        self._name = destination.name
        self._policies = [settings.privacy.rules, *filter(None, [destination.privacy])]

    def under(self, attribute: str, texts: Iterable[str]) -> list[str]:
        """The values as they are there."""
        actions = {policy.identity.get(attribute, "keep") for policy in self._policies}
        found: list[str] = []
        for text in texts:
            pseudonyms = pseudonyms_of(text, self._settings)
            if actions == {"keep"}:
                found += (text, *pseudonyms)  # what nobody agreed to may have left as a pseudonym
            elif "pseudonym" in actions:
                found += pseudonyms
            elif "hash" in actions:
                found.append(hash_of(text))
        return list(dict.fromkeys(found))


_Ids = list[str]


def _sql(values: Iterable[str]) -> str:
    """Texts for the brackets of an ``IN``, for databases that take a backslash for itself or for the like of it.

    Sessions come out of events, so they are anybody's, and somebody pastes this into a database.
    """
    return ", ".join("'" + value.replace("\\", "\\\\").replace("'", "''") + "'" for value in values)


def _umami(deletion: Deletion, settings: DestinationSettings, ids: _Ids, _emails: _Ids, _sessions: _Ids) -> None:
    from footspan.destinations.umami.payload import distinct_id  # noqa: PLC0415 - only where there is one

    distinct = list(dict.fromkeys(distinct_id(each) for each in ids))
    website = str(settings.options.get("website", ""))
    deletion.knows = {"website": [website], "distinct id": distinct}
    if not distinct:
        deletion.how = ["It has no id of theirs; before Umami 2.18 it has none of anybody."]
        return
    chosen = f"website_id = {_sql([website])} AND distinct_id IN ({_sql(distinct)})"
    deletion.how = [
        "Umami's API deletes a whole website's data, not one visitor's. Their sessions in its database, from 2.18 on:",
        f"SELECT session_id FROM session WHERE {chosen};",  # noqa: S608 - for a person to read
        _UMAMI_TABLES,
        "Before 2.18 Umami has no distinct id: nothing there is bound to a user.",
    ]
    if any("\\" in each for each in distinct):
        deletion.how.append("Backslashes are doubled above, as MySQL takes them; PostgreSQL takes them once.")


def _opentrace(deletion: Deletion, settings: DestinationSettings, ids: _Ids, _emails: _Ids, sessions: _Ids) -> None:
    from footspan.destinations.opentrace.payloads import user_hash  # noqa: PLC0415 - only where there is one

    theirs = list(dict.fromkeys((*sessions, *map(user_hash, ids))))
    project = str(settings.options.get("project_id") or "")
    deletion.knows = {"project": [project] if project else [], "session_id": theirs}
    resource = f"resource_id = {_sql([project])} AND " if project else ""
    deletion.how = ["OpenTrace's API deletes no events. In its ClickHouse:"]
    if theirs:
        deletion.how.append(f"ALTER TABLE telemetry DELETE WHERE {resource}session_id IN ({_sql(theirs)});")
    deletion.how.append("An event with a session of its own is found by that session only: --linked finds those here.")


def _trace_telemetry(deletion: Deletion, _: DestinationSettings, ids: _Ids, emails: _Ids, sessions: _Ids) -> None:
    deletion.knows = {"data.user_id": ids, "data.email": emails, "data.session_id": sessions}
    deletion.how = ["Its protocol only takes events in: delete those with these values in `data` where it keeps them."]


def _dash_tracker(deletion: Deletion, _: DestinationSettings, ids: _Ids, emails: _Ids, _sessions: _Ids) -> None:
    deletion.knows = {"data.user_id": ids, "data.email": emails}
    deletion.how = ["Its endpoint only takes events in: delete those with these values where it keeps them."]


def _otlp(deletion: Deletion, _: DestinationSettings, ids: _Ids, emails: _Ids, sessions: _Ids) -> None:
    deletion.knows = {c.USER_ID: ids, c.USER_EMAIL: emails, c.SESSION_ID: sessions}
    deletion.how = [
        "OTLP has no deletion: use the backend's own, for logs and for spans, by these attributes.",
        "A Collector on the way may have a queue on disk (file_storage) or write files of its own.",
    ]


def _printed(deletion: Deletion, _: DestinationSettings, ids: _Ids, emails: _Ids, sessions: _Ids) -> None:
    deletion.knows = {c.USER_ID: ids, c.USER_EMAIL: emails, c.SESSION_ID: sessions}
    deletion.how = ["It is part of the application's log: delete the lines with these values where that is kept."]


def _other(deletion: Deletion, _: DestinationSettings, ids: _Ids, emails: _Ids, sessions: _Ids) -> None:
    deletion.knows = {c.USER_ID: ids, c.USER_EMAIL: emails, c.SESSION_ID: sessions}
    deletion.how = ["How it deletes is known to whoever runs it."]


_BY_TYPE: Final[dict[str, Callable[[Deletion, DestinationSettings, _Ids, _Ids, _Ids], None]]] = {
    "umami": _umami,
    "opentrace": _opentrace,
    "trace_telemetry": _trace_telemetry,
    "dash_tracker": _dash_tracker,
    "otlp": _otlp,
    "logging": _printed,
    "console": _printed,
}
