"""What a type checker makes of the calls and decorators: mypy, strict, on a small program."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PROGRAM = """
import asyncio
from collections.abc import AsyncIterator, Generator

import footspan
from footspan import Tracker

tracker = Tracker(service_name="audit", destinations={"console": {"enabled": True}})


@footspan.track_duration("a", include_args=["prompt"], model="flux")
def generate(prompt: str, *, steps: int = 4) -> list[int]:
    return [steps]


@footspan.track_function
def bare(n: int) -> str:
    return str(n)


@footspan.track_error("b")
async def fetch(url: str) -> bytes:
    return b""


@tracker.track_duration("c")
def numbers() -> Generator[int, str, bool]:
    yield 1
    return True


@tracker.track_function()
async def pages() -> AsyncIterator[str]:
    yield ""


class Shop:
    @footspan.track_duration("d")
    def own(self, n: int) -> int:
        return n

    @footspan.track_function
    @classmethod
    def klass(cls, n: int) -> "Shop":
        return cls()

    @staticmethod
    @footspan.track_error("e")
    def static(n: int) -> float:
        return n / 1

    @footspan.track_error("f")
    @staticmethod
    def static_too(n: int) -> float:
        return n / 1


reveal_type(generate)
reveal_type(bare(1))
reveal_type(asyncio.run(fetch("")))
reveal_type(numbers())
reveal_type(pages())
reveal_type(Shop().own(1))
reveal_type(Shop.klass(1))
reveal_type(Shop.static(1))
reveal_type(Shop.static_too(1))
reveal_type(footspan.track("x", n=1))
generate(7)
bare()
Shop().own("1")
footspan.track("x", {"n": 1})
with footspan.track_duration("g"):
    pass
with tracker as same:
    reveal_type(same)


async def main() -> None:
    async with footspan.track_function("h"):
        pass
"""


def test_the_wrapped_signature_is_seen(tmp_path: Path) -> None:
    """Results and parameters are those of the function; wrong calls, and a mapping by position, are errors."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", tmp_path / "cache", program],
        capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    revealed = re.findall(r'Revealed type is "(.*)"', done.stdout)
    errors = re.findall(r"error: .*\[([a-z-]+)\]", done.stdout)

    assert [each.replace("builtins.", "") for each in revealed] == [
        "def (prompt: str, *, steps: int =) -> list[int]",
        "str",
        "bytes",
        "typing.Generator[int, str, bool]",
        "typing.AsyncIterator[str]",
        "int",
        "program.Shop",
        "float",
        "float",
        "str",
        "footspan.tracking.tracker.Tracker",
    ], done.stdout
    assert errors == ["arg-type", "call-arg", "arg-type", "arg-type"], done.stdout
