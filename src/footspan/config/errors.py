"""What a bad configuration raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Report: TypeAlias = Callable[["ConfigurationError"], None]
    """Takes what is wrong. If it returns, reading goes on without the setting, to find what else is wrong."""


class ConfigurationError(ValueError):
    """A setting that cannot be used.

    The text names the key, what was found (its type or shape; a value is quoted only where the setting cannot hold a
    secret) and the fix.

    Attributes:
        key: The setting's dotted path (``telemetry.spool.max_bytes``) or environment variable.
        found: What stood there.
        fix: What to write instead.
    """

    def __init__(self, key: str, found: str, fix: str) -> None:
        super().__init__(f"{key}: found {found}. {fix}")
        self.key = key
        self.found = found
        self.fix = fix


def stop(error: ConfigurationError) -> None:
    """The report of those who need settings: the first thing that is wrong ends it."""
    raise error
