"""The reading API: what a dashboard or a test asks Umami about what it stored."""

from __future__ import annotations

from servers.umami.reading.reader import Reader

__all__ = ["Reader"]
