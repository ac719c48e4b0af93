"""OpenTrace as a server: paths, methods, campaigns, what tests may look at."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from servers.http import Answer, StandIn, json_answer
from servers.opentrace.intake import (
    SUCCESS,
    RefusedError,
    Reply,
    Row,
    check_row,
    collect_row,
    event_row,
    failure,
    read_event,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from servers.http import RecordedRequest

PROJECT: Final = "ot_web_test01"
CAMPAIGN: Final = {
    "utm_source": "telegram",
    "utm_medium": "bot",
    "utm_campaign": "spring",
    "utm_content": "banner",
    "utm_term": "vpn",
}
"""What a start code stands for, if nothing else is said."""

_EVENT, _COLLECT, _RESOLVE, _RULES = (
    "/api/v1/event",
    "/api/v1/collect",
    "/api/campaigns/resolve/",
    "/api/v1/rules/",
)
_METHODS: Final = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
_NOT_FOUND: Final = (404, {"detail": "Not Found"})
_WRONG_METHOD: Final = (405, {"detail": "Method Not Allowed"})


class OpenTraceServer(StandIn):
    """An OpenTrace server on loopback. It handles one request after the other, each in ``faults.latency`` seconds.

    Args:
        campaigns: Start codes and what they stand for.
        doubled: Start codes that two campaigns share, which it fails on.
        projects: The projects that exist; others are stored as well, but have no conversions.
        conversions: Names of events that are forwarded to advertisers.
        port: The port; 0 picks a free one.
        tls: Makes it speak TLS.

    Attributes:
        campaigns: The start codes; may be changed.
    """

    def __init__(
        self,
        *,
        campaigns: Mapping[str, Mapping[str, Any]] | None = None,
        doubled: Iterable[str] = (),
        projects: Iterable[str] = (PROJECT,),
        conversions: Iterable[str] = ("purchase",),
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(port=port, tls=tls)
        self.campaigns = {"a1B2c3": CAMPAIGN} if campaigns is None else dict(campaigns)
        self._doubled = set(doubled)
        self._projects = set(projects)
        self._conversions = set(conversions)
        self._turn = threading.Lock()
        self._rows: list[Row] = []
        self._log: list[Row] = []
        self._clicks: dict[tuple[str, str], dict[str, str]] = {}

    # -- what tests read -----------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[Row]:
        """What was stored, in that order; ``payload`` is JSON text, as it is there."""
        with self._lock:
            return [dict(row) for row in self._rows]

    @property
    def log(self) -> list[Row]:
        """What it said about conversions and failures."""
        with self._lock:
            return [dict(row) for row in self._log]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the events that came, parsed."""
        return [request.json() for request in self.requests if request.method == "POST"]

    @property
    def asked(self) -> list[str]:
        """The start codes that it was asked about, as they came in the path."""
        paths = [request.path for request in self.requests if request.method == "GET"]
        return [path.removeprefix(_RESOLVE) for path in paths if path.startswith(_RESOLVE)]

    def revenue(self, project: str = PROJECT) -> float:
        """What its revenue report adds up: numbers and numeric texts under ``amount``."""
        total = 0.0
        for row in self.rows:
            payload = json.loads(row["payload"])
            if row["resource_id"] == project and isinstance(payload, dict) and "amount" in payload:
                total += float(payload["amount"])
        return total

    def snapshot(self) -> dict[str, Any]:
        """Rows and log, for ``GET /_test/rows``."""
        return {"rows": self.rows, "log": self.log}

    # -- serving -------------------------------------------------------------------------------------------------------

    def handle(self, request: RecordedRequest) -> Answer:
        """The answer of OpenTrace to a request."""
        path = request.path.partition("?")[0]
        origin = request.headers.get("origin", "")
        if request.method == "OPTIONS" and origin and "access-control-request-method" in request.headers:
            return _preflight(origin, request.headers.get("access-control-request-headers", ""))
        if not origin:
            return self._route(request, path)
        answer = self._route(request, path)
        open_to_all = {"access-control-allow-origin": "*", "access-control-allow-credentials": "true"}
        return Answer(answer.status, answer.body, {**answer.headers, **open_to_all})

    def _route(self, request: RecordedRequest, path: str) -> Answer:
        posted = path in {_EVENT, _COLLECT}
        asked = path.startswith((_RESOLVE, _RULES))
        if not posted and not asked:
            return _json(_NOT_FOUND)
        if request.method != ("POST" if posted else "GET"):
            return _json(_WRONG_METHOD)
        with self._turn:  # its storage calls block everything else
            self.pause(self.faults.latency)
            if posted:
                return _json(self._event(request) if path == _EVENT else self._collect(request))
        return self._campaign(unquote(path.removeprefix(_RESOLVE))) if path.startswith(_RESOLVE) else _json((200, []))

    def _event(self, request: RecordedRequest) -> Reply:
        data, answer = read_event(request.headers, request.body)
        if data is None:
            return answer
        return self._store(event_row(data, _seen(request)))

    def _collect(self, request: RecordedRequest) -> Reply:
        try:
            row = collect_row(json.loads(request.body), _seen(request))
        except (ValueError, RefusedError) as error:
            return self._failed(error)
        answer = self._store(row)
        if answer is not SUCCESS:
            return self._failed(answer[1]["message"])
        self._convert(row)
        return answer

    def _failed(self, error: object) -> Reply:
        with self._lock:
            self._log.append({"level": "ERROR", "module": "Telemetry", "message": str(error), "details": ""})
        return failure(error)

    def _store(self, row: Row) -> Reply:
        try:
            check_row(row)
        except RefusedError as error:
            return failure(error)
        with self._lock:
            self._rows.append(row)
        return SUCCESS

    def _convert(self, row: Row) -> None:
        """Forward an event to advertisers, with the click ids that its session had before."""
        if row["resource_id"] not in self._projects:
            return
        with self._lock:
            clicks = self._clicks.setdefault((row["resource_id"], row["session_id"]), {})
            clicks.update({name: row[name] for name in ("fbclid", "ttclid") if row[name]})
            named = row["event_type"]
            message, details = f"No actions configured for: {named}", ""
            if named in self._conversions:
                sent = [{"type": each, "success": True} for each in ("facebook", "tiktok")]
                message = f"CAPI processed: {named}"
                details = f"FB:{clicks.get('fbclid', '')} TT:{clicks.get('ttclid', '')} Results: {sent}"
            self._log.append({"level": "INFO", "module": "CAPI", "message": message, "details": details})

    def _campaign(self, code: str) -> Answer:
        if "/" in code:
            return _json(_NOT_FOUND)
        code = code.removeprefix("utm_")
        if code in self._doubled:
            headers = {"Content-Type": "text/plain; charset=utf-8", "server": "uvicorn"}
            return Answer(500, b"Internal Server Error", headers)
        found = self.campaigns.get(code)
        return _json((404, {"detail": "Campaign not found"}) if found is None else (200, dict(found)))

    def _forget(self) -> None:
        self._rows.clear()
        self._log.clear()


def _json(reply: Reply | tuple[int, Any]) -> Answer:
    return json_answer(reply[1], reply[0], {"server": "uvicorn"})


def _seen(request: RecordedRequest) -> Row:
    """What it takes from the connection: behind a proxy on the same machine, what that says."""
    forwarded = request.headers.get("x-forwarded-for", "127.0.0.1").rpartition(",")[2].strip()
    return {"user_agent": request.headers.get("user-agent", ""), "ip": forwarded}


def _preflight(origin: str, wanted: str) -> Answer:
    headers = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": _METHODS,
        "access-control-max-age": "600",
        "access-control-allow-credentials": "true",
        "Content-Type": "text/plain; charset=utf-8",
    }
    return Answer(200, b"OK", {**headers, **({"access-control-allow-headers": wanted} if wanted else {})})
