"""``python -m servers.dash_tracker``: the stand-in as a program."""

from __future__ import annotations

import argparse
import sys

from servers.dash_tracker import DashTrackerServer
from servers.program import add_common_options, serve


def main() -> int:
    """Serve until a signal comes; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.dash_tracker", description="A stand-in for a Dash-Tracker server on loopback."
    )
    add_common_options(parser)
    parser.add_argument("--key", help="the key that it asks for (default: none)")
    options = parser.parse_args()
    server = DashTrackerServer(key=options.key, port=options.port)
    return serve(server, "dash_tracker", options, endpoint=server.endpoint)


if __name__ == "__main__":
    sys.exit(main())
