"""What settings promise together and cannot keep: each may be right by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan.config.pseudonyms import missing_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.config.errors import ConfigurationError
    from footspan.config.settings import Settings


def incoherent(settings: Settings) -> Iterator[ConfigurationError]:
    """What the settings ask for and cannot have. A pipeline is not built with any of it."""
    error = missing_key(settings)
    if error is not None:
        yield error
