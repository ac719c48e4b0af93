"""``make demo`` as a person runs it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import stage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def start(tmp_path: Path, **env: str) -> subprocess.Popen[str]:
    """Start the demo with its temporary files in a place of their own."""
    return subprocess.Popen(
        [sys.executable, str(stage.HERE / "demo.py")],
        env={**os.environ, "TMPDIR": str(tmp_path), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_demo_ends_well_within_a_minute(tmp_path: Path) -> None:
    """Exit code 0, the table, every check fulfilled, and nothing left behind."""
    began = time.monotonic()
    process = start(tmp_path)
    try:
        said, _ = process.communicate(timeout=110)
    finally:
        process.kill()

    assert process.returncode == 0, said
    assert time.monotonic() - began < 60
    assert "✗" not in said
    assert "with SIGKILL" in said
    assert "Umami is down" in said
    assert re.search(r"destination +accepted +delivered +waiting +refused by reason +redacted +unrouted", said)
    assert list(tmp_path.iterdir()) == []


def test_kept_running_it_says_where_to_look_until_ctrl_c(tmp_path: Path) -> None:
    """With ``KEEP=1`` the shop goes on; Ctrl-C ends everything that was started."""
    process = start(tmp_path, KEEP="1")
    said = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=40)
    finally:
        process.kill()

    assert process.returncode == 0, "".join(said) + rest
    [shop] = re.findall(r"the shop +http://127\.0\.0\.1:(\d+)", "".join(said))
    assert not _listens(int(shop))
    assert list(tmp_path.iterdir()) == []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
