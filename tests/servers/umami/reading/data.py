"""Questions about the data of events and of identified sessions: contract section 8."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from servers.umami import flatten
from servers.umami.reading.view import count, decimal, iso, ranked

if TYPE_CHECKING:
    from servers.umami.reading.view import View
    from servers.umami.tables import Row


def _value_of(row: Row) -> dict[str, Any]:
    return {
        "dataKey": row["data_key"], "stringValue": row["string_value"], "numberValue": decimal(row.get("number_value")),
        "dateValue": iso(row["date_value"]) if "date_value" in row else None, "dataType": row["data_type"],
        "createdAt": iso(row["created_at"]),
    }  # fmt: skip


def _data_rows(view: View) -> list[tuple[Row, Row]]:
    """Data rows with their event."""
    by_id = {row["event_id"]: row for row in view.events()}
    rows = view.rows("event_data")
    return [(row, by_id[row["website_event_id"]]) for row in rows if row["website_event_id"] in by_id]


def data_of_event(view: View, event_id: str) -> list[dict[str, Any]]:
    """``event-data/:eventId``: the data of one event."""
    return [
        {"websiteId": view.website, "eventId": event_id, "eventName": event.get("event_name"), **_value_of(row)}
        for row, event in _data_rows(view)
        if row["website_event_id"] == event_id
    ]


def event_data(view: View) -> dict[str, Any]:
    """``event-data``: events with their data, newest first."""
    values: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row, _ in reversed(_data_rows(view)):
        values[row["website_event_id"]].append(_value_of(row))
    found = [
        {
            "websiteId": view.website, "eventId": row["event_id"], "eventName": row.get("event_name"),
            "eventProperties": values[row["event_id"]],
        }
        for row in view.events()
        if row["event_id"] in values
    ]  # fmt: skip
    return view.page(found)


def event_data_fields(view: View) -> list[dict[str, Any]]:
    """``event-data/fields``: how often each value of each property came."""
    counts = Counter(
        (-row["data_type"], row["data_key"], row["string_value"].replace(".0000", ""))
        if row["data_type"] == flatten.NUMBER
        else (-row["data_type"], row["data_key"], row["string_value"])
        for row, _ in _data_rows(view)
    )
    return [
        {"propertyName": name, "dataType": -kind, "value": value, "total": total}
        for (kind, name, value), total in sorted(counts.items())
    ]


def event_data_properties(view: View) -> list[dict[str, Any]]:
    """``event-data/properties``: how often each property came with each event."""
    counts = Counter((event.get("event_name"), row["data_key"]) for row, event in _data_rows(view))
    order = sorted(counts.items(), key=lambda item: (-item[1], str(item[0][0]), item[0][1]))
    return [{"eventName": event, "propertyName": name, "total": total} for (event, name), total in order]


def event_data_values(view: View) -> list[dict[str, Any]]:
    """``event-data/values``: the values of one property."""
    wanted = view.params.get("propertyName")
    values = Counter(row["string_value"] for row, _ in _data_rows(view) if row["data_key"] == wanted)
    return [{"value": entry["x"], "total": entry["y"]} for entry in ranked(values)]


def event_data_stats(view: View) -> dict[str, Any]:
    """``event-data/stats``: counts."""
    rows = _data_rows(view)
    return {
        "events": count(row["website_event_id"] for row, _ in rows),
        "properties": count(row["data_key"] for row, _ in rows),
        "records": str(len(rows)),
    }


# -- what identify stored ----------------------------------------------------------------------------------------------


def session_properties(view: View, session: str) -> list[dict[str, Any]]:
    """``sessions/:id/properties``: what is known of one session."""
    rows = [row for row in view.rows("session_data") if row["session_id"] == session]
    return [{"websiteId": view.website, "sessionId": session, **_value_of(row)} for row in rows]


def session_data_properties(view: View) -> list[dict[str, Any]]:
    """``session-data/properties``: how many sessions have each property."""
    counts = Counter(row["data_key"] for row in view.rows("session_data"))
    return [{"propertyName": entry["x"], "total": entry["y"]} for entry in ranked(counts)]


def session_data_values(view: View) -> list[dict[str, Any]]:
    """``session-data/values``: the values of one property."""
    wanted = view.params.get("propertyName")
    counts = Counter(row["string_value"] for row in view.rows("session_data") if row["data_key"] == wanted)
    return [{"value": entry["x"], "total": entry["y"]} for entry in ranked(counts)]
