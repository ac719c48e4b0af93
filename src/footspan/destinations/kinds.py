"""The kinds of values that an option of a destination may have; each reads what code, environment and file can hold."""

from __future__ import annotations

from typing import Final

from footspan.config.kinds import Kind
from footspan.config.values import BOOLEAN, COUNT, DURATION, LIST, PATH, PATTERNS, RATE, SIZE, TEXT, choice
from footspan.config.web import HEADERS, PROXY, REQUEST_PATH, SECRET, url

__all__ = [
    "ADDRESS",
    "BOOLEAN",
    "COUNT",
    "DURATION",
    "HEADERS",
    "LIST",
    "PATH",
    "PATTERNS",
    "PROXY",
    "RATE",
    "REQUEST_PATH",
    "SECRET",
    "SIZE",
    "TEXT",
    "Kind",
    "choice",
    "url",
]

ADDRESS: Final = url(instead="Leave them out of the address: keys have an option of their own.")
"""The whole address of an HTTP server, which holds no user name and no password."""
