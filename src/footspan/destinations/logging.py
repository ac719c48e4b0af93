"""Python's ``logging`` as a destination: one line for each event, written at once in the calling process."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar, Final

from footspan._guard import guard
from footspan.destinations.base import Destination, Outcome, Verdict
from footspan.destinations.readable import line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config import DestinationSettings
    from footspan.event import Event
    from footspan.otlp_json import LogLine

DEFAULT_LOGGER: Final = "footspan.events"

# OpenTelemetry's logs data model, "Severity fields": the first number of each range, and Python's level for it.
_LEVELS: Final = (
    (21, logging.CRITICAL),
    (17, logging.ERROR),
    (13, logging.WARNING),
    (9, logging.INFO),
    (1, logging.DEBUG),
)


class LoggingDestination(Destination):
    """Writes ``name key=value …`` to a logger, after redaction.

    Attributes:
        logger: The logger written to; whether and where that shows is the application's business.
        level: The level of an ordinary event. One of a higher severity gets the level of its severity.
    """

    type: ClassVar[str] = "logging"
    address_options: ClassVar[tuple[str, ...]] = ("logger",)

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        self.logger = logging.getLogger(str(settings.options.get("logger") or DEFAULT_LOGGER))
        level = settings.options.get("level") or "INFO"
        number = level if isinstance(level, int) else logging.getLevelName(str(level).upper())
        self.level: int = number if isinstance(number, int) else logging.INFO

    def write(self, event: Event) -> None:
        """Log one event. Never raises."""
        with guard("logging.write"):
            level = max(self.level, _level_of(event.severity_number))
            if self.logger.isEnabledFor(level):
                self.logger.log(level, "%s", line_of(event))

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:  # noqa: ARG002 - logging has no time limit
        """Log some events, oldest first."""
        for event in events:
            with guard("logging.write"):
                self.write(event.event)
        return Outcome(Verdict.DELIVERED)


def _level_of(severity: int) -> int:
    """Python's level for an OpenTelemetry severity number; 0 for an unset one."""
    for first, level in _LEVELS:
        if severity >= first:
            return level
    return 0
