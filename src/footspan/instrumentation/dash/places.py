"""Where a visitor of a Dash app is: addresses as their browser shows them.

An app has two prefixes: under one the server sees its paths (``routes_pathname_prefix``), under the other the browser
does (``requests_pathname_prefix``). They differ behind a proxy that takes a part of the path away.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

_SAFE = "/%:@!$&'()*+,;=~?"
_LONGEST = 4_096
"""Characters of an address that are kept; the browser's own limits are near."""


class Place(NamedTuple):
    """A page's address.

    Attributes:
        url: The whole address, without what follows ``#``.
        path: Its path, as the browser shows it.
        query: Its query, without ``?``.
        route: The path without the app's prefix; starts with a slash.
    """

    url: str
    path: str
    query: str
    route: str


def place(origin: str, path: str, query: str, prefix: str) -> Place:
    """A page's address from its parts.

    Args:
        origin: Scheme and host, such as ``https://shop.example``.
        path: The path as the browser shows it, encoded or not.
        query: The query, with or without ``?``.
        prefix: The app's prefix as the browser sees it.
    """
    path = _encoded(path[:_LONGEST]) or "/"
    query = _encoded(query.removeprefix("?"))[:_LONGEST]
    return Place(f"{origin}{path}{'?' if query else ''}{query}", path, query, without(prefix, path))


def without(prefix: str, path: str) -> str:
    """A path without an app's prefix; itself where it does not begin so."""
    bare = prefix.rstrip("/")
    if bare and (path == bare or path.startswith(f"{bare}/")):
        path = path[len(bare) :]
    return path if path.startswith("/") else f"/{path}"


def split(url: str) -> tuple[str, str, str] | None:
    """Origin, path and query of an address; ``None`` for what is none."""
    try:
        parts = urlsplit(url[: 2 * _LONGEST])
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path or "/", parts.query


def same_path(one: str, other: str) -> bool:
    """Whether two paths are the same, encoded or not."""
    return unquote(one) == unquote(other)


def _encoded(part: str) -> str:
    return quote(part, safe=_SAFE, errors="replace")
