"""Settings: each one declared once (``settings``, ``options``), read from code, environment and file (``load``).

The names below are loaded when they are first used, because ``import footspan`` needs the error alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan.config.errors import ConfigurationError

if TYPE_CHECKING:
    from footspan.config.composite import SamplingRule
    from footspan.config.load import load_settings
    from footspan.config.settings import (
        BatchSettings,
        ContextSettings,
        DestinationSettings,
        PageViewSettings,
        PrivacySettings,
        SamplingSettings,
        ServiceSettings,
        Settings,
        SpoolSettings,
    )

__all__ = [
    "BatchSettings",
    "ConfigurationError",
    "ContextSettings",
    "DestinationSettings",
    "PageViewSettings",
    "PrivacySettings",
    "SamplingRule",
    "SamplingSettings",
    "ServiceSettings",
    "Settings",
    "SpoolSettings",
    "load_settings",
]

_LAZY: Final = frozenset(__all__) - {"ConfigurationError"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - runs once per name

    home = "load" if name == "load_settings" else "settings"
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value
