"""Sending items to the stand-in the way an exporter does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from servers.umami import WEBSITE_ID
from test_servers.replay import Reply, call

if TYPE_CHECKING:
    from servers.umami import UmamiServer

AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) footspan/1.0"
HALF_PAST: Final = 1_795_303_800.0
"""A moment in the middle of an hour, Unix seconds."""
UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
"""An id of no website."""


def post(server: UmamiServer, path: str, body: object, **headers: str) -> Reply:
    """A request with a JSON body; header names with underscores."""
    given = {name.replace("_", "-"): value for name, value in {"user_agent": AGENT, **headers}.items()}
    return call(server, "POST", path, json.dumps(body).encode(), given)


def item(kind: str = "event", **payload: object) -> dict[str, Any]:
    """One item for the known website."""
    return {"type": kind, "payload": {"website": WEBSITE_ID, "url": "/", **payload}}


def send(server: UmamiServer, kind: str = "event", **payload: object) -> Reply:
    """One item, sent alone."""
    return post(server, "/api/send", item(kind, **payload))
