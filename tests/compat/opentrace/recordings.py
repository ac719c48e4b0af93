"""Recordings of the published OpenTrace client, and a server that answers as the recorded one did.

A recording has what the client's own code sent for a call, byte for byte, since its bodies hold nothing volatile.
"""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from servers.http import Answer, RecordedRequest, StandIn, json_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

GOLDEN: Final = Path(__file__).parents[2] / "golden" / "opentrace"
NAMES: Final = sorted(path.stem for path in GOLDEN.glob("*.json"))
RESOLVE: Final = "/api/campaigns/resolve/"


@functools.cache
def recording(name: str) -> dict[str, Any]:
    """A recorded case."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def recorded_requests(name: str) -> list[dict[str, Any]]:
    """What the client sent, in its order."""
    case = recording(name)
    return [*(case.get("preceding_requests") or ()), *([case["request"]] if case.get("request") else ())]


class Recorder(StandIn):
    """Answers as a recording says, and 200 to everything it does not speak of.

    Args:
        answers: A recording's ``server_answers``.
    """

    def __init__(self, answers: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__()
        self.answers = list(answers)

    def handle(self, request: RecordedRequest) -> Answer:
        """The first answer that fits the request."""
        for answer in self.answers:
            if answer.get("method", request.method) == request.method and request.path.startswith(
                answer.get("path_prefix", "/")
            ):
                status, body = int(answer.get("status") or answer["default"]), answer.get("body", "")
                if isinstance(body, str):
                    return Answer(status, body.encode(), answer.get("headers", {}))
                return json_answer(body, status, answer.get("headers"))
        if request.path.startswith(RESOLVE):
            return json_answer({"detail": "Campaign not found"}, 404)
        return json_answer({"status": "success"})

    def snapshot(self) -> object:
        """Nothing is stored."""
        return []

    def _forget(self) -> None:
        """Nothing is stored."""

    @property
    def bodies(self) -> list[str]:
        """The bodies of the posted requests, as text."""
        return [request.body.decode() for request in self.requests if request.method == "POST"]

    @property
    def posted(self) -> list[tuple[str, str]]:
        """Path and body of the posted requests."""
        return [(request.path, request.body.decode()) for request in self.requests if request.method == "POST"]

    @property
    def looked_up(self) -> list[str]:
        """The paths of the other requests."""
        return [request.path for request in self.requests if request.method == "GET"]


def run(name: str, server: Recorder, client: type[Any]) -> tuple[Any, Any]:
    """Run a recording's call against a server; what it returned, and the client."""
    case = recording(name)
    names = {
        "OpenTrace": client,
        "HOST": server.url,
        "datetime": dt,
        "decimal": decimal,
        "uuid": uuid,
    }
    names["ot"] = eval(case["init"], names)
    return eval(case["call"], names), names["ot"]
