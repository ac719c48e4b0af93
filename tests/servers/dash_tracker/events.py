"""The documented event, as strictly as the document and the recordings say what it is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final

FIELDS: Final = (
    "app_name",
    "ip",
    "user_agent",
    "base_url",
    "url",
    "url_root",
    "referrer",
    "path",
    "full_path",
    "endpoint",
    "method",
)
"""What ``data`` begins with, in this order; the user's fields and, of an interaction, ``interaction`` follow."""


def problem(body: bytes) -> str:
    """What is wrong with the body of a request; empty for nothing."""
    try:
        event = json.loads(body.decode("ascii"), parse_constant=_no_constant)
    except ValueError as error:
        return f"no JSON in ASCII: {error}"
    if not isinstance(event, dict) or list(event) != ["event", "data", "timestamp"]:
        return "not event, data, timestamp"
    if json.dumps(event).encode() != body:
        return "another spelling"
    if not isinstance(event["event"], str) or not event["event"]:
        return "an event without a name"
    return _of_data(event["data"]) or _of_time(event["timestamp"])


def _of_data(data: Any) -> str:
    if not isinstance(data, dict) or tuple(data)[: len(FIELDS)] != FIELDS:
        return "data with other fields"
    wrong = [name for name in FIELDS if not isinstance(data[name], str) and not (name == "referrer" and not data[name])]
    return f"{wrong[0]} is no text" if wrong else ""


def _of_time(text: Any) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return "a time that is none"
    written = moment.utcoffset() == timedelta(0) and text.endswith("+00:00") and moment.isoformat() == text
    return "" if written else "a time in another form"


def _no_constant(name: str) -> None:
    raise ValueError(name)
