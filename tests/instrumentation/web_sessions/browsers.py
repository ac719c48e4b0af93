"""A browser that keeps cookies, and the clock of the visits it makes; for the tests of web sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan.config import load_settings
from footspan.instrumentation.web_sessions.visits import Asked, Visit, Visits
from footspan.tracking.in_force import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Callable

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
T0 = 1_800_000_000.0


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Browser:
    """Asks, and keeps what it is told to."""

    def __init__(self, visits: Visits) -> None:
        self.visits = visits
        self.cookie = ""

    def ask(self, url: str = "https://shop.example/", method: str = "GET", **headers: str) -> Visit | None:
        """One request and its answer."""
        visit = self.begin(url, method, **headers)
        if visit is not None:
            self.keep(visit.set_cookie())
        return visit

    def begin(self, url: str = "https://shop.example/", method: str = "GET", **headers: str) -> Visit | None:
        """One request that is not answered yet. Headers by their names with ``_`` for ``-``."""
        sent = {"user-agent": AGENT, **{name.replace("_", "-"): value for name, value in headers.items()}}
        path = "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]
        visit = self.visits.begin(Asked(method, url, path, self.cookie, lambda name: sent.get(name, ""), sent))
        if visit is not None:
            visit.tell()
        return visit

    def keep(self, header: str | None) -> None:
        """Do what a ``Set-Cookie`` header says."""
        if header is not None:
            self.cookie = header.partition(";")[0].partition("=")[2]


def make_visits(clock: Clock, *, consent: Callable[[Any], bool] | None = None, **settings: Any) -> Visits:
    """An app's visits, under settings of one's own or those in force."""
    loaded = load_settings(environ={}, overrides=settings) if settings else settings_in_force()
    return Visits(loaded, ["key"], clock=clock, consent=consent)
