"""Lines in memory while the disk refuses: their size is that of what is there, whatever interrupts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from footspan.spool import ring as module
from footspan.spool.ring import Ring

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Has a signal handler come the next time that a line is measured."""

    def arrange(handler: Callable[[], None]) -> None:
        def measure(line: Any) -> int:
            monkeypatch.delattr(module, "len")
            handler()
            return len(line)

        monkeypatch.setattr(module, "len", measure, raising=False)

    return arrange


@pytest.mark.parametrize("step", ["put", "drop_oldest"])
def test_a_line_put_by_a_signal_handler_counts(step: str, interrupted: Callable[[Callable[[], None]], None]) -> None:
    """In the middle of putting or dropping another one."""
    ring = Ring(100)
    ring.put(b"x" * 40)

    def track() -> None:
        ring.put(b"y" * 50)

    interrupted(track)
    ring.put(b"z" * 5) if step == "put" else ring.drop_oldest()
    ring.put(b"v" * 60)

    assert sum(map(len, ring)) <= 100


def test_an_exception_in_the_middle_does_not_wear_it_out(interrupted: Callable[[Callable[[], None]], None]) -> None:
    """It takes as much as before, once it was empty."""

    def time_limit() -> None:
        raise TimeoutError

    ring = Ring(100)
    for _ in range(3):
        ring.put(b"x" * 60)
        interrupted(time_limit)
        with pytest.raises(TimeoutError):
            ring.drop_oldest()
        while ring:
            ring.drop_oldest()
    ring.put(b"y" * 60)
    ring.drop_oldest()

    assert ring.put(b"z" * 100) == 0
    assert len(ring) == 1
