"""What goes wrong when a collecting server is asked or told something."""

from __future__ import annotations


class TrackerError(Exception):
    """A server did not do what it was asked for. The text holds no address, key or answer.

    Attributes:
        status: The status that it answered; ``None`` where there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class UnexpectedAnswerError(TrackerError):
    """A server answered something else than was asked for."""
