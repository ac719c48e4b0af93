"""Who writes to a bot: a pseudonym, a session, and the campaign that brought them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan import conventions as c
from footspan.tracking.identity import get_keyed_user_hash, get_user_hash
from footspan.tracking.sessions import Sessions

if TYPE_CHECKING:
    from footspan.config import Settings
    from footspan.tracking.sessions import Session
    from footspan.tracking.tracker import Tracker

MOST: Final = 10_000
"""People of whom a session and a campaign are remembered."""


class People:
    """The users of a process's bots, in memory.

    Args:
        settings: The settings in force.
        tracker: What records ``session.start`` and ``session.end``; the module functions' tracker when not given.
        kind: What stands for a user, in place of the setting ``telegram.user_id``.
    """

    def __init__(self, settings: Settings, tracker: Tracker | None = None, kind: str | None = None) -> None:
        self._settings = settings
        self._kind = kind or settings.telegram.user_id
        self._sessions = Sessions(
            tracker,
            idle_timeout=settings.sessions.idle_timeout,
            max_length=settings.sessions.max_length,
            max_visitors=MOST,
        )
        self._forked()
        _platform.on_fork(self._forked)

    def _forked(self) -> None:
        self._lock = _guard.QuietLock()
        self._touches: OrderedDict[str, dict[str, str]] = OrderedDict()

    def suits(self, settings: Settings) -> bool:
        """Whether under these settings nothing would be different."""
        known = self._settings
        if known is not settings:
            if (known.telegram, known.identity, known.sessions) != (
                settings.telegram,
                settings.identity,
                settings.sessions,
            ):
                return False
            self._settings = settings
        return True

    def name(self, user_id: int, token: str) -> str:
        """What stands for a user.

        Args:
            user_id: Telegram's id for them.
            token: The bot's token: the key, where the settings name none. Ids are numbers that can be tried one by
                one, so a hash without a key would hide nobody.
        """
        if self._kind == "raw":
            return str(user_id)
        if self._kind == "hash":
            return get_user_hash(user_id)
        identity = self._settings.identity
        if identity.secret:
            return get_keyed_user_hash(user_id, identity.secret, identity.key_id)
        key = hashlib.sha256(b"footspan: users of the bot " + token.encode("utf-8", "surrogatepass")).digest()
        return get_keyed_user_hash(user_id, key, "")

    def came_by(self, who: str, start_code: str) -> dict[str, str]:
        """How somebody came last.

        Args:
            who: What stands for them.
            start_code: The code that brings them now; empty for none.
        """
        with self._lock:
            touch = self._touches.pop(who, {})
            if start_code:
                # A campaign of the operator's own words, which the class is for in an address, too.
                touch = {c.CAMPAIGN_START_CODE: start_code, c.REFERRER_CLASS: "referral"}
            if touch:
                self._touches[who] = touch
                while len(self._touches) > MOST:
                    self._touches.popitem(last=False)
        return touch

    def seen(self, who: str, attributes: dict[str, Any]) -> Session:
        """Note that somebody is active: their session goes on, or one with these attributes starts."""
        return self._sessions.touch(who, attributes)

    def session_of(self, who: str) -> Session | None:
        """Somebody's session, if one is open."""
        return self._sessions.get(who)

    def close(self) -> None:
        """End every session, at the time of its last activity."""
        self._sessions.close()
