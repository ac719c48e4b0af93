"""Tests for footspan._guard."""

from __future__ import annotations

import logging
import threading

import pytest

from footspan import _guard


def test_failures_are_swallowed_and_said_once_without_their_text(caplog: pytest.LogCaptureFixture) -> None:
    """The host sees nothing of a failure; the log names kind and class, once, and never the message."""
    _guard.reraise_in_tests(False)
    with caplog.at_level(logging.WARNING, logger="footspan"):
        for _ in range(3):
            with _guard.guard("work"):
                raise ValueError("bob@example.com")

    assert len(caplog.records) == 1
    assert "work failed with ValueError" in caplog.text
    assert "bob" not in caplog.text


def test_failures_surface_under_test() -> None:
    """With the switch on, a guarded failure reaches the test."""
    _guard.reraise_in_tests(True)
    with pytest.raises(ZeroDivisionError), _guard.guard("work"):
        1 / 0  # noqa: B018 - raises


def test_the_user_can_still_interrupt() -> None:
    """Ctrl-C and interpreter exit are not telemetry's to swallow."""
    _guard.reraise_in_tests(False)
    with pytest.raises(KeyboardInterrupt), _guard.guard("work"):
        raise KeyboardInterrupt


def test_what_is_logged_under_a_lock_is_said_after_it(caplog: pytest.LogCaptureFixture) -> None:
    """The outermost lock's end, in order; another thread's lines are not held up."""
    outer, inner = _guard.QuietLock(), _guard.QuietLock()
    with caplog.at_level(logging.WARNING, logger="footspan"):
        with outer:
            with inner, outer:
                _guard.logger.warning("first")
            _guard.warn_once("second", "second")
            other = threading.Thread(target=_guard.logger.warning, args=("other",))
            other.start()
            other.join(5.0)
            said = [record.message for record in caplog.records]
        _guard.logger.warning("third")

    assert said == ["other"]
    assert [record.message for record in caplog.records] == ["other", "first", "second", "third"]
