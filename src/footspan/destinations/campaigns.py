"""Start codes: what stands for a whole campaign in the link to a bot, looked up before an event leaves.

An OpenTrace server knows what each code stands for. It is asked once for a code and the answer is remembered; what an
event says itself of its campaign wins. All of this happens where events are sent, never where they are recorded, and a
server that is away delays a request by a bounded time once, and then none for a while.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from footspan import _platform
from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from footspan.config.campaigns import Server
    from footspan.destinations.base import Destination
    from footspan.destinations.opentrace.campaigns import CampaignServer

BUDGET: Final = 2.0
"""Seconds that looking codes up may take of one request's time."""

KEPT: Final = 4_096
"""Codes that are remembered, known and unknown ones, of all servers together."""

KNOWN_FOR: Final = 600.0
UNKNOWN_FOR: Final = 60.0
"""Seconds that an answer is remembered: a campaign may be changed, and one that is missing made."""

AWAY_FOR: Final = 30.0
"""Seconds that a server is not asked after it did not answer."""

MAX_CODE: Final = 512
"""Characters from which on a text is no code."""

_MOST_SERVERS: Final = 16
_FAIR: Final = 0.75
"""Share of the time that a server must have had before its silence is held against it."""

FIELDS: Final = {f"utm_{field}": f"footspan.utm.{field}" for field in c.UTM_FIELDS}
"""What a campaign says, and the attribute it becomes."""


class Asked:
    """What campaign servers have said, for the whole process."""

    def __init__(self) -> None:
        self.forked()

    def forked(self) -> None:
        """Another thread of the parent may have held the locks; its connections are the parent's."""
        self._lock = threading.Lock()
        self._asking: dict[Server, threading.Lock] = {}
        self._said: OrderedDict[tuple[Server, str], tuple[float, Mapping[str, Any]]] = OrderedDict()
        self._away: dict[Server, float] = {}
        self._servers: OrderedDict[Server, CampaignServer] = OrderedDict()

    def look_up(
        self, code: str, servers: Iterable[Server], deadline: float, budget: float = BUDGET
    ) -> Mapping[str, Any]:
        """What a code stands for; empty where no server knows, or none answers in time.

        Args:
            code: The code, as the link had it.
            servers: Whom to ask, in this order.
            deadline: When the time is over, monotonic seconds.
            budget: Seconds that there were at first: a server that does not answer within most of them is away.
        """
        for server in servers:
            found = self._said_by(server, code)
            if found is None:
                found = self._ask(server, code, deadline, budget)
            if found:
                return found
        return {}

    def _said_by(self, server: Server, code: str) -> Mapping[str, Any] | None:
        """What a server said before; empty for an unknown code and while it is away, ``None``: ask it."""
        now = time.monotonic()
        with self._lock:
            until, found = self._said.get((server, code), (0.0, {}))
            if until > now:
                self._said.move_to_end((server, code))
                return found
            return {} if self._away.get(server, 0.0) > now else None

    def _ask(self, server: Server, code: str, deadline: float, budget: float) -> Mapping[str, Any] | None:
        # One at a time: whoever else wants the same code hears the same answer.
        turn = self._turn(server)
        if not turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return None
        try:
            found = self._said_by(server, code)
            began = time.monotonic()
            left = deadline - began
            if found is not None or left <= 0.0:
                return found
            found = self._server(server).resolve(code, left)
            # Who had little time left says nothing of the server by giving up.
            if found is not None or left > budget * _FAIR or time.monotonic() - began < left * _FAIR:
                self._note(server, code, found)
            return found
        finally:
            turn.release()

    def _turn(self, server: Server) -> threading.Lock:
        with self._lock:
            return self._asking.setdefault(server, threading.Lock())

    def _note(self, server: Server, code: str, found: Mapping[str, Any] | None) -> None:
        now = time.monotonic()
        with self._lock:
            if found is None:
                self._away[server] = now + AWAY_FOR
                return
            self._away.pop(server, None)
            self._said[server, code] = (now + (KNOWN_FOR if found else UNKNOWN_FOR), found)
            while len(self._said) > KEPT:
                self._said.popitem(last=False)

    def _server(self, address: Server) -> CampaignServer:
        from footspan.destinations.opentrace.campaigns import CampaignServer  # noqa: PLC0415 - few have start codes

        with self._lock:
            server = self._servers.get(address)
            if server is None:
                server = self._servers[address] = CampaignServer(address)
                while len(self._servers) > _MOST_SERVERS:
                    gone, old = self._servers.popitem(last=False)
                    old.close()
                    self._away.pop(gone, None)
                    self._asking.pop(gone, None)
            return server


asked: Final = Asked()
_platform.on_fork(asked.forked)

_lock = threading.Lock()
_live: weakref.WeakSet[Destination] = weakref.WeakSet()


def _forked() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()


_platform.on_fork(_forked)


def note(destination: Destination) -> None:
    """An OpenTrace destination was made: its server is asked where the settings name none."""
    with _lock:
        _live.add(destination)


def servers_for(destination: Destination) -> tuple[tuple[Server, ...], float]:
    """Whom to ask about the codes of a destination's events, and how long that may take in all.

    A destination that is such a server is asked first, then those that the settings name. Where that is nobody, those
    are that this process delivers to: an old client's, which no settings know.
    """
    named = destination.settings.campaigns
    budget = BUDGET if named is None else named.timeout
    found = [*_servers_of([destination]), *(() if named is None else named.servers)]
    if not found:
        with _lock:
            live = list(_live)
        found = sorted(_servers_of(live), key=str)
    return tuple(dict.fromkeys(found))[:_MOST_SERVERS], budget


def _servers_of(destinations: Iterable[Destination]) -> list[Server]:
    found = (getattr(each, "campaign_server", None) for each in destinations)
    return [each for each in found if each is not None]


def reset() -> None:
    """Forget what was asked and who was noted; for tests."""
    asked.forked()
    with _lock:
        _live.clear()
