"""The lock that greenlets may wait for."""

from __future__ import annotations

import threading

from footspan.delivery.gate import Gate


def test_one_at_a_time() -> None:
    """Whoever comes second does not get it, waits as long as it said, or gets it when it is given back."""
    gate = Gate()
    with gate:
        assert not gate.acquire(blocking=False)
        assert not gate.acquire(timeout=0.01)
        waiting = threading.Thread(target=gate.acquire)
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive()
    waiting.join(20)

    assert not waiting.is_alive()
    assert not gate.acquire(blocking=False)
    gate.release()
    assert gate.acquire(timeout=0.0)
