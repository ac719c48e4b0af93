"""What happens to an event between the call and the disk: context, sampling, redaction.

A processor is a plain callable that changes a :class:`Draft` in place, or raises :class:`DropEvent` to drop it.
"""

from __future__ import annotations

from collections.abc import Callable

from footspan.emit import Draft

__all__ = ["Draft", "DropEvent", "Processor"]

Processor = Callable[[Draft], None]


class DropEvent(Exception):  # noqa: N818 - a signal, not an error
    """The event goes no further.

    Attributes:
        reason: The counter it is counted under, such as ``sampled_out``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
