"""SIGTERM: what is flushed, what happens then, and whose handler it is."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan import _guard
from footspan.pipeline.endings import Sigterm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

FULL = 20.0


@pytest.fixture(autouse=True)
def former() -> Iterator[list[int]]:
    """A handler of the host's, and how often it was called; whatever was there comes back."""
    called: list[int] = []
    saved = signal.signal(signal.SIGTERM, lambda number, _: called.append(number))
    yield called
    signal.signal(signal.SIGTERM, saved)


def armed(flush: Callable[[float], object], seconds: float = FULL) -> Sigterm:
    """A handler that is in place."""
    sigterm = Sigterm(flush)
    sigterm.arm(seconds)
    return sigterm


def test_it_flushes_and_calls_the_handler_before_it(former: list[int]) -> None:
    """In this order, in a thread of its own."""
    flushed: list[tuple[float, bool, int]] = []
    armed(lambda seconds: flushed.append((seconds, threading.current_thread() is threading.main_thread(), len(former))))
    signal.raise_signal(signal.SIGTERM)
    assert flushed == [(FULL, False, 0)]
    assert former == [signal.SIGTERM]


def test_a_flush_that_fails_costs_nobody_the_signal(
    former: list[int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported, and the signal takes its course."""
    monkeypatch.setattr(_guard, "_reraise", False)

    def flush(_: float) -> None:
        raise ValueError("payload")

    armed(flush)
    signal.raise_signal(signal.SIGTERM)
    assert former == [signal.SIGTERM]
    assert "ValueError" in caplog.text
    assert "payload" not in caplog.text


def test_a_flush_is_waited_for_as_long_as_it_may_take(former: list[int]) -> None:
    """However it hangs: on a lock that the interrupted code holds, for instance."""
    lock = threading.Lock()
    armed(lambda _: lock.acquire(timeout=FULL), 0.05)
    began = time.monotonic()
    with lock:
        signal.raise_signal(signal.SIGTERM)
        assert time.monotonic() - began < FULL / 2
    assert former == [signal.SIGTERM]


def test_it_may_interrupt_logging(former: list[int], caplog: pytest.LogCaptureFixture) -> None:
    """The main thread holds the handler's lock, and what the flush has to say waits for it."""

    class Stopping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "host":
                signal.raise_signal(signal.SIGTERM)

    handler = Stopping()
    logging.getLogger().addHandler(handler)
    try:
        armed(lambda _: _guard.logger.warning("footspan: said at the end"), 0.05)
        logging.getLogger("host").warning("stop me")
    finally:
        logging.getLogger().removeHandler(handler)
    assert former == [signal.SIGTERM]
    deadline = time.monotonic() + FULL
    while "said at the end" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_second_signal_ends_the_flush(former: list[int]) -> None:
    """Whoever sends it has lost patience."""
    main = threading.main_thread().ident
    assert main is not None
    go_on = threading.Event()
    flushes: list[float] = []

    def flush(seconds: float) -> None:
        flushes.append(seconds)
        signal.pthread_kill(main, signal.SIGTERM)
        go_on.wait(FULL)

    def leave(number: int, _: FrameType | None) -> None:
        former.append(number)
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    armed(flush)
    began = time.monotonic()
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
    go_on.set()
    assert time.monotonic() - began < FULL / 2
    assert (len(flushes), len(former)) == (1, 1)


def test_the_handler_before_it_may_raise(former: list[int]) -> None:
    """``sys.exit`` in a handler is how many programs end."""

    def leave(*_: Any) -> None:
        raise SystemExit(7)

    signal.signal(signal.SIGTERM, leave)
    armed(lambda _: None)
    with pytest.raises(SystemExit) as stop:
        signal.raise_signal(signal.SIGTERM)
    assert stop.value.code == 7
    assert former == []


def test_an_ignored_signal_stays_ignored() -> None:
    """The flush is all that happens."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    flushed: list[float] = []
    armed(flushed.append)
    signal.raise_signal(signal.SIGTERM)
    assert flushed == [FULL]


def test_a_later_handler_wins_and_is_not_touched(former: list[int]) -> None:
    """Neither when we are armed again nor when we go; if it calls ours, ours passes on."""
    flushed: list[float] = []
    sigterm = armed(flushed.append)
    ours = signal.getsignal(signal.SIGTERM)
    assert callable(ours)

    def later(number: int, frame: FrameType | None) -> None:
        ours(number, frame)

    signal.signal(signal.SIGTERM, later)
    sigterm.disarm()
    assert signal.getsignal(signal.SIGTERM) is later
    signal.raise_signal(signal.SIGTERM)
    assert (flushed, former) == ([], [signal.SIGTERM])


def test_it_goes_as_it_came() -> None:
    """Disarmed, the host's handler is back; armed twice, it is still the one before."""
    before = signal.getsignal(signal.SIGTERM)
    sigterm = armed(lambda _: None)
    sigterm.arm(1.0)
    assert signal.getsignal(signal.SIGTERM) is not before
    sigterm.disarm()
    assert signal.getsignal(signal.SIGTERM) is before
    sigterm.disarm()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("package", ["gunicorn.workers.base", "uvicorn.server", "celery.platforms"])
def test_a_servers_handler_is_left_alone(package: str) -> None:
    """It ends by Python's exit, which delivers."""

    class Server:
        def handle(self, *_: Any) -> None:
            """Ends the server."""

    Server.handle.__module__ = package
    theirs = Server().handle
    signal.signal(signal.SIGTERM, theirs)
    armed(lambda _: None)
    assert signal.getsignal(signal.SIGTERM) == theirs


def test_another_thread_than_the_main_one_cannot_install_it(caplog: pytest.LogCaptureFixture) -> None:
    """That is said, and nothing else happens."""
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=Sigterm(lambda _: None).arm, args=(1.0,))
    thread.start()
    thread.join(FULL)
    assert signal.getsignal(signal.SIGTERM) is before
    assert "flush_on_sigterm" in caplog.text


def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the setting or its variable; other settings without it take it back."""
    before = signal.getsignal(signal.SIGTERM)
    footspan.init(destinations={"console": {"enabled": True}})
    assert signal.getsignal(signal.SIGTERM) is before
    monkeypatch.setenv("FOOTSPAN_FLUSH_ON_SIGTERM", "true")
    footspan.init(destinations={"console": {"enabled": True}})
    assert signal.getsignal(signal.SIGTERM) is not before
    footspan.init(destinations={"console": {"enabled": True}}, flush_on_sigterm=False)
    assert signal.getsignal(signal.SIGTERM) is before
