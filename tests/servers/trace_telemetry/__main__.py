"""``python -m servers.trace_telemetry``: the stand-in as a program."""

from __future__ import annotations

import argparse
import sys

from servers.program import add_common_options, serve
from servers.trace_telemetry import TraceTelemetryServer


def main() -> int:
    """Serve until a signal comes; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.trace_telemetry", description="A TraceTelemetry endpoint on loopback."
    )
    add_common_options(parser)
    parser.add_argument("--api-key", default="", help="the key that every request must bear")
    options = parser.parse_args()
    server = TraceTelemetryServer(port=options.port, api_key=options.api_key)
    return serve(server, "trace_telemetry", options, endpoint=server.endpoint)


if __name__ == "__main__":
    sys.exit(main())
