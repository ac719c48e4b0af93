"""Recorded cases of the real Umami: finding them, sending them again, and making both sides comparable."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from servers.umami import UmamiServer

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "umami"

_BEFORE: Final = {
    # Cases recorded on top of others: those are sent first.
    ("send_ok", "identify_id_update"): ["identify_id"],
    ("send_cache", "same_id_with_token"): ["first"],
    ("send_cache", "other_id_with_token"): ["first", "same_id_with_token"],
    ("send_cache", "other_website_with_token"): ["first"],
    ("api_auth", "website_reset"): ["website_create"],
    ("api_auth", "website_delete"): ["website_create"],
}
_RANDOM: Final = {"event_id", "event_data_id", "session_data_id", "revenue_id", "website_event_id"}


@dataclass(frozen=True)
class Case:
    """One recorded exchange."""

    group: str
    index: int
    file: dict[str, Any]

    @property
    def recorded(self) -> dict[str, Any]:
        """The case as it stands in the file."""
        found: dict[str, Any] = self.file["cases"][self.index]
        return found

    @property
    def name(self) -> str:
        """The name, unique only together with the index."""
        return str(self.recorded["name"])

    @property
    def moment(self) -> float:
        """When it was recorded, Unix seconds: from the token it got, else from the file's first one."""
        at = [_issued(case) for case in (self.recorded, *self.file["cases"])]
        return next((float(found) for found in at if found), 1_795_303_000.0)

    @property
    def before(self) -> list[Case]:
        """The cases to be sent first."""
        names = {case["name"]: index for index, case in enumerate(self.file["cases"])}
        return [Case(self.group, names[name], self.file) for name in _BEFORE.get((self.group, self.name), [])]

    def server(self) -> UmamiServer:
        """A server as it was when this was recorded."""
        env = self.file["server"]["env"]
        return UmamiServer(websites=[self.file["website_id"]], env=env, now=lambda: self.moment)


def _issued(case: dict[str, Any]) -> int | None:
    body = case["response"]["body"]
    claims = body.get("__cache_claims__", {}) if isinstance(body, dict) else {}
    issued: int | None = claims.get("iat")
    return issued


def cases(*groups: str) -> list[Case]:
    """Every case of the given files."""
    files = {group: json.loads((GOLDEN / f"{group}.json").read_text("utf-8")) for group in groups}
    return [Case(group, index, file) for group, file in files.items() for index in range(len(file["cases"]))]


def case_id(case: Case) -> str:
    """A readable test id."""
    same = [entry for entry in case.file["cases"] if entry["name"] == case.name]
    return f"{case.group}-{case.name}" + (f"-{case.index}" if len(same) > 1 else "")


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def call(
    server: UmamiServer, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Reply:
    """One request with exactly these headers (no user agent unless given)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def login(server: UmamiServer) -> str:
    """A token for the reading API."""
    body = json.dumps({"username": "admin", "password": "umami"}).encode()
    return str(call(server, "POST", "/api/auth/login", body).json()["token"])


def send(server: UmamiServer, case: Case, replacements: dict[str, str] | None = None) -> Reply:
    """Send a recorded request again, placeholders and ``replacements`` filled in."""
    request = case.recorded["request"]
    path, headers = request["path"], dict(request["headers"])
    for old, new in (replacements or {}).items():
        path = path.replace(old, new)
        headers = {name: value.replace(old, new) for name, value in headers.items()}
    raw = request.get("raw_body")
    if raw == "<gzip of a valid event>":
        event = {"type": "event", "payload": {"website": case.file["website_id"], "url": "/", "name": "e"}}
        body: bytes | None = gzip.compress(json.dumps(event).encode())
    elif raw is not None:
        body = raw.encode()
    else:
        body = json.dumps(request["body"]).encode() if "body" in request else None
    return call(server, request["method"], path, body, headers)


def replay(server: UmamiServer, case: Case) -> Reply:
    """Send what a case stands on, then the case itself."""
    replacements = {"<token>": login(server)} if case.group.startswith("api") else {}
    for earlier in case.before:
        reply = send(server, earlier, replacements)
        if earlier.name == "first":
            replacements["<jwt from case first>"] = reply.json()["cache"]
    return send(server, case, replacements)


def claims(token: str) -> dict[str, Any]:
    """What a token says, without its time."""
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {key: value for key, value in found.items() if key != "iat"}


def plain_body(body: Any) -> Any:
    """A recorded or received body without what changes from run to run; the token becomes its claims."""
    if not isinstance(body, dict) or not isinstance(body.get("cache"), str):
        return body
    known = body.get("__cache_claims__")
    found = claims(body["cache"]) if known is None else {k: v for k, v in known.items() if k != "iat"}
    return {key: value for key, value in body.items() if key not in {"cache", "__cache_claims__"}} | {"cache": found}


def plain_rows(stored: dict[str, Any], recorded_at: float) -> dict[str, list[str]]:
    """Rows without random ids and without times that were the clock's; links lead to the event's content."""
    events = {row["event_id"]: _plain(row, recorded_at) for row in stored.get("website_event", [])}

    def content(row: dict[str, Any]) -> str:
        link = row.get("website_event_id") or row.get("event_id")
        return _plain(row, recorded_at) + (events.get(link, "") if link else "")

    tables = {name: rows for name, rows in stored.items() if isinstance(rows, list) and rows}
    return {name: sorted(map(content, rows)) for name, rows in tables.items()}


def _plain(row: dict[str, Any], recorded_at: float) -> str:
    kept = {key: value for key, value in row.items() if key not in _RANDOM}
    if abs(_seconds(kept["created_at"]) - recorded_at) < 3600:
        kept["created_at"] = "<now>"
    return json.dumps(kept, sort_keys=True)


def _seconds(moment: str) -> float:
    head, _, fraction = moment.removesuffix("+00:00").partition(".")
    try:
        return datetime.fromisoformat(f"{head}.{fraction.ljust(3, '0')}+00:00").timestamp()
    except ValueError:  # a year that no datetime holds
        return float("inf")
