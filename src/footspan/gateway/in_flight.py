"""How many bytes of requests are held at once, all senders together."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from footspan.gateway.refusal import RETRY_SOON, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEAST: Final = 4 * 1024
"""What a request weighs at the least: an empty one costs something too."""


class InFlight:
    """Counts the bytes of requests that have no answer yet. Used from the event loop's thread only.

    Args:
        limit: The most that are held.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0

    @contextmanager
    def request(self, announced: int) -> Iterator[Callable[[int], None]]:
        """One request, from its first byte to its answer.

        What a sender announces is only compared, not held: whoever announces much and sends nothing blocks nobody.

        Args:
            announced: Bytes that are to come; 0 when nobody knows.

        Yields:
            To be called with the size of each piece that arrives; it raises :class:`Refusal` too.

        Raises:
            Refusal: The limit would be exceeded (429).
        """
        mine = 0

        def hold(size: int) -> None:
            nonlocal mine
            self._check(size)
            mine += size
            self.held += size

        self._check(max(announced, LEAST))
        hold(LEAST)
        try:
            yield hold
        finally:
            self.held -= mine

    def _check(self, more: int) -> None:
        if self.held + more > self._limit:
            raise Refusal(429, "too many bytes in flight: try again", retry_after=RETRY_SOON)
