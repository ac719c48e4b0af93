"""A device that takes a reading now and then and has no network: TraceTelemetry's calls, footspan's queue.

The clock is the caller's: a reading bears the time it is told, so a week takes seconds. Each reading's number is
printed once it is on disk, and at the end what writing cost. With ``--deliver`` it takes none and sends what waits.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions


def written() -> dict[str, int]:
    """Calls of ``write`` and bytes to the disk, of this process; empty where the system does not tell."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    return {name: int(value) for name, _, value in (line.partition(": ") for line in lines)}


def main() -> None:
    """Take readings, or deliver them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queue", required=True, help="queue path")
    parser.add_argument("--endpoint", default="", help="where readings go once there is a network")
    parser.add_argument("--began", type=float, default=0.0, help="time of the first reading, seconds since the epoch")
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two readings")
    parser.add_argument("--first", type=int, default=0, help="number of the first reading")
    parser.add_argument("--count", type=int, default=0, help="how many readings")
    parser.add_argument("--deliver", action="store_true", help="send what waits")
    given = parser.parse_args()
    client = TelemetryClient(
        TelemetryOptions(
            endpoint_url=given.endpoint,
            queue_path=given.queue,
            application_name="Thermometer",
            application_version="1.0",
            batch_size=200,
        )
    )
    if given.deliver:
        client.flush()
        print(client.queued_count)
        return
    client.track("device.started")
    before = written()
    for number in range(given.first, given.first + given.count):
        degrees = 18.0 + number * 7 % 100 / 10
        client.track("reading", {"number": number, "degrees": degrees}, timestamp=given.began + number * given.every)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
    after = written()
    for name in ("syscw", "write_bytes"):
        if after and given.count:
            # One call a reading is the line above, on standard output.
            own = after[name] - before[name] - (given.count if name == "syscw" else 0)
            print(f"{name} a reading: {own / given.count:.1f}", file=sys.stderr)


if __name__ == "__main__":
    main()
