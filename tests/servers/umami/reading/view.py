"""The rows of one website in one period: what every question of the reading API starts from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from servers.umami import js

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from servers.umami.tables import Row, Tables

EVENT_COLUMNS: Final = {
    "path": "url_path", "query": "url_query", "title": "page_title", "hostname": "hostname", "tag": "tag",
    "referrer": "referrer_domain", "utmSource": "utm_source", "utmMedium": "utm_medium",
    "utmCampaign": "utm_campaign", "utmContent": "utm_content", "utmTerm": "utm_term",
}  # fmt: skip


def iso(moment: str) -> str:
    """A row's time as the API shows it."""
    head, _, fraction = moment.removesuffix("+00:00").partition(".")
    return f"{head}.{fraction.ljust(3, '0')}Z"


def stamp(moment: str) -> float:
    """A row's time as milliseconds; infinite for years that no datetime can hold."""
    try:
        return datetime.fromisoformat(iso(moment).replace("Z", "+00:00")).timestamp() * 1000
    except ValueError:
        return math.inf


@dataclass(frozen=True)
class View:
    """The rows of one website, within a period, and what was asked about them."""

    tables: Tables
    website: str
    params: Mapping[str, str]
    start: float = -math.inf
    end: float = math.inf

    def within(self, start: float, end: float) -> View:
        """The same, for a period in milliseconds."""
        return replace(self, start=start, end=end)

    def between(self, start: str, end: str) -> View:
        """The same, for a period in ISO texts."""
        return self.within(stamp(start.replace("Z", "+00:00")), stamp(end.replace("Z", "+00:00")))

    def rows(self, table: str) -> list[Row]:
        """The rows of a table, in the order they came."""
        return [
            row
            for row in self.tables.rows[table]
            if row["website_id"] == self.website and self.start <= stamp(row["created_at"]) <= self.end
        ]

    def events(self, event_type: int | None = None) -> list[Row]:
        """Rows of events, newest first, filtered as asked."""
        rows = [row for row in self.rows("website_event") if event_type in (None, row["event_type"])]
        wanted = {"event": "event_name", "eventType": "event_type", **EVENT_COLUMNS}
        for name, column in wanted.items():
            if name in self.params:
                rows = [row for row in rows if str(row.get(column)) == self.params[name]]
        rows.reverse()  # of the same moment, the later one comes first
        return sorted(rows, key=lambda row: stamp(row["created_at"]), reverse=True)

    def sessions(self) -> dict[str, Row]:
        """Every session of the website by its id, whatever the period."""
        return {row["session_id"]: row for row in self.tables.rows["session"] if row["website_id"] == self.website}

    def page(self, found: list[Any]) -> dict[str, Any]:
        """One page of a list."""
        size, number = int(self.params.get("pageSize", 20)), int(self.params.get("page", 1))
        return {
            "data": found[size * (number - 1) : size * number],
            "count": len(found),
            "page": number,
            "pageSize": size,
        }

    def slot(self, moment: str) -> str:
        """The start of the asked unit that a row's time lies in."""
        keep = {"minute": 16, "hour": 13, "day": 10, "month": 7, "year": 4}[self.params.get("unit", "day")]
        return (moment[:keep] + "0000-01-01T00:00:00"[keep:]).replace("T", " ")


def count(values: Iterable[Any]) -> int:
    """How many different values there are."""
    return len(set(values))


def decimal(value: float | None) -> str | None:
    """A number as the API shows a numeric column."""
    return None if value is None else js.number_text(value)


def ranked(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Names and counts, the most frequent first."""
    return [{"x": x, "y": y} for x, y in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
