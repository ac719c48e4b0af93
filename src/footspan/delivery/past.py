"""What one carrier after the other makes of a destination, where none of them stays."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from footspan.delivery.blame import Record
from footspan.delivery.live import Live
from footspan.delivery.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable


class Past:
    """What a destination did lately.

    Args:
        name: Its name in the settings.
        clock: Monotonic seconds.

    Attributes:
        live: Its state, so that a trouble is told of once.
        backoff: Its pauses.
        record: What it refused.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.live = Live(name)
        self.backoff = Backoff(clock)
        self.record = Record()
