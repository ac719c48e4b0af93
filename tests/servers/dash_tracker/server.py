"""A collecting server: events at its address, and the seven queries under it.

No such server is public. What it takes is the documented event; what it answers is what the client's analytics read.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote

from servers.dash_tracker.events import problem
from servers.http import Answer, StandIn, json_answer

if TYPE_CHECKING:
    import ssl

    from servers.http import RecordedRequest

KEY: Final = "dash-key"
PATH: Final = "/track"
_VIEWS: Final = "/page-views"


class DashTrackerServer(StandIn):
    """A collecting server on loopback.

    Args:
        key: The key it asks for; ``None``: none.
        path: Where it is on its host.
        port: The port; 0 picks a free one.
        tls: Makes it speak TLS.

    Attributes:
        problems: What was wrong with the events that were refused.
    """

    def __init__(
        self, *, key: str | None = None, path: str = PATH, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(port=port, tls=tls)
        self.key = key
        self.path = path
        self.problems: list[str] = []
        self._events: list[dict[str, Any]] = []

    # -- what tests read -----------------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Where events go, and under which the queries are."""
        return self.url + self.path

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that were taken, oldest first by arrival."""
        with self._lock:
            return list(self._events)

    def page_views(self) -> list[dict[str, Any]]:
        """The data of page views, each with its ``timestamp``, by time."""
        rows = [
            {**each["data"], "timestamp": each["timestamp"]} for each in self.events if each["event"] == "page_view"
        ]
        return sorted(rows, key=lambda row: str(row["timestamp"]))

    def snapshot(self) -> dict[str, Any]:
        """Events and problems, for ``GET /_test/rows``."""
        return {"events": self.events, "problems": self.problems}

    def _forget(self) -> None:
        self._events.clear()
        self.problems.clear()

    # -- serving -------------------------------------------------------------------------------------------------------

    def handle(self, request: RecordedRequest) -> Answer:
        """The answer to a request."""
        path, _, query = request.path.partition("?")
        if path != self.path and not path.startswith(f"{self.path}/"):
            return json_answer({"detail": "no such path"}, 404)
        if self.key is not None and request.headers.get("x-api-key") != self.key:
            return json_answer({"detail": "wrong key"}, 401)
        if path == self.path:
            return self._take(request)
        if request.method != "GET":
            return json_answer({"detail": "GET only"}, 405)
        found = self._ask(path, {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()})
        return json_answer({"detail": "no such query"}, 404) if found is None else json_answer(found)

    def _take(self, request: RecordedRequest) -> Answer:
        if request.method != "POST":
            return json_answer({"detail": "POST only"}, 405)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return json_answer({"detail": "JSON only"}, 415)
        wrong = problem(request.body)
        if wrong:
            with self._lock:
                self.problems.append(wrong)
            return json_answer({"detail": wrong}, 422)
        self.pause(self.faults.latency)
        with self._lock:
            self._events.append(request.json())
        return json_answer({})

    def _ask(self, path: str, query: dict[str, str]) -> Any:
        """What a query is answered; ``None`` for none of the seven."""
        rows = [row for row in self.page_views() if _between(row, query.get("start"), query.get("end"))]
        path = path.removeprefix(self.path)
        if path == _VIEWS:
            rows = rows[-int(query["limit"]) :] if "limit" in query else rows
            return {"count": len(rows), "data": rows}
        if path == f"{_VIEWS}/path":
            return _counted(row for row in rows if row["path"] == query.get("path"))
        if path == f"{_VIEWS}/user-count":
            return len({str(row["user_id"]) for row in rows if query.get("path") in {None, row["path"]}})
        if path == f"{_VIEWS}/page-count":
            return len({row["path"] for row in rows if query.get("user_id") in {None, str(row["user_id"])}})
        user = path.removeprefix(f"{_VIEWS}/user/")
        if user != path and user and "/" not in user:
            return _counted(row for row in rows if str(row["user_id"]) == unquote(user))
        return None


def _counted(rows: Any) -> dict[str, Any]:
    data = list(rows)
    return {"count": len(data), "data": data}


def _between(row: dict[str, Any], start: str | None, end: str | None) -> bool:
    moment = datetime.fromisoformat(row["timestamp"])
    return (start is None or _moment(start) <= moment) and (end is None or moment <= _moment(end))


def _moment(text: str) -> datetime:
    """A moment of a query; one without an offset is UTC, as the events are."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
