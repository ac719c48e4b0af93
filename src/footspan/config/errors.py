"""What a bad configuration raises."""

from __future__ import annotations


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
