"""A census: what another process counted saves reading, and never changes a figure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.spool import counted, files
from footspan.spool.census import Census
from footspan.spool.journal import Fold
from spool.making import OTLP, PAYMENTS, UMAMI, accepts, age, drain, line, open_disk, segments, the_feed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TARGETS = (UMAMI, PAYMENTS)


@pytest.fixture
def _worth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is worth keeping, at every place."""
    monkeypatch.setattr(counted, "WORTH", 1)
    monkeypatch.setattr(counted, "_APART", 1)


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The segments of which something is read."""
    read: list[str] = []
    real: Callable[..., bytes] = files.read_at

    def read_at(path: str, offset: int, size: int) -> bytes:
        data = real(path, offset, size)
        if data:
            read.append(path)
        return data

    monkeypatch.setattr(files, "read_at", read_at)
    return read


def content(seed: int, count: int) -> list[bytes]:
    """Lines of every kind."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        events = [line(f"u{number}"), line(f"p{number}", "payment.done")]
        made += chance.choices([*events, b"no event\n", b"\n"], (5, 5, 1, 1))
    return made


@given(seed=st.integers(0, 1000), count=st.integers(1, 60), later=st.integers(0, 5), at=st.integers(0, 60))
def test_what_was_kept_equals_a_full_count(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int, later: int, at: int
) -> None:
    """For every destination, up to any line, and with what came meanwhile."""
    folder = tmp_path_factory.mktemp("census")
    path, beside = folder / "segment.jsonl", str(folder / "segment.events")
    lines = content(seed, count + later)
    path.write_bytes(b"".join(lines[:count]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counted, "WORTH", 1)
        patch.setattr(counted, "_APART", 500)
        assert Census(str(path), TARGETS, accepts, beside).waiting(UMAMI.id, Fold(), "s") >= 0
        second = Census(str(path), TARGETS, accepts, beside)
        assert second.waiting(UMAMI.id, Fold(), "s") >= 0
        with path.open("ab") as file:
            file.write(b"".join(lines[count:]))
        third, full = Census(str(path), TARGETS, accepts, beside), Census(str(path), TARGETS, accepts)
        for census in (second, third):
            for target in TARGETS:
                assert census.waiting(target.id, Fold(), "s") == full.waiting(target.id, Fold(), "s")
                place = sum(map(len, lines[:at]))
                assert census.upto(target.id, place) == full.upto(target.id, place)


@pytest.mark.usefixtures("_worth")
def test_the_next_process_reads_no_segment(tmp_path: Path, files_read: list[str]) -> None:
    """Its figures are those of the first."""
    spool = open_disk(tmp_path / "s", UMAMI, PAYMENTS)
    for number in range(50):
        spool.append(line(f"u{number}", "payment.done" if number % 2 else "x"))
    spool.close()
    first = open_disk(tmp_path / "s", UMAMI, PAYMENTS).waiting()
    files_read.clear()
    assert open_disk(tmp_path / "s", UMAMI, PAYMENTS).waiting() == first == {UMAMI.id: 50, PAYMENTS.id: 25}
    assert not [path for path in files_read if path.endswith(".jsonl")]


@pytest.mark.usefixtures("_worth")
def test_what_is_kept_of_another_content_is_not_believed(tmp_path: Path) -> None:
    """A segment that grew, was changed, or is for others, and every kind of damage to the file."""
    path, beside = tmp_path / "segment.jsonl", tmp_path / "segment.events"

    def count(*targets: object) -> int:
        return Census(str(path), targets or TARGETS, accepts, str(beside)).waiting(UMAMI.id, Fold(), "s")  # type: ignore[arg-type]

    path.write_bytes(line("u0") + line("u1"))
    assert count() == 2
    whole = beside.read_bytes()
    for at in range(len(whole)):
        beside.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert count() == 2
        beside.write_bytes(whole[:at])
        assert count() == 2
    beside.write_bytes(whole)
    assert count(UMAMI, OTLP) == 2
    path.write_bytes(line("u0") + b"x" * (len(line("u1")) - 1) + b"\n")
    age(path, 60)
    assert count() == 1
    with path.open("ab") as file:
        file.write(line("u2"))
    assert count() == 2


@pytest.mark.usefixtures("_worth")
def test_it_goes_with_its_segment(tmp_path: Path) -> None:
    """Delivered or evicted."""
    for name, options in (("delivered", {}), ("evicted", {"max_age": 60.0})):
        spool = open_disk(tmp_path / name, quiet=0.0, **options)
        spool.append(line("u0"))
        spool.waiting()
        assert len(list((tmp_path / name / "counters").glob("*.events"))) == 1
        spool.close()
        if not options:
            feed = the_feed(spool)
            drain(feed)
            feed.close()
        age(segments(tmp_path / name)[0], 3600)
        spool.maintain()
        assert segments(tmp_path / name) == []
        assert not list((tmp_path / name / "counters").glob("*.events"))


def test_where_nothing_can_be_kept_all_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk in trouble costs time only."""
    monkeypatch.setattr(counted, "WORTH", 1)
    path = tmp_path / "segment.jsonl"
    path.write_bytes(line("u0"))
    census = Census(str(path), TARGETS, accepts, str(tmp_path / "no folder" / "segment.events"))
    assert census.waiting(UMAMI.id, Fold(), "s") == 1
