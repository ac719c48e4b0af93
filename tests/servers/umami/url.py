"""URLs as the WHATWG URL Standard parses them, as far as page addresses need: which fail, and their parts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote_to_bytes

from servers.umami import js

_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "file": None}
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_FORBIDDEN_HOST: Final = frozenset("\0\t\n\r #/:<>?@[\\]^|")
_FORBIDDEN_DOMAIN: Final = _FORBIDDEN_HOST | {chr(c) for c in range(0x20)} | {"%", "\x7f"}
_FRAGMENT: Final = frozenset(' "<>`')
_QUERY: Final = frozenset(" \"#<>'")
_PATH: Final = frozenset(' "#<>?^`{}')
_OPAQUE: Final[frozenset[str]] = frozenset()
_DOT: Final = {".", "%2e"}
_DOTS: Final = {"..", ".%2e", "%2e.", "%2e%2e"}


class InvalidUrlError(ValueError):
    """The text is no URL."""


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL, percent-encoded, without their delimiters."""

    scheme: str
    host: str = ""
    path: tuple[str, ...] | str = ()
    """Segments, or one text for a scheme like ``mailto:``."""
    query: str | None = None
    fragment: str | None = None

    @property
    def pathname(self) -> str:
        """The path with its slashes."""
        return self.path if isinstance(self.path, str) else "".join(f"/{segment}" for segment in self.path)

    @property
    def hash(self) -> str:
        """The fragment with ``#``, or nothing."""
        return f"#{self.fragment}" if self.fragment else ""

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter, decoded as a form is."""
        for pair in (self.query or "").split("&"):
            key, _, value = pair.partition("=")
            if pair and _form(key) == name:
                return _form(value)
        return None


def parse(text: str, base: str | None = None) -> Url:
    """The URL a text means, relative to ``base``.

    Raises:
        InvalidUrlError: The text, or the base, is none.
    """
    text = re.sub(r"[\t\n\r]", "", js.well_formed(text).strip("".join(map(chr, range(0x21)))))
    start = parse(base) if base is not None else None
    found = _SCHEME.match(text)
    if found is None:
        if start is None:
            raise InvalidUrlError(text)
        return _relative(text, start)
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme not in _PORTS:
        return _other_scheme(scheme, rest)
    if start is not None and scheme == start.scheme and not rest.startswith(("/", "\\")):
        return _relative(rest, start)
    rest, query, fragment = _tail(rest, special=True)
    if scheme == "file":
        rest = rest.replace("\\", "/")
        host, path = "", rest
        if rest.startswith("//"):
            host, slash, path = rest[2:].partition("/")
            path = slash + path
        host = "" if not host or host.lower() == "localhost" else _domain(host)
        return Url(scheme, host, _segments(path, ()), query, fragment)
    return _authority(scheme, rest.lstrip("/\\"), query, fragment)


def _relative(text: str, base: Url) -> Url:
    rest, query, fragment = _tail(text, special=True)
    slashed = rest.replace("\\", "/")
    if slashed.startswith("//"):
        return _authority(base.scheme, slashed.lstrip("/"), query, fragment)
    assert isinstance(base.path, tuple)
    if slashed.startswith("/"):
        return replace(base, path=_segments(slashed, ()), query=query, fragment=fragment)
    if not slashed:
        return replace(base, query=base.query if query is None else query, fragment=fragment)
    return replace(base, path=_segments("/" + slashed, base.path[:-1]), query=query, fragment=fragment)


def _tail(text: str, *, special: bool) -> tuple[str, str | None, str | None]:
    text, mark, fragment = text.partition("#")
    encoded = _encode(fragment, _FRAGMENT) if mark else None
    text, mark, query = text.partition("?")
    return text, _encode(query, _QUERY if special else _QUERY - {"'"}) if mark else None, encoded


def _authority(scheme: str, rest: str, query: str | None, fragment: str | None) -> Url:
    authority, slash, path = re.match(r"([^/\\]*)([/\\]?)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    location = authority.rpartition("@")[2]
    port = re.search(r":([^\]:]*)$", location)
    host = location[: port.start()] if port else location
    if port and (not re.fullmatch(r"\d*", port[1], re.ASCII) or int(port[1] or 0) > 65_535):
        raise InvalidUrlError(rest)
    if not host:
        raise InvalidUrlError(rest)
    return Url(scheme, _domain(host), _segments((slash + path).replace("\\", "/"), ()), query, fragment)


def _other_scheme(scheme: str, rest: str) -> Url:
    rest, query, fragment = _tail(rest, special=False)
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        host = re.sub(r":\d*$", "", authority.rpartition("@")[2])
        if _FORBIDDEN_HOST & set(host) and not host.startswith("["):
            raise InvalidUrlError(rest)
        return Url(scheme, _encode(host, _OPAQUE), _segments(slash + path, ()) if slash else (), query, fragment)
    if rest.startswith("/"):
        return Url(scheme, "", _segments(rest, ()), query, fragment)
    return Url(scheme, "", _encode(rest, _OPAQUE), query, fragment)


def _segments(path: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """The segments of a path that starts with a slash (or is empty), dots resolved."""
    segments = list(before)
    parts = path.split("/")[1:] or [""]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part.lower() in _DOTS:
            if segments:
                segments.pop()
            if last:
                segments.append("")
        elif part.lower() in _DOT:
            if last:
                segments.append("")
        else:
            segments.append(_encode(part, _PATH))
    return tuple(segments)


def _domain(text: str) -> str:
    """A host of a web address, in its canonical form."""
    if text.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1])}]" if text.endswith("]") else _fail(text)
        except ValueError:
            return _fail(text)
    domain = unquote_to_bytes(text).decode("utf-8", "replace").lower()
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode()
        except UnicodeError:
            return _fail(text)
    if not domain or _FORBIDDEN_DOMAIN & set(domain):
        return _fail(text)
    return _ipv4(domain)


def _ipv4(domain: str) -> str:
    """A domain that ends in a number is an IPv4 address, in any of its old spellings, or no host at all."""
    parts = domain.removesuffix(".").split(".")
    if not re.fullmatch(r"\d+|0x[0-9a-f]*", parts[-1], re.ASCII):
        return domain
    try:
        numbers = [_octet(part) for part in parts]
    except ValueError:
        return _fail(domain)
    if len(numbers) > 4 or any(n > 255 for n in numbers[:-1]) or numbers[-1] >= 256 ** (5 - len(numbers)):
        return _fail(domain)
    value = numbers[-1] + sum(n * 256 ** (3 - i) for i, n in enumerate(numbers[:-1]))
    return str(ipaddress.IPv4Address(value))


def _octet(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if len(part) > 1 and part.startswith("0") else 10)


def _fail(text: str) -> str:
    raise InvalidUrlError(text)


def _encode(text: str, unsafe: frozenset[str]) -> str:
    return "".join(
        "".join(f"%{byte:02X}" for byte in c.encode()) if c in unsafe or c < " " or c > "~" else c for c in text
    )


def _form(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")


def decode(text: str, *, keep: str = "") -> str:
    """A percent-decoded text; unchanged when an escape is broken. Escapes of the characters in ``keep`` stay."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return text
    try:
        return re.sub(r"(?:%[0-9A-Fa-f]{2})+", lambda run: _decode_run(run[0], keep), text)
    except UnicodeDecodeError:
        return text


def _decode_run(run: str, keep: str) -> str:
    kept = "|".join(f"%{ord(c):02x}" for c in keep)
    parts = re.split(f"((?i:{kept}))", run) if kept else [run]
    return "".join(part if index % 2 else unquote_to_bytes(part).decode() for index, part in enumerate(parts))
