"""The wake-up call."""

from __future__ import annotations

import threading
import time

import pytest

from footspan.delivery.signal import Signal


def test_a_call_given_before_the_wait_is_not_lost() -> None:
    """Whoever calls first is heard later."""
    signal = Signal()
    signal.give()

    assert signal.wait(0.0)
    assert not signal.wait(0.0)


def test_many_calls_wake_once() -> None:
    """A call stands for "look again", so a second one before the look adds nothing."""
    signal = Signal()
    for _ in range(1000):
        signal.give()

    assert signal.wait(0.0)
    assert not signal.wait(0.0)


def test_a_sleeper_is_woken() -> None:
    """A call from another thread ends the wait at once."""
    signal = Signal()
    threading.Timer(0.05, signal.give).start()
    began = time.monotonic()

    assert signal.wait(5.0)
    assert time.monotonic() - began < 2.0


def test_clear_forgets() -> None:
    """A cleared call does not wake, and the next one does."""
    signal = Signal()
    signal.give()
    signal.clear()

    assert not signal.wait(0.0)
    signal.give()
    assert signal.wait(0.0)


def test_a_call_that_was_cut_short_does_not_silence_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler may raise in the middle of it: a time limit, Ctrl-C."""

    class Interrupted:
        def put(self, _: None) -> None:
            raise KeyboardInterrupt

    signal = Signal()
    with monkeypatch.context() as patched:
        patched.setattr(signal, "_queue", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            signal.give()
    assert not signal.wait(0.0)
    signal.give()

    assert signal.wait(0.0)


@pytest.mark.parametrize("timeout", [0.0, 1e-9, 1e-6, 1e-4])
def test_no_look_waits_for_ever(timeout: float) -> None:
    """A call that was given and taken must not make the next short look a long one."""
    signal = Signal()
    for _ in range(200):
        signal.give()
        assert signal.wait(timeout)
        assert not signal.wait(timeout)
        signal.give()
        signal.clear()
        assert not signal.wait(timeout)
