"""A Dash-Tracker endpoint: events as the JSON objects that its own client posts, one in a request.

* ``document``: one event as such an object: which attribute becomes which field.
* ``wire``: what an event bears beyond that where it comes from the drop-in client.
* ``destination``: requests and answers.
"""

from __future__ import annotations

from footspan.destinations.dash_tracker.destination import DashTrackerDestination

__all__ = ["DashTrackerDestination"]
