"""Reads the events that a service's spool holds, by JSON alone: no code under test takes part."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Spooled:
    """One stored event, decoded."""

    name: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    record: dict[str, Any]

    @property
    def uid(self) -> str:
        """The event's id."""
        return str(self.attributes["log.record.uid"])


def spooled(root: Path | None = None) -> list[Spooled]:
    """Every whole event in the spool, oldest segment first.

    Args:
        root: The folder that holds the services' spools; the one the environment names when not given.
    """
    root = root or Path(os.environ["XDG_STATE_HOME"]) / "footspan"
    events: list[Spooled] = []
    for segment in sorted(root.glob("*/events/*.jsonl")):
        for line in segment.read_bytes().splitlines():
            events.extend(_events(json.loads(line)))
    return events


def _events(data: dict[str, Any]) -> list[Spooled]:
    return [
        Spooled(
            record.get("eventName", ""),
            _mapping(record.get("attributes", [])),
            _mapping(resource["resource"].get("attributes", [])),
            record,
        )
        for resource in data["resourceLogs"]
        for scope in resource["scopeLogs"]
        for record in scope["logRecords"]
    ]


def _mapping(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: value_of(pair["value"]) for pair in pairs}


def value_of(value: dict[str, Any]) -> Any:
    """An OTLP ``AnyValue`` as a Python value."""
    if "arrayValue" in value:
        return [value_of(item) for item in value["arrayValue"].get("values", [])]
    if "kvlistValue" in value:
        return _mapping(value["kvlistValue"].get("values", []))
    if "intValue" in value:
        return int(value["intValue"])
    return next(iter(value.values()), None)
