"""The reports that were recorded: revenue, utm, funnel, retention. Contract section 8, last row."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from servers.umami.ingest import PAGE_VIEW
from servers.umami.reading.view import count, decimal, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from servers.umami.reading.view import View
    from servers.umami.tables import Row

    Report = Callable[[View, Mapping[str, Any]], Any]

_SEARCH_ENGINES: Final = ("google.", "bing.", "duckduckgo.", "yahoo.", "ecosia.", "baidu.", "yandex.")


def revenue(view: View, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Revenue in one currency, by event and day, country, region, referrer and channel."""
    rows = [row for row in view.rows("revenue") if row["currency"].upper() == parameters["currency"].upper()]
    known = view.sessions()
    referrers = {row["session_id"]: row["referrer_domain"] for row in view.events() if "referrer_domain" in row}
    places = [(known.get(row["session_id"], {}), row["revenue"]) for row in rows]
    regions = _sums(((place.get("country"), place.get("region")), value) for place, value in places)
    return {
        "chart": _chart(view, rows),
        "total": {**_total(view, rows), "comparison": _total(view, [])},
        "country": [{"name": name, "value": value} for name, value in _sums((p.get("country"), v) for p, v in places)],
        "region": [{"country": country, "name": name, "value": value} for (country, name), value in regions],
        "referrer": [
            {"name": name, "value": value}
            for name, value in _sums((referrers.get(row["session_id"]), row["revenue"]) for row in rows)
        ],
        "channel": [
            {"name": name, "value": value}
            for name, value in _sums((_channel(referrers.get(row["session_id"])), row["revenue"]) for row in rows)
        ],
    }


def _chart(view: View, rows: list[Row]) -> list[dict[str, Any]]:
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        cells[view.slot(row["created_at"]), row["event_name"]].append(row["revenue"])
    return [
        {"x": name, "t": slot, "y": decimal(sum(values)), "count": len(values)}
        for (slot, name), values in sorted(cells.items())
    ]


def _total(view: View, rows: list[Row]) -> dict[str, Any]:
    total, buyers = sum(row["revenue"] for row in rows), count(row["session_id"] for row in rows)
    visitors = count(row["session_id"] for row in view.events()) if rows else 0
    return {
        "sum": decimal(total) if rows else None, "count": len(rows), "unique_count": buyers,
        "total_sessions": visitors, "average": total / len(rows) if rows else 0,
        "arpu": total / visitors if visitors else 0,
    }  # fmt: skip


def _sums(pairs: Any) -> list[tuple[Any, str | None]]:
    sums: dict[Any, float] = defaultdict(float)
    for name, value in pairs:
        sums[name] += value
    return [(name, decimal(value)) for name, value in sorted(sums.items(), key=lambda item: (-item[1], str(item[0])))]


def _channel(referrer: str | None) -> str:
    if not referrer:
        return "direct"
    return "organicSearch" if referrer.startswith(_SEARCH_ENGINES) else "referral"


def utm(view: View, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Page views by each utm value."""
    answer: dict[str, Any] = {}
    for name in ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"):
        counts = Counter(row[name] for row in view.events(PAGE_VIEW) if row.get(name))
        order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        answer[name] = [{"utm": value, "views": views} for value, views in order]
    return answer


def funnel(view: View, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How many sessions went through the steps in order, each within ``window`` minutes of the one before."""
    window = float(parameters["window"]) * 60_000
    reached: dict[str, float] | None = None
    counts: list[int] = []
    for step in parameters["steps"]:
        column = "event_name" if step["type"] == "event" else "url_path"
        now: dict[str, float] = {}
        for row in reversed(view.events()):
            at, who = stamp(row["created_at"]), row["session_id"]
            in_time = reached is None or (who in reached and 0 <= at - reached[who] <= window)
            if row.get(column) == step["value"] and in_time:
                now.setdefault(who, at)
        reached = now
        counts.append(len(now))
    return [_funnel_step(step, counts, index) for index, step in enumerate(parameters["steps"])]


def _funnel_step(step: Mapping[str, Any], counts: list[int], index: int) -> dict[str, Any]:
    visitors, previous = counts[index], counts[index - 1] if index else 0
    dropped = previous - visitors if index else 0
    return {
        "type": step["type"], "value": step["value"], "visitors": visitors, "previous": previous, "dropped": dropped,
        "dropoff": dropped / previous if previous else None, "remaining": visitors / counts[0] if counts[0] else 0,
    }  # fmt: skip


def retention(view: View, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Which share of the visitors of a day came back so many days later."""
    days: dict[str, set[str]] = defaultdict(set)
    for row in view.events():
        days[row["session_id"]].add(row["created_at"][:10])
    cohorts: Counter[str] = Counter(min(seen) for seen in days.values())
    cells: Counter[tuple[str, int]] = Counter()
    for seen in days.values():
        first = min(seen)
        for day in seen:
            cells[first, round((stamp(f"{day}T00:00:00") - stamp(f"{first}T00:00:00")) / 86_400_000)] += 1
    return [
        {
            "date": f"{first} 00:00:00", "day": day, "visitors": cohorts[first], "returnVisitors": back,
            "percentage": 100 * back / cohorts[first],
        }
        for (first, day), back in sorted(cells.items())
    ]  # fmt: skip


REPORTS: Final[Mapping[str, Report]] = {"revenue": revenue, "utm": utm, "funnel": funnel, "retention": retention}
