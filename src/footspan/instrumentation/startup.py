"""The settings under auto-instrumentation: read once, and a bad configuration never stops the app."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from footspan import _guard
from footspan.config import ConfigurationError
from footspan.tracking import default_tracker

if TYPE_CHECKING:
    from footspan.config import Settings

_read: list[Settings | None] = []
_refused: list[ConfigurationError] = []


def settings_in_force() -> Settings | None:
    """The process's settings from environment and file.

    Returns:
        ``None`` when footspan is switched off, by ``enabled: false``, ``OTEL_SDK_DISABLED`` or a configuration that
        cannot be used. The last is logged once, with the key, what was found and the fix.
    """
    if not _read:
        _read.append(_load())
    return _read[0]


def refuse(error: ConfigurationError) -> None:
    """Say what is wrong with the configuration, and switch footspan off in this process."""
    _guard.logger.error("footspan is off, the app runs on without it: %s", error)
    _read[:] = [None]
    _refused[:] = [error]
    # The first `track()` would read the same configuration and say the same again.
    default_tracker.switch_off()


def was_refused() -> bool:
    """Whether footspan is off because its configuration cannot be used, and not because somebody wants it off."""
    return bool(_refused)


def give_sessions(settings: Settings) -> None:
    """Give the visitors of every Flask app sessions, if the settings say so."""
    if settings.sessions.enabled:
        with _guard.guard("sessions"):
            from footspan.instrumentation import web_sessions  # noqa: PLC0415 - few ask for them

            web_sessions.install(settings)


def hear_consent(settings: Settings) -> None:
    """Hear what requests to Flask apps say of their visitors' consent."""
    if importlib.util.find_spec("flask") is not None:
        with _guard.guard("consent"):
            from footspan.tracking.consent import hear_flask  # noqa: PLC0415 - only a Flask app needs it

            hear_flask(settings)


def reset() -> None:
    """Read the settings anew at the next call; for tests."""
    _read.clear()
    _refused.clear()


def _load() -> Settings | None:
    from footspan.config.load import load_settings  # noqa: PLC0415 - loaded when a process starts tracking

    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    try:
        settings = load_settings()
    except ConfigurationError as error:
        refuse(error)
        return None
    return settings if settings.enabled else None
