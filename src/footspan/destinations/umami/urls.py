"""Addresses as Umami can parse and store them: the page's, the referrer's, the host's.

A page's address is sent as a path with a query, its host beside it, which is how Umami stores it. Everything is
percent-encoded here, because Umami resolves what it gets against a base and fails with a 500 on what does not parse.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus, unquote_plus, urlsplit

from footspan import conventions as c
from footspan.destinations.umami.limits import text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

MAX_HOST: Final = 100
MAX_PART: Final = 500
"""What is stored of a path and of a query."""

MAX_CAMPAIGN: Final = 255
"""``varchar(255)``; a longer value fails with nothing but the session stored."""

CAMPAIGN: Final[dict[str, str]] = {
    **{f"footspan.utm.{field}": f"utm_{field}" for field in c.UTM_FIELDS},
    **{f"footspan.click_id.{field}": field for field in c.CLICK_ID_FIELDS},
}
"""Attribute to the query parameter that Umami reads: there is no other way to set these."""

_CAMPAIGN_NAMES: Final = frozenset(CAMPAIGN.values())
# The characters RFC 3986 allows unescaped; the percent sign stays, so that what is escaped stays escaped.
_PATH_SAFE: Final = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE: Final = _PATH_SAFE + "?"
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC: Final = re.compile(r"\d+|0x[0-9a-f]*")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,30}")
_MAX_INPUT: Final = 16_384


@lru_cache(maxsize=512)
def host_name(value: str, limit: int = MAX_HOST) -> str:
    """A host name that can stand in a URL, lower-case and without port, or empty.

    IPv6 addresses are left out: Umami before 2.17 wants a name, and later versions would store the brackets.
    """
    host = text(value.strip().lower(), _MAX_INPUT)
    front, colon, port = host.rpartition(":")
    if colon and port.isdigit() and ":" not in front:
        host = front
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    host = host.removesuffix(".")
    labels = host.split(".")
    if not host or len(host) > limit or not all(map(_LABEL.fullmatch, labels)):
        return ""
    if any(label.startswith("xn--") and not _is_punycode(label) for label in labels):
        return ""
    if _NUMERIC.fullmatch(labels[-1]):
        # A last label of digits makes a browser read an IPv4 address, and fail on anything else.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            return ""
    return host


def page_address(full: str, path: str, query: str, campaign: Mapping[str, str]) -> tuple[str, str]:
    """The ``url`` of a request, and the host that the full address names.

    Args:
        full: ``url.full``, or empty.
        path: ``url.path``, used when there is no full address.
        query: ``url.query``, with or without its question mark.
        campaign: Query parameters to set, from the event's own attributes; they win over the address's.

    Returns:
        A path with query, empty when the event has none of the four; and a host name or empty.
    """
    parts = _split(full) if full else None
    host = ""
    fragment = ""
    if parts is not None:
        path, query, fragment = parts.path or "/", parts.query, parts.fragment
        host = host_name(_host_of(parts))
    elif not path and not query and not campaign:
        return "", ""
    elif "?" in path:
        path, _, inside = path.partition("?")
        query = query or inside
    address = _path(path or "/")
    if fragment:
        address += "#" + cut(_encode(fragment, _QUERY_SAFE), MAX_PART)
    parameters = _query(query.removeprefix("?"), campaign)
    if parameters:
        front, mark, tail = address.partition("#")
        address = f"{front}?{parameters}{mark}{tail}"
    return address, host


def referrer(value: str) -> str:
    """A referrer as Umami parses it, without user name and password; empty for what is no address."""
    parts = _split(value)
    if parts is None:
        return ""
    query = cut(_encode(parts.query, _QUERY_SAFE), MAX_PART)
    tail = _path(parts.path or "/") + (f"?{query}" if query else "")
    if not parts.scheme and not parts.netloc:
        return tail if parts.path.startswith("/") else ""
    host = host_name(_host_of(parts), 253)
    if not host or not _SCHEME.fullmatch(parts.scheme):
        return ""
    return f"{parts.scheme}://{host}{tail}"


# -- parts -------------------------------------------------------------------------------------------------------------


def _split(value: str) -> SplitResult | None:
    try:
        return urlsplit(text(value.strip(), _MAX_INPUT))
    except ValueError:
        return None


def _host_of(parts: SplitResult) -> str:
    try:
        return parts.hostname or ""
    except ValueError:
        return ""


def _path(value: str) -> str:
    """A path from one slash on: two would name a host."""
    return cut("/" + _encode(value, _PATH_SAFE).lstrip("/"), MAX_PART)


def _encode(value: str, safe: str) -> str:
    """Percent-encoded, and without an escaped NUL: Umami decodes it and PostgreSQL refuses it."""
    return without_nul(quote(text(value, _MAX_INPUT), safe=safe))


def without_nul(value: str) -> str:
    """A text without ``%00``, also where taking one out makes another."""
    while "%00" in value:
        value = value.replace("%00", "")
    return value


def cut(value: str, limit: int) -> str:
    """An encoded text cut to ``limit``, not inside an escape."""
    if len(value) <= limit:
        return value
    front = value[:limit]
    mark = front.rfind("%", limit - 2)
    return front if mark < 0 else front[:mark]


def _query(value: str, campaign: Mapping[str, str]) -> str:
    """A query with campaign parameters set and inside their columns, other parameters as far as they fit."""
    wanted = {name: _campaign_value(item) for name, item in campaign.items() if item}
    left = dict(wanted)
    kept: list[tuple[bool, str]] = []
    for part in value.split("&") if value else ():
        name, mark, item = part.partition("=")
        key = unquote_plus(name, errors="replace")
        if key in _CAMPAIGN_NAMES:
            if key in wanted:
                if key not in left:
                    continue  # a second one of the same name
                kept.append((True, f"{key}={left.pop(key)}"))
            else:
                kept.append((True, f"{key}={_campaign_value(unquote_plus(item, errors='replace'))}"))
        elif part:
            kept.append((False, _encode(name, _QUERY_SAFE) + mark + _encode(item, _QUERY_SAFE)))
    kept += [(True, f"{name}={item}") for name, item in left.items()]
    room = MAX_PART - sum(len(part) + 1 for always, part in kept if always)
    fitting: list[str] = []
    for always, part in kept:
        if not always:
            if len(part) + 1 > room + 1:
                continue
            room -= len(part) + 1
        fitting.append(part)
    return "&".join(fitting)


def _campaign_value(value: str) -> str:
    return quote_plus(text(value, MAX_CAMPAIGN))


def _is_punycode(label: str) -> bool:
    try:
        return label.encode().decode("idna") != label
    except UnicodeError:
        return False
