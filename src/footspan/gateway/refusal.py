"""``Refusal``: a request that gets another answer than success, from wherever that is found out."""

from __future__ import annotations

from typing import Final

RETRY_SOON: Final = 1
"""Seconds to wait where other requests stand in the way."""

RETRY_LATER: Final = 2
"""Seconds to wait where the spool does, which tries its disk again every second."""


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """The answer to a request that is not taken.

    Attributes:
        status: The HTTP status.
        message: Why, for the sender's operator; holds nothing of the request's content.
        retry_after: Seconds after which to try again; ``None`` where that would not help.
    """

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
