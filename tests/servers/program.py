"""The program form of a stand-in: print where it listens as one JSON line, serve until a signal comes."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from servers.http import StandIn

_PARENT_CHECK_SECONDS = 1.0


def add_common_options(parser: ArgumentParser) -> None:
    """The options every stand-in has."""
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 (default) picks a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every item takes")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one has")


def serve(server: StandIn, name: str, options: Namespace, **more: object) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    parent = os.getppid()
    with server:
        server.faults.latency = options.latency
        sys.stdout.write(json.dumps({"server": name, "url": server.url, "pid": os.getpid(), **more}) + "\n")
        sys.stdout.flush()
        while not ended.wait(_PARENT_CHECK_SECONDS):
            if options.with_parent and os.getppid() != parent:
                break
    return 0
