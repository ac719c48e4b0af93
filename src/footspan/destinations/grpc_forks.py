"""gRPC and forks: no call is under way when the process forks, and a child knows whether gRPC works in it.

gRPC's native core follows a fork only while no thread is inside it; with one inside, a child that uses gRPC can hang,
or be ended by a failed check of the core's own. Its support for forks is on unless ``GRPC_ENABLE_FORK_SUPPORT`` says
no. Nor can a child finish an import that its parent was in the middle of.
Source: gRPC's ``doc/fork_support.md``, and what its Python package does.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from footspan import _platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE: Final = 0.05
"""Seconds that a fork waits for calls to end by themselves; then they are cancelled."""

_CANCEL_SECONDS: Final = 0.2
_LOAD_SECONDS: Final = 2.0
_NO: Final = frozenset({"0", "f", "false", "n", "no"})


class Calls:
    """The calls of this process that may be inside gRPC, and the forks that wait for them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: list[Callable[[], None] | None] = []
        self._forks = 0
        self._usable = True

    @property
    def usable(self) -> bool:
        """Whether gRPC may be used in this process: not in a child of one that had it in a way no fork survives."""
        return self._usable

    def load(self, timeout: float) -> None:
        """Import gRPC, if nobody has.

        Args:
            timeout: Seconds to wait for a fork to be over.
        """
        if "grpc" not in sys.modules:
            with self.entered(None, timeout):
                import grpc  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - costs time; only who sends by it loads it

    @contextmanager
    def entered(self, cancel: Callable[[], None] | None, timeout: float) -> Iterator[None]:
        """Be inside gRPC; entered once no fork is being made.

        Args:
            cancel: Ends the call from another thread; ``None`` for what ends soon by itself.
            timeout: Seconds to wait for a fork to be over.
        """
        # A forked child has others; whoever came out of the parent's must not meddle with them.
        changed, under_way = self._changed, self._under_way
        with changed:
            changed.wait_for(lambda: not self._forks, timeout)
            under_way.append(cancel)
        try:
            yield
        finally:
            with changed:
                under_way.remove(cancel)
                changed.notify_all()

    # -- what the interpreter calls around a fork ----------------------------------------------------------------------

    def before_fork(self) -> None:
        """Wait until nobody is inside gRPC, not for long; nobody enters until the fork is made."""
        with self._changed:
            self._forks += 1
            self._changed.wait_for(lambda: None not in self._under_way, _LOAD_SECONDS)
            if self._changed.wait_for(lambda: not self._under_way, PATIENCE):
                return
            cancels = [cancel for cancel in self._under_way if cancel is not None]
        for cancel in cancels:
            cancel()
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, _CANCEL_SECONDS)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()

    def after_fork_in_child(self) -> None:
        """Start over, if that is possible at all."""
        supported = os.environ.get("GRPC_ENABLE_FORK_SUPPORT", "").strip().lower() not in _NO
        if "grpc" in sys.modules and (self._under_way or not supported):
            self._usable = False
        self._changed = threading.Condition()
        self._under_way = []
        self._forks = 0


calls: Final = Calls()
"""Those of this process: gRPC has one core for all its users."""

_platform.on_fork(calls.after_fork_in_child)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=calls.before_fork, after_in_parent=calls.after_fork_in_parent)
