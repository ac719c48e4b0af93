"""Descriptor numbers: whose they are, where a host may close what it did not open."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

is_foreign = os.get_blocking
"""Whether a number was closed behind our back and given to a file of the host's, as far as that can be told in no time
and without letting another thread run: segments are open without blocking, which changes nothing for them, and which
neither files are as a rule, nor sockets and pipes but those of an event loop. Raises ``OSError`` for a free number."""


class _Holder(Protocol):
    def leave_number(self, descriptor: int) -> None: ...


_holders: dict[int, weakref.ref[_Holder]] = {}


def take(descriptor: int, holder: _Holder) -> None:
    """Write under a number. Whoever had it, and does not know that it was closed, must not any more."""
    former = _holders.get(descriptor, lambda: None)()
    if former is not None and former is not holder:
        former.leave_number(descriptor)
    _holders[descriptor] = weakref.ref(holder)
