"""Recordings of Dash-Tracker's own client, and what ours does for the same calls and requests, made comparable.

A recording has what the app was asked, by an HTTP client or by a browser, and what the client sent then. Taken out
before the two are compared is the time, and the port of the app, which is always the same one here.
"""

from __future__ import annotations

import functools
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from compat.dash.apps import app_for, untrack
from footspan.compat import dash_user_tracker as ours
from servers.dash_tracker import DashTrackerServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GOLDEN: Final = Path(__file__).parents[2] / "golden" / "dash"
NAMES: Final = sorted(path.stem for path in GOLDEN.glob("*.json"))
PORT: Final = "8050"
BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"
PATIENCE: Final = 20.0


@functools.cache
def recording(name: str) -> dict[str, Any]:
    """A recorded case."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8").replace("{APP}", PORT))
    return found


def sent(name: str) -> list[dict[str, Any]]:
    """The requests with which the client told of events."""
    case = recording(name)
    every = [*(case.get("preceding_requests") or ()), *([case["request"]] if case.get("request") else ())]
    return [each for each in every if each["method"] == "POST"]


def asked(name: str) -> list[dict[str, Any]]:
    """What the app was asked, in order."""
    case = recording(name)
    triggers = [*(case.get("preceding_triggers") or ()), *([case["trigger"]] if case.get("trigger") else ())]
    return triggers or [{**each, "path": _path(each["url"])} for each in case.get("browser_requests") or ()]


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


class Ours:
    """Our tracker in the recorded place.

    Attributes:
        app: The app.
        tracker: Ours, made by the recorded call.
        server: What collects.
        answers: What the app answered.
    """

    def __init__(self, name: str, server: DashTrackerServer, changes: Mapping[str, Any], app: Any = None) -> None:
        self.name = name
        self.server = server
        self.app = app_for(name) if app is None else app
        names = {
            "app": self.app,
            "REC": server.url,
            "HttpTrackerRepository": ours.HttpTrackerRepository,
            "Tracker": functools.partial(ours.Tracker, **changes),
        }
        self.tracker: ours.Tracker = eval(recording(name)["call"], names)
        self.answers: list[Any] = []

    def ask(self, requests: list[dict[str, Any]] | None = None) -> None:
        """Have the app asked what was recorded, or something else."""
        client = self.app.server.test_client()
        for each in asked(self.name) if requests is None else requests:
            headers = {"user-agent": BROWSER, **{key.lower(): value for key, value in each["headers"].items()}}
            body = each.get("body")
            self.answers.append(
                client.open(
                    each["path"],
                    method=each["method"],
                    headers=headers,
                    data=None if body is None else body.encode(),
                    base_url=f"http://127.0.0.1:{PORT}",
                )
            )

    def sent(self) -> list[str]:
        """The bodies that arrived, with the time taken out."""
        assert self.tracker.flush(PATIENCE) == 0
        return [_timeless(request.body.decode()) for request in self.server.requests]

    def paths(self) -> list[str]:
        """The paths of the page views that arrived."""
        assert self.tracker.flush(PATIENCE) == 0
        return [row["path"] for row in self.server.page_views()]


def _timeless(body: str) -> str:
    moment = json.loads(body)["timestamp"]
    return body.replace(f'"timestamp": "{moment}"', '"timestamp": "{TIMESTAMP}"')


@contextmanager
def running(name: str, app: Any = None, **changes: Any) -> Iterator[Ours]:
    """Our tracker for a recorded case, and a server that collects.

    Args:
        name: The case.
        app: The app, when not the case's.
        **changes: Keywords of the tracker besides those of the recorded call.
    """
    path = "/ingest" if name.startswith("browser_") else "/track"
    with DashTrackerServer(path=path) as server:
        found = Ours(name, server, changes, app)
        yield found
    untrack(found.app)
