"""A stand-in for an OpenTrace server; see ../README.md."""

from __future__ import annotations

from servers.opentrace.server import CAMPAIGN, PROJECT, OpenTraceServer

__all__ = ["CAMPAIGN", "PROJECT", "OpenTraceServer"]
