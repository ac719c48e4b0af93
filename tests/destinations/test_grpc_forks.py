"""Forks wait for gRPC, not for long, and a child knows whether it may use it."""

from __future__ import annotations

import threading
import time

import pytest

from footspan.destinations.grpc_forks import Calls


def nothing() -> None:
    """Cancels nothing."""


def test_a_fork_waits_for_a_call_that_is_about_to_end() -> None:
    """It is not cancelled."""
    calls = Calls()
    cancelled = threading.Event()
    inside = threading.Event()

    def work() -> None:
        with calls.entered(cancelled.set, 1):
            inside.set()
            time.sleep(0.01)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert inside.wait(5)
    calls.before_fork()
    calls.after_fork_in_parent()
    thread.join(5)
    assert not cancelled.is_set()


def test_a_fork_cancels_a_call_that_takes_long() -> None:
    """Then nobody is inside gRPC when the process forks."""
    calls = Calls()
    cancelled = threading.Event()
    inside = threading.Event()

    def work() -> None:
        with calls.entered(cancelled.set, 1):
            inside.set()
            cancelled.wait(10)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert inside.wait(5)
    began = time.monotonic()
    calls.before_fork()
    assert time.monotonic() - began < 1
    assert cancelled.is_set()
    calls.after_fork_in_child()
    assert calls.usable
    thread.join(5)


def test_a_call_waits_for_a_fork_that_is_being_made() -> None:
    """Also when two threads fork at once: until both are through."""
    calls = Calls()
    inside = threading.Event()

    def work() -> None:
        with calls.entered(nothing, 5):
            inside.set()

    calls.before_fork()
    calls.before_fork()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    calls.after_fork_in_parent()
    assert not inside.wait(0.05)
    calls.after_fork_in_parent()
    assert inside.wait(5)
    thread.join(5)


def test_a_child_of_a_process_with_a_call_that_cannot_be_ended_leaves_grpc_alone() -> None:
    """For good, and so do its own children."""
    import grpc  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - heavy; a call means that it is loaded

    calls = Calls()
    with calls.entered(nothing, 1):
        calls.before_fork()
        calls.after_fork_in_child()
        assert not calls.usable
    with calls.entered(nothing, 1):
        pass
    calls.before_fork()
    calls.after_fork_in_child()
    assert not calls.usable


@pytest.mark.parametrize(("value", "usable"), [(None, True), ("1", True), ("", True), ("0", False), (" False ", False)])
def test_a_child_leaves_grpc_alone_where_its_support_for_forks_is_off(
    value: str | None,
    usable: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is on by default."""
    import grpc  # noqa: F401, PLC0415 - heavy

    if value is None:
        monkeypatch.delenv("GRPC_ENABLE_FORK_SUPPORT", raising=False)
    else:
        monkeypatch.setenv("GRPC_ENABLE_FORK_SUPPORT", value)
    calls = Calls()
    calls.before_fork()
    calls.after_fork_in_child()
    assert calls.usable is usable
