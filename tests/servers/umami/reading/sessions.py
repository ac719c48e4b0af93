"""Questions about sessions: contract section 8."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from servers.umami.ingest import CUSTOM_EVENT, PAGE_VIEW
from servers.umami.reading.view import count, iso

if TYPE_CHECKING:
    from servers.umami.reading.view import View
    from servers.umami.tables import Row

_COLUMNS: Final = ("browser", "os", "device", "screen", "language", "country", "region", "city")


def sessions(view: View) -> dict[str, Any]:
    """``sessions``: sessions with an event in the period, the latest first. Events without a session are not seen."""
    rows = _by_session(view)
    found = [_summary(view, session, rows[key]) for key, session in view.sessions().items() if key in rows]
    return view.page(sorted(found, key=lambda entry: str(entry["lastAt"]), reverse=True))


def session(view: View, session_id: str) -> dict[str, Any] | None:
    """``sessions/:id``: one session, with its distinct id."""
    row, rows = view.sessions().get(session_id), _by_session(view).get(session_id, [])
    if row is None:
        return None
    return {**_summary(view, row, rows), "distinctId": row.get("distinct_id")}


def activity(view: View, session_id: str) -> list[dict[str, Any]]:
    """``sessions/:id/activity``: the events of one session, newest first."""
    with_data = {row["website_event_id"] for row in view.tables.rows["event_data"]}
    return [
        {
            "createdAt": iso(row["created_at"]), "urlPath": row["url_path"], "urlQuery": row["url_query"],
            "referrerDomain": row.get("referrer_domain"), "eventId": row["event_id"], "eventType": row["event_type"],
            "eventName": row.get("event_name"), "visitId": row["visit_id"], "hostname": row["hostname"],
            "hasData": row["event_id"] in with_data,
        }
        for row in view.events()
        if row["session_id"] == session_id
    ]  # fmt: skip


def stats(view: View) -> dict[str, Any]:
    """``sessions/stats``: counts; what it calls page views are all events."""
    rows, known = view.events(), view.sessions()
    countries = {known[row["session_id"]].get("country") for row in rows if row["session_id"] in known}
    counts = {
        "pageviews": len(rows), "visitors": count(row["session_id"] for row in rows),
        "visits": count(row["visit_id"] for row in rows), "countries": len(countries - {None}),
        "events": sum(row["event_type"] == CUSTOM_EVENT for row in rows),
    }  # fmt: skip
    return {name: {"value": value} for name, value in counts.items()}


def _by_session(view: View) -> dict[str, list[Row]]:
    """Events by session, newest first."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in view.events():
        found[row["session_id"]].append(row)
    return found


def _summary(view: View, row: Row, events: list[Row]) -> dict[str, Any]:
    first, last = (iso(events[index]["created_at"]) if events else None for index in (-1, 0))
    return {
        "id": row["session_id"], "websiteId": view.website, "hostname": events[0]["hostname"] if events else None,
        **{name: row.get(name) for name in _COLUMNS},
        "firstAt": first, "lastAt": last, "visits": count(event["visit_id"] for event in events),
        "views": sum(event["event_type"] == PAGE_VIEW for event in events),
        "events": sum(event["event_type"] == CUSTOM_EVENT for event in events), "createdAt": last,
    }  # fmt: skip
