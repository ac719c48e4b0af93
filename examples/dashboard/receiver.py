"""A collecting server small enough to read: events in memory, and the seven queries over them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from flask import Flask, request

EVENTS: list[dict[str, Any]] = []


def make_receiver() -> Flask:
    """The server: events at ``/track``, queries under it."""
    server = Flask("receiver")

    @server.post("/track")
    def take() -> tuple[str, int]:
        EVENTS.append(request.get_json())
        return "", 201

    @server.get("/track/page-views")
    def views() -> Any:
        found = _views()
        return _counted(found[-request.args.get("limit", len(found), int) :])

    @server.get("/track/page-views/user/<path:user>")
    def by_user(user: str) -> Any:
        return _counted([view for view in _views() if str(view["user_id"]) == user])

    @server.get("/track/page-views/path")
    def by_path() -> Any:
        return _counted([view for view in _views() if view["path"] == request.args["path"]])

    @server.get("/track/page-views/user-count")
    def users() -> Any:
        path = request.args.get("path")
        return str(len({str(view["user_id"]) for view in _views() if path in {None, view["path"]}}))

    @server.get("/track/page-views/page-count")
    def pages() -> Any:
        user = request.args.get("user_id")
        return str(len({view["path"] for view in _views() if user in {None, str(view["user_id"])}}))

    return server


def _views() -> list[dict[str, Any]]:
    """The page views in the span of time that a query names, the oldest first."""
    start, end = (_moment(request.args.get(name)) for name in ("start", "end"))
    found = [{**event["data"], "timestamp": event["timestamp"]} for event in EVENTS if event["event"] == "page_view"]
    found.sort(key=lambda view: str(view["timestamp"]))
    return [
        view
        for view in found
        if (start is None or start <= datetime.fromisoformat(view["timestamp"]))
        and (end is None or datetime.fromisoformat(view["timestamp"]) <= end)
    ]


def _moment(text: str | None) -> datetime | None:
    moment = datetime.fromisoformat(text) if text else None
    return moment.replace(tzinfo=timezone.utc) if moment and moment.tzinfo is None else moment


def _counted(views: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(views), "data": views}
