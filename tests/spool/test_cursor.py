"""Cursors: an offset and the acknowledged stretches beyond it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from footspan.spool.cursor import Cursor

STRETCHES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda p: (p[0], p[0] + p[1])), max_size=12)


@given(STRETCHES, st.integers(0, 50), st.integers(0, 50))
def test_a_cursor_is_the_set_of_acknowledged_bytes(stretches: list[tuple[int, int]], start: int, end: int) -> None:
    """Whatever the order, it knows exactly the bytes that were acknowledged."""
    cursor, model = Cursor(), set[int]()
    for a, b in stretches:
        cursor.add(a, b)
        model |= set(range(a, b))
    offset = next(n for n in range(100) if n not in model)
    assert cursor.offset == offset
    assert {n for a, b in cursor.acked for n in range(a, b)} == {n for n in model if n > offset}
    assert all(a[1] < b[0] for a, b in zip(cursor.acked, cursor.acked[1:], strict=False))
    assert {n for a, b in cursor.gaps(start, end) for n in range(a, b)} == set(range(start, end)) - model
    assert cursor.next(start) == next(n for n in range(start, 100) if n not in model)


def test_an_offset_never_moves_back() -> None:
    """Acknowledging again what is below it changes nothing."""
    cursor = Cursor(100)
    cursor.add(0, 50)
    assert (cursor.offset, cursor.acked) == (100, [])
    cursor.add(90, 120)
    assert (cursor.offset, cursor.acked) == (120, [])
