"""Who sent an item: address, location, browser, system, device. Contract section 5, last points."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from servers.umami import errors, js
from servers.umami.url import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_GEO: Final = (
    "synthetic: 203.0.113.0/24=DE/BE/Berlin, 198.51.100.0/24=US/CA/San Francisco, 192.0.2.0/24=FR/IDF/Paris"
)
_ADDRESS_HEADERS: Final = (
    "true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-nf-client-connection-ip", "do-connecting-ip",
    "x-real-ip", "x-appengine-user-ip", "x-forwarded-for",
)  # fmt: skip
_LOCATION_HEADERS: Final = (
    ("cf-ipcountry", "cf-region-code", "cf-ipcity"),
    ("x-vercel-ip-country", "x-vercel-ip-country-region", "x-vercel-ip-city"),
    ("cloudfront-viewer-country", "cloudfront-viewer-country-region", "cloudfront-viewer-city"),
)
_LOCAL: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
_BROWSERS: Final = (
    ("edge-chromium", r"Edg(?:A|iOS)?/\d"),
    ("samsung", r"SamsungBrowser/\d"),
    ("opera", r"(?:OPR|Opera)/\d"),
    ("yandexbrowser", r"YaBrowser/\d"),
    ("crios", r"CriOS/\d"),
    ("fxios", r"FxiOS/\d"),
    ("chrome", r"(?!Chrom.*OPR)Chrom(?:e|ium)/\d"),
    ("firefox", r"Firefox/\d"),
    ("ios", r"Version/\d.*Mobile/\S+\s+Safari/|Mobile/\S+.*Safari/"),
    ("safari", r"Version/\d.*Safari/"),
    ("ie", r"MSIE \d|Trident/7"),
)
_SYSTEMS: Final = (
    ("iOS", r"iP(?:hone|od|ad)"),
    ("Android OS", r"Android"),
    ("Windows 10", r"Windows (?:10|NT 10)"),
    ("Windows 8.1", r"Windows (?:8\.1|NT 6\.3)"),
    ("Windows 7", r"Windows (?:7|NT 6\.1)"),
    ("Chrome OS", r"CrOS"),
    ("Linux", r"Linux|X11"),
    ("Mac OS", r"Mac_PowerPC|Macintosh"),
)


@dataclass(frozen=True, slots=True)
class Client:
    """The sender of an item, as far as the server sees it."""

    ip: str
    user_agent: str
    browser: str | None
    os: str | None
    device: str
    country: str | None
    region: str | None
    city: str | None


class Clients:
    """Looks at senders the way a server with this environment does."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._header = env.get("CLIENT_IP_HEADER", "").lower()
        self._skip_headers = bool(env.get("SKIP_LOCATION_HEADERS"))
        self._ignored = [entry.strip() for entry in env.get("IGNORE_IP", "").split(",") if entry.strip()]
        self._places = _places(env.get("GEOLITE_DB_PATH", DEFAULT_GEO))

    def look(self, payload: Mapping[str, Any], headers: Mapping[str, str]) -> Client:
        """The sender of an item.

        Raises:
            ServerFault: The location has to be looked up and there is no database.
        """
        user_agent = payload.get("userAgent") or headers.get("user-agent", "")
        ip = payload.get("ip") or self._address(headers)
        place = self._location(ip, {} if payload.get("ip") or self._skip_headers else headers)
        country, region, city = (decode(part) if part else None for part in place)
        return Client(
            ip,
            user_agent,
            _given(payload, "browser", _first(_BROWSERS, user_agent)),
            _given(payload, "os", _first(_SYSTEMS, user_agent)),
            _given(payload, "device", _device(user_agent, payload.get("screen") or "")) or "",
            country,
            (region if "-" in region else f"{country}-{region}") if country and region else None,
            city,
        )

    def is_ignored(self, ip: str) -> bool:
        """Whether ``IGNORE_IP`` names this address.

        Raises:
            ServerFault: A range has to be compared and the address is none.
        """
        for entry in self._ignored:
            if entry == ip:
                return True
            if "/" in entry:
                try:
                    address = ipaddress.ip_address(ip)
                except ValueError:
                    message = "ipaddr: the address has neither IPv6 nor IPv4 format"
                    raise errors.plain("Error", message) from None
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
        return False

    def _address(self, headers: Mapping[str, str]) -> str:
        if self._header and headers.get(self._header):
            return headers[self._header]
        for name in _ADDRESS_HEADERS:
            if headers.get(name):
                value = headers[name]
                return _without_port(value.partition(",")[0].strip()) if name == "x-forwarded-for" else value
        # The server's own front adds x-forwarded-for with the peer's address when there is none.
        return "127.0.0.1"

    def _location(self, ip: str, headers: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
        address = _parsed(ip)
        if address is not None and any(address in network for network in _LOCAL):
            return None, None, None
        for names in _LOCATION_HEADERS:
            if headers.get(names[0]):
                country, region, city = (
                    headers.get(name, "").encode("latin-1").decode("utf-8", "replace") for name in names
                )
                return country, region or None, city or None
        if self._places is None:
            raise errors.missing_geo_database()
        for network, place in self._places:
            if address is not None and address in network:
                return place
        return None, None, None


def _places(path: str) -> list[tuple[Any, tuple[str, str, str]]] | None:
    kind, _, entries = path.partition(":")
    if kind != "synthetic":
        return None
    places = []
    for entry in entries.split(","):
        network, _, place = entry.strip().partition("=")
        country, region, city = place.split("/")
        places.append((ipaddress.ip_network(network), (country, region, city)))
    return places


def _parsed(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(_without_port(ip))
    except ValueError:
        return None


def _without_port(ip: str) -> str:
    found = re.fullmatch(r"\[([^\]]*)\](?::\d+)?|([^:]+):\d+", ip)
    return (found[1] if found[1] is not None else found[2]) if found else ip


def _given(payload: Mapping[str, Any], name: str, detected: str | None) -> str | None:
    value = payload.get(name)
    return value if isinstance(value, str) else detected


def _first(table: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for name, pattern in table if re.search(pattern, user_agent)), None)


def _device(user_agent: str, screen: str) -> str:
    if re.search(r"iPad|Tablet|Android(?!.*Mobile)", user_agent):
        return "tablet"
    if re.search(r"iPhone|iPod|Mobile", user_agent):
        return "mobile"
    if screen and js.to_number(screen.partition("x")[0]) <= 1920:
        return "laptop"
    return "desktop"
