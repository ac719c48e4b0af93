"""How much memory grows while a million events wait for a dead destination.

The writer tracks them, once delivering in a thread of its own (which finds the destination dead) and once leaving
delivery to others; a third process carries what the writer left, as ``footspan deliver`` would. Each begins with some
events, so that imports, caches and the first segment are not counted; the figure is the highest resident size seen from
then on, asking for the status included, less the size at the beginning.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import common

if TYPE_CHECKING:
    import argparse

LOOKS: Final = 100
CARRYING: Final = 5.0


def resident() -> dict[str, float]:
    """MiB of this process in memory: all of it, and what is no page of a file."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    sizes = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "RssAnon"))}
    return {"all": int(sizes["VmRSS"]) / 1024, "anonymous": int(sizes["RssAnon"]) / 1024}


class Watch:
    """The highest sizes since it was made, less those at the beginning."""

    def __init__(self) -> None:
        self._first = resident()
        self.growth = dict.fromkeys(self._first, 0.0)

    def look(self) -> None:
        """Look now."""
        for key, value in resident().items():
            self.growth[key] = max(self.growth[key], value - self._first[key])


def write(chosen: argparse.Namespace) -> dict[str, float]:
    """Track the events in this process."""
    import footspan  # noqa: PLC0415 - only a child loads it

    with common.footspan_running(chosen.dir, chosen.url, courier=chosen.courier):
        call = common.our_call()
        for _ in range(1000):
            call()
        footspan.status()
        time.sleep(1.0)  # the carrier has found its destination dead
        watch = Watch()
        part = max(1, chosen.count // LOOKS)
        for _ in range(chosen.count // part):
            for _ in range(part):
                call()
            watch.look()
        return finish(watch, chosen.count + 1000)


def finish(watch: Watch, expected: int) -> dict[str, float]:
    """Ask what people ask, look, and make sure that the events are there."""
    import footspan  # noqa: PLC0415 - as above

    waiting = footspan.flush(0)
    watch.look()
    if sum(waiting.values()) != expected:
        sys.exit(f"benchmark: {expected} events were tracked, but {waiting} are waiting")
    footspan.status()
    watch.look()
    return watch.growth


def carry(chosen: argparse.Namespace) -> dict[str, float]:
    """Carry what waits, in this process, in vain: first a spool with some events, then the one with all."""
    import footspan  # noqa: PLC0415 - as above

    small = f"{chosen.dir}-small"
    with common.footspan_running(small, chosen.url):  # loads what carrying needs
        common.our_call()()
        time.sleep(1.0)
    watch = Watch()
    with common.footspan_running(chosen.dir, chosen.url):
        end = time.monotonic() + chosen.seconds
        while time.monotonic() < end:
            time.sleep(0.05)
            watch.look()
        if not footspan.status():
            sys.exit("benchmark: nothing was started")
        return finish(watch, chosen.count + 1000)


def main() -> None:
    """Measure and print."""
    chosen = common.options(
        __doc__,
        ("--side", {"choices": ["write", "carry"], "help": "only this process, as JSON"}),
        ("--courier", {"choices": ["thread", "external"], "default": "thread"}),
        ("--count", {"type": int, "default": 0}),
        ("--seconds", {"type": float, "default": CARRYING}),
        ("--url", {"default": ""}),
        ("--dir", {"default": ""}),
    )
    if chosen.side:
        print(json.dumps(write(chosen) if chosen.side == "write" else carry(chosen)))
        return
    count = 5_000 if chosen.quick else 1_000_000
    seconds = 1.0 if chosen.quick else CARRYING
    report = common.Report(f"Growth of memory with {count:,} events waiting")
    with common.scratch() as folder, common.dead_endpoint() as nowhere:
        shared = ["--count", str(count), "--url", nowhere, "--seconds", str(seconds)]
        for what, arguments in (
            ("writer that carries too", ["--side", "write", "--dir", f"{folder}/thread"]),
            ("writer", ["--side", "write", "--courier", "external", "--dir", f"{folder}/external"]),
            ("courier", ["--side", "carry", "--dir", f"{folder}/external"]),
        ):
            common.say(f"memory: {what} …")
            grown = common.child([__file__, *arguments, *shared])
            report.rows.append(
                common.Row(f"RSS growth of a {what}", grown["all"], unit="MiB", figure=grown["all"], target="<= 16")
            )
            report.notes.append(f"{what}: {grown['anonymous']:.1f} MiB of the growth are no pages of a file.")
    report.show(chosen)


if __name__ == "__main__":
    main()
