"""The whole road of an event on this machine: ``make demo``.

A shop in two gunicorn workers under ``opentelemetry-instrument``, an Umami server and an OTLP sink on loopback, and
shoppers over real HTTP. In the middle one worker is killed and Umami goes down for some seconds. At the end the figures
of footspan are compared with what arrived; the exit code is 0 only if nothing was lost or leaked.

With ``KEEP=1`` everything is left running until Ctrl-C.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoppers import Diary, visit_all
from stage import Stage
from verdict import judge, leaking_files

import footspan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUNDS = 30
THINK = 0.08
UMAMI_DOWN = 4.0
SETTLE_LIMIT = 30.0

_began = time.monotonic()


def say(text: str) -> None:
    """One line of progress."""
    print(f"[{time.monotonic() - _began:5.1f} s] {text}", flush=True)


def main() -> int:
    """Play it; the exit code."""
    keep = os.environ.get("KEEP", "") not in {"", "0"}
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    folder = Path(tempfile.mkdtemp(prefix="footspan-demo-"))
    good = False
    try:
        with Stage(folder) as stage:
            good = play(stage, keep=keep)
            if keep:
                linger(stage)
    except KeyboardInterrupt:
        say("stopped")
        return 0 if good else 130
    except (RuntimeError, OSError) as error:
        say(str(error))
    finally:
        if good or keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            say(f"what was written is left in {folder}")
    return 0 if good else 1


def play(stage: Stage, *, keep: bool) -> bool:
    """The story; whether it ended well."""
    say("starting an Umami server and an OTLP sink, both stand-ins of the test suite")
    stage.start_servers()
    say("starting the shop: opentelemetry-instrument gunicorn --workers 2, nothing but environment variables")
    stage.start_shop()
    watch_the_ledger(stage)
    diary, leaks = Diary(think=THINK), list[str]()
    say(f"{ROUNDS * 4} visits over HTTP: people who browse, buy and fail to pay; a crawler, a program, a health check")
    with ThreadPoolExecutor(1) as aside:
        trouble = aside.submit(make_trouble, stage, diary, leaks)
        visit_all(stage.url, diary, rounds=ROUNDS, between=lambda number: pace(number, diary))
        trouble.result()
    say(f"{diary.requests} requests answered, {diary.pages.total()} page views, {diary.broken} requests broke off")
    settled = settle()
    if keep:
        time.sleep(6.0)  # spans leave every five seconds
    else:
        say("ending the shop with SIGTERM: its workers flush")
        stage.shop.stop()
    status = footspan.status()
    show_table(status)
    verdict = judge(stage, diary, status, leaks)
    for ok, text in verdict.checks:
        print(f"  {'✓' if ok else '✗'} {text}", flush=True)
    say("nothing was lost or leaked, and the numbers add up" if settled and verdict.good else "NOT as it should be")
    return settled and verdict.good


def watch_the_ledger(stage: Stage) -> None:
    """Open the shop's spool with the shop's settings, to read its figures; deliver nothing."""
    for name in [name for name in os.environ if name.startswith(("FOOTSPAN_", "OTEL_", "TELEMETRY_"))]:
        del os.environ[name]
    os.environ.update(stage.settings)
    footspan.init(courier="external")


def pace(number: int, diary: Diary) -> None:
    """Progress now and then."""
    if number % 12 == 0:
        waiting = ", ".join(f"{name} {entry['waiting']}" for name, entry in footspan.status()["destinations"].items())
        say(f"  {number} visits, {diary.requests} requests; waiting for {waiting}")


def make_trouble(stage: Stage, diary: Diary, leaks: list[str]) -> None:
    """What must not matter."""
    diary.over.wait(1.5)
    say(f"killing worker {stage.kill_a_worker()} with SIGKILL")
    diary.over.wait(1.0)
    say(f"Umami is down for {UMAMI_DOWN:.0f} seconds")
    stage.umami.take_down(UMAMI_DOWN)
    diary.over.wait(UMAMI_DOWN / 2)
    leaks.extend(leaking_files(stage))  # now the spool is full of what Umami has not got
    diary.over.wait(UMAMI_DOWN / 2)
    say("Umami is up again")


def settle() -> bool:
    """Wait until nothing waits; whether that came about."""
    deadline = time.monotonic() + SETTLE_LIMIT
    said = 0.0
    while True:
        waiting = {name: entry["waiting"] for name, entry in footspan.status()["destinations"].items()}
        if not any(waiting.values()):
            say("every destination has everything")
            return True
        if time.monotonic() > deadline:
            say(f"still waiting after {SETTLE_LIMIT:.0f} s: {waiting}")
            return False
        if time.monotonic() - said > 1.0:
            said = time.monotonic()
            say("  still waiting for " + ", ".join(f"{name} {count}" for name, count in waiting.items()))
        time.sleep(0.1)


def show_table(status: Mapping[str, Any]) -> None:
    """Footspan's own figures."""
    heads = ("destination", "accepted", "delivered", "waiting", "refused by reason", "redacted", "unrouted")
    rows = []
    for name, entry in status["destinations"].items():
        refused = ", ".join(f"{reason} {count}" for reason, count in entry["refused"].items()) or "0"
        rows.append((name, entry["accepted"], entry["delivered"], entry["waiting"], refused, entry["redacted"], "-"))
    rows.append(("(none)", "-", "-", "-", "-", "-", status["counters"]["unrouted"]))
    print_table(heads, [tuple(str(cell) for cell in row) for row in rows])


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table: with rich on a terminal that has it, plain otherwise."""
    print()
    if sys.stdout.isatty() and importlib.util.find_spec("rich"):
        from rich.console import Console  # noqa: PLC0415 - only where it is installed
        from rich.table import Table  # noqa: PLC0415 - the same

        table = Table(*heads, header_style="bold")
        for row in rows:
            table.add_row(*row)
        Console().print(table)
        return
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, ["-" * width for width in widths], *rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), flush=True)
    print(flush=True)


def linger(stage: Stage) -> None:
    """Leave everything running and say where to look."""
    print(
        f"\nLeft running:\n"
        f"  the shop               {stage.url}\n"
        f"  Umami, what it stored  {stage.umami.url}/_test/rows\n"
        f"  OTLP, what it stored   {stage.sink.url}/_test/rows\n"
        f"  the spool              {stage.spool}\n"
        f"  the shop's output      {stage.shop.log}\n"
        "Ctrl-C stops and removes everything.",
        flush=True,
    )
    while True:
        time.sleep(1.0)


if __name__ == "__main__":
    raise SystemExit(main())
