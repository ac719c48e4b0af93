"""The API for reading and for websites: who may, which path means which question. Contract section 8."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from servers.umami import errors, js, schema
from servers.umami.reading import data, events, sessions
from servers.umami.reading.reports import REPORTS
from servers.umami.reading.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from servers.http import RecordedRequest
    from servers.umami.tables import Tables

    Reply = tuple[int, Any]

ADMIN_ID: Final = "41e2b680-648e-4b09-bcd7-3e2b10c06264"
_NAME, _PASSWORD = "admin", "umami"
_USER: Final = {
    "id": ADMIN_ID, "username": _NAME, "role": "admin", "createdAt": "2026-01-01T00:00:00.000Z", "isAdmin": True,
}  # fmt: skip
_ACTIVITY: Final = re.compile("sessions/([^/]+)/activity")
_OK: Final[tuple[int, Any]] = (200, {"ok": True})
_QUESTIONS: Final[Mapping[str, Callable[[View], Any]]] = {
    "event-data": data.event_data,
    "event-data/fields": data.event_data_fields,
    "event-data/properties": data.event_data_properties,
    "event-data/stats": data.event_data_stats,
    "event-data/values": data.event_data_values,
    "events": events.events,
    "events/series": events.events_series,
    "events/stats": events.events_stats,
    "metrics": events.metrics,
    "pageviews": events.page_views,
    "session-data/properties": data.session_data_properties,
    "session-data/values": data.session_data_values,
    "sessions": sessions.sessions,
    "sessions/stats": sessions.stats,
    "stats": events.stats,
}
_UNAUTHORIZED: Final[tuple[int, Any]] = (401, errors.UNAUTHORIZED)


class Reader:
    """Answers everything that is not ingestion.

    Args:
        tables: What was stored.
        websites: Ids of the websites that exist from the start.
        now: Unix seconds.
    """

    def __init__(self, tables: Tables, websites: Iterable[str], now: Callable[[], float]) -> None:
        self._tables, self._now = tables, now
        self._tokens: set[str] = set()
        self.websites: dict[str, dict[str, Any]] = {}
        for website in websites:
            self._create(website, "website", "example.com")

    def answer(self, request: RecordedRequest, path: str, query: str) -> Reply | None:
        """Status and body for a request; None when there is no such path."""
        room, _, rest = path.removeprefix("/api/").partition("/")
        if (room, rest) == ("auth", "login"):
            return self._login(js.parse_json(request.body)) if request.method == "POST" else (405, {})
        if room not in {"auth", "websites", "reports", "me"} or not path.startswith("/api/"):
            return None
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return _UNAUTHORIZED
        if room == "websites":
            return self._websites_path(request, rest, dict(parse_qsl(query, keep_blank_values=True)))
        if room == "reports":
            return self._report(rest, js.parse_json(request.body))
        return (200, _USER) if (room, rest) in {("auth", "verify"), ("me", "")} else None

    def _login(self, body: Any) -> Reply:
        if not isinstance(body, dict) or (body.get("username"), body.get("password")) != (_NAME, _PASSWORD):
            wrong = {"message": "Unauthorized", "code": "incorrect-username-password", "status": 401}
            return 401, {"error": wrong}
        token = uuid.uuid4().hex
        self._tokens.add(token)
        return 200, {"token": token, "user": _USER}

    # -- websites ------------------------------------------------------------------------------------------------------

    def _create(self, website: str, name: str, domain: str) -> dict[str, Any]:
        moment = js.iso_text(int(self._now() * 1000))
        self.websites[website] = {
            "id": website, "name": name, "domain": domain, "resetAt": None, "userId": ADMIN_ID, "teamId": None,
            "createdBy": ADMIN_ID, "createdAt": moment, "updatedAt": moment, "deletedAt": None,
            "replayEnabled": False, "replayConfig": None, "shareId": None,
        }  # fmt: skip
        return self.websites[website]

    def _websites_path(self, request: RecordedRequest, path: str, params: dict[str, str]) -> Reply | None:
        website, _, rest = path.partition("/")
        if not website:
            return self._all_websites(request)
        known = self.websites.get(website)
        if known is None:
            return _UNAUTHORIZED
        match request.method, rest:
            case "GET", "":
                return 200, known
            case "GET", _:
                return self._question(View(self._tables, website, params), rest)
            case "POST", "reset":
                self._tables.delete_website(website)
                known["resetAt"] = js.iso_text(int(self._now() * 1000))
            case "DELETE", "":
                self._tables.delete_website(website)
                del self.websites[website]
            case _:
                return None
        return _OK

    def _all_websites(self, request: RecordedRequest) -> Reply:
        if request.method == "POST":
            return self._new_website(js.parse_json(request.body))
        found = list(self.websites.values())
        return 200, {"data": found, "count": len(found), "page": 1, "pageSize": 20}

    def _new_website(self, body: Any) -> Reply:
        body = body if isinstance(body, dict) else {}
        wrong = {
            name: {"errors": [f"Invalid input: expected string, received {js.type_name(body.get(name, js.UNDEFINED))}"]}
            for name in ("name", "domain")
            if not isinstance(body.get(name), str)
        }
        website = body.get("id") or str(uuid.uuid4())
        if not isinstance(website, str) or not schema.UUID.fullmatch(website):
            wrong["id"] = {"errors": ["Invalid UUID"]}
        if wrong:
            return 400, errors.bad_request(errors=[], properties=wrong)
        return 200, self._create(website, body["name"], body["domain"])

    # -- questions -----------------------------------------------------------------------------------------------------

    def _question(self, view: View, path: str) -> Reply | None:
        timeless = self._timeless_question(view, path)
        if timeless is not None:
            return timeless
        missing = [name for name in ("startAt", "endAt") if name not in view.params]
        if missing:
            wrong = {"errors": ["Invalid input: expected number, received NaN"]}
            return 400, errors.bad_request(errors=[], properties=dict.fromkeys(missing, wrong))
        view = view.within(int(view.params["startAt"]), int(view.params["endAt"]))
        found = _ACTIVITY.fullmatch(path)
        if found:
            return 200, sessions.activity(view, found[1])
        ask = _QUESTIONS.get(path)
        return None if ask is None else (200, ask(view))

    def _timeless_question(self, view: View, path: str) -> Reply | None:
        match path.split("/"):
            case ["daterange"]:
                return 200, events.date_range(view)
            case ["active"]:
                return 200, events.active(view, self._now())
            case ["event-data", event] if schema.UUID.fullmatch(event):
                return 200, data.data_of_event(view, event)
            case ["sessions", session] if schema.UUID.fullmatch(session):
                found = sessions.session(view, session)
                return (404, errors.NOT_FOUND) if found is None else (200, found)
            case ["sessions", session, "properties"]:
                return 200, data.session_properties(view, session)
        return None

    def _report(self, kind: str, body: Any) -> Reply | None:
        ask = REPORTS.get(kind)
        if ask is None or not isinstance(body, dict):
            return None
        website, parameters = body.get("websiteId"), body.get("parameters")
        if not isinstance(parameters, dict) or website not in self.websites:
            return _UNAUTHORIZED
        view = View(self._tables, website, {})
        return 200, ask(view.between(parameters["startDate"], parameters["endDate"]), parameters)
