"""Sessions: what a visitor does without a long break, told by ``session.start`` and ``session.end``.

The events and their attributes are those of OpenTelemetry's semantic conventions for sessions. A time-out is seen late,
by whatever comes next; the end then bears the time of the last activity.
"""

from __future__ import annotations

import contextvars
import os
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan import conventions as c
from footspan.config.errors import ConfigurationError
from footspan.tracking.tracker import default_tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from footspan.tracking.tracker import Tracker

IDLE_TIMEOUT: Final = 1800.0
MAX_LENGTH: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Session:
    """One session.

    Attributes:
        id: Its id, 32 hexadecimal digits.
        visitor_id: Whose it is.
        started: When it began (seconds since the epoch).
        last_seen: When its visitor was last active (seconds since the epoch).
        previous_id: The id of the visitor's session before it, where that is known.
    """

    id: str
    visitor_id: str
    started: float
    last_seen: float
    previous_id: str | None = None

    def is_over(self, now: float, idle_timeout: float, max_length: float) -> bool:
        """Whether it has ended by itself. A clock that is set back by less than the time-out ends nothing."""
        return not -idle_timeout <= now - self.last_seen <= idle_timeout or now - self.started > max_length

    def seen(self, now: float) -> Session:
        """The session after another activity."""
        return replace(self, last_seen=max(now, self.last_seen))


class Sessions:
    """The sessions of a process's visitors, in memory; for bots, desktop programs, sockets, and servers of one process.

    Web apps with several processes keep them in a cookie: :mod:`footspan.instrumentation.web_sessions`. Safe to use
    from any thread. A forked child starts without sessions: its parent goes on with them.

    Args:
        tracker: What records the events; the module functions' tracker when not given.
        idle_timeout: Time without activity after which a session has ended (seconds).
        max_length: Time after which a session that goes on is another (seconds).
        max_visitors: How many sessions are kept; beyond, the one that was quiet for longest ends.
        clock: Says what time it is (seconds since the epoch).

    Raises:
        ConfigurationError: A time is no number of seconds above 0.
    """

    def __init__(
        self,
        tracker: Tracker | None = None,
        *,
        idle_timeout: float = IDLE_TIMEOUT,
        max_length: float = MAX_LENGTH,
        max_visitors: int = 10_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tracker = tracker
        self._idle_timeout = _seconds("idle_timeout", idle_timeout)
        self._max_length = _seconds("max_length", max_length)
        self._max_visitors = max(1, max_visitors)
        self._clock = clock
        self._forked()
        _platform.on_fork(self._forked)

    def _forked(self) -> None:
        self._lock = _guard.QuietLock()
        # Longest quiet first, so that what has timed out stands in front.
        self._open: OrderedDict[str, tuple[Session, Mapping[str, Any]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def get(self, visitor_id: str) -> Session | None:
        """A visitor's session, if one is open; that counts as no activity."""
        with self._lock:
            session, _ = self._open.get(visitor_id, (None, {}))
            return None if session is None or self._is_over(session, self._clock()) else session

    def touch(self, visitor_id: str, attributes: Mapping[str, Any] | None = None) -> Session:
        """Note that a visitor is active: their session goes on, or one starts.

        Args:
            visitor_id: Who; see :func:`footspan.tracking.identity.new_visitor_id`.
            attributes: What the session's start and end bear besides, where one starts; names as in ``track``.

        Returns:
            The session. ``set_context(session_id=session.id)`` makes every event bear it.
        """
        return self._next(visitor_id, attributes, anew=False)

    def rotate(self, visitor_id: str, attributes: Mapping[str, Any] | None = None) -> Session:
        """End a visitor's session and start the next, as when somebody else logs in."""
        return self._next(visitor_id, attributes, anew=True)

    def end_session(self, visitor_id: str) -> bool:
        """End a visitor's session now, as at a logout.

        Returns:
            Whether there was one.
        """
        now = self._clock()
        with self._lock:
            ended = self._open.pop(visitor_id, None)
        if ended is None:
            return False
        session, attributes = ended
        self._tell_end(self._at_its_end(session, now), attributes)
        return True

    def sweep(self) -> int:
        """End the sessions that have timed out. Each ``touch`` does so too; a timer helps where visitors are rare.

        Returns:
            How many have ended.
        """
        with self._lock:
            ended = self._timed_out(self._clock())
        for each in ended:
            self._tell_end(*each)
        return len(ended)

    def close(self) -> None:
        """End every session, at the time of its last activity; for a program that ends."""
        with self._lock:
            ended = list(self._open.values())
            self._open.clear()
        for each in ended:
            self._tell_end(*each)

    def _next(self, visitor_id: str, attributes: Mapping[str, Any] | None, *, anew: bool) -> Session:
        _platform.notice_fork()
        now = self._clock()
        ended: list[tuple[Session, Mapping[str, Any]]] = []
        with self._lock:
            session, known = self._open.pop(visitor_id, (None, {}))
            begins = session is None or anew or self._is_over(session, now)
            if session is not None and begins:
                ended.append((self._at_its_end(session, now), known))
            ended += self._timed_out(now)
            if session is None or begins:
                previous = None if session is None else session.id
                session, known = Session(os.urandom(16).hex(), visitor_id, now, now, previous), dict(attributes or {})
            else:
                session = session.seen(now)
            self._open[visitor_id] = (session, known)
            while len(self._open) > self._max_visitors:
                ended.append(self._open.popitem(last=False)[1])
        # Told outside the lock: telling writes to the disk.
        for each in ended:
            self._tell_end(*each)
        if begins:
            tell_start(self._tracker, session, known)
        return session

    def _is_over(self, session: Session, now: float) -> bool:
        return session.is_over(now, self._idle_timeout, self._max_length)

    def _at_its_end(self, session: Session, now: float) -> Session:
        """A session that is ended now, unless it had ended before."""
        return session if self._is_over(session, now) else session.seen(now)

    def _timed_out(self, now: float) -> list[tuple[Session, Mapping[str, Any]]]:
        ended = []
        while self._open:
            first = next(iter(self._open))
            if not self._is_over(self._open[first][0], now):
                break
            ended.append(self._open.pop(first))
        return ended

    def _tell_end(self, session: Session, attributes: Mapping[str, Any]) -> None:
        tell_end(self._tracker, session, attributes)


def tell_start(
    tracker: Tracker | None, session: Session, attributes: Mapping[str, Any] | None = None, uid: str | None = None
) -> None:
    """Record ``session.start``.

    Args:
        tracker: What records it.
        session: The session.
        attributes: What it bears besides.
        uid: Its id, where several processes may tell of the same start.
    """
    _tell(
        tracker,
        c.EVENT_SESSION_START,
        {
            **(attributes or {}),
            c.LOG_RECORD_UID: uid,
            c.SESSION_ID: session.id,
            c.SESSION_PREVIOUS_ID: session.previous_id,
            c.ENDUSER_PSEUDO_ID: session.visitor_id,
            "timestamp": session.started,
        },
    )


def tell_end(
    tracker: Tracker | None, session: Session, attributes: Mapping[str, Any] | None = None, uid: str | None = None
) -> None:
    """Record ``session.end`` at the time of the last activity; as for :func:`tell_start`."""
    event = {
        **(attributes or {}),
        c.LOG_RECORD_UID: uid,
        c.SESSION_ID: session.id,
        c.ENDUSER_PSEUDO_ID: session.visitor_id,
        c.DURATION_MS: round((session.last_seen - session.started) * 1000),
        "timestamp": session.last_seen,
    }
    # Whose request happens to see it says nothing of the session that has ended: neither its trace nor its context.
    contextvars.Context().run(_tell, tracker, c.EVENT_SESSION_END, event)


def _tell(tracker: Tracker | None, name: str, event: dict[str, Any]) -> None:
    (tracker or default_tracker).track_event(name, event)


def _seconds(name: str, value: Any) -> float:
    """A time that can be compared with others; what cannot would fail at a visitor's second activity."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return value
    raise ConfigurationError(f"Sessions({name})", repr(value)[:40], "Write a number of seconds above 0, such as 1800.")
