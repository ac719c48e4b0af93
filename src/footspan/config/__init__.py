"""Settings: each one declared once (``settings``), read from code, environment and file (``load``)."""

from __future__ import annotations

from footspan.config.errors import ConfigurationError
from footspan.config.settings import (
    BatchSettings,
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
    "DestinationSettings",
    "PageViewSettings",
    "PrivacySettings",
    "SamplingSettings",
    "ServiceSettings",
    "Settings",
    "SpoolSettings",
]
