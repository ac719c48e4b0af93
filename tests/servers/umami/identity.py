"""Ids of sessions and visits, and the token of ``x-umami-cache``: contract section 5 and 6."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from typing import Any, Final

from servers.umami import js

VISIT_SECONDS: Final = 1800
"""A token keeps its visit this long."""


def digest(*parts: str) -> str:
    """The hash all ids are made of."""
    return hashlib.sha512("".join(map(js.well_formed, parts)).encode()).hexdigest()


class Identity:
    """The ids a server with this secret gives.

    Args:
        secret: ``APP_SECRET``.
        rotation: ``SALT_ROTATION``: how long an anonymous visitor keeps a session; month, week or day.
    """

    def __init__(self, secret: str, rotation: str = "month") -> None:
        self._secret = digest(secret)
        self._rotation = rotation

    def session(self, source: str, distinct_id: str | None, ip: str, user_agent: str, at_ms: int | None) -> str:
        """The session's id: by the distinct id when there is one, else by address, agent and period.

        ``at_ms`` is None for a moment outside the range of dates.
        """
        if distinct_id:
            return self._uuid(source, distinct_id)
        return self._uuid(source, ip, user_agent, digest(self._period(at_ms)))

    def visit(self, session: str, at_ms: int | None) -> str:
        """The visit's id: one per session and clock hour."""
        hour = "Invalid Date" if at_ms is None else js.utc_text(at_ms - at_ms % 3_600_000)
        return self._uuid(session, digest(hour))

    def token(self, claims: dict[str, Any]) -> str:
        """A signed token (JWT, HS256)."""
        head = _segment({"alg": "HS256", "typ": "JWT"})
        body = f"{head}.{_segment(claims)}"
        return f"{body}.{self._signature(body)}"

    def claims(self, token: str) -> dict[str, Any] | None:
        """What a token says, or None when its signature is not ours."""
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(body).encode(), signature.encode("utf-8", "replace")):
            return None
        encoded = body.partition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        return claims if isinstance(claims, dict) else None

    def _uuid(self, *parts: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, digest(*parts, self._secret)))

    def _period(self, at_ms: int | None) -> str:
        if at_ms is None:
            return "Invalid Date"
        year, month, day, *_, weekday = js.civil(at_ms)
        midnight = js.days_from_civil(year, month, day)
        if self._rotation == "day":
            start = midnight
        elif self._rotation == "week":
            start = midnight - weekday
        else:
            start = midnight - day + 1
        return js.utc_text(start * 86_400_000)

    def _signature(self, body: str) -> str:
        mac = hmac.new(self._secret.encode(), body.encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _segment(value: dict[str, Any]) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
