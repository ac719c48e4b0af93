"""Many events through the spool and the courier: each arrives, once, and is counted."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from delivery.rig import Rig
from destinations.making import line

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.adapter import Adapter

PATIENCE = 240.0


def deliver(adapter: Adapter, directory: Path, count: int) -> None:
    """Spool so many, wait until nothing waits, and look at what arrived."""
    with adapter.running() as server:
        rig = Rig(directory, [adapter.settings(server)])
        try:
            for number in range(count):
                rig.spool.append(line(f"event.{number}", {"n": number, "user.id": f"u{number % 7}"}).line + b"\n")
                rig.courier.wake()
            deadline = time.monotonic() + PATIENCE
            while any(waiting := rig.courier.flush(5.0).values()):
                assert time.monotonic() < deadline, waiting
            (figures,) = rig.courier.status()["destinations"].values()
        finally:
            rig.close()
        arrived = Counter(adapter.names(server))
    assert arrived == Counter(f"event.{number}" for number in range(count))
    assert figures["delivered"] == count
    assert not figures["refused"]


def test_some_hundreds(adapter: Adapter, tmp_path: Path) -> None:
    """More than one request anywhere."""
    deliver(adapter, tmp_path, 250)


@pytest.mark.slow
def test_ten_thousand(adapter: Adapter, tmp_path: Path) -> None:
    """Many requests, several at once."""
    deliver(adapter, tmp_path, 10_000)
