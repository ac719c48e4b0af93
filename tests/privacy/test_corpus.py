"""The default policy on the corpus: the bounds that `make bench` reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("phonenumbers")
FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = (
    "common",
    "privacy",
    "privacy_corpus",
    "privacy_field",
    "privacy_field_lookalikes",
    "privacy_field_people",
    "privacy_innocent",
)


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The benchmark program as a module; nothing of it stays."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = {name: sys.modules.pop(name) for name in NAMES if name in sys.modules}
    import privacy  # noqa: PLC0415 - found on the path that was just set

    yield privacy
    for name in NAMES:
        sys.modules.pop(name, None)
    sys.modules.update(before)


@pytest.mark.parametrize("part", ["tuned", "held out", "field"])
def test_it_finds_what_it_is_for_and_nothing_else(benchmark: Any, part: str) -> None:
    """Recall and precision of each class, in every part."""
    scores = benchmark.score(part)

    for cls, least in benchmark.RECALL.items():
        assert scores[cls].recall >= least, scores[cls].missed
        assert scores[cls].precision >= benchmark.PRECISION, scores[cls].missed


def test_the_corpus_is_large_and_always_the_same(benchmark: Any) -> None:
    """Two thousand lines at the least, and the same in every run."""
    import privacy_corpus  # noqa: PLC0415 - as above

    lines = [*privacy_corpus.everything()]
    assert len(lines) >= 2_000
    assert lines == [*privacy_corpus.everything()]
    assert all(line.planted in line.text for _, line in lines)
