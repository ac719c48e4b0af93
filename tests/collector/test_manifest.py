"""The Collector that is built for the tests: its manifest and its builder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collector.configs import MANIFEST, load
from tools import collector

if TYPE_CHECKING:
    from pathlib import Path


def test_all_components_are_of_one_release() -> None:
    """Components are v0.N.0, providers v1.(N-94).0: a mixture does not link, or worse, does."""
    manifest = load(MANIFEST.read_text(encoding="utf-8"))
    minor = int(manifest["dist"]["version"].split(".")[1])

    for kind in ("receivers", "processors", "exporters", "extensions", "providers"):
        expected = f"v1.{minor - 94}.0" if kind == "providers" else f"v0.{minor}.0"
        for module in manifest[kind]:
            assert module["gomod"].split()[1] == expected, module


def test_the_builder_has_the_collectors_version() -> None:
    """The builder generates sources for its own release only."""
    assert collector.version() == load(MANIFEST.read_text(encoding="utf-8"))["dist"]["version"]


def test_the_binary_is_cached_by_the_manifests_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another manifest is another Collector; both can be there at once, outside the working tree."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text("dist:\n  version: 0.1.0\n")
    other.write_text("dist:\n  version: 0.2.0\n")

    assert collector.binary(one).is_relative_to(tmp_path / "cache" / "footspan" / "collector")
    assert collector.binary(one) != collector.binary(other)
    assert collector.binary(one) == collector.binary(one)


def test_without_go_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Go gets one sentence, not a stack trace."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(collector, "GO_HOME", str(tmp_path))

    with pytest.raises(collector.BuildError, match=r"install Go >= 1\.26"):
        collector.go()


@pytest.mark.parametrize("answer", ["go version go1.25.4 linux/amd64", "gccgo something"])
def test_a_go_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """The builder would fail much later with a message about a toolchain."""
    fake = tmp_path / "go"
    fake.write_text(f"#!/bin/sh\necho {answer}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(collector.BuildError, match=re.escape(f"found {answer}")):
        collector.go()


def test_a_failing_step_shows_the_end_of_its_output(tmp_path: Path) -> None:
    """The reason of a failed build is in its last lines."""
    with pytest.raises(collector.BuildError, match=r"(?s)compile failed with exit code 3:.*missing module"):
        collector.run("compile", ["sh", "-c", "echo missing module; exit 3"], tmp_path, {"PATH": "/usr/bin:/bin"})
