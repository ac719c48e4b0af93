"""Build the OpenTelemetry Collector that footspan's configurations are tested with, once per manifest.

``python tools/collector.py`` builds it with the official builder (Go is needed) and prints where it is;
``python tools/collector.py --path`` only prints where it is or would be. The binary is kept outside the working tree,
so that a clean checkout reuses it: ``${XDG_CACHE_HOME:-~/.cache}/footspan/collector/<digest of the manifest>/otelcol``.

Standard library only: it runs before any environment exists.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MANIFEST = Path(__file__).parent.parent / "collector-config" / "builder" / "manifest.yaml"
BUILDER = "go.opentelemetry.io/collector/cmd/builder"
MIN_GO = (1, 26)
GO_HOME = "/usr/local/go/bin"
"""Where Go's own installer puts it, which not every PATH has."""
STEP_TIMEOUT = 40 * 60.0
"""Seconds one step may take, module downloads included; far above what two slow cores need."""
REPORT_EVERY = 10.0
"""Seconds between two progress lines."""


class BuildError(Exception):
    """The Collector cannot be built here; the text says why and what to do."""


def cache_root() -> Path:
    """The folder of every built Collector and builder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "footspan" / "collector"


def binary(manifest: Path = MANIFEST) -> Path:
    """Where the Collector of this manifest is, or will be."""
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]
    return cache_root() / digest / "otelcol"


def version(manifest: Path = MANIFEST) -> str:
    """The pinned Collector version, which is the builder's version too."""
    found = re.search(r"^  version: (\d+\.\d+\.\d+)$", manifest.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise BuildError(f"{manifest}: no dist.version")
    return found[1]


def say(text: str) -> None:
    """Progress, on standard error: standard output is the path alone."""
    print(f"collector: {text}", file=sys.stderr, flush=True)


def go() -> str:
    """The Go compiler.

    Raises:
        BuildError: There is none, or it is too old.
    """
    found = shutil.which("go") or shutil.which("go", path=GO_HOME)
    if found is None:
        raise BuildError("Go is not installed. The Collector is built from source: install Go >= 1.26 (go.dev/dl).")
    answer = subprocess.run([found, "version"], capture_output=True, text=True, timeout=60, check=False).stdout
    number = re.search(r"go(\d+)\.(\d+)", answer)
    if number is None or (int(number[1]), int(number[2])) < MIN_GO:
        raise BuildError(
            f"Go >= 1.26 is needed, found {answer.strip() or 'no version'}. Install a newer one (go.dev/dl)."
        )
    return found


def run(what: str, command: list[str], cwd: Path, env: dict[str, str]) -> None:
    """Run one step and say every few seconds how far it is (lines of output: modules found, packages compiled)."""
    started = time.monotonic()
    say(f"{what} …")
    log = cwd / "build.log"
    with log.open("ab") as out:
        offset = out.tell()
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            while process.poll() is None:
                if time.monotonic() - started > STEP_TIMEOUT:
                    raise BuildError(f"{what}: not done after {STEP_TIMEOUT / 60:.0f} minutes, given up")
                try:
                    process.wait(REPORT_EVERY)
                except subprocess.TimeoutExpired:
                    lines = log.read_bytes()[offset:].count(b"\n")
                    say(f"{what}: {time.monotonic() - started:.0f} s, {lines} steps")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        raise BuildError("\n  ".join([f"{what} failed with exit code {process.returncode}:", *tail]))
    say(f"{what}: done in {time.monotonic() - started:.0f} s")


def build(manifest: Path = MANIFEST) -> Path:
    """Build the manifest's Collector unless it is there already.

    Returns:
        The binary.

    Raises:
        BuildError: No suitable Go, or a step failed.
    """
    target = binary(manifest)
    if target.exists():
        say(f"{version(manifest)} is built already")
        return target
    compiler, wanted = go(), version(manifest)
    tools = cache_root() / f"builder-{wanted}"
    env = {**os.environ, "GOBIN": str(tools), "CGO_ENABLED": "0"}
    # The builder calls `go` by name, and it may stand in a folder that PATH lacks.
    env["PATH"] = os.pathsep.join((str(Path(compiler).parent), env.get("PATH", "")))
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="build-", dir=target.parent))
    try:
        if not (tools / "builder").exists():
            run(f"builder {wanted}", [compiler, "install", "-v", f"{BUILDER}@v{wanted}"], work, env)
        shutil.copy(manifest, work / "manifest.yaml")
        generate = [str(tools / "builder"), "--skip-compilation", "--config=manifest.yaml"]
        run("sources and modules", generate, work, env)
        command = [compiler, "build", "-v", "-trimpath", "-tags=grpcnotrace", "-ldflags=-s -w", "-o", "otelcol", "."]
        shutil.move(work / "build.log", work / "_build" / "build.log")
        run("compile", command, work / "_build", env)
        # A rename, so that a build that runs beside this one never leaves half a binary.
        (work / "_build" / "otelcol").replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def main() -> int:
    """Build, or only tell the path."""
    parser = argparse.ArgumentParser(description="Build the OpenTelemetry Collector of collector-config/builder.")
    parser.add_argument("--path", action="store_true", help="print where the binary is (or would be) and build nothing")
    if parser.parse_args().path:
        print(binary())
        return 0
    try:
        print(build())
    except BuildError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
