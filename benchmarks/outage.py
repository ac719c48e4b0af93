"""How an outage of three seconds goes: requests made into it, and seconds from its end to the first delivery.

An application records an event every 20 ms. Its destination delivers, then answers 503, or refuses connections, for
three seconds, and then works again. What is shown is the worst of some outages.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import common
import sink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.destinations.base import Outcome
    from footspan.otlp_json import LogLine

EVERY = 0.02


@dataclass(frozen=True)
class Try:
    """One request of the courier's, in ``time.monotonic()`` seconds."""

    began: float
    ended: float
    delivered: bool


def watched() -> list[Try]:
    """Have every request to an OTLP destination noted, those included that no server ever sees."""
    from footspan.destinations.base import Verdict  # noqa: PLC0415 - the other benchmarks measure the import
    from footspan.destinations.otlp import OtlpDestination  # noqa: PLC0415

    tries: list[Try] = []
    send = OtlpDestination.send

    def noted(self: OtlpDestination, events: Sequence[LogLine], timeout: float) -> Outcome:
        began = time.monotonic()
        outcome = send(self, events, timeout)
        tries.append(Try(began, time.monotonic(), outcome.verdict is Verdict.DELIVERED))
        return outcome

    OtlpDestination.send = noted  # type: ignore[assignment, method-assign]
    return tries


def wait_for_delivery(tries: list[Try], after: float, timeout: float = 60.0) -> float:
    """When the first request delivered something that ended after a moment."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for each in tries[:]:
            if each.delivered and each.ended >= after:
                return each.ended
        time.sleep(0.005)
    sys.exit("benchmark: nothing was delivered")


def outage(there: sink.Sink, tries: list[Try], kind: str, seconds: float) -> tuple[int, float]:
    """One outage: requests into it, and seconds from its end to the first delivery."""
    wait_for_delivery(tries, time.monotonic())
    if kind == "503":
        there.status = 503
    else:
        there.down()
    began = time.monotonic()
    time.sleep(seconds)
    if kind == "503":
        there.status = 200
    else:
        there.up()
    ended = time.monotonic()
    back = wait_for_delivery(tries, ended)
    return sum(began <= each.began < ended for each in tries), back - ended


def main() -> None:
    """Measure and print."""
    chosen = common.options(__doc__)
    seconds, times = (0.3, 1) if chosen.quick else (3.0, 5)
    import footspan  # noqa: PLC0415 - as above

    report = common.Report(f"Outages of {seconds:g} s")
    there = sink.Sink()
    over = threading.Event()
    call = common.our_call()

    def application() -> None:
        while not over.wait(EVERY):
            call()

    with common.scratch() as folder, common.footspan_running(folder, there.url):
        tries = watched()
        thread = threading.Thread(target=application)
        thread.start()
        for kind, what in (("503", "503"), ("refused", "connection refused")):
            common.say(f"outage: {what} …")
            found = [outage(there, tries, kind, seconds) for _ in range(times)]
            report.rows += rows(what, found)
        over.set()
        thread.join()
        waiting: Any = footspan.flush(10)
        if waiting != common.ALL_DELIVERED:
            sys.exit(f"benchmark: not delivered: {waiting}")
    report.show(chosen)


def rows(what: str, found: list[tuple[int, float]]) -> list[common.Row]:
    """The worst of some outages."""
    requests, seconds = max(each[0] for each in found), max(each[1] for each in found)
    return [
        common.Row(f"{what}: requests into the outage", requests, unit="", figure=requests, target="<= 4"),
        common.Row(f"{what}: from its end to the first delivery", seconds, unit="s", figure=seconds, target="<= 2"),
    ]


if __name__ == "__main__":
    main()
