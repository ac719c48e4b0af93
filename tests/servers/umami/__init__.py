"""A stand-in for Umami 3.1.0 that checks the contract; see ../README.md."""

from __future__ import annotations

from servers.umami.server import WEBSITE_ID, UmamiServer

__all__ = ["WEBSITE_ID", "UmamiServer"]
