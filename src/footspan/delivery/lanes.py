"""Lanes: what is no event and waits in the spool all the same, apart from the events and within a limit of its own.

Each lane is a spool below the events' one, with segments, cursors, locks and carriers of its own, so that neither a
backlog nor a dead destination of one lane can cost another anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from footspan.delivery.courier import Courier
from footspan.spool import open_lane
from footspan.spool.base import Target
from footspan.spool.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config import DestinationSettings, Settings
    from footspan.destinations.base import Destination
    from footspan.otlp_json import LogLine
    from footspan.spool.base import Spool

SPANS: Final = "spans"
LOGS: Final = "logs"
LANES: Final = (SPANS, LOGS)


def takes_all(_target: Target, _line: LogLine) -> bool:
    """Whether a destination takes something of its lane: always. Patterns are for events."""
    return True


def lane_destination(lane: str, settings: DestinationSettings) -> Destination:
    """Where a lane's lines go.

    Raises:
        ConfigurationError: The settings cannot be used.
    """
    from footspan.destinations.otlp import OtlpDestination  # noqa: PLC0415 - only where there are lanes
    from footspan.destinations.otlp_spans import OtlpSpanDestination  # noqa: PLC0415 - the same

    return OtlpSpanDestination(settings) if lane == SPANS else OtlpDestination(settings)


def lane_layouts(layout: Layout) -> dict[str, Layout]:
    """The lanes that a spool on disk has, by name; makes and changes nothing."""
    found = {lane: Layout(f"{layout.root}/{lane}") for lane in LANES}
    return {lane: there for lane, there in found.items() if Path(there.root, "FORMAT").exists()}


def lane_of(layout: Layout) -> str:
    """Which lane a folder is; empty where it is a service's spool."""
    folder = Path(layout.root)
    return folder.name if folder.name in LANES and (folder.parent / "FORMAT").exists() else ""


def max_bytes_of(lane: str, settings: Settings) -> int:
    """How large a lane may become on disk."""
    return settings.spool.spans_max_bytes if lane == SPANS else settings.spool.logs_max_bytes


class Lane:
    """One lane of a pipeline.

    Args:
        name: ``spans`` or ``logs``.
        settings: The settings in force.
        destinations: Settings of the ``otlp`` destinations it is for.
        beside: The events' spool.

    Raises:
        ConfigurationError: A destination cannot be built from its settings.
    """

    def __init__(
        self, name: str, settings: Settings, destinations: Sequence[DestinationSettings], beside: Spool
    ) -> None:
        self.name = name
        self.destinations = [lane_destination(name, each) for each in destinations]
        targets = [Target(each.id, each.name, each.type) for each in self.destinations]
        self.spool = open_lane(settings, name, beside, targets, takes_all, max_bytes_of(name, settings))
        carry = settings.courier != "external"  # a process that is spawned carries events alone
        self.courier = Courier(self.spool, self.destinations, exit_timeout=settings.exit_timeout, carry=carry)
        self.courier.start()

    def append(self, line: bytes) -> None:
        """Keep one line (newline included). Never raises."""
        self.spool.append(line)
        self.courier.wake()

    def close(self) -> None:
        """Let the lane go to the next writer."""
        for destination in self.destinations:
            destination.close()
        self.spool.close()
