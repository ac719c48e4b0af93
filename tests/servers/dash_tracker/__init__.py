"""A stand-in for a server that collects Dash-Tracker's events and answers its queries; see ../README.md."""

from __future__ import annotations

from servers.dash_tracker.server import KEY, DashTrackerServer

__all__ = ["KEY", "DashTrackerServer"]
