"""Tests for :mod:`footspan.spool.forgetting.suppressed`: the list holds no id, and outlives whoever wrote it."""

from __future__ import annotations

import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest

from footspan.spool.forgetting import suppressed
from footspan.spool.forgetting.person import Person
from spool.making import open_disk

if TYPE_CHECKING:
    from pathlib import Path

ADA = Person(ids=frozenset({"u_ada"}), emails=frozenset({"ada@shop.example"}), linked=frozenset({"s_1"}))


def test_it_holds_no_id(tmp_path: Path) -> None:
    """Only its owner reads it, and nobody reads who is meant."""
    suppressed.add(str(tmp_path), ADA, expires=None)
    [path] = tmp_path.glob("suppressed.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for text in (b"u_ada", b"shop.example", b"s_1"):
        assert text not in path.read_bytes()


def test_every_spool_has_a_salt_of_its_own(tmp_path: Path) -> None:
    """Two lists cannot be compared."""
    for name in "ab":
        (tmp_path / name).mkdir()
        suppressed.add(str(tmp_path / name), ADA, expires=None)
    one, other = (suppressed.read(str(tmp_path / name)) for name in "ab")
    assert one is not None
    assert other is not None
    assert one.entries[0].person.ids != other.entries[0].person.ids


def test_whom_it_knows(tmp_path: Path) -> None:
    """Ids are compared whole, addresses without regard to case, sessions where nobody else is named."""
    suppressed.add(str(tmp_path), ADA, expires=None)
    listed = suppressed.read(str(tmp_path))
    assert listed is not None
    everybody = listed.everybody(time.time())
    assert everybody.is_in([("user.id", "u_ada")])
    assert everybody.is_in([("contact", "ADA@shop.example")])
    assert everybody.is_in([("session.id", "s_1")])
    assert not everybody.is_in([("session.id", "s_1"), ("user.id", "u_bob")])
    assert not everybody.is_in([("user.id", "u_ada2"), ("note", "u_ada ")])


def test_entries_expire_and_are_renewed(tmp_path: Path) -> None:
    """The same person again is the same entry; one that has expired goes with the next change."""
    root = str(tmp_path)
    first = suppressed.add(root, ADA, expires=time.time() - 1)
    listed = suppressed.read(root)
    assert listed is not None
    assert not listed.everybody(time.time())
    again = suppressed.add(root, ADA, expires=None)
    assert again.id == first.id
    other = suppressed.add(root, Person(ids=frozenset({"u_bob"})), expires=time.time() - 1)
    assert suppressed.remove(root, ["nobody"]) == []
    listed = suppressed.read(root)
    assert listed is not None
    assert [entry.id for entry in listed.entries] == [again.id]
    assert other.id != again.id


def test_the_last_entry_takes_the_list_with_it(tmp_path: Path) -> None:
    """A spool without forgotten people costs carriers nothing but a look."""
    root = str(tmp_path)
    entry = suppressed.add(root, ADA, expires=None)
    assert [gone.id for gone in suppressed.remove(root, [entry.id])] == [entry.id]
    assert suppressed.read(root) is None
    assert suppressed.remove(root, [entry.id]) == []


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"format":2,"salt":"","entries":[]}', b"\0" * 40])
def test_a_list_that_cannot_be_read_is_no_empty_list(tmp_path: Path, damage: bytes) -> None:
    """What may be sent is not known then."""
    (tmp_path / "suppressed.json").write_bytes(damage)
    with pytest.raises(suppressed.SuppressionError, match=r"suppressed\.json"):
        suppressed.read(str(tmp_path))


def test_a_lane_has_the_list_of_its_spool(tmp_path: Path) -> None:
    """Spans and logs of somebody stay here as well."""
    open_disk(tmp_path).close()
    open_disk(tmp_path / "spans").close()
    assert suppressed.path_of(f"{tmp_path}/spans") == suppressed.path_of(str(tmp_path))
    assert suppressed.path_of(f"{tmp_path}/events") != suppressed.path_of(str(tmp_path))


def test_several_at_once(tmp_path: Path) -> None:
    """Nobody's entry is lost where several are added at the same time."""
    root = str(tmp_path)
    people = [Person(ids=frozenset({f"u_{number}"})) for number in range(8)]
    threads = [
        threading.Thread(target=suppressed.add, args=(root, person), kwargs={"expires": None}) for person in people
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = suppressed.read(root)
    assert listed is not None
    assert len(listed.entries) == len(people)


def test_nothing_shows_who_is_meant() -> None:
    """A person in a traceback is a number."""
    assert "u_ada" not in repr(ADA)
