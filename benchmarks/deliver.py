"""The client's CPU time for one delivered event, beside the raw SDK with its OTLP/HTTP exporter.

Both sides send to a sink in another process, compressed alike, and each side's round has a process of its own.
Counted is the CPU time of the whole client process, from the first call to the moment everything is delivered: our
calls and our courier's thread; the raw SDK's ``emit``, its batch processor and its exporter. What is not counted is
what happens once: imports, the first segment, the first connection.

"Burst" hands over as fast as it goes, to the raw SDK in portions of what one of its batches holds, so that its queue
never overflows. "Steady" is 1,000 events a second, ten at a time; the cost of keeping that pace is measured too, and
taken off. "Carried elsewhere" is the application's own share where another process delivers (``courier: external``).
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import common
import sink

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

PORTION: Final = 512
PACE: Final = 0.01
AT_ONCE: Final = 10
SETTLE: Final = 1.0


def burst(call: Callable[[], object], settle: Callable[[], object], count: int) -> float:
    """CPU seconds of the process for one event."""
    start = time.process_time()
    for first in range(0, count, PORTION):
        for _ in range(min(PORTION, count - first)):
            call()
        settle()
    return (time.process_time() - start) / count


def steady(call: Callable[[], object], settle: Callable[[], object], count: int) -> float:
    """The same at a steady pace, without the cost of the pace."""
    costs = []
    for each in (call, lambda: None):
        start = time.process_time()
        due = time.monotonic()
        for _ in range(count // AT_ONCE):
            for _ in range(AT_ONCE):
                each()
            due += PACE
            time.sleep(max(0.0, due - time.monotonic()))
        if each is call:
            settle()
        costs.append((time.process_time() - start) / count)
    return costs[0] - costs[1]


def ours(chosen: argparse.Namespace) -> float:
    """Deliver with footspan in this process."""
    import footspan  # noqa: PLC0415 - only this side loads it

    def all_delivered(patience: float = 120.0) -> None:
        for _ in range(round(120 / patience)):
            waiting = footspan.flush(patience)
            if waiting == common.ALL_DELIVERED:
                return
        sys.exit(f"benchmark: not delivered: {waiting}")

    courier = "external" if chosen.side == "external" else "thread"
    otlp = {"compression": chosen.compression}
    with (
        common.scratch() as folder,
        common.footspan_running(folder, chosen.url, otlp=otlp, courier=courier),
    ):
        call = common.our_call()
        burst(call, lambda: None, PORTION)
        if courier == "external":
            return burst(call, lambda: None, chosen.count)
        all_delivered(SETTLE)
        time.sleep(SETTLE)  # a flush makes the courier hurry for as long as it might have taken
        if chosen.steady:
            return steady(call, all_delivered, chosen.count)
        start = time.process_time()
        burst(call, lambda: None, chosen.count)
        all_delivered()
        return (time.process_time() - start) / int(chosen.count)


def raw(chosen: argparse.Namespace) -> float:
    """Deliver with the raw SDK in this process."""
    from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: PLC0415 - only this side loads it
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415

    compression = Compression.Gzip if chosen.compression == "gzip" else Compression.NoCompression
    exporter = OTLPLogExporter(endpoint=f"{chosen.url}/v1/logs", compression=compression)
    with common.raw_running(exporter) as (provider, logger):
        call = common.raw_call(logger)
        burst(call, provider.force_flush, PORTION)
        measure = steady if chosen.steady else burst
        return measure(call, provider.force_flush, int(chosen.count))


def sample(side: str, compression: str, count: int, url: str, *, pace: bool) -> float:
    """One round of one side, in a process of its own."""
    return float(
        common.child(
            [__file__, "--side", side, "--compression", compression, "--count", str(count), "--url", url]
            + ["--steady"] * pace
        )
    )


def main() -> None:
    """Measure and print."""
    chosen = common.options(
        __doc__,
        ("--side", {"choices": ["ours", "external", "raw"], "help": "only this side, as JSON"}),
        ("--compression", {"choices": ["gzip", "none"], "default": "gzip"}),
        ("--count", {"type": int, "default": 0}),
        ("--url", {"default": ""}),
        ("--steady", {"action": "store_true"}),
    )
    if chosen.side:
        print(json.dumps(raw(chosen) if chosen.side == "raw" else ours(chosen)))
        return
    report = common.Report("The client's CPU for one delivered event")
    with sink.running() as there:
        measure_all(chosen, report, there)
    report.show(chosen)


def measure_all(chosen: argparse.Namespace, report: common.Report, there: sink.Handle) -> None:
    """Every row."""
    rounds, count = (1, 1024) if chosen.quick else (5, 10_240)

    def taken(side: str, compression: str, count: int, *, pace: bool = False) -> float:
        cost = sample(side, compression, count, there.url, pace=pace)
        arrived = there.stats()
        expected = 0 if side == "external" else count + PORTION
        if arrived["events"] != expected:
            sys.exit(f"benchmark: {side} delivered {arrived['events']} of {expected} events")
        requests.setdefault((side, pace), []).append(arrived["requests"] * 10_000 / max(1, expected))
        return cost

    requests: dict[Any, list[float]] = {}
    for compression in ("gzip", "none"):
        common.say(f"deliver: burst, compression {compression} …")
        triples = [[taken(side, compression, count) for side in ("ours", "raw", "external")] for _ in range(rounds)]
        for index, (what, target) in enumerate(
            (("everything", "<= 0.25"), ("carried elsewhere, the application's own", "<= 0.2"))
        ):
            samples = [(each[2 * index], each[1]) for each in triples]
            name = f"burst, compression {compression}: {what}"
            report.rows.append(common.compare(name, samples, scale=common.MICRO, unit="µs", target=target))
    common.say("deliver: steady …")
    slow = 200 if chosen.quick else 3_000
    samples = [
        (taken("ours", "gzip", slow, pace=True), taken("raw", "gzip", slow, pace=True))
        for _ in range(1 if chosen.quick else 3)
    ]
    report.rows.append(
        common.compare("steady 1,000/s, compression gzip: everything", samples, scale=common.MICRO, unit="µs")
    )
    for (side, pace), per in sorted(requests.items()):
        if side != "external":
            kind = "steady" if pace else "burst"
            report.notes.append(f"{side}, {kind}: {sorted(per)[len(per) // 2]:,.0f} requests per 10,000 events.")


if __name__ == "__main__":
    main()
