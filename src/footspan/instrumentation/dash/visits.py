"""Which pages a browser is at: whether what a ``dcc.Location`` reports is a move, and from where.

Of three things a request says nothing. When a page has been loaded, its location reports the address once more, by the
very request by which "back" to that page would be reported. Several callbacks may read one location, and each reports
the same move. And where the visitor came from: the browser has changed its address before it asks.

So the last pages of each browser are remembered. A callback that has not yet reported a page that was just loaded, or
that another callback has just reported, tells nothing new; one that reports it again says that somebody came back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

MOST: Final = 8
"""Pages that are remembered of a browser, which may have that many tabs."""
LOADING: Final = 300.0
"""Seconds that a page may take from its first byte to its callbacks."""
TOGETHER: Final = 30.0
"""Seconds within which the callbacks of one move are asked for."""
_MOST_REPORTS: Final = 16


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that a browser is at, or was.

    Attributes:
        page: Stands for the address.
        url: The address, for who comes from there.
        at: When it was loaded or moved to (seconds since the epoch).
        loaded: Whether it was loaded rather than moved to.
        tab: The tab, as newer versions of Dash number them; empty where nobody said.
        who: The session or the visitor; empty where nobody said.
        reports: The callbacks that have reported it.
    """

    page: str
    url: str
    at: float
    loaded: bool = False
    tab: str = ""
    who: str = ""
    reports: tuple[str, ...] = ()


class Report(NamedTuple):
    """What a callback reports.

    Attributes:
        page: Stands for the address.
        url: The address.
        callback: Which callback.
        tab: As for a visit.
        who: As for a visit.
        mounting: Whether it may be a location's first report; see :class:`~.reading.Navigation`.
        single: The same.
        vague: The same.
    """

    page: str
    url: str
    callback: str
    tab: str = ""
    who: str = ""
    mounting: bool = False
    single: bool = False
    vague: bool = False


class Verdict(NamedTuple):
    """What a report means.

    Attributes:
        counts: Whether somebody moved to the page just now.
        previous: Where they were before; empty where that is not known.
    """

    counts: bool
    previous: str = ""


def load(visits: tuple[Visit, ...], page: str, url: str, who: str, now: float) -> tuple[Visit, ...]:
    """The visits of a browser that has loaded a page."""
    return _newest(*visits, Visit(page, url, now, loaded=True, who=who))


def report(visits: tuple[Visit, ...], told: Report, now: float) -> tuple[tuple[Visit, ...], Verdict]:
    """What a report means, by what is known of the browser.

    Args:
        visits: What is known.
        told: What a callback reports.
        now: The time (seconds since the epoch).

    Returns:
        What is known from now on, and the verdict.
    """
    awaited = _awaited(visits, told, now)
    if awaited is not None:
        known = replace(
            awaited, tab=awaited.tab or told.tab, reports=(*awaited.reports, told.callback)[-_MOST_REPORTS:]
        )
        return tuple(known if each is awaited else each for each in visits), Verdict(counts=False)
    before = _before(visits, told)
    arrived = Visit(told.page, told.url, now, tab=told.tab, who=told.who, reports=(told.callback,))
    if _is_where_they_are(before, told, visits):
        return visits, Verdict(counts=False)
    left = before if before is not None and told.tab else None
    kept = _newest(*(each for each in visits if each is not left and not _is_over(each, told)), arrived)
    if _is_first_word(visits, told):
        return kept, Verdict(counts=False)
    return kept, Verdict(counts=True, previous=before.url if before is not None and before.page != told.page else "")


def _awaited(visits: tuple[Visit, ...], told: Report, now: float) -> Visit | None:
    """The page, loaded or reported by another callback, that this callback was still expected to report."""
    for visit in visits:  # the oldest first
        expected = visit.page == told.page and visit.tab in {"", told.tab} and told.callback not in visit.reports
        if (
            expected
            and (told.mounting or not visit.loaded)
            and now - visit.at < (LOADING if visit.loaded else TOGETHER)
        ):
            return visit
    return None


def _before(visits: tuple[Visit, ...], told: Report) -> Visit | None:
    """Where the visitor was: in the same tab; else the page that this visitor, or this browser, was last seen at."""
    if told.tab:
        return next((each for each in reversed(visits) if each.tab == told.tab), None)
    others = [each for each in reversed(visits) if each.page != told.page]
    theirs = [each for each in others if told.who and each.who == told.who]
    return next(iter(theirs or others), None)


def _is_where_they_are(before: Visit | None, told: Report, visits: tuple[Visit, ...]) -> bool:
    """Whether nobody moved: the tab is there already, or only what follows ``#`` has changed."""
    if told.tab and before is not None:
        return before.page == told.page
    return told.vague and bool(visits) and visits[-1].page == told.page


def _is_first_word(visits: tuple[Visit, ...], told: Report) -> bool:
    """Whether it is a page's own first report after all, of a load that another machine has served.

    Everything at once is how a location comes up. A callback that reads one property only never says more than that.
    """
    if told.tab:
        return told.mounting and all(each.tab != told.tab for each in visits)
    return told.mounting and not told.single and not visits


def _is_over(visit: Visit, told: Report) -> bool:
    """Whether a visit is the one before, to the same page; one that nobody reported yet may be another tab's."""
    return visit.page == told.page and visit.tab == told.tab and bool(visit.reports)


def _newest(*visits: Visit) -> tuple[Visit, ...]:
    return visits[-MOST:]
