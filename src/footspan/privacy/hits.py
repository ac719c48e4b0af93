"""What a rule found, for whoever explains a policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from footspan.config.policy import Action, Class


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding.

    Attributes:
        path: Where: the key, with those above it (``cart.items.coupon``); empty for text without a key.
        rule: The rule's name.
        cls: The class of what it found.
        action: What became of it.
        found: What it found. Personal: only for the terminal of who asked, never for a log.
    """

    path: str
    rule: str
    cls: Class
    action: Action
    found: str

    def __repr__(self) -> str:
        return f"<Hit {self.rule} {self.action} at {self.path!r}>"  # without what was found


OnHit: TypeAlias = Callable[[Hit], None]
