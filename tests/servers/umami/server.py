"""Umami as a server: paths, methods, what tests may look at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from servers.faults import Faults
from servers.http import Answer, RecordedRequest, StandIn, json_answer
from servers.umami import flatten, js
from servers.umami.ingest import CUSTOM_EVENT, PAGE_VIEW, Ingest
from servers.umami.reading import Reader
from servers.umami.tables import Tables

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping

    from servers.umami.tables import Row

WEBSITE_ID: Final = "7c3f9f2e-5a1b-4c8d-9e0f-1a2b3c4d5e6f"
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET, DELETE, POST, PUT",
    "Access-Control-Max-Age": "86400",
}
_PAGE_NOT_FOUND: Final = Answer(
    404, b"<!DOCTYPE html><html><body>404</body></html>", {"Content-Type": "text/html; charset=utf-8"}
)


class UmamiFaults(Faults):
    """The common faults, and a server too old (or too much of a cloud) for batches."""

    batch_status: int | None = None

    def no_batch(self, status: int = 404) -> None:
        """Answer ``/api/batch`` with 404 or 405 until ``clear()``."""
        if status not in {404, 405}:
            raise ValueError(f"status must be 404 or 405, found {status}")
        self.batch_status = status

    def clear(self) -> None:
        """End every fault."""
        self.batch_status = None
        super().clear()

    def apply(self, command: Mapping[str, Any]) -> None:
        """Do what a ``POST /_test/faults`` body says."""
        if command.get("fault") == "no_batch":
            self.no_batch(int(command.get("status", 404)))
        else:
            super().apply(command)


class UmamiServer(StandIn):
    """Umami 3.1.0 on loopback, as far as the recordings and the contract go.

    Args:
        websites: Ids of the websites it knows.
        env: Its environment; ``APP_SECRET`` makes ids reproducible.
        now: Unix seconds.
        port: The port; 0 picks a free one.
        tls: Makes it speak TLS.
    """

    faults: UmamiFaults

    def __init__(
        self,
        *,
        websites: Iterable[str] = (WEBSITE_ID,),
        env: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.time,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(port=port, tls=tls)
        env = dict(env or {})
        self.website, *_ = known = [website.lower() for website in websites]
        self._tables = Tables()
        self._reader = Reader(self._tables, known, now)
        self._ingest = Ingest(env, self._tables, self._reader.websites, now, self._lock)
        self._base = env.get("BASE_PATH", "").rstrip("/")
        self._send_paths = {"/api/send", env.get("COLLECT_API_ENDPOINT", "/api/send")}

    # -- what tests read -----------------------------------------------------------------------------------------------

    @property
    def rows(self) -> dict[str, list[Row]]:
        """Copies of the stored rows by table; null columns are left out."""
        with self._lock:
            return self._tables.copy()

    @property
    def bots(self) -> int:
        """How many items the bot check dropped."""
        return self._ingest.bots

    def events(self, name: str | None = None) -> list[Row]:
        """Rows of custom events in the order they came, of one name if given."""
        return [r for r in self._of_type(CUSTOM_EVENT) if name is None or r["event_name"] == name]

    def page_views(self) -> list[Row]:
        """Rows of page views in the order they came."""
        return self._of_type(PAGE_VIEW)

    def data_of(self, event_id: str) -> dict[str, Any]:
        """An event's data: numbers as float, booleans as bool, everything else as text."""
        rows = self.rows["event_data"]
        return {row["data_key"]: _value(row) for row in rows if row["website_event_id"] == event_id}

    def session_of(self, event: Row) -> Row | None:
        """The session row of an event row; None when the session was never created."""
        return next((row for row in self.rows["session"] if row["session_id"] == event["session_id"]), None)

    def snapshot(self) -> dict[str, Any]:
        """Rows, and how many bots were dropped, for ``GET /_test/rows``."""
        return {**self._tables.copy(), "bots": self.bots}

    # -- serving -------------------------------------------------------------------------------------------------------

    def handle(self, request: RecordedRequest) -> Answer:
        """The answer of Umami to a request."""
        path, mark, query = request.path.partition("?")
        if not path.startswith(f"{self._base}/"):
            return _PAGE_NOT_FOUND
        if path != "/" and path.endswith("/"):
            target = path.rstrip("/") + mark + query
            return Answer(308, target.encode(), {"Location": target, "Refresh": f"0;url={target}"})
        path = path.removeprefix(self._base)
        if path in self._send_paths or path == "/api/batch":
            return self._collect(request, batch=path == "/api/batch")
        if path == "/api/heartbeat" and request.method == "GET":
            return json_answer({"ok": True}, headers=_CORS)
        with self._lock:
            found = self._reader.answer(request, path, query)
        return _PAGE_NOT_FOUND if found is None else json_answer(found[1], found[0], _CORS)

    def _collect(self, request: RecordedRequest, *, batch: bool) -> Answer:
        if batch and self.faults.batch_status:
            return _PAGE_NOT_FOUND if self.faults.batch_status == 404 else Answer(405, headers=_CORS)
        if request.method == "OPTIONS":
            return Answer(204, headers={**_CORS, "Allow": "OPTIONS, POST"})
        if request.method != "POST":
            return Answer(405, headers=_CORS)
        body = js.parse_json(request.body)
        if batch:
            status, answer = self._ingest.batch(body, request.headers, self._pause)
        else:
            self._pause()
            status, answer = self._ingest.send(body, request.headers)
        return json_answer(answer, status, _CORS)

    def _pause(self) -> None:
        self.pause(self.faults.latency)

    def _of_type(self, event_type: int) -> list[Row]:
        return [row for row in self.rows["website_event"] if row["event_type"] == event_type]

    def _make_faults(self) -> UmamiFaults:
        return UmamiFaults(self._listener)

    def _forget(self) -> None:
        self._tables.clear()
        self._ingest.bots = 0


def _value(row: Row) -> Any:
    if row["data_type"] == flatten.NUMBER:
        return row["number_value"]
    return row["string_value"] == "true" if row["data_type"] == flatten.BOOLEAN else row["string_value"]
