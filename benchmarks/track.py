"""What footspan costs its caller, as ratios to the raw OpenTelemetry SDK in the same run.

* ``track()`` with five properties, durable on disk when it returns, against ``Logger.emit`` of the same event into a
  ``BatchLogRecordProcessor`` whose exporter does nothing (durable nowhere). Measured is the CPU time of the calling
  thread, in alternating rounds, so that whatever else the machine does hits both alike.
* ``import footspan`` against the import of the SDK's logs, each in fresh processes, CPU time of the process.

``python benchmarks/track.py [--quick]`` prints a Markdown table. The ratio of the minima is the steadier figure; the
ratio of the medians shows the machine's noise.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult

import footspan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord

RAW_IMPORT = "import opentelemetry._logs, opentelemetry.sdk._logs.export"
OUR_IMPORT = "import footspan"


@dataclass(frozen=True)
class Figures:
    """One comparison: samples of both sides, taken in turn, in the unit that ``what`` names."""

    what: str
    ours: list[float]
    raw: list[float]

    def row(self) -> str:
        """A row of the table."""
        least, middle = min(self.ours) / min(self.raw), statistics.median(self.ours) / statistics.median(self.raw)
        return f"| {self.what} | {min(self.ours):,.1f} | {min(self.raw):,.1f} | **{least:.2f}** | {middle:.2f} |"


class Discard(LogRecordExporter):
    """Takes every batch and does nothing with it."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Say that all is well."""
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """There is nothing to stop."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """There is nothing to wait for."""
        return True


def per_call(call: Callable[[], object], count: int) -> float:
    """Microseconds of the calling thread's CPU time that one call takes."""
    start = time.thread_time_ns()
    for _ in range(count):
        call()
    return (time.thread_time_ns() - start) / count / 1000


def track_figures(rounds: int, count: int) -> Figures:
    """Measure ``track()`` against the raw SDK."""
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(Discard()))
    logger = provider.get_logger("benchmark")

    def raw() -> None:
        logger.emit(
            timestamp=time.time_ns(),
            event_name="checkout.completed",
            severity_number=SeverityNumber.INFO,
            attributes={"amount": 9.99, "currency": "EUR", "items": 3, "coupon": "WELCOME", "express": True},
        )

    def ours() -> None:
        footspan.track("checkout.completed", amount=9.99, currency="EUR", items=3, coupon="WELCOME", express=True)

    with tempfile.TemporaryDirectory() as folder, closing(socket.socket()) as held:
        # A port that is bound and not listened on refuses every connection: nothing is delivered while we measure.
        held.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{held.getsockname()[1]}"
        logging.getLogger("footspan").setLevel(logging.ERROR)  # it warns that nothing is delivered, and rightly
        destinations = {"otlp": {"endpoint": endpoint}}
        footspan.init(service_name="benchmark", spool={"directory": folder}, destinations=destinations)
        try:
            for call in (ours, raw):  # caches, lazy imports, the first segment
                per_call(call, count)
            samples = [(per_call(ours, count), per_call(raw, count)) for _ in range(rounds)]
            check_durable((rounds + 1) * count)
        finally:
            footspan.shutdown(timeout=0)
            provider.shutdown()
    return Figures("`track()`, 5 properties, on disk (µs)", *map(list, zip(*samples, strict=True)))


def check_durable(expected: int) -> None:
    """A figure counts only if the events it stands for are on disk and wait for their destination."""
    waiting = footspan.flush(0)
    if sum(waiting.values()) != expected:
        sys.exit(f"benchmark: {expected} events were tracked, but {waiting} are waiting")


def import_figures(rounds: int) -> Figures:
    """Measure the imports, in fresh processes."""
    samples = [(import_cost(OUR_IMPORT), import_cost(RAW_IMPORT)) for _ in range(rounds)]
    return Figures("`import footspan` (ms)", *map(list, zip(*samples, strict=True)))


def import_cost(statement: str) -> float:
    """Milliseconds of CPU time that one import takes in a process that has imported nothing else."""
    program = f"import time; s = time.process_time_ns(); {statement}; print(time.process_time_ns() - s)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    return int(result.stdout) / 1_000_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The caller's cost of track() and of the import, as ratios.")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it runs, not how fast it is")
    quick = parser.parse_args().quick

    print("measuring …", file=sys.stderr, flush=True)
    figures = [
        track_figures(rounds=3 if quick else 25, count=200 if quick else 2000),
        import_figures(rounds=2 if quick else 10),
    ]
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}\n"
    )
    print("| what | footspan, best | raw SDK, best | ratio | ratio of medians |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for figure in figures:
        print(figure.row())
    if quick:
        print("\nA quick run: too short for the figures to mean anything.")


if __name__ == "__main__":
    main()
