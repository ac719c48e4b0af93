"""The settings in force, for what is no event: those of the process's pipeline, else those it would start with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from footspan.config import Settings

_loaded: list[Settings] = []


def settings_in_force() -> Settings:
    """The process's settings. Starts nothing.

    Raises:
        ConfigurationError: Environment or file cannot be used.
    """
    state = sys.modules.get("footspan.pipeline.state")
    pipeline = None if state is None else state.get_pipeline()
    if pipeline is not None:
        settings: Settings = pipeline.settings
        return settings
    if not _loaded:
        from footspan.config.load import load_settings  # noqa: PLC0415 - loaded when somebody asks

        _loaded.append(load_settings())
    return _loaded[0]


def reset() -> None:
    """Forget what was loaded; for tests."""
    _loaded.clear()
