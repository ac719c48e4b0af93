"""One request of a visitor, whatever the framework: who, which session, what the answer's cookie says."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan import conventions as c
from footspan.config.consent import PURPOSES
from footspan.instrumentation.web_sessions.links import Links
from footspan.instrumentation.web_sessions.records import Record, Signer, event_uid
from footspan.privacy.consent import granted, state_of
from footspan.processors.bots import is_bot
from footspan.processors.context import set_context
from footspan.processors.page_views import ignored
from footspan.tracking.attribution import as_first_touch, attribution_of, host_of, is_touch
from footspan.tracking.consent import consent_of
from footspan.tracking.identity import new_visitor_id
from footspan.tracking.sessions import Session, tell_end, tell_start
from footspan.tracking.tracker import default_tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.config import Settings
    from footspan.instrumentation.web_sessions.links import Linked
    from footspan.privacy.consent import State
    from footspan.tracking.tracker import Tracker

_NOTHING: Final = dict.fromkeys(PURPOSES, False)
_MOST_TOLD: Final = 4_096
_SAFE: Final = frozenset({"GET", "HEAD"})
_SAME: Final = frozenset({"same-origin", "same-site"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says.

    Attributes:
        method: In capitals.
        url: The whole address.
        path: Its path.
        cookie: The value of our cookie; empty without one.
        header: Gives a header's value by its name in lower case; empty without one.
        native: The framework's own object, for the app's consent.
    """

    method: str
    url: str
    path: str
    cookie: str
    header: Callable[[str], str]
    native: Any


class Visits:
    """The visits of one web app.

    Args:
        settings: The settings in force.
        secrets: The keys that sign the cookie, newest first.
        tracker: What records the sessions' events; the module functions' tracker when not given.
        consent: Asked with the framework's request what its visitor agrees to, a mapping of purposes to yes or no, or
            whether they may be remembered; if it raises, they agree to nothing.
        clock: Says what time it is (seconds since the epoch).
    """

    def __init__(
        self,
        settings: Settings,
        secrets: Sequence[str | bytes],
        *,
        tracker: Tracker | None = None,
        consent: Callable[[Any], bool | Mapping[str, bool]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.tracker = tracker
        self.clock = clock
        self.signer = Signer(secrets, settings.sessions.cookie_max_age, clock=clock)
        self._links = Links(secrets, settings.sessions.idle_timeout, clock=clock)
        self._consent = consent
        self._referrers = dict(settings.attribution.referrers or ())
        self._forked()
        _platform.on_fork(self._forked)

    def _forked(self) -> None:
        self._lock = _guard.QuietLock()
        self._told: OrderedDict[str, None] = OrderedDict()

    def begin(self, asked: Asked) -> Visit | None:
        """See a visitor. ``None`` for what is nobody's visit: a program's, a health check, a preflight."""
        if (self.tracker or default_tracker)._off or not self.settings.enabled:  # noqa: SLF001 - one package
            return None
        if asked.method == "OPTIONS" or is_bot(asked.header("user-agent")):
            return None
        if ignored(self.settings.page_views.ignore_routes, asked.path):
            return None
        may_remember, consent = self._agreed(asked)
        if not may_remember:
            return Visit(self, None, secure=_is_secure(asked), forget=bool(asked.cookie), consent=consent)
        record = self.signer.load(asked.cookie)
        if record is None:
            if not asked.cookie and _cookie_was_withheld(asked):
                return None
            record = Record(new_visitor_id())
        linked = self._links.find(asked.url)
        touched = self._touched(record, asked, linked)
        return Visit(self, touched, linked, secure=_is_secure(asked), consent=consent)

    def _agreed(self, asked: Asked) -> tuple[bool, State | None]:
        """Whether a visitor may be remembered, and what the app says that they agree to, if it does."""
        opt_in = self.settings.privacy.consent == "opt_in"
        state: State | None = None
        if self._consent is None:
            may = "analytics" in granted(consent_of(asked.header, self.settings) or {}, otherwise=not opt_in)
        else:
            said: Any = _NOTHING
            may = False
            with _guard.guard("consent"):
                said = self._consent(asked.native)
                may = bool(said)
            if isinstance(said, Mapping):
                state = state_of(said)
                may = "analytics" in granted(state, otherwise=not opt_in)
            elif opt_in:
                state = {"analytics": may}
        sessions = self.settings.sessions
        refuses = (sessions.respect_dnt and asked.header("dnt") == "1") or (
            sessions.respect_gpc and asked.header("sec-gpc") == "1"
        )
        return may and not refuses, state

    def _touched(self, record: Record, asked: Asked, linked: Linked | None) -> Record:
        """The record after this request's touch: the first stays, the last is replaced by any that is not direct."""
        walking = linked is not None or asked.header("sec-fetch-site") in _SAME
        touch = attribution_of(
            asked.url,
            None if walking else asked.header("referer"),
            internal=self.settings.attribution.internal or (),
            referrers=self._referrers,
        )
        if linked is not None and linked.touch:
            # They came to the session like that; what the link's own address says comes on top.
            came = {c.REFERRER_CLASS: "referral", **linked.touch}
            touch = {**came, **touch} if is_touch(touch) else came
        kind = touch[c.REFERRER_CLASS]
        if kind == "internal" or (walking and kind == "direct"):
            return record
        return replace(
            record,
            first=record.first or touch,
            last=touch if is_touch(touch) or not record.last else record.last,
        )

    def is_news(self, what: str) -> bool:
        """Whether this process has not told of something yet; several requests at once see the same time-out."""
        with self._lock:
            if what in self._told:
                return False
            self._told[what] = None
            while len(self._told) > _MOST_TOLD:
                self._told.popitem(last=False)
            return True


class Visit:
    """One request of a visitor.

    Args:
        visits: The app's visits.
        record: What is known of the visitor; ``None`` for one who may not be remembered.
        linked: What the link that they followed brings.
        secure: Whether the request came by HTTPS.
        forget: Whether the visitor's cookie is to be taken back.
        consent: What the app says that the visitor agrees to.
    """

    def __init__(
        self,
        visits: Visits,
        record: Record | None,
        linked: Linked | None = None,
        *,
        secure: bool,
        forget: bool = False,
        consent: State | None = None,
    ) -> None:
        self._visits = visits
        self._record = record
        self._secure = secure
        self._forget = forget
        self._consent: dict[str, Any] = {} if consent is None else {c.CONSENT: consent}
        self._news: list[Callable[[], None]] = []
        if record is not None:
            self._see(record, linked)

    @property
    def visitor_id(self) -> str | None:
        """The visitor's id; ``None`` for one who may not be remembered."""
        return None if self._record is None else self._record.visitor_id

    @property
    def session(self) -> Session | None:
        """The session; ``None`` after its end, and for a visitor who may not be remembered."""
        return None if self._record is None or self._record.ended else self._record.session

    def fields(self) -> dict[str, Any]:
        """What every event of the request bears, by attribute name."""
        record = self._record
        if record is None:
            return self._consent
        session = self.session
        return {
            **self._consent,
            c.ENDUSER_PSEUDO_ID: record.visitor_id,
            **({} if session is None else {c.SESSION_ID: session.id}),
            **record.last,
            **as_first_touch(record.first),
        }

    def tell(self) -> None:
        """Record the ends and starts that this request has brought about; once its context is there."""
        news, self._news = self._news, []
        for each in news:
            with _guard.guard("session"):
                each()

    def end_session(self) -> bool:
        """End the session now, as at a logout; the visitor's next request starts another.

        Returns:
            Whether there was one.
        """
        record, session = self._record, self.session
        if record is None or session is None:
            return False
        self._end(record, session)
        self._record = replace(record, session=session, ended=True)
        set_context(session_id=None)
        self.tell()
        return True

    def rotate(self) -> Session | None:
        """End the session and start the next, as when somebody else logs in; ``None`` for whom nobody may remember."""
        record, session = self._record, self.session
        if record is None:
            return None
        if session is not None:
            self._end(record, session)
        started = self._start(replace(record, ended=True))
        set_context(session_id=started.id)
        self.tell()
        return started

    def set_cookie(self, cache_control: str = "") -> str | None:
        """The ``Set-Cookie`` header of the answer.

        Args:
            cache_control: The answer's ``Cache-Control``: what shared caches keep must not hold a visitor's cookie.

        Returns:
            ``None`` where there is none to be set.
        """
        settings = self._visits.settings.sessions
        directives = {each.partition("=")[0].strip().lower() for each in cache_control.split(",")}
        if not directives.isdisjoint({"public", "s-maxage"}) or (self._record is None and not self._forget):
            return None
        value, max_age = "", 0
        if self._record is not None:
            value, max_age = self._visits.signer.dump(self._record), int(settings.cookie_max_age)
        return "; ".join(
            (
                f"{settings.cookie_name}={value}",
                f"Max-Age={max_age}",
                f"Path={settings.cookie_path}",
                *([f"Domain={settings.cookie_domain}"] if settings.cookie_domain else []),
                *(["Secure"] if self._secure else []),
                "HttpOnly",
                "SameSite=Lax",
            )
        )

    def _see(self, record: Record, linked: Linked | None) -> None:
        settings = self._visits.settings.sessions
        now, session = self._visits.clock(), record.session
        over = session is not None and session.is_over(now, settings.idle_timeout, settings.max_length)
        # The same link may be opened again: after its session came here, it brings none, even if that has ended.
        if linked is not None and (session is None or linked.session_id not in {session.id, session.previous_id}):
            if session is not None and not record.ended:
                self._end(record, session, timed_out=over)
            taken = Session(linked.session_id, record.visitor_id, linked.made, now)
            self._record = replace(record, session=taken, ended=False)
        elif session is None or record.ended:
            self._start(record)
        elif over:
            self._end(record, session, timed_out=True)
            self._start(record)
        else:
            self._record = replace(record, session=session.seen(now))

    def _end(self, record: Record, session: Session, *, timed_out: bool = False) -> None:
        ended = session if timed_out else session.seen(self._visits.clock())
        if self._visits.is_news(f"{c.EVENT_SESSION_END} {session.id}"):
            touches = {**record.last, **as_first_touch(record.first)}
            uid = event_uid(c.EVENT_SESSION_END, session.id, session.started)
            self._news.append(lambda: tell_end(self._visits.tracker, ended, touches, uid))

    def _start(self, record: Record) -> Session:
        now, before = self._visits.clock(), record.session
        visits = self._visits
        if before is None:
            session, uid = Session(os.urandom(16).hex(), record.visitor_id, now, now), None
        else:
            session = Session(visits.signer.next_id(before), record.visitor_id, now, now, before.id)
            uid = event_uid(c.EVENT_SESSION_START, session.id, before.started)
        self._record = replace(record, session=session, ended=False)
        if uid is None or visits.is_news(f"{c.EVENT_SESSION_START} {session.id}"):
            touches = {**record.last, **as_first_touch(record.first)}
            self._news.append(lambda: tell_start(visits.tracker, session, touches, uid))
        return session


def _is_secure(asked: Asked) -> bool:
    return asked.url[:6].lower() == "https:"


def _cookie_was_withheld(asked: Asked) -> bool:
    """Whether the browser may have kept a ``SameSite=Lax`` cookie back, as it does for other sites' requests.

    A new cookie would replace the visitor's own: a bank that sends them back by a form would make them somebody else.
    """
    site = asked.header("sec-fetch-site")
    if site:
        navigates = asked.header("sec-fetch-mode") == "navigate" and asked.header("sec-fetch-dest") in {"", "document"}
        return site == "cross-site" and not (navigates and asked.method in _SAFE)
    origin = asked.header("origin")
    return bool(origin) and asked.method not in _SAFE and host_of(origin) != host_of(asked.url)
