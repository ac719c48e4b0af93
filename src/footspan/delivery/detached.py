"""The deliverer that an app spawned: what runs in that process."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from typing import Final

from footspan.delivery.calling import DONE, FAILED, STANDING, TAKEN
from footspan.delivery.deliverer import Deliverer
from footspan.delivery.spawned import relief
from footspan.delivery.stop import Stop
from footspan.spool.layout import Layout

IDLE_EXIT: Final = 10.0
"""Seconds for which no process of the service lives and nothing is to be tried soon, before it ends."""

PATIENCE: Final = 60.0
"""Seconds that requests under way may take at the end."""

_TURN: Final = 0.25
_NOBODY_WITHIN: Final = 3.0
_LOOK_EVERY: Final = 1.0


def main() -> None:
    """Deliver until there is nothing to do and nobody to do it for."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whoever started us may have been keeping signals back
    word = _detach()
    try:
        root, (settings, destinations), note = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the app, by its pipe
        _close(0, os.O_RDONLY)
        deliverer = Deliverer(Layout(root), settings, destinations, note)
    except Exception as error:  # noqa: BLE001 - whatever it is, the app must know
        _say(word, FAILED + b" " + type(error).__name__.encode("ascii", "replace"))
        return
    if not deliverer.begin():
        _say(word, FAILED + b" no thread to be had")
        return
    with Stop() as stop:
        last = _deliver(deliverer, stop, word)
        deliverer.leave(PATIENCE)
        _say(word, last)


def _deliver(deliverer: Deliverer, stop: Stop, word: int) -> bytes:
    """Until it is time to end; what is left to say."""
    began = busy = looked = time.monotonic()
    born = time.time()
    told = False
    while not stop.wait(_TURN):
        now = time.monotonic()
        stands = bool(deliverer.standing_for)
        if not stands and now - began > _NOBODY_WITHIN:
            return DONE if told else TAKEN
        if stands and not told:
            told = True
            _say(word, STANDING)
        if _relieved(deliverer.root, born):
            return DONE
        if now - looked >= _LOOK_EVERY:
            looked = now
            if deliverer.busy(IDLE_EXIT) or deliverer.apps_alive():
                busy = now
            elif now - busy >= IDLE_EXIT:
                return DONE
    return DONE


def _relieved(root: str, born: float) -> bool:
    """Whether a process with newer settings asked those who began before it to end.

    A time that is still to come is from before the clock was set back, and says nothing.
    """
    try:
        return born < os.stat(relief(Layout(root))).st_mtime <= time.time()  # noqa: PTH116 - four times a second
    except OSError:
        return False


def _detach() -> int:
    """Keep the pipe by which the app hears us, under a number of its own; nothing of ours is printed."""
    word = os.dup(1)
    _close(1, os.O_WRONLY)
    return word


def _close(number: int, mode: int) -> None:
    nothing = os.open(os.devnull, mode)
    os.dup2(nothing, number)
    os.close(nothing)


def _say(word: int, text: bytes) -> None:
    try:
        os.write(word, text)
    except OSError:  # the app is gone
        return
