"""Destinations: events to requests, answers to outcomes. One module for each type, loaded when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from footspan import _platform
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

if TYPE_CHECKING:
    from footspan.config import DestinationSettings

__all__ = [
    "Answer",
    "Destination",
    "FaultKind",
    "Outcome",
    "Request",
    "Verdict",
    "build_destination",
    "identity",
]

_CLASSES: Final = {
    "console": ("footspan.destinations.console", "ConsoleDestination"),
    "logging": ("footspan.destinations.logging", "LoggingDestination"),
    "otlp": ("footspan.destinations.otlp", "OtlpDestination"),
    "umami": ("footspan.destinations.umami", "UmamiDestination"),
}


def build_destination(settings: DestinationSettings) -> Destination:
    """Make a destination from its settings. Connects to nothing.

    Args:
        settings: One destination's settings, its options parsed.

    Raises:
        ConfigurationError: The type is unknown, or an option is missing or cannot be used.
    """
    if settings.type not in _CLASSES:
        raise ConfigurationError(
            f"telemetry.destinations.{settings.name}.type",
            "a type that this version cannot send to",
            f"Use one of {', '.join(_CLASSES)}.",
        )
    module, name = _CLASSES[settings.type]
    with _platform.importing():
        loaded = import_module(module)
    destination: Destination = getattr(loaded, name)(settings)
    return destination
