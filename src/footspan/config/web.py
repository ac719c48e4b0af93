"""Kinds of values that go on the wire: addresses, request paths, headers, keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from footspan.config.kinds import BadValueError, Kind, describe
from footspan.config.values import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable

# RFC 9110, section 5.6.2: a header's name is a token.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, section 5.5: visible characters, spaces and tabs; what is beyond ASCII must fit Latin-1 to be sent.
_FIELD_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
MASK: Final = "***"
"""What stands for a secret wherever settings are shown."""
_LOOKS_LIKE_A_KEY: Final = 20
"""Characters from which on a part of an address's path may be one."""
ENVIRONMENT: Final = "environment"
"""In place of a proxy's address: whichever the environment names."""
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")


def _split_address(value: object) -> tuple[str, str, str, str]:
    """Take an address apart: scheme, host with port, path, query."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - only an address needs it

    fix = "Write an address such as https://stats.example.com."
    if not isinstance(value, str) or not value.strip():
        raise BadValueError(describe(value), fix)
    text = value.strip()
    if _UNSAFE.search(text):
        raise BadValueError("an address with spaces, control characters or broken encoding", fix)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadValueError("an address whose host or port cannot be read", fix) from None
    if parts.scheme.lower() not in {"http", "https"}:
        raise BadValueError(f"{describe(text)} that does not start with http:// or https://", fix)
    if not parts.hostname or port == 0:
        raise BadValueError("an address without a host or with port 0", fix)
    if parts.fragment:
        raise BadValueError("an address with a # part, which is never sent", "Leave the # part out.")
    return parts.scheme.lower(), parts.netloc, parts.path, parts.query


def url(*, instead: str, base: bool = False) -> Kind:
    """Make a kind of value that is an HTTP address.

    Args:
        instead: Where credentials go, since an address must not hold any: a whole sentence.
        base: Whether the destination adds paths of its own; a slash at the end then means nothing and is taken off,
            so that the same place always has the same address.
    """

    def read(value: object) -> str:
        scheme, netloc, path, query = _split_address(value)
        if "@" in netloc:
            raise BadValueError("an address with a user name or password in it", instead)
        if base:
            path = path.rstrip("/")
        return f"{scheme}://{netloc.lower()}{path}{'?' if query else ''}{query}"

    return Kind("address", read, mask=mask_address)


def mask_address(address: str) -> str:
    """Write an address without its query and without parts of its path that look like keys."""
    place, question, _ = address.partition("?")
    scheme, slashes, rest = place.partition("://")
    host, *segments = rest.split("/")
    shown = [MASK if len(each) >= _LOOKS_LIKE_A_KEY else each for each in segments]
    return f"{scheme}{slashes}{'/'.join([host, *shown])}{question}{MASK if question else ''}"


def read_proxy(value: object) -> str:
    """Read the address of a proxy, user name and password included, or the word ``environment``."""
    if isinstance(value, str) and value.strip().lower() == ENVIRONMENT:
        return ENVIRONMENT
    scheme, netloc, path, query = _split_address(value)
    if path.rstrip("/") or query:
        raise BadValueError("a proxy's address with a path or query", "Write it such as http://proxy.example.com:3128.")
    user, at, host = netloc.rpartition("@")
    return f"{scheme}://{user}{at}{host.lower()}"


def mask_proxy(address: str) -> str:
    """Write a proxy's address without its user name and password."""
    scheme, slashes, netloc = address.partition("://")
    return f"{scheme}{slashes}{MASK}@{netloc.rpartition('@')[2]}" if "@" in netloc else address


def read_request_path(value: object) -> str:
    """Read the path part of a request, such as ``/api/send``."""
    text = read_text(value)
    if not text.startswith("/") or _UNSAFE.search(text) or text.startswith("//") or set(text) & {"?", "#"}:
        raise BadValueError(describe(value), "Write a path that starts with one slash, such as /api/send.")
    return text


def read_secret(value: object) -> str:
    """Read a key or token: one word of visible ASCII, never shown anywhere."""
    if not isinstance(value, str) or not value.strip():
        raise BadValueError(describe(value), "Write the key as text.")
    text = value.strip()
    if _UNSAFE.search(text) or not text.isascii():
        raise BadValueError("a key with spaces, line breaks or characters beyond ASCII", "Copy the key again.")
    return text


def read_secret_or_empty(value: object) -> str:
    """Read a key where an empty one is a key, too: its header is sent without a value."""
    return "" if value == "" else read_secret(value)


def read_headers(value: object) -> dict[str, str]:
    """Read request headers: a mapping, or ``name=value,name=value`` with percent-encoded parts.

    The string form is that of ``OTEL_EXPORTER_OTLP_HEADERS`` (OpenTelemetry specification, OTLP exporter). Names come
    out in lower case; a later entry of the same name wins.
    """
    if isinstance(value, str):
        pairs: Iterable[tuple[object, object]] = _pairs(value)
    elif isinstance(value, Mapping):
        pairs = value.items()
    else:
        raise BadValueError(describe(value), "Write a mapping of header names to values.")
    headers = {}
    for number, (name, content) in enumerate(pairs, 1):
        if not isinstance(name, str) or not _TOKEN.fullmatch(name.strip()):
            raise BadValueError(f"a name that no header can have (entry {number})", "Write names such as x-api-key.")
        if not isinstance(content, str) or not _FIELD_VALUE.fullmatch(content.strip()):
            raise BadValueError(
                f"a value that no header can carry (entry {number}: {describe(content)})", "Write one line of text."
            )
        headers[name.strip().lower()] = content.strip()
    return headers


def _pairs(text: str) -> list[tuple[str, str]]:
    from urllib.parse import unquote  # noqa: PLC0415 - only headers in one string need it

    pairs = []
    for number, entry in enumerate((part for part in text.split(",") if part.strip()), 1):
        name, separator, content = entry.partition("=")
        if not separator:
            raise BadValueError(
                f"an entry without an equals sign (entry {number})", "Write name=value,name=value, percent-encoded."
            )
        # Space around the parts is no part of them; an encoded one is.
        pairs.append((unquote(name.strip()), unquote(content.strip())))
    return pairs


def show_headers(headers: Mapping[str, str]) -> str:
    """Write headers the way the environment holds them."""
    from urllib.parse import quote  # noqa: PLC0415 - as above

    return ",".join(f"{name}={quote(content, safe='*')}" for name, content in headers.items())


PROXY: Final = Kind("proxy", read_proxy, mask=mask_proxy)
REQUEST_PATH: Final = Kind("path of a request", read_request_path)
SECRET: Final = Kind("key", read_secret, mask=lambda _: MASK)
SECRET_OR_EMPTY: Final = Kind("key", read_secret_or_empty, mask=lambda _: MASK)
HEADERS: Final = Kind("headers", read_headers, show_headers, mask=lambda headers: dict.fromkeys(headers, MASK))
