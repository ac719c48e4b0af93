"""Settings whose names are final and whose effect is still to come.

Going on without them would break what they promise in silence: a policy would not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan.config.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.config.settings import Settings


def unfinished(settings: Settings) -> Iterator[ConfigurationError]:
    """What the settings ask for and this version does not have."""
    for key, found, asked, fix in (
        (
            "privacy.consent",
            "'opt_in'",
            settings.privacy.consent == "opt_in",
            "Write 'opt_out', and track after consent.",
        ),
    ):
        if asked:
            yield ConfigurationError(f"telemetry.{key}", found, f"This version does not have that yet. {fix}")
