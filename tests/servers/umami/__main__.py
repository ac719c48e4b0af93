"""``python -m servers.umami``: the stand-in as a program."""

from __future__ import annotations

import argparse
import sys

from servers.program import add_common_options, serve
from servers.umami import WEBSITE_ID, UmamiServer


def main() -> int:
    """Serve until a signal comes; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m servers.umami", description="A stand-in for Umami on loopback.")
    add_common_options(parser)
    parser.add_argument("--website", action="append", help=f"a website id it knows (default {WEBSITE_ID})")
    parser.add_argument("--env", action="append", default=[], metavar="KEY=VALUE", help="a variable of its environment")
    options = parser.parse_args()
    env = dict(pair.partition("=")[::2] for pair in options.env)
    server = UmamiServer(websites=options.website or [WEBSITE_ID], env=env, port=options.port)
    return serve(server, "umami", options, website=server.website)


if __name__ == "__main__":
    sys.exit(main())
