"""``EventCategory``: what kind of thing an event is, for routing and severity."""

from __future__ import annotations

from typing import Final


class EventCategory:
    """The categories footspan knows. Any other text is a category too."""

    USER: Final = "user"
    GENERATION: Final = "generation"
    PAYMENT: Final = "payment"
    ERROR: Final = "error"
    PERFORMANCE: Final = "performance"
    SYSTEM: Final = "system"
