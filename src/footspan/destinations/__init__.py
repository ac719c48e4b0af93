"""Destinations: events to requests, answers to outcomes. One module for each type, loaded when it is first used.

The names below are all that a destination of one's own needs (``docs/own-destination.md``), and they stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan.config import ConfigurationError
from footspan.destinations.base import (
    Answer,
    Destination,
    FaultKind,
    Outcome,
    Request,
    Verdict,
    identity,
)
from footspan.destinations.registry import build_destination, make_destination

if TYPE_CHECKING:
    from footspan.config import DestinationSettings
    from footspan.config.options import Option
    from footspan.destinations import kinds
    from footspan.destinations.http import HttpDestination
    from footspan.destinations.readable import properties_of
    from footspan.destinations.status import outcome_of
    from footspan.event import Event
    from footspan.otlp_json import LogLine

__all__ = [
    "Answer",
    "ConfigurationError",
    "Destination",
    "DestinationSettings",
    "Event",
    "FaultKind",
    "HttpDestination",
    "LogLine",
    "Option",
    "Outcome",
    "Request",
    "Verdict",
    "build_destination",
    "identity",
    "kinds",
    "make_destination",
    "outcome_of",
    "properties_of",
]

_LAZY: Final = {
    "DestinationSettings": "footspan.config",
    "Event": "footspan.event",
    "HttpDestination": "footspan.destinations.http",
    "LogLine": "footspan.otlp_json",
    "Option": "footspan.config.options",
    "kinds": "",
    "outcome_of": "footspan.destinations.status",
    "properties_of": "footspan.destinations.readable",
}
"""What only those who write a destination need, and where it lives."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - runs once per name

    home = _LAZY[name]
    found = getattr(import_module(home), name) if home else import_module(f"{__name__}.{name}")
    globals()[name] = found
    return found
