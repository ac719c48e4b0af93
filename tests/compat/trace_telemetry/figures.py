"""The figures of ``docs/migrate/trace-telemetry.md``, measured.

``PYTHONPATH=tests python -m compat.trace_telemetry.figures``
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions
from programs import start
from servers.trace_telemetry import TraceTelemetryServer

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITER: Final = """
    import sys
    from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions
    client = TelemetryClient(TelemetryOptions(sys.argv[1], "", sys.argv[2]))
    for number in range(500):
        client.track("e", "n", number)
        if number % 20 == 0:
            client.flush()
    client.flush()
"""


@contextmanager
def scene(**options: Any) -> Iterator[tuple[TelemetryClient, TraceTelemetryServer, str]]:
    """A client, its server and its queue."""
    with tempfile.TemporaryDirectory() as folder, TraceTelemetryServer() as server:
        queue = str(Path(folder) / "q.ndjson")
        given = {"application_name": "Kiosk", "application_version": "1.0", "queue_path": queue, **options}
        client = TelemetryClient(TelemetryOptions(endpoint_url=server.endpoint, **given))
        yield client, server, queue
        client.stop()


def fill(client: TelemetryClient, count: int) -> None:
    """Track so many events."""
    for number in range(count):
        client.track("purchase", {"order_id": str(number), "amount": 99.9})


def fates(server: TraceTelemetryServer, count: int) -> str:
    """What became of so many events."""
    return f"{count - len(server.events)} lost, {len(server.received) - len(server.events)} doubled"


def flushes_at_once() -> str:
    """T1: three threads, 40 events."""
    with scene() as (client, server, _):
        fill(client, 40)
        threads = [threading.Thread(target=client.flush) for _ in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return fates(server, 40)


def flush_in_a_tick() -> str:
    """T1: a flush while the timer delivers, 30 events."""
    with scene(flush_interval_seconds=1, batch_size=10) as (client, server, _):
        fill(client, 30)
        server.faults.hang(0.3)
        client.start()
        server.wait_for(lambda: server.requests, 20)
        client.flush()
        return fates(server, 30)


def two_processes() -> str:
    """T2: two processes, one queue, 500 events each."""
    with scene() as (client, server, queue):
        both = [start(WRITER, None, server.endpoint, queue) for _ in range(2)]
        for each in both:
            each.communicate(timeout=120)
        client.flush()
        return fates(server, 1000)


def batches(queued: int) -> str:
    """T3: the time from one batch of 20 to the next with so many in the queue, and bytes written to disk for each."""
    with scene(batch_size=20) as (client, server, _):
        fill(client, queued)
        before, began = _written(), time.perf_counter()
        client.flush()
        took = time.perf_counter() - began
        wrote = (_written() - before) / len(server.requests)
        moments = [request.time for request in server.requests[:100]]
        each = statistics.median(after - before for before, after in itertools.pairwise(moments))
        return f"{each * 1e3:.1f} ms, {wrote:.0f} bytes written; {len(server.events) / took:.0f} events/s"


def timer() -> str:
    """T4: 200 events, a tick a second, batches of 20: sent within 4.3 s."""
    with scene(flush_interval_seconds=1) as (client, server, _):
        fill(client, 200)
        client.start()
        time.sleep(4.3)
        return f"{len(server.events)} of 200"


def too_large() -> str:
    """T5: one event too large for the server and 40 others."""
    with scene() as (client, server, _):
        server.max_body = 4_000
        client.track("large", {"text": "x" * 10_000})
        fill(client, 40)
        client.flush()
        return f"{len(server.events)} of 40 others sent, {len(server.requests)} requests, {client.queued_count} waiting"


def a_call(rounds: int) -> str:
    """T11: the caller's CPU for a call of ``track``, its ``write`` included."""
    with scene() as (client, _, _):
        fill(client, 200)
        took = []
        for _ in range(rounds):
            began = time.thread_time()
            fill(client, 1_000)
            took.append((time.thread_time() - began) / 1_000)
        return f"{statistics.median(took) * 1e6:.0f} us of CPU"


def _written() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="few of everything, to see that it runs")
    quick = parser.parse_args().quick
    few, many = (200, 400) if quick else (2_000, 20_000)
    rounds = 2 if quick else 9
    print("T1 flushes at once:", flushes_at_once())
    print("T1 flush in a tick:", flush_in_a_tick())
    print("T2 two processes:", two_processes())
    for queued in (few, many):
        print(f"T3 a batch of 20 with {queued} queued:", batches(queued))
    print("T4 timer:", timer())
    print("T5 too large:", too_large())
    print("T11 a call:", a_call(rounds))


if __name__ == "__main__":
    main()
