"""What the commands show on real terminals, narrow ones too, and in which state they leave them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan.cli.status_view import _fitting

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.otlp import OtlpSink

LONGEST = 30.0
HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"


def on_terminal(width: int, *command: str, until: str = "", act: Callable[[Any], None] | None = None) -> str:
    """All that a command writes to a terminal of a width; once ``until`` was seen, something may happen to it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-m", "footspan", *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    seen = b""
    acted = False
    deadline = time.monotonic() + LONGEST
    try:
        while time.monotonic() < deadline:
            if act is not None and not acted and re.search(until, seen.decode("utf-8", "replace")):
                acted = True
                act(child)
            if not select.select([ours], [], [], 0.05)[0]:
                continue
            try:
                more = os.read(ours, 65536)
            except OSError:  # Linux's way to say that nobody has the other end any more
                break
            if not more:
                break
            seen += more
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return seen.decode("utf-8", "replace")


def plain(text: str) -> str:
    """The same without what colours it and moves the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_figures_are_whole_at_every_width(otlp_sink: OtlpSink, width: int) -> None:
    """Columns go, a word may be folded, but no figure is cut."""
    otlp_sink.faults.down()
    footspan.init(service_name="shop", courier="external", destinations={"otlp": {"endpoint": otlp_sink.url}})
    for _ in range(1_234):
        footspan.track("x")
    shown = plain(on_terminal(width, "status", "--service", "shop"))

    assert "…" not in shown
    assert "1,234" in shown
    assert "waiting" in shown
    assert ("unattended" in shown) == (width >= 60)
    assert ("accepted" in shown) == (width >= 80)
    assert all(len(each) <= width for each in shown.splitlines())


def test_columns_that_say_nothing_go_first() -> None:
    """Then those that can be told from others; what waits, what was refused and the state are always there."""
    head = ["destination", "accepted", "delivered", "waiting", "oldest", "refused", "redacted", "state"]
    rows = [(["otlp", "1,234", "1,000", "34", "2 s", "http_400 200", "0", "parked (http_401)"], True)]

    def names(width: int) -> list[str]:
        return [head[at] for at in _fitting(head, rows, width)]

    assert names(200) == head
    assert names(90) == [name for name in head if name != "redacted"]
    assert names(20) == ["destination", "delivered", "waiting", "refused", "state"]


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_no_end_leaves_a_terminal_without_cursor(
    otlp_sink: OtlpSink, sent: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does one that no handler hears of."""
    footspan.init(service_name="shop", courier="external", destinations={"otlp": {"endpoint": otlp_sink.url}})
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    for command in (("status", "--watch", "0.2"), ("deliver", "--service", "shop")):
        seen = on_terminal(80, *command, until="state", act=lambda child: child.send_signal(sent))
        assert "state" in plain(seen)
        assert seen.rfind(SHOWN) > seen.rfind(HIDDEN)


@pytest.mark.slow
def test_no_color_is_obeyed(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """``NO_COLOR`` leaves bold type at the most."""
    otlp_sink.faults.down()
    footspan.init(service_name="shop", courier="external", destinations={"otlp": {"endpoint": otlp_sink.url}})
    footspan.track("x")
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    assert coloured.search(on_terminal(100, "status"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured.search(on_terminal(100, "status"))
