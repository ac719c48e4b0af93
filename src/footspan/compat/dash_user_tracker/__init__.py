"""Dash Tracker's names, for an app that imports them from ``dash_user_tracker``.

* ``tracker``: the app's requests as events; ``visitors``, ``interactions``, ``users``, ``moves``, ``ignoring`` are its
  parts.
* ``sending``: where they go; ``own``: to a repository of one's own.
* ``repository``, ``http_repository``, ``queries``: what keeps events and answers queries.
* ``analytics``: the queries, awaitable and not.
* ``instrumentor``: the same for apps that import the published package.
"""

from __future__ import annotations

from footspan.compat.dash_user_tracker.analytics import SyncTrackerAnalytics, TrackerAnalytics
from footspan.compat.dash_user_tracker.errors import TrackerError, UnexpectedAnswerError
from footspan.compat.dash_user_tracker.http_repository import HttpTrackerRepository
from footspan.compat.dash_user_tracker.ignoring import add_ignore_routes, ignore_callback
from footspan.compat.dash_user_tracker.repository import TrackerRepository
from footspan.compat.dash_user_tracker.tracker import Tracker

__all__ = [
    "HttpTrackerRepository",
    "SyncTrackerAnalytics",
    "Tracker",
    "TrackerAnalytics",
    "TrackerError",
    "TrackerRepository",
    "UnexpectedAnswerError",
    "add_ignore_routes",
    "ignore_callback",
]
