"""How long one call keeps its caller waiting: percentiles of wall-clock time, beside the raw SDK's.

1 and 8 threads call, beside 0, 1 and 7 threads that keep the interpreter busy with pure Python. Each scenario has a
process of its own, in which slices of ours and of the raw SDK take turns. What decides here is less the work of a call
than whether it gives the interpreter away: whoever does may have to wait until the busy threads let it in again (5 ms
each).

``--work MICROSECONDS`` puts that much pure Python before each call, as an application does. Without it the calls follow
one another, so that the waits for the interpreter that every thread has anyway are spread over a great many calls.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from typing import TYPE_CHECKING

import common

if TYPE_CHECKING:
    from collections.abc import Callable

CALLERS = (1, 8)
BUSY = (0, 1, 7)
PERCENTILES = (50.0, 99.0, 99.9)
MOST = 400_000
"""Calls of one side that are kept; of more, every n-th."""


def slice_of(call: Callable[[], object], callers: int, busy: int, seconds: float, work: float) -> list[int]:
    """Let ``callers`` threads call for some seconds beside ``busy`` threads; nanoseconds of each call."""
    stop = threading.Event()
    ready = threading.Barrier(callers + busy)
    found: list[list[int]] = [[] for _ in range(callers)]

    def timed(mine: list[int]) -> None:
        ready.wait()
        calling(call, mine, seconds, work)

    def busied() -> None:
        ready.wait()
        while not stop.is_set():
            working()

    threads = [threading.Thread(target=timed, args=(mine,)) for mine in found]
    others = [threading.Thread(target=busied) for _ in range(busy)]
    for thread in (*others, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    for thread in others:
        thread.join()
    return [each for mine in found for each in mine]


def calling(call: Callable[[], object], times: list[int], seconds: float, work: float) -> None:
    """Call for some seconds, and note how long each call took; at least once."""
    clock = time.perf_counter_ns
    end = clock() + int(seconds * 1e9)
    pause = int(work * 1000)
    while not times or clock() < end:
        start = clock()
        if pause:
            while clock() < start + pause:
                pass
            start = clock()
        call()
        times.append(clock() - start)


def working() -> None:
    """A bit of pure Python."""
    value = 0
    for number in range(1000):
        value = (value + number * number) % 1_000_003


def scenario(
    sides: dict[str, Callable[[], object]], callers: int, busy: int, seconds: float, rounds: int, work: float
) -> dict[str, list[float]]:
    """Percentiles in µs by side, and behind them the number of calls; the sides take turns."""
    samples: dict[str, list[int]] = {name: [] for name in sides}
    for call in sides.values():
        slice_of(call, callers, 0, min(seconds, 0.2), 0.0)
    for _ in range(rounds):
        for name, call in sides.items():
            times = slice_of(call, callers, busy, seconds, work)
            samples[name] += times[:: len(times) * rounds // MOST + 1]
    return {name: [*percentiles(times), float(len(times))] for name, times in samples.items()}


def percentiles(times: list[int]) -> list[float]:
    """The percentiles in µs."""
    cuts = statistics.quantiles(times, n=1000, method="inclusive")
    return [cuts[round(each * 10) - 1] / 1000 for each in PERCENTILES]


def measure(callers: int, busy: int, seconds: float, rounds: int, work: float) -> dict[str, list[float]]:
    """One scenario, in this process."""
    with (
        common.scratch() as folder,
        common.dead_endpoint() as nowhere,
        common.footspan_running(folder, nowhere),
        common.raw_running() as (_, logger),
    ):
        return scenario(
            {"ours": common.our_call(), "raw": common.raw_call(logger)}, callers, busy, seconds, rounds, work
        )


def main() -> None:
    """Measure and print."""
    chosen = common.options(
        __doc__,
        ("--work", {"type": float, "default": 0.0, "metavar": "MICROSECONDS", "help": "pure Python before each call"}),
        ("--scenario", {"nargs": 2, "type": int, "metavar": ("CALLERS", "BUSY"), "help": "only this one, as JSON"}),
    )
    seconds, rounds = (0.1, 1) if chosen.quick else (1.0, 5)
    if chosen.scenario:
        callers, busy = chosen.scenario
        print(json.dumps(measure(callers, busy, seconds, rounds, chosen.work)))
        return
    report = common.Report("Wall-clock time of one call")
    for callers in CALLERS:
        for busy in BUSY:
            common.say(f"tail: {callers} calling, {busy} busy …")
            extra = ["--quick"] if chosen.quick else []
            found = common.child([__file__, "--scenario", str(callers), str(busy), "--work", str(chosen.work), *extra])
            for index, percentile in enumerate(PERCENTILES):
                ours, raw = found["ours"][index], found["raw"][index]
                what = f"{callers} calling, {busy} busy: p{percentile:g}"
                report.rows.append(common.Row(what, ours, raw, "µs", ours / raw, "<= 1"))
            calls = f"{found['ours'][-1]:,.0f} calls of ours, {found['raw'][-1]:,.0f} of the raw SDK's"
            report.notes.append(f"{callers} calling, {busy} busy: {calls}.")
    report.show(chosen)


if __name__ == "__main__":
    main()
