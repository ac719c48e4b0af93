"""Links that take a session along: from a bot, or from another site, to a web app with the same key.

What the link holds is signed, not encrypted: the session's id and how its visitor came, and nothing of who they are. It
is good as long as the session would last without it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from footspan import _guard
from footspan import conventions as c
from footspan.instrumentation.web_sessions.records import pack_touch, serializer, unpack_touch
from footspan.processors.context import ambient
from footspan.tracking.in_force import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PARAMETER: Final = "fs_token"
"""The parameter's name. Its end has the redactor cut the value out of every address that is recorded."""

_SALT: Final = "footspan.link"
_VERSION: Final = 1
_MAX_TOKEN: Final = 2_048
_MAX_VALUE: Final = 64
_MAX_PARAMETERS: Final = 256
_SCHEMES: Final = frozenset({"http", "https", ""})
# An id of the host's own may be anything; what could be an address or a name stays out of links.
_SESSION_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CLICKS: Final = frozenset(c.TOUCHES[name] for name in c.CLICK_ID_FIELDS)
_OURS: Final = re.compile(rf"(?:^|&){PARAMETER}=[^&]*")


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link brings.

    Attributes:
        session_id: The session that goes on.
        made: When the link was made (seconds since the epoch).
        touch: How its visitor came last, by attribute name.
    """

    session_id: str
    made: float
    touch: dict[str, str] = field(default_factory=dict)


class Links:
    """Signs and reads links.

    Args:
        secrets: The keys, newest first; the newest signs, all are read.
        max_age: How long a link is good (seconds).
        clock: Says what time it is (seconds since the epoch).

    Raises:
        ModuleNotFoundError: ``itsdangerous`` is not installed; the text says how to install it.
    """

    def __init__(
        self, secrets: Sequence[str | bytes], max_age: float, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._serializer = serializer(secrets, _SALT)
        self._max_age = max_age
        self._clock = clock

    def dump(self, session_id: str, touch: Mapping[str, Any]) -> str:
        """The parameter's value for a session."""
        kept = {
            name: str(value)[:_MAX_VALUE]
            for name, value in touch.items()
            if name in c.TOUCHES.values() and name not in _CLICKS
        }
        value: str = self._serializer.dumps([_VERSION, session_id, pack_touch(kept)])
        return value

    def load(self, value: str) -> Linked | None:
        """What a value holds; ``None`` for one that is too old, tampered with, of another key or of another kind."""
        from itsdangerous import BadData  # noqa: PLC0415 - comes with Flask; elsewhere an extra

        if not value or len(value) > _MAX_TOKEN:
            return None
        try:
            (version, session_id, touch), signed = self._serializer.loads(value, return_timestamp=True)
            made = signed.timestamp()
            if version != _VERSION or self._clock() - made > self._max_age or not _SESSION_ID.fullmatch(session_id):
                return None
            return Linked(session_id, made, unpack_touch(touch))
        except (BadData, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
            return None

    def find(self, url: str) -> Linked | None:
        """What an address that somebody came to brings; ``None`` for nothing."""
        if PARAMETER not in url:
            return None
        try:
            pairs = parse_qsl(urlsplit(url).query, max_num_fields=_MAX_PARAMETERS)
        except ValueError:
            return None
        return next((self.load(value) for name, value in pairs if name == PARAMETER), None)


def link(url: str) -> str:
    """An address of a web app of one's own, by which the current session and its campaign go on there.

    For a bot's buttons, mails and other sites. The app needs sessions, and both need the same ``sessions.secret``.

    Args:
        url: The address: ``https://…``, or from the path on. Only of a site of one's own: it gets to know the session.

    Returns:
        The address with the parameter ``fs_token``, good for ``sessions.idle_timeout``; the address as it was where
        there is no session, or no key, which is said once. Never raises.
    """
    with _guard.guard("link"):
        values = ambient()
        session_id = values.get(c.SESSION_ID)
        if not isinstance(session_id, str) or not _SESSION_ID.fullmatch(session_id):
            return url
        settings = settings_in_force().sessions
        if not settings.secret:
            _guard.warn_once(
                "link secret",
                "footspan: link() leaves addresses as they are: no key to sign with. Set FOOTSPAN_SESSIONS_SECRET, "
                "the same as in the web app",
            )
            return url
        parts = urlsplit(url)
        if parts.scheme.lower() not in _SCHEMES:
            return url
        try:
            token = Links([settings.secret], settings.idle_timeout).dump(session_id, values)
        except ModuleNotFoundError as error:
            _guard.warn_once("link signing", "%s", error.msg)
            return url
        query = _OURS.sub("", parts.query).lstrip("&")
        return urlunsplit(parts._replace(query=f"{query}{'&' if query else ''}{PARAMETER}={token}"))
    return url
