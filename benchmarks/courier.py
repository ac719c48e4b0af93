"""How fast a full spool empties, beside the raw SDK's exporter handed as many records.

A process fills a spool with N events and ends. Another opens it and carries, timed from the opening to the last
answer: to a sink in a third process that answers at once, and to a destination inside the process that takes
everything and costs nothing (the courier by itself). The raw SDK's OTLP/HTTP exporter gets ready-made records in its
batches of 512 and the same sink, compressed alike; how many it gets does not matter to it, so it is not measured with
more than 20,480. On both sides the modules are loaded before the clock starts, and connecting counts.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import common
import sink

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from footspan.destinations.base import Destination, Outcome
    from footspan.otlp_json import LogLine

RAW_BATCH: Final = 512
RAW_MOST: Final = 20_480
SPOOL: Final = {"max_bytes": "8GiB"}


def fill(directory: str, url: str, count: int) -> None:
    """Track ``count`` events and leave them."""
    with common.footspan_running(directory, url, courier="external"):
        call = common.our_call()
        for _ in range(count):
            call()


def free(destination: Destination) -> Destination:
    """The same destination for the spool, which takes everything at once and costs nothing."""
    from footspan.destinations.base import Outcome, Verdict  # noqa: PLC0415 - only a carrying child loads it

    taken = Outcome(Verdict.DELIVERED)

    def send(events: Sequence[LogLine], timeout: float) -> Outcome:  # noqa: ARG001 - the signature of the real one
        return taken

    destination.send = send  # type: ignore[method-assign]
    return destination


def carry(chosen: argparse.Namespace) -> dict[str, float]:
    """Empty the spool in this process; seconds from its opening to the last answer."""
    # What the raw side has loaded, too, before its clock starts: the HTTP library, and all of its own code.
    import requests  # noqa: F401, PLC0415

    import footspan.destinations.http_time  # noqa: PLC0415
    import footspan.otlp_json.span_lines  # noqa: PLC0415
    import footspan.spool.disk  # noqa: PLC0415
    import footspan.spool.location  # noqa: F401, PLC0415
    from footspan.config.load import load_settings  # noqa: PLC0415 - only a carrying child loads it
    from footspan.delivery import Courier, accepts  # noqa: PLC0415
    from footspan.destinations import build_destination  # noqa: PLC0415
    from footspan.spool import open_spool  # noqa: PLC0415
    from footspan.spool.base import Target  # noqa: PLC0415

    otlp = {"endpoint": chosen.url, "compression": chosen.compression}
    spool = {"directory": chosen.dir, **SPOOL}
    settings = load_settings(
        overrides={"service_name": "benchmark", "spool": spool, "destinations": {"otlp": otlp}}, environ={}
    )
    declared = settings.destinations[0]
    destination = build_destination(declared)
    if chosen.side == "free":
        destination = free(destination)
    done, counting = threading.Event(), threading.Lock()
    left = chosen.count
    send = destination.send
    ended = 0.0

    def counted(events: Sequence[LogLine], timeout: float) -> Outcome:
        nonlocal left, ended
        outcome = send(events, timeout)
        with counting:  # requests may be abreast
            left -= len(events)
            if left <= 0:
                ended = time.perf_counter()
                done.set()
        return outcome

    destination.send = counted  # type: ignore[method-assign]
    cpu, start = time.process_time(), time.perf_counter()
    target = Target(destination.id, declared.name, declared.type, declared.events)
    courier = Courier(open_spool(settings, [target], accepts), [destination], exit_timeout=2.0)
    courier.start()
    if not done.wait(600):
        sys.exit(f"benchmark: {left} of {chosen.count} events are still in the spool")
    cpu = time.process_time() - cpu
    waiting = courier.flush(30)
    courier.shutdown(2.0)
    if waiting != common.ALL_DELIVERED or left:
        sys.exit(f"benchmark: after {chosen.count} events {waiting} are waiting, {left} too few were sent")
    return {"seconds": ended - start, "cpu": cpu}


def export(chosen: argparse.Namespace) -> dict[str, float]:
    """Have the raw SDK's exporter send ready-made records; seconds."""
    from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: PLC0415 - only this child loads it
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor  # noqa: PLC0415

    memory: Any = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    call = common.raw_call(provider.get_logger("benchmark"))
    for _ in range(chosen.count):
        call()
    records = memory.get_finished_logs()
    compression = Compression.Gzip if chosen.compression == "gzip" else Compression.NoCompression
    exporter = OTLPLogExporter(endpoint=f"{chosen.url}/v1/logs", compression=compression)
    cpu, start = time.process_time(), time.perf_counter()
    for first in range(0, len(records), RAW_BATCH):
        result: Any = exporter.export(records[first : first + RAW_BATCH])
        if result.name != "SUCCESS":
            sys.exit("benchmark: the raw exporter failed")
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


class Bench:
    """Fills spools and has them emptied, each time in a process of its own."""

    def __init__(self, folder: str, there: sink.Handle) -> None:
        self._folder = Path(folder)
        self._sink = there
        self.requests = 0.0

    def fill(self, count: int) -> Path:
        """A spool with ``count`` events, to be copied for each run."""
        source = self._folder / f"full-{count}"
        common.child([__file__, "--side", "fill", "--dir", str(source), "--url", self._sink.url, "--count", str(count)])
        return source

    def run(self, side: str, compression: str, count: int, source: Path | None = None) -> float:
        """Events per second of one run."""
        arguments = ["--side", side, "--compression", compression, "--count", str(count), "--url", self._sink.url]
        copy = self._folder / "run"
        if source is not None:
            shutil.copytree(source, copy)
            arguments += ["--dir", str(copy)]
        found = common.child([__file__, *arguments])
        shutil.rmtree(copy, ignore_errors=True)
        arrived = self._sink.stats()
        if arrived["events"] != (0 if side == "free" else count):
            sys.exit(f"benchmark: {side}: {arrived['events']} of {count} events arrived")
        self.requests = arrived["requests"] * 10_000 / count
        return float(count / found["seconds"])


def measure_all(chosen: argparse.Namespace, report: common.Report, bench: Bench) -> None:
    """Every row."""
    sizes = chosen.sizes or ((2_000, 10_000) if chosen.quick else (10_000, 100_000, 1_000_000))
    alone: dict[int, float] = {}
    for count in sizes:
        common.say(f"courier: {count:,} events …")
        rounds = 1 if chosen.quick else max(1, min(5, 200_000 // count))
        source = bench.fill(count)
        for compression in ("none", "gzip"):
            samples = []
            for _ in range(rounds):
                ours = bench.run("sink", compression, count, source)
                per_request = bench.requests
                samples.append((ours, bench.run("raw", compression, min(count, RAW_MOST))))
            what = f"{count:,} events to a sink, compression {compression}"
            report.rows.append(common.compare(what, samples, scale=1.0, unit="events/s", target=">= 8"))
            if compression == "gzip":
                what = f"{count:,} events: requests per 10,000"
                report.rows.append(common.Row(what, per_request, unit="", figure=per_request, target="<= 10"))
        alone[count] = statistics.median(bench.run("free", "none", count, source) for _ in range(rounds))
        report.rows.append(
            common.Row(f"{count:,} events to a destination that costs nothing", alone[count], unit="events/s")
        )
        shutil.rmtree(source)
    flat = alone[sizes[-1]] / alone[sizes[0]]
    what = f"flat: {sizes[-1]:,} events against {sizes[0]:,}, costing nothing"
    report.rows.append(common.Row(what, alone[sizes[-1]], unit="events/s", figure=flat, target=">= 0.8"))


def main() -> None:
    """Measure and print."""
    chosen = common.options(
        __doc__,
        ("--side", {"choices": ["fill", "sink", "free", "raw"], "help": "only this part"}),
        ("--compression", {"choices": ["gzip", "none"], "default": "gzip"}),
        ("--count", {"type": int, "default": 0}),
        ("--url", {"default": ""}),
        ("--dir", {"default": ""}),
        ("--sizes", {"type": int, "nargs": "+", "metavar": "EVENTS", "help": "how many events wait"}),
    )
    if chosen.side == "fill":
        fill(chosen.dir, chosen.url, chosen.count)
        print("{}")
    elif chosen.side:
        print(json.dumps(export(chosen) if chosen.side == "raw" else carry(chosen)))
    else:
        report = common.Report("From a full spool to a sink that costs nothing")
        with common.scratch() as folder, sink.running() as there:
            measure_all(chosen, report, Bench(folder, there))
        report.show(chosen)


if __name__ == "__main__":
    main()
