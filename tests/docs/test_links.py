"""Every link inside the documentation leads somewhere. Addresses of the web are not visited."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from docs.markdown import FILES, ROOT, anchors, links

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(path: Path) -> None:
    """A moved file or a renamed heading takes its links along."""
    for link in links(path):
        if re.match(r"[a-z]+:", link):
            assert link.startswith(("https://", "http://localhost", "http://127.0.0.1", "mailto:")), link
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{path.name}: {link}"
        assert target.is_relative_to(ROOT), f"{path.name}: {link} leaves the project"
        if anchor:
            assert anchor in anchors(target), f"{path.name}: {link}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_page_opens_with_its_one_title(path: Path) -> None:
    """A page is about one thing and says which."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert lines, f"{path.name} is empty"
    assert re.match(r"# \S", lines[0]), path.name
