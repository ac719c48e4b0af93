"""Tests for footspan._guard."""

from __future__ import annotations

import logging

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
