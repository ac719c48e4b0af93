"""The courier: takes events from the spool to their destinations, and says what became of each.

* ``routing``: which destination takes which event.
* ``courier``: who carries, for how long, and what happens at a fork and at exit.
* ``carrier``: one destination's loop: take, send, read, acknowledge.
* ``blame``, ``moves``: what an answer means for every event of a batch, and what follows.
* ``retry``, ``pauses``, ``signal``: how long to wait before the next request, and what ends a wait.
* ``ledger``, ``live``: the figures, and what each carrier is doing, for people and programs.
"""

from __future__ import annotations

from footspan.delivery.courier import Courier
from footspan.delivery.routing import Matcher, accepts

__all__ = ["Courier", "Matcher", "accepts"]
