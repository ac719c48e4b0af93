"""An OpenTrace server, asked what a start code stands for."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from footspan._guard import guard, warn_once
from footspan.config.settings import DestinationSettings
from footspan.config.web import mask_address
from footspan.destinations.base import Answer, FaultKind, Outcome, Request, Verdict
from footspan.destinations.http import HttpDestination
from footspan.otlp_json.text import loads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from footspan.config.campaigns import Server
    from footspan.otlp_json import LogLine

PREFIX: Final = "utm_"
"""What a link's code has in front of the server's."""

MAX_TEXT: Final = 1_000
_MAX_FIELDS: Final = 32
_OK, _NOT_FOUND = 200, 404


class _Client(HttpDestination):
    """The connection: nothing is ever sent there."""

    type: ClassVar[str] = "opentrace"
    max_answer: ClassVar[int] = 64 * 1024

    def build(self, events: Sequence[LogLine]) -> Request:  # pragma: no cover - see the class
        raise NotImplementedError

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:  # noqa: ARG002 # pragma: no cover - see the class
        return Outcome(Verdict.DELIVERED)


class CampaignServer:
    """Where start codes are resolved. Its connections are its own: it resets them after it has failed.

    Args:
        address: Where it is.
    """

    def __init__(self, address: Server) -> None:
        self._base = address.url.rstrip("/")
        options = {"proxy": address.proxy, "certificate": address.certificate}
        self._client = _Client(DestinationSettings(name="campaigns", type="opentrace", options=options))

    def resolve(self, code: str, timeout: float) -> Mapping[str, Any] | None:
        """What a code stands for.

        Args:
            code: The code, with or without the prefix that links have.
            timeout: Seconds this may take.

        Returns:
            The campaign's fields, ``None`` for those without a value; empty for an unknown code; ``None`` when the
            server does not answer. Never raises.
        """
        url = address_of(self._base, code)
        if not url:
            return {}
        answer: Answer | FaultKind = FaultKind.INVALID
        with guard("campaigns"):
            answer = self._client.get(url, timeout)
        if isinstance(answer, FaultKind):
            self._client.close()
            self._warn(answer.value)
            return None
        if answer.status == _OK:
            return _fields(answer)
        self._client.close()
        if answer.status != _NOT_FOUND:
            self._warn(f"http_{answer.status}")
        return {}

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _warn(self, reason: str) -> None:
        warn_once(
            f"campaigns.{self._base}.{reason}",
            "footspan: %s does not resolve start codes (%s); events go without the campaign",
            mask_address(self._base),
            reason,
        )


def address_of(base: str, code: str) -> str:
    """Where to ask about a code: whatever is in it, it stays one part of the path. Empty for what cannot be one."""
    part = quote(code.removeprefix(PREFIX), safe="")
    # Dots need no escape and mean another folder.
    return "" if part in {".", ".."} else f"{base}/api/campaigns/resolve/{part}"


def _fields(answer: Answer) -> Mapping[str, Any]:
    """What an answer says of a campaign, in its own fields; a value that is no text, number or flag counts as none."""
    body: Any = None
    try:
        body = loads(answer.body)
    except ValueError:
        return {}
    return {name: _value(value) for name, value in islice(body.items(), _MAX_FIELDS)} if isinstance(body, dict) else {}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value[:MAX_TEXT]
    return value if isinstance(value, (int, float)) else None
