"""Pipelines: whose events are for whom, named by what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from footspan.spool import pipelines
from footspan.spool.base import Target
from footspan.spool.layout import Layout
from footspan.spool.pipelines import Pipelines
from spool.making import OTLP, PAYMENTS, UMAMI


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A prepared folder."""
    layout = Layout(tmp_path / "s")
    layout.prepare()
    return layout


def test_a_set_has_one_fingerprint() -> None:
    """In whatever order it comes; another pattern, name or destination makes another."""
    both = pipelines.fingerprint([UMAMI, PAYMENTS])
    assert both == pipelines.fingerprint([PAYMENTS, UMAMI])
    assert len(both) == 12
    others = [[UMAMI], [UMAMI, OTLP], [UMAMI, Target(PAYMENTS.id, "store", "store", ("a",))], []]
    assert both not in {pipelines.fingerprint(other) for other in others}


def test_what_was_written_reads_back(layout: Layout) -> None:
    """Ids, names, types and patterns, from another process's point of view too."""
    name = Pipelines(layout).write([PAYMENTS, UMAMI])
    assert set(Pipelines(layout).targets(name) or ()) == {PAYMENTS, UMAMI}
    assert Pipelines(layout).of(name, PAYMENTS.id) == (PAYMENTS,)
    assert Pipelines(layout).of(name, "nobody") == ()
    assert Path(layout.pipelines, f"{name}.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format":1,"destinations":[{}]}', b"\xff\x00"])
def test_a_damaged_file_is_unknown_until_it_is_written_again(layout: Layout, damage: bytes) -> None:
    """Nobody guesses where events may go."""
    mine = Pipelines(layout)
    name = mine.write([UMAMI])
    Path(layout.pipelines, f"{name}.json").write_bytes(damage)
    assert Pipelines(layout).targets(name) is None
    mine.write([UMAMI])
    assert Pipelines(layout).targets(name) == (UMAMI,)


def test_a_changed_destination_is_found_out(layout: Layout) -> None:
    """One flipped character in an id must not send events elsewhere."""
    mine = Pipelines(layout)
    name = mine.write([UMAMI])
    path = Path(layout.pipelines, f"{name}.json")
    path.write_bytes(path.read_bytes().replace(b"umami-0", b"umami-1"))
    assert Pipelines(layout).targets(name) is None


@pytest.mark.parametrize("identifier", ["", ".", "..", "a/b", "../x", "-x", "a\n", "x" * 200])
def test_ids_that_cannot_name_a_file_are_refused(identifier: str) -> None:
    """An id comes from settings and names a folder."""
    assert not pipelines.is_safe_id(identifier)
    assert pipelines.is_safe_id(UMAMI.id)
