"""What ``debug=True`` logs: every delivery and refusal, by the event's name and id; never what it holds.

It is logged where the event is delivered, by the logger ``footspan.opentrace``: to the handlers that the host has, and
where there is none to standard error.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from footspan.destinations.base import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.destinations.base import Destination, Outcome
    from footspan.otlp_json import LogLine

logger: Final = logging.getLogger("footspan.opentrace")

_SAID: Final = {
    Verdict.DELIVERED: (logging.DEBUG, "delivered"),
    Verdict.REFUSED: (logging.WARNING, "refused"),
    Verdict.RETRY: (logging.WARNING, "not taken, will be sent again"),
    Verdict.PARK: (logging.WARNING, "not taken, waits until the address works"),
    Verdict.AMBIGUOUS: (logging.WARNING, "sent, and no answer tells whether it arrived"),
}
_handler: logging.Handler | None = None


def show() -> None:
    """Have it logged from now on."""
    global _handler  # noqa: PLW0603 - one logger for the whole process
    logger.setLevel(logging.DEBUG)
    if _handler is None and not logger.hasHandlers():
        _handler = logging.StreamHandler()
        logger.addHandler(_handler)


def hide() -> None:
    """Log no more; for tests."""
    global _handler  # noqa: PLW0603 - see show
    logger.setLevel(logging.NOTSET)
    if _handler is not None:
        logger.removeHandler(_handler)
        _handler = None


def listen(destination: Destination) -> None:
    """Have a destination tell of each outcome."""
    destination.on_outcome = _hear


def _hear(events: Sequence[LogLine], outcome: Outcome) -> None:
    for index, event in enumerate(events):
        each = outcome.items.get(index, outcome)
        if each.verdict in _SAID:
            level, what = _SAID[each.verdict]
            reason = f" ({each.reason})" if each.reason else ""
            logger.log(level, "OpenTrace: event %r (%s) %s%s", event.name, event.uid, what, reason)
