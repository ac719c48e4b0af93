"""Umami before 2.17, as far as the contract tells how it differs: what it wants, does not know, answers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, Literal

from servers.http import Answer, RecordedRequest, json_answer
from servers.umami.server import UmamiServer

if TYPE_CHECKING:
    from collections.abc import Mapping

Version = Literal["2.10", "2.16"]

_UNKNOWN: Final[Mapping[Version, frozenset[str]]] = {
    "2.10": frozenset({"ip", "tag", "userAgent", "timestamp", "id"}),
    "2.16": frozenset({"timestamp", "id"}),
}
_DOMAIN: Final = re.compile(r"localhost|(?:[a-z0-9-_]{1,63}\.)+[a-z0-9-_]{2,63}", re.ASCII | re.IGNORECASE)
_MAX_ADDRESS: Final = 500
_BAD: Final = {"error": {"message": "Bad request", "code": "bad-request", "status": 400}}


class OldUmamiServer(UmamiServer):
    """A server of one of the versions before batches.

    Args:
        version: ``2.10`` or ``2.16``.
    """

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.version = version

    def handle(self, request: RecordedRequest) -> Answer:
        """The answer of that version."""
        if request.path == "/api/batch":
            return Answer(404, b"<!DOCTYPE html><html><body>404</body></html>", {"Content-Type": "text/html"})
        if request.path != "/api/send" or request.method != "POST":
            return super().handle(request)
        body = json.loads(request.body)
        payload = body["payload"]
        if self.version == "2.10" and body["type"] == "identify":
            return Answer(500, b"Internal Server Error", {"Content-Type": "text/plain"})
        if self._is_bad(payload):
            return json_answer(_BAD, 400)
        body["payload"] = {key: value for key, value in payload.items() if key not in _UNKNOWN[self.version]}
        known = RecordedRequest(request.method, request.path, request.headers, json.dumps(body).encode())
        return self._as_then(super().handle(known))

    def _is_bad(self, payload: Mapping[str, Any]) -> bool:
        host = payload.get("hostname", "")
        if self.version == "2.16":
            return "url" not in payload or (bool(host) and not _DOMAIN.fullmatch(host))
        return not host or any(len(payload.get(name, "")) > _MAX_ADDRESS for name in ("url", "referrer", "title"))

    def _as_then(self, answer: Answer) -> Answer:
        if self.version == "2.16":
            return answer
        if b"Website not found" in answer.body:
            return Answer(403, b"Website not found: some id.", {"Content-Type": "text/plain"})
        body = json.loads(answer.body)
        if "beep" in body:
            return json_answer({})
        return json_answer(body["cache"]) if "cache" in body else answer
