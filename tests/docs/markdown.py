"""The project's Markdown as the documentation tests read it: files, fenced blocks, headings, links."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
TOP = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "collector-config/README.md"]
FILES = (
    [ROOT / name for name in TOP] + sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "examples").rglob("*.md"))
)

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[\w+-]*).*$")
_NO_RUN = re.compile(r"^\s*<!--\s*no-run:(?P<reason>.*)-->\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        path: The file it stands in.
        line: The number of its first line of content.
        language: The word behind the fence; empty without one.
        text: Its content, without the fence's indentation.
        no_run: The reason for not running it; ``None`` when it is to be run.
    """

    path: Path
    line: int
    language: str
    text: str
    no_run: str | None = None

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a file, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    number = 0
    no_run: str | None = None
    while number < len(lines):
        marker, fence = _NO_RUN.match(lines[number]), _FENCE.match(lines[number])
        number += 1
        if marker:
            no_run = marker["reason"].strip()
        elif fence:
            start = number
            while number < len(lines) and lines[number].strip() != fence["fence"]:
                number += 1
            if number == len(lines):
                raise ValueError(f"{path}:{start}: the block never ends")
            text = textwrap.dedent("\n".join(lines[start:number])) + "\n"
            yield Block(path, start + 1, fence["language"], text, no_run)
            number += 1
            no_run = None
        elif lines[number - 1].strip():
            no_run = None


def prose(path: Path) -> str:
    """A file without its fenced blocks."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for block in blocks(path):
        end = block.line - 1 + block.text.count("\n")
        lines[block.line - 2 : end + 1] = [""] * (end - block.line + 3)
    return "\n".join(lines)


def anchors(path: Path) -> set[str]:
    """The anchors that a reader of the rendered file can jump to."""
    found: set[str] = set()
    for title in re.findall(r"^#{1,6} +(.+?) *#*$", prose(path), re.MULTILINE):
        plain = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", title).lower()
        slug = base = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        count = 0
        while slug in found:
            count += 1
            slug = f"{base}-{count}"
        found.add(slug)
    return found


def links(path: Path) -> list[str]:
    """The targets of a file's links and images."""
    text = re.sub(r"`[^`\n]*`", "", prose(path))
    return re.findall(r"!?\[[^]]*\]\(<?([^)>\s]+)>?(?: \"[^\"]*\")?\)", text)
