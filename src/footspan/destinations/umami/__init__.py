"""Umami: events to its collect requests, inside what its schema and its database take.

* ``payload``: which attribute becomes which field.
* ``urls``: page addresses, referrers and host names.
* ``limits``: the ``data`` object, made so that every leaf can be stored.
* ``bots``: user agents that Umami may drop.
* ``answers``: what comes back.
* ``destination``: single and batch requests.
"""

from __future__ import annotations

from footspan.destinations.umami.destination import UmamiDestination

__all__ = ["UmamiDestination"]
