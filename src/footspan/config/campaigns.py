"""The settings of start codes: which server knows what campaign a code stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from footspan.config.values import POSITIVE_DURATION
from footspan.config.web import PROXY, url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from footspan.config.kinds import Kind
    from footspan.config.settings import DestinationSettings

SERVER_TYPE = "opentrace"
"""The type of destination whose server resolves start codes."""


def _setting(kind: Kind, default: Any, help_text: str) -> Any:
    """A field with the way it is read and its documentation; an address may hold a key."""
    return field(default=default, repr=kind is POSITIVE_DURATION, metadata={"kind": kind, "help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """Who knows what start codes stand for."""

    url: str | None = _setting(
        url(instead="Leave them out: the server takes no credentials.", base=True),
        None,
        "Address of the OpenTrace server that resolves start codes; default: that of the `opentrace` destinations.",
    )
    proxy: str | None = _setting(PROXY, None, "Address of a proxy on the way there; `environment`: as `HTTPS_PROXY`.")
    timeout: float = _setting(
        POSITIVE_DURATION, 2.0, "Time that resolving may take of one request, if its server is slow or away (seconds)."
    )


class Server(NamedTuple):
    """Where a campaign server is.

    Attributes:
        url: Its base address.
        proxy: The proxy to go through.
        certificate: File of the authorities to trust.
    """

    url: str
    proxy: str | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignServers:
    """The same as each destination is told.

    Attributes:
        servers: Whom to ask, in this order.
        timeout: Seconds that this may take of one request.
    """

    servers: tuple[Server, ...] = field(default=(), repr=False)
    timeout: float = 2.0


def campaign_servers(settings: CampaignSettings, destinations: Iterable[DestinationSettings]) -> CampaignServers:
    """Whom to ask: the server that is named, else those that events are sent to."""
    if settings.url:
        return CampaignServers((Server(settings.url, settings.proxy),), settings.timeout)
    found = dict.fromkeys(server_of(each.options) for each in destinations if each.type == SERVER_TYPE and each.enabled)
    return CampaignServers(tuple(found), settings.timeout)


def server_of(options: Any) -> Server:
    """The server that a destination's options name."""
    certificate = options.get("certificate")
    return Server(
        str(options.get("url") or "").rstrip("/"),
        options.get("proxy"),
        None if certificate is None else str(certificate),
    )
