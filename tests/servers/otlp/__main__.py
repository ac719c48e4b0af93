"""``python -m servers.otlp``: the sink as a program."""

from __future__ import annotations

import argparse
import sys

from servers.otlp import OtlpSink
from servers.program import add_common_options, serve


def main() -> int:
    """Serve until a signal comes; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m servers.otlp", description="An OTLP/HTTP receiver on loopback.")
    add_common_options(parser)
    options = parser.parse_args()
    return serve(OtlpSink(port=options.port), "otlp", options)


if __name__ == "__main__":
    sys.exit(main())
