"""Methods of a library with ours around them, and the way back."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from wrapt import FunctionWrapper

if TYPE_CHECKING:
    from collections.abc import Callable


class Patches:
    """What an instrumentor has put into a library's classes."""

    def __init__(self) -> None:
        self._on = True
        self._made: list[tuple[type, str, Any, Any]] = []

    def wrap(self, owner: type, name: str, around: Callable[..., Any]) -> None:
        """Put a function around a method.

        Args:
            owner: The class.
            name: The method's name.
            around: Called with the method, its object, the arguments by position and those by name.
        """
        before = vars(owner).get(name)
        ours = FunctionWrapper(inspect.getattr_static(owner, name), around, enabled=lambda: self._on)
        setattr(owner, name, ours)
        self._made.append((owner, name, ours, before))

    def undo(self) -> None:
        """Take everything back. What somebody else has put around ours stays there, with ours asleep inside."""
        self._on = False
        while self._made:
            owner, name, ours, before = self._made.pop()
            if vars(owner).get(name) is not ours:
                continue
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
