"""The database: five tables with the columns' limits. Statements are single, there is no transaction over several."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from servers.umami import js
from servers.umami.errors import ColumnError

Row = dict[str, Any]

NAMES: Final = ("session", "website_event", "event_data", "session_data", "revenue")
_CLICK_IDS: Final = ("fbclid", "gclid", "li_fat_id", "msclkid", "ttclid", "twclid")
_UTM: Final = ("utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term")
_VITALS: Final = ("lcp", "inp", "cls", "fcp", "ttfb")

LIMITS: Final[dict[str, dict[str, int]]] = {
    "session": {
        "browser": 20, "os": 20, "device": 20, "screen": 11, "language": 35, "country": 2, "region": 20, "city": 50,
        "distinct_id": 50,
    },
    "website_event": {
        "url_path": 500, "url_query": 500, "referrer_path": 500, "referrer_query": 500, "referrer_domain": 500,
        "page_title": 500, "event_name": 50, "tag": 50, "hostname": 100, **dict.fromkeys(_CLICK_IDS + _UTM, 255),
    },
    "event_data": {"data_key": 500, "string_value": 500},
    "session_data": {"data_key": 500, "string_value": 500, "distinct_id": 50},
    "revenue": {"event_name": 50, "currency": 10},
}  # fmt: skip
_NUMBERS: Final = frozenset(("number_value", "revenue", *_VITALS))
_TIMES: Final = frozenset(("created_at", "date_value"))


def numeric(value: float | str) -> float:
    """What a column of 19 digits, four of them after the point, keeps of a number.

    Raises:
        ColumnError: It has more than fifteen digits before the point.
    """
    exact = Decimal(str(value))
    if not exact.is_finite() or abs(exact) >= 10**15:
        raise ColumnError.out_of_range()
    rounded = exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    if abs(rounded) >= 10**15:
        raise ColumnError.out_of_range()
    return float(rounded) + 0.0


def moment(at_ms: int | None) -> str:
    """A moment as a row shows it.

    Raises:
        ColumnError: The moment is no date, or lies before the year 1.
    """
    if at_ms is None:
        raise ColumnError.bad_time("0NaN-NaN-NaN NaN:NaN:NaN")
    year, month, day, hour, minute, second, _, _ = js.civil(at_ms)
    if year < 1:
        raise ColumnError.bad_time(
            f"{str(year).rjust(4, '0')}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}"
        )
    return js.row_time(at_ms)


class Tables:
    """The stored rows. Values of rows are as a JSON dump of the row shows them; null columns are left out."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {name: [] for name in NAMES}
        self._sessions: set[str] = set()

    def insert_session(self, row: Row) -> None:
        """Insert a session unless its id exists; the first one wins.

        Raises:
            ColumnError: A value does not fit, looked at even if the session exists.
        """
        checked = _checked("session", row)
        if checked["session_id"] not in self._sessions:
            self._sessions.add(checked["session_id"])
            self.rows["session"].append(checked)

    def insert(self, table: str, rows: list[Row]) -> None:
        """Insert rows by one statement: all or none.

        Raises:
            ColumnError: A value does not fit.
        """
        self.rows[table].extend([_checked(table, row) for row in rows])

    def update_session_data(self, row: Row) -> bool:
        """Overwrite the row of the same session and key; False when there is none.

        Raises:
            ColumnError: A value does not fit. A key too long is no error here, only when it is inserted.
        """
        checked = _checked("session_data", row, but="data_key")
        for index, old in enumerate(self.rows["session_data"]):
            if old["session_id"] == row["session_id"] and old["data_key"] == checked["data_key"]:
                self.rows["session_data"][index] = checked
                return True
        return False

    def delete_website(self, website: str) -> None:
        """Delete every row of a website."""
        for name, rows in self.rows.items():
            self.rows[name] = [row for row in rows if row["website_id"] != website]
        self._sessions = {row["session_id"] for row in self.rows["session"]}

    def clear(self) -> None:
        """Delete everything."""
        for rows in self.rows.values():
            rows.clear()
        self._sessions.clear()

    def copy(self) -> dict[str, list[Row]]:
        """The rows, safe to keep."""
        return {name: [dict(row) for row in rows] for name, rows in self.rows.items()}


def _checked(table: str, row: Row, but: str = "") -> Row:
    """The row as stored. What the connection refuses (times, NUL) comes before what the columns refuse."""
    present = {key: value for key, value in row.items() if value is not None or key in _TIMES}
    stored: Row = {}
    for key, value in present.items():
        if key == "date_value" and value is None:
            continue
        if key in _TIMES:
            stored[key] = moment(value)
        elif isinstance(value, str):
            if "\0" in value:
                raise ColumnError.nul()
            stored[key] = js.well_formed(value)
        else:
            stored[key] = value
    limits = LIMITS[table]
    for key, value in stored.items():
        if key in _NUMBERS:
            stored[key] = numeric(value)
        elif key in limits and key != but and len(value) > limits[key]:
            raise ColumnError.too_long(limits[key])
    return stored
