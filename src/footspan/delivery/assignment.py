"""What another process than the one that tracks can deliver, by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan.config.errors import ConfigurationError

if TYPE_CHECKING:
    from footspan.config import DestinationSettings, Settings


def carried(settings: Settings, *, console: bool = True) -> list[DestinationSettings]:
    """The destinations that a courier delivers to; the others write in the process that tracks.

    Args:
        settings: What is configured.
        console: Whether the courier's process has a terminal to print events on.
    """
    apart = {"logging"} if console else {"logging", "console"}
    return [each for each in settings.destinations if each.enabled and each.type not in apart]


def refuse_memory(settings: Settings) -> None:
    """A spool in memory is nobody else's to deliver.

    Raises:
        ConfigurationError: That is what the settings ask for.
    """
    if settings.spool.durability == "memory":
        raise ConfigurationError(
            "telemetry.spool.durability",
            "'memory'",
            "Write 'process' or 'disk': events in memory can only be delivered by the process that has them.",
        )
