"""``docs/delivery.md`` names a test for every promise: they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TEST = re.compile(r"^def test_|\.TestCase$", re.MULTILINE)
_QUOTED = re.compile(r"`([^`]+)`")


def named_tests() -> list[Path]:
    """The test files and folders in the page's last table; a bare name is a neighbour of the one before it."""
    page = (ROOT / "docs/delivery.md").read_text("utf-8")
    rows = [row for row in page.partition("## The promises and their tests")[2].splitlines() if row.startswith("| ")]
    found: list[Path] = []
    for row in rows[2:]:
        names = [name for name in _QUOTED.findall(row.split("|")[2]) if name.startswith(("tests/", "test_"))]
        assert names, f"no test is named for: {row.split('|')[1].strip()}"
        for name in names:
            found.append(ROOT / name if name.startswith("tests/") else found[-1].parent / name)
    return found


def test_every_promise_has_its_tests() -> None:
    """Each row names at least one, and each named file or folder holds tests."""
    tests = named_tests()
    assert len(tests) > 20
    for path in tests:
        sources = [path] if path.is_file() else sorted(path.glob("test_*.py"))
        assert sources, path
        assert all(_TEST.search(source.read_text("utf-8")) for source in sources), path
