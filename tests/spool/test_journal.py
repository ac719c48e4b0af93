"""The journal: every prefix, truncation and damage of it adds up to something that loses nothing."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.spool import checked, files, journal
from footspan.spool.base import Range, Tally
from footspan.spool.journal import Fold, Journal, JournalView

if TYPE_CHECKING:
    from pathlib import Path

A, B = "a" * 12 + "-" + "b" * 12 + "-00000001", "a" * 12 + "-" + "b" * 12 + "-00000002"


def sum_of(fold: Fold) -> tuple[Any, ...]:
    """What a fold says, in a comparable form."""
    return (
        {name: (cursor.offset, cursor.acked) for name, cursor in fold.cursors.items() if cursor.offset or cursor.acked},
        fold.tally,
        fold.unreadable,
        [(pending.ranges, pending.count) for pending in fold.pending],
    )


def folded(data: bytes) -> Fold:
    """What some bytes add up to."""
    fold = Fold()
    fold.read(data)
    return fold


OPERATIONS = [
    journal.sending([Range(A, 0, 100)], 3),
    journal.done([Range(A, 0, 100)], Tally(2, 1, 1, {"bot": 1}), 1),
    journal.sending([Range(A, 100, 150), Range(B, 0, 10)], 2),
    journal.done([Range(B, 0, 10)], Tally(1)),
    journal.gone(B),
]


def test_operations_add_up() -> None:
    """Totals, cursors, and the request whose outcome is not told."""
    fold = folded(b"".join(map(checked.encode, OPERATIONS)))
    assert fold.cursors[A].offset == 100
    assert B not in fold.cursors
    assert fold.tally == Tally(3, 1, 1, {"bot": 1})
    assert fold.unreadable == 1
    assert [pending.ranges for pending in fold.pending] == [[Range(A, 100, 150)]]


def test_an_outcome_is_on_disk_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sees it in the sum, as a ``flush`` does, finds it in the file as well."""
    held = Journal(str(tmp_path / "cursor.jsonl"))
    seen = []
    real = files.write

    def write(descriptor: int, data: bytes) -> int:
        seen.append(held.fold.tally.delivered)
        return real(descriptor, data)

    monkeypatch.setattr(files, "write", write)
    held.write(journal.done([Range(A, 0, 100)], Tally(2)))
    assert seen == [0]
    assert held.fold.tally.delivered == 2
    held.close()


def test_a_request_that_stored_nothing_is_not_pending() -> None:
    """`kept` takes the announcement back."""
    fold = folded(checked.encode(OPERATIONS[0]) + checked.encode(journal.kept([Range(A, 0, 100)])))
    assert not fold.pending
    assert A not in fold.cursors


def test_of_a_request_in_doubt_a_part_can_be_taken_back() -> None:
    """`kept` for a part leaves the rest pending: a batch that is left half sent."""
    whole = journal.sending([Range(A, 0, 100, 10)], 10)
    parted = [
        journal.done([Range(A, 0, 30, 3)], Tally(delivered=3)),
        journal.kept([Range(A, 50, 60), Range(A, 70, 100)]),
    ]
    fold = folded(b"".join(map(checked.encode, [whole, *parted])))

    (pending,) = fold.pending
    assert pending.ranges == [Range(A, 30, 50), Range(A, 60, 70)]
    assert fold.cursor(A).offset == 30


def test_unknown_operations_change_nothing() -> None:
    """A later version's journal can be read."""
    known = b"".join(map(checked.encode, OPERATIONS))
    assert sum_of(folded(known + checked.encode({"op": "later", "x": 1}))) == sum_of(folded(known))


def test_every_truncation_is_a_prefix(tmp_path: Path) -> None:
    """Cut anywhere, the journal opens as the operations that are whole, and goes on after them."""
    lines = [checked.encode(operation) for operation in OPERATIONS]
    data = b"".join(lines)
    path = tmp_path / "cursor.jsonl"
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        # A line that lacks only its newline is whole.
        whole = next(n for n in range(len(lines), -1, -1) if len(b"".join(lines[:n])) - (n > 0) <= cut)
        opened = Journal(str(path))
        assert sum_of(opened.fold) == sum_of(folded(b"".join(lines[:whole])))
        opened.write(journal.done([Range(A, 500, 600)], Tally(7)))
        opened.close()
        expected = folded(b"".join(lines[:whole]) + checked.encode(journal.done([Range(A, 500, 600)], Tally(7))))
        assert sum_of(Journal(str(path)).fold) == sum_of(expected)


@given(st.data())
def test_a_flipped_bit_never_acknowledges_more(data: st.DataObject) -> None:
    """Whatever byte a disk changes, no cursor is further than the sound operations brought it."""
    lines = [checked.encode(operation) for operation in OPERATIONS]
    flat = bytearray(b"".join(lines))
    at = data.draw(st.integers(0, len(flat) - 1))
    flat[at] ^= 1 << data.draw(st.integers(0, 7))
    fold, sound = folded(bytes(flat)), folded(b"".join(lines[:-1]))
    for name, cursor in fold.cursors.items():
        for start, end in [(0, cursor.offset), *cursor.acked]:
            assert not sound.gaps(name, start, end)


def test_a_compacted_journal_adds_up_to_the_same(tmp_path: Path) -> None:
    """Rewritten beyond its size, with totals and requests without outcome kept."""
    path = tmp_path / "cursor.jsonl"
    opened = Journal(str(path), compact_bytes=2000)
    reference = Fold()
    for number in range(200):
        for operation in (
            journal.sending([Range(A, number, number + 1)], 1),
            journal.done([Range(A, number, number + 1)], Tally(1, refused={"bot": 1})),
        ):
            opened.write(operation)
            reference.apply(operation)
        assert path.stat().st_size < 4000
        assert sum_of(folded(path.read_bytes())) == sum_of(reference)
    opened.write(journal.sending([Range(A, 300, 400)], 5))
    opened.compact()
    opened.close()
    assert [pending.count for pending in Journal(str(path)).fold.pending] == [5]
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_view_follows_through_rewriting(tmp_path: Path) -> None:
    """Another process sees each state, also when the new file has the number of an older one."""
    path = tmp_path / "cursor.jsonl"
    opened, view = Journal(str(path), compact_bytes=600), JournalView(str(path))
    for number in range(100):
        opened.write(journal.done([Range(A, number, number + 1)], Tally(1)))
        if number % 3 == 0:
            assert sum_of(view.refresh()) == sum_of(opened.fold)
    opened.close()
    path.unlink()
    assert sum_of(view.refresh()) == sum_of(Fold())


def test_a_view_waits_for_whole_lines(tmp_path: Path) -> None:
    """A line in the middle of being written is read when it is there."""
    path = tmp_path / "cursor.jsonl"
    data = checked.encode(OPERATIONS[1])
    view = JournalView(str(path))
    path.write_bytes(data[:20])
    assert view.refresh().tally.delivered == 0
    path.write_bytes(data)
    assert view.refresh().tally.delivered == 2


def test_a_full_disk_does_not_stop_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What could not be written is in the next state that could."""
    path = tmp_path / "cursor.jsonl"
    opened = Journal(str(path))
    opened.write(OPERATIONS[0])

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        opened.write(OPERATIONS[1])
        opened.write(OPERATIONS[2])
    assert opened.fold.tally.delivered == 2
    opened.write(OPERATIONS[3])
    opened.close()
    assert sum_of(Journal(str(path)).fold) == sum_of(folded(b"".join(map(checked.encode, OPERATIONS[:4]))))
    assert len([record for record in caplog.records if "journal" in record.message]) <= 2


@pytest.mark.parametrize("meanwhile", ["nothing", "more", "compacted", "deleted", "torn", "other"])
def test_a_holder_goes_on_where_the_last_one_ended(meanwhile: str, tmp_path: Path) -> None:
    """What it reads adds up to what a first reading finds, whatever became of the file in between."""
    path = tmp_path / "cursor.jsonl"
    first = Journal(str(path), compact_bytes=400)  # rewritten on the way
    for number in range(9):
        first.write(journal.done([Range(A, 10 * number, 10 * number + 10)], Tally(1)))
    first.close()
    line = checked.encode(journal.done([Range(A, 90, 100)], Tally(5)))
    if meanwhile == "more":
        files.append_line(str(path), line)
    elif meanwhile == "compacted":
        other = Journal(str(path))
        other.write(journal.done([Range(A, 90, 100)], Tally(5)))
        other.compact()
        other.close()
    elif meanwhile == "deleted":
        path.unlink()
    elif meanwhile == "torn":
        path.write_bytes(path.read_bytes()[:-5])
    elif meanwhile == "other":
        path.write_bytes(line * 20)

    second = Journal(str(path), known=first.known)
    second.write(journal.done([Range(B, 0, 10)], Tally(2)))
    second.close()
    third = Journal(str(path), known=second.known)
    assert sum_of(third.fold) == sum_of(folded(path.read_bytes()))
    assert third.fold.cursors[B].offset == 10
    third.close()


def test_what_a_full_disk_did_not_take_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next holder believes the file: everybody else does, too."""
    path = str(tmp_path / "cursor.jsonl")
    first = Journal(path)
    first.write(journal.done([Range(A, 0, 10)], Tally(1)))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as disk:
        disk.setattr(files, "write_whole", full)
        first.write(journal.done([Range(A, 10, 20)], Tally(1)))
        first.close()
    second = Journal(path, known=first.known)
    assert second.fold.cursors[A].offset == 10
    second.close()
