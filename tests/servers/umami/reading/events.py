"""Questions about events and page views: contract section 8."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from servers.umami.ingest import CUSTOM_EVENT, PAGE_VIEW
from servers.umami.reading.view import EVENT_COLUMNS, count, iso, ranked, stamp

if TYPE_CHECKING:
    from servers.umami.reading.view import View

_SESSION_COLUMNS: Final = {
    "browser": "browser", "os": "os", "device": "device", "screen": "screen", "country": "country", "region": "region",
    "city": "city", "language": "language", "distinctId": "distinct_id",
}  # fmt: skip


def events(view: View) -> dict[str, Any]:
    """``events``: event rows, newest first."""
    with_data = {row["website_event_id"] for row in view.tables.rows["event_data"]}
    sessions, search = view.sessions(), view.params.get("search", "").lower()
    found = []
    for row in view.events():
        session = sessions.get(row["session_id"])
        if session is None or (search and search not in f"{row.get('event_name', '')}\n{row['url_path']}".lower()):
            continue
        found.append({
            "id": row["event_id"], "websiteId": view.website, "sessionId": row["session_id"],
            "createdAt": iso(row["created_at"]), "hostname": row["hostname"], "urlPath": row["url_path"],
            "urlQuery": row["url_query"], "referrerPath": row.get("referrer_path"),
            "referrerQuery": row.get("referrer_query"), "referrerDomain": row.get("referrer_domain"),
            "country": session.get("country"), "city": session.get("city"), "device": session.get("device"),
            "os": session.get("os"), "browser": session.get("browser"), "pageTitle": row.get("page_title"),
            "eventType": row["event_type"], "eventName": row.get("event_name"),
            "hasData": row["event_id"] in with_data,
        })  # fmt: skip
    return view.page(found)


def events_stats(view: View) -> dict[str, Any]:
    """``events/stats``: counts of custom events, and of the period before."""
    before = view.within(view.start - (view.end - view.start), view.start - 1)
    return {"data": {**_event_counts(view), "comparison": _event_counts(before)}}


def _event_counts(view: View) -> dict[str, int]:
    rows = view.events(CUSTOM_EVENT)
    return {
        "events": len(rows),
        "visitors": count(r["session_id"] for r in rows),
        "visits": count(r["visit_id"] for r in rows),
        "uniqueEvents": count(r["event_name"] for r in rows),
    }


def events_series(view: View) -> list[dict[str, Any]]:
    """``events/series``: custom events by name and unit of time."""
    counts = Counter((view.slot(row["created_at"]), row["event_name"]) for row in view.events(CUSTOM_EVENT))
    return [{"x": name, "t": slot, "y": total} for (slot, name), total in sorted(counts.items())]


def stats(view: View) -> dict[str, Any]:
    """``stats``: page views only, and of the period before."""
    before = view.within(view.start - (view.end - view.start), view.start - 1)
    return {**_view_counts(view), "comparison": _view_counts(before)}


def _view_counts(view: View) -> dict[str, int]:
    rows = view.events(PAGE_VIEW)
    visits: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        visits[row["visit_id"]].append(stamp(row["created_at"]))
    return {
        "pageviews": len(rows), "visitors": count(r["session_id"] for r in rows), "visits": len(visits),
        "bounces": sum(len(times) == 1 for times in visits.values()),
        "totaltime": int(sum(max(times) - min(times) for times in visits.values()) // 1000),
    }  # fmt: skip


def page_views(view: View) -> dict[str, Any]:
    """``pageviews``: page views and sessions by unit of time."""
    views: Counter[str] = Counter()
    visitors: dict[str, set[str]] = defaultdict(set)
    for row in view.events(PAGE_VIEW):
        slot = view.slot(row["created_at"])
        views[slot] += 1
        visitors[slot].add(row["session_id"])
    return {
        "pageviews": [{"x": slot, "y": views[slot]} for slot in sorted(views)],
        "sessions": [{"x": slot, "y": len(visitors[slot])} for slot in sorted(visitors)],
    }


def metrics(view: View) -> list[dict[str, Any]]:
    """``metrics?type=``: sessions by a value of their page views, or the count of events by name."""
    kind = view.params.get("type", "")
    if kind == "event":
        return ranked(Counter(row["event_name"] for row in view.events(CUSTOM_EVENT)))
    sessions = view.sessions()
    found: dict[str, set[str]] = defaultdict(set)
    for row in view.events():
        if row["event_type"] == CUSTOM_EVENT:
            continue
        if kind in _SESSION_COLUMNS:
            value = sessions.get(row["session_id"], {}).get(_SESSION_COLUMNS[kind])
            value = value[:2].lower() if value and kind == "language" else value
        else:
            value = row.get(EVENT_COLUMNS.get(kind, kind))
        if value and not (kind == "referrer" and value == row["hostname"]):
            found[value].add(row["session_id"])
    return ranked({value: len(ids) for value, ids in found.items()})


def date_range(view: View) -> dict[str, Any]:
    """``daterange``: the first and the last event."""
    moments = [iso(row["created_at"]) for row in view.rows("website_event")]
    return {"startDate": min(moments, default=None), "endDate": max(moments, default=None)}


def active(view: View, now: float) -> dict[str, Any]:
    """``active``: visitors of the last five minutes."""
    recent = view.within(now * 1000 - 300_000, math.inf)
    return {"visitors": count(row["session_id"] for row in recent.rows("website_event"))}
