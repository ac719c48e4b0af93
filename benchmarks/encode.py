"""What it costs to make a request's body of an event, and how long a slow destination takes for many.

Encoding: from a parsed event to its share of a request's body, CPU time of this process. Beside it stands upstream's
OTLP-JSON encoder, which makes the same of a finished log record. OTLP as protobuf starts from the parsed request, OTLP
as JSON from the stored line, because that is how each of them goes. Nothing is compressed.

Pace: events to a server that takes 12 ms for each item and handles requests side by side, as Umami does. The figure is
the time beside the least that is possible with the destination's default of four requests at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import common

if TYPE_CHECKING:
    from collections.abc import Callable

WEBSITE: Final = "7c3f9f2e-5a1b-4c8d-9e0f-1a2b3c4d5e6f"
ITEM: Final = 0.012
AT_ONCE: Final = 4
USERS: Final = 200
ENCODING: Final = "<= 0.333"
PACE: Final = "<= 1.3"


# -- encoding ----------------------------------------------------------------------------------------------------------


def upstream(count: int) -> Callable[[], object]:
    """Encode so many log records by upstream's encoder."""
    from opentelemetry._logs import LogRecord, SeverityNumber  # noqa: PLC0415 - only this benchmark loads it
    from opentelemetry.exporter.otlp.json.common._log_encoder import encode_logs  # noqa: PLC0415 - the same
    from opentelemetry.sdk._logs import ReadableLogRecord  # noqa: PLC0415 - the same
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415 - the same

    resource, scope = Resource({"service.name": "shop"}), InstrumentationScope("benchmark")
    attributes: dict[str, Any] = {**common.CONTEXT, **common.PROPERTIES}
    records = []
    for _ in range(count):
        record = LogRecord(
            timestamp=time.time_ns(),
            event_name=common.EVENT,
            severity_number=SeverityNumber.INFO,
            attributes=attributes,
        )
        records.append(ReadableLogRecord(record, resource, scope))
    return lambda: encode_logs(records).to_json().encode()


def lines(count: int) -> list[Any]:
    """The same events as they stand in a spool, with what footspan adds, parsed."""
    from footspan import conventions as c  # noqa: PLC0415 - not before the command line is read
    from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix  # noqa: PLC0415 - the same

    suffix = encode_suffix({c.SERVICE_NAME: "shop"}, "benchmark")
    found = []
    for number in range(count):
        uid = f"0190a000-0000-7000-8000-{number:012d}"
        attributes = {c.LOG_RECORD_UID: uid, c.CATEGORY: "checkout", **common.CONTEXT, **common.PROPERTIES}
        record = encode_record(
            name=common.EVENT, time_ns=time.time_ns(), attributes=attributes, severity_number=9, severity_text="INFO"
        )
        line = LogLine(encode_line(record, suffix).rstrip(b"\n"))
        assert line.event.name == common.EVENT
        found.append(line)
    return found


def encoders(count: int) -> dict[str, Callable[[], object]]:
    """What makes a request's body of so many events, by destination."""
    from footspan.config import DestinationSettings  # noqa: PLC0415 - as above
    from footspan.destinations import build_destination  # noqa: PLC0415 - the same
    from footspan.destinations.otlp_wire import logs_request  # noqa: PLC0415 - the same
    from footspan.otlp_json import merge  # noqa: PLC0415 - the same

    def made(kind: str, **options: Any) -> Any:
        return build_destination(DestinationSettings(name=kind, type=kind, options=options))

    events = lines(count)
    umami = made("umami", url="http://127.0.0.1:9", website=WEBSITE)
    otlp = made("otlp", endpoint="http://127.0.0.1:9", compression="none")
    text, printed = made("console"), made("console", format="json")
    request = json.loads(merge(events))
    return {
        "umami": lambda: umami.build(events),
        "otlp, http/json": lambda: otlp.build(events),
        "otlp, http/protobuf and grpc": lambda: logs_request(request),
        "console, text": lambda: [text.line(event.event) for event in events],
        "console, json": lambda: [printed.line(event.event) for event in events],
    }


def cpu(encode: Callable[[], object], count: int) -> float:
    """CPU seconds for one event."""
    start = time.process_time_ns()
    encode()
    return (time.process_time_ns() - start) / count / 1e9


def encoding(rounds: int, count: int) -> list[common.Row]:
    """A row for each destination."""
    raw = upstream(count)
    rows = []
    for name, encode in encoders(count).items():
        raw()
        encode()
        samples = [(cpu(encode, count), cpu(raw, count)) for _ in range(rounds)]
        rows.append(common.compare(f"encoding: {name}", samples, scale=common.MICRO, unit="µs", target=ENCODING))
    return rows


# -- pace --------------------------------------------------------------------------------------------------------------


class _Umami(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Take the items one after the other."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        count = len(body) if isinstance(body, list) else 1
        time.sleep(ITEM * count)
        answer = {"cache": "token", "size": count, "processed": count, "errors": 0, "details": []}
        data = json.dumps(answer).encode()
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the overridden name
        """Say nothing."""


def serve() -> None:
    """The slow server, as a process of its own: says its port, ends when its input does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Umami)
    server.daemon_threads = True
    import threading  # noqa: PLC0415 - only this process needs it

    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


def pace(count: int) -> common.Row:
    """Deliver so many events to the slow server."""
    import footspan  # noqa: PLC0415 - as above

    process = subprocess.Popen(
        [sys.executable, __file__, "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=common.environment(),
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with common.scratch() as folder:
            destination = {"url": f"http://127.0.0.1:{port}", "website": WEBSITE}
            footspan.init(service_name="benchmark", spool={"directory": folder}, destinations={"umami": destination})
            start = time.perf_counter()
            for number in range(count):
                footspan.track(common.EVENT, user_id=f"u-{number % USERS}", **common.PROPERTIES)
            deadline = time.monotonic() + 10 * count * ITEM + 60
            while any(footspan.flush(10.0).values()):
                if time.monotonic() > deadline:
                    sys.exit("benchmark: not delivered")
            seconds = time.perf_counter() - start
            delivered = footspan.status()["destinations"]["umami"]["delivered"]
            footspan.shutdown(timeout=2)
            if delivered != count:
                sys.exit(f"benchmark: {delivered} of {count} delivered")
    finally:
        process.communicate(timeout=10)
    least = count * ITEM / AT_ONCE
    what = f"pace: {count:,} events to a server that takes 12 ms an item"
    return common.Row(what, seconds, least, "s", seconds / least, PACE)


def main() -> None:
    """Run it and print."""
    if "--serve" in sys.argv:
        serve()
        return
    chosen = common.options(__doc__)
    report = common.Report("Requests' bodies beside upstream's OTLP-JSON encoder; the pace of a slow destination")
    common.say("encoding")
    report.rows += encoding(*((5, 200) if chosen.quick else (25, 500)))
    common.say("pace")
    report.rows.append(pace(1_000 if chosen.quick else 10_000))
    report.notes.append("Pace: the column of the raw SDK holds the least that is possible.")
    report.show(chosen)


if __name__ == "__main__":
    main()
