"""Tests for footspan._guard."""

from __future__ import annotations

import logging
import signal
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


def test_the_next_guard_says_what_was_kept_back(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody has to wait for another warning, and it is said once."""
    lock = _guard.QuietLock()
    with caplog.at_level(logging.WARNING, logger="footspan"):
        with _guard.guard("work"):
            with lock:
                _guard.logger.warning("kept")
            assert not caplog.records
        _guard.say_kept()

    assert [record.message for record in caplog.records] == ["kept"]


class _TimeLimitError(Exception):
    """What a task queue's signal handler raises in the middle of a task."""


def test_what_was_kept_back_is_forgotten_by_a_reset(caplog: pytest.LogCaptureFixture) -> None:
    """One test's words are never said in the next."""
    lock = _guard.QuietLock()
    with lock:
        _guard.logger.warning("kept")
    _guard.reset()
    _guard.say_kept()

    assert not caplog.records


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an interval timer")
def test_a_time_limit_never_leaves_a_lock_taken() -> None:
    """A signal handler may raise while a lock is being taken or given back; all other threads would wait for ever."""
    lock, raised = _guard.QuietLock(), 0
    left: list[int] = []

    def handler(*_: object) -> None:
        raise _TimeLimitError

    former = signal.signal(signal.SIGALRM, handler)
    try:
        while raised < 200 and not left:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0003)
                while True:
                    with lock:
                        pass
            except _TimeLimitError:
                raised += 1
            other = threading.Thread(
                target=lambda: left.append(1) if not lock.acquire(blocking=False) else lock.release()
            )
            other.start()
            other.join(10.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, former)

    assert raised == 200
    assert not left


def test_who_looks_for_a_mistake_is_told_of_each_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Every one, with the places it came by and still without its text; on standard error if nobody else listens."""
    _guard.reraise_in_tests(False)
    root, handlers = logging.getLogger(), logging.getLogger().handlers
    root.handlers = []
    try:
        _guard.be_verbose(True)
        _guard.be_verbose(True)
        for _ in range(2):
            with _guard.guard("work"):
                raise ValueError("bob@example.com")
        _guard.be_verbose(False)
        with _guard.guard("work"):
            raise ValueError("bob@example.com")
    finally:
        root.handlers = handlers
    lines = capsys.readouterr().err.splitlines()

    place = "footspan: work failed with ValueError at test_who_looks_for_a_mistake_is_told_of_each_failure ("
    assert [line.startswith(place) for line in lines] == [True, False, True]
    assert "bob" not in "".join(lines)
    assert (_guard.logger.handlers, _guard.logger.level) == ([], logging.NOTSET)


def test_the_hosts_handlers_are_enough(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """What the host logs itself is not printed a second time."""
    _guard.reraise_in_tests(False)
    _guard.be_verbose(True)
    with _guard.guard("work"):
        raise ValueError("x")

    assert [record.levelname for record in caplog.records] == ["DEBUG", "WARNING"]
    assert capsys.readouterr().err == ""
