"""``python -m servers.opentrace``: the stand-in as a program."""

from __future__ import annotations

import argparse
import sys

from servers.opentrace import CAMPAIGN, PROJECT, OpenTraceServer
from servers.program import add_common_options, serve


def main() -> int:
    """Serve until a signal comes; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.opentrace", description="A stand-in for an OpenTrace server on loopback."
    )
    add_common_options(parser)
    parser.add_argument("--code", action="append", default=[], help="a start code that it knows; may be repeated")
    options = parser.parse_args()
    server = OpenTraceServer(campaigns=dict.fromkeys(options.code, CAMPAIGN), port=options.port)
    return serve(server, "opentrace", options, project=PROJECT)


if __name__ == "__main__":
    sys.exit(main())
