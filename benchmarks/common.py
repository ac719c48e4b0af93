"""What the benchmarks share: the event both sides record, both set-ups, clocks, samples and tables.

Every figure that compares does so in one run: rounds of ours and of the raw SDK take turns, so whatever else the
machine does hits both alike, and the figure is the ratio of the medians.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opentelemetry._logs import Logger
    from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord

EVENT: Final = "checkout.completed"
PROPERTIES: Final = {"amount": 9.99, "currency": "EUR", "items": 3, "coupon": "WELCOME", "express": True}
CONTEXT: Final = {"user.id": "u-123456", "session.id": "5f1c9a52b6d84d5f"}
CONFIGURING: Final = ("OTEL_", "FOOTSPAN_", "TELEMETRY_")
ALL_DELIVERED: Final = {"otlp": 0}
"""What ``flush`` says when it is done; an empty answer would mean that it failed."""

MICRO: Final = 1e-6
MILLI: Final = 1e-3


# -- both sides --------------------------------------------------------------------------------------------------------


def raw_call(logger: Logger) -> Callable[[], object]:
    """The event as an application records it on the raw SDK: five properties, and two values it keeps per request."""
    from opentelemetry._logs import SeverityNumber  # noqa: PLC0415 - not before a child has measured its import

    current: ContextVar[dict[str, str]] = ContextVar("current", default=CONTEXT)

    def call() -> None:
        logger.emit(
            timestamp=time.time_ns(),
            event_name=EVENT,
            severity_number=SeverityNumber.INFO,
            attributes={
                **current.get(),
                "amount": 9.99,
                "currency": "EUR",
                "items": 3,
                "coupon": "WELCOME",
                "express": True,
            },
        )

    return call


def our_call() -> Callable[[], object]:
    """The same event through ``track()``; the two values stand in footspan's context (see :func:`footspan_running`)."""
    import footspan  # noqa: PLC0415 - as in raw_call

    track = footspan.track

    def call() -> None:
        track("checkout.completed", amount=9.99, currency="EUR", items=3, coupon="WELCOME", express=True)

    return call


@contextlib.contextmanager
def raw_running(exporter: Any = None) -> Iterator[tuple[LoggerProvider, Logger]]:
    """A provider of the raw SDK with a ``BatchLogRecordProcessor``.

    Args:
        exporter: Where its batches go; nowhere when not given.
    """
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415 - as in raw_call
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415

    # A full queue drops records and says so; the words would count against the raw SDK.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider = LoggerProvider(shutdown_on_exit=False)
    taker: Any = Discard() if exporter is None else exporter
    provider.add_log_record_processor(BatchLogRecordProcessor(taker))
    try:
        yield provider, provider.get_logger("benchmark")
    finally:
        provider.shutdown()


@contextlib.contextmanager
def footspan_running(directory: str, endpoint: str, **settings: Any) -> Iterator[None]:
    """Run footspan in this process, with one OTLP destination.

    Args:
        directory: Of the spool.
        endpoint: The destination's address.
        **settings: More settings; ``otlp`` adds options of the destination, ``spool`` options of the spool.
    """
    import footspan  # noqa: PLC0415 - as in raw_call

    logging.getLogger("footspan").setLevel(logging.ERROR)  # it warns that nothing is delivered, and rightly
    otlp = {"endpoint": endpoint, **settings.pop("otlp", {})}
    spool = {"directory": directory, "max_bytes": "8GiB", **settings.pop("spool", {})}
    footspan.init(service_name="benchmark", spool=spool, destinations={"otlp": otlp}, **settings)
    footspan.set_context(**CONTEXT)
    try:
        yield
    finally:
        footspan.clear_context()
        footspan.shutdown(timeout=2)


class Discard:
    """An exporter of the raw SDK that takes every batch and does nothing with it."""

    def __init__(self) -> None:
        self.records = 0

    def export(self, batch: Sequence[ReadableLogRecord]) -> Any:
        """Say that all is well."""
        from opentelemetry.sdk._logs.export import LogRecordExportResult  # noqa: PLC0415 - as in raw_call

        self.records += len(batch)
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """There is nothing to stop."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """There is nothing to wait for."""
        return True


@contextlib.contextmanager
def dead_endpoint() -> Iterator[str]:
    """An address that refuses every connection: a port that is bound (nobody else gets it) and not listened on."""
    with contextlib.closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    """A folder for spools, in ``$TMPDIR``, so that the file system can be chosen."""
    path = tempfile.mkdtemp(prefix="footspan-bench-")
    try:
        yield path
    finally:
        # A courier's thread that is just ending may still write a file while the others go.
        deadline = time.monotonic() + 10.0
        while os.path.lexists(path) and time.monotonic() < deadline:
            shutil.rmtree(path, ignore_errors=True)
            time.sleep(0.01)


# -- samples -----------------------------------------------------------------------------------------------------------


def thread_cpu(call: Callable[[], object], count: int) -> float:
    """CPU seconds of the calling thread that one call takes; other threads do not count."""
    repeat = range(count)
    start = time.thread_time_ns()
    for _ in repeat:
        call()
    return (time.thread_time_ns() - start) / count / 1e9


def child(arguments: Sequence[str], timeout: float = 900.0) -> Any:
    """Run a program in a process of its own, and return the JSON it prints on its last line."""
    result = subprocess.run(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, timeout=timeout, check=True, env=environment()
    )
    return json.loads(result.stdout.splitlines()[-1])


def environment() -> dict[str, str]:
    """The environment without anything that would configure either side, or have Python compile anew every time."""
    left_out = (*CONFIGURING, "PYTHONDONTWRITEBYTECODE")
    return {key: value for key, value in os.environ.items() if not key.startswith(left_out)}


# -- results -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: What was measured.
        ours: footspan's value.
        raw: The raw SDK's; ``None`` where there is nothing to compare with.
        unit: Of both values.
        figure: What is compared with the target: a ratio, as a rule.
        target: The figure to reach, with its direction: ``<= 0.6``; empty where none is set.
    """

    what: str
    ours: float
    raw: float | None = None
    unit: str = "µs"
    figure: float | None = None
    target: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; ``None`` where there is none."""
        if not self.target or self.figure is None:
            return None
        sign, bound = self.target.split()
        return self.figure <= float(bound) if sign == "<=" else self.figure >= float(bound)


def compare(what: str, samples: Sequence[tuple[float, float]], *, scale: float, unit: str, target: str = "") -> Row:
    """A row from (ours, raw) samples taken in turn: the medians, and their ratio."""
    ours, raw = (statistics.median(side) for side in zip(*samples, strict=True))
    return Row(what, ours / scale, raw / scale, unit, ours / raw, target)


@dataclass
class Report:
    """What a program prints at its end."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self, options: argparse.Namespace) -> None:
        """Print it as JSON on one line, or as a Markdown table."""
        if options.json:
            rows = [{**vars(row), "met": row.met} for row in self.rows]
            print(json.dumps({"title": self.title, "rows": rows, "notes": self.notes}))
            return
        print(f"## {self.title}\n\n{machine()}\n")
        print("| what | unit | footspan | raw SDK | figure | target |\n| --- | --- | ---: | ---: | ---: | ---: |")
        for row in self.rows:
            print(line_of(row))
        for note in [*self.notes, *(["A quick run: too short for the figures to mean anything."] * options.quick)]:
            print(f"\n{note}")


def line_of(row: Row) -> str:
    """A row of the table."""
    raw = "" if row.raw is None else f"{row.raw:,.4g}"
    figure = "" if row.figure is None else f"{row.figure:,.3g}"
    verdict = {None: "", True: " ✓", False: " ✗"}[row.met]
    target = row.target.replace("<=", "≤").replace(">=", "≥")
    return f"| {row.what} | {row.unit} | {row.ours:,.4g} | {raw} | {figure} | {target}{verdict} |"


def machine() -> str:
    """Where this was measured."""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}"
    )


def options(text: str | None, *more: tuple[str, dict[str, Any]]) -> argparse.Namespace:
    """The command line that every benchmark has, and ``more`` of its own; takes settings out of the environment."""
    for name in set(os.environ) - set(environment()):
        del os.environ[name]
    parser = argparse.ArgumentParser(description=(text or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it runs, not how fast it is")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of the table")
    for name, how in more:
        parser.add_argument(name, **how)
    return parser.parse_args()


def say(text: str) -> None:
    """Tell the person who waits what is going on."""
    print(text, file=sys.stderr, flush=True)
