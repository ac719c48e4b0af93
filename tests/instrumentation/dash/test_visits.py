"""Which report of a page is a move: the rules by themselves, and that any history leaves them standing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from footspan.instrumentation.dash.visits import LOADING, MOST, TOGETHER, Report, Verdict, Visit, load, report

A, B = "/a", "/b"


def told(page: str, callback: str = "router", *, tab: str = "", who: str = "", **flags: bool) -> Report:
    """A report; unless told otherwise, of everything that the callback reads."""
    given_flags = {"mounting": True, "single": False, "vague": False, **flags}
    return Report(page, page, callback, tab, who, **given_flags)


def moved(page: str, callback: str = "router", **more: str) -> Report:
    """A report of the path alone by a callback that reads the query as well."""
    return told(page, callback, mounting=False, **more)  # type: ignore[arg-type]


def after(*steps: Report | str, now: float = 1000.0) -> Verdict:
    """The last verdict; a text is a page that was loaded."""
    visits: tuple[Visit, ...] = ()
    verdict = Verdict(counts=False)
    for step in steps:
        if isinstance(step, str):
            visits = load(visits, step, step, "", now)
        else:
            visits, verdict = report(visits, step, now)
    return verdict


def test_the_first_report_of_a_loaded_page_is_none() -> None:
    """By any callback that reads the location; the second is somebody who came back."""
    assert not after(A, told(A)).counts
    assert not after(A, told(A), told(A, "crumbs")).counts
    assert after(A, told(A), moved(B), told(A)) == Verdict(counts=True, previous=B)


def test_a_move_by_several_callbacks_is_one() -> None:
    """Whatever each reads of the location."""
    assert not after(A, told(A), moved(B), moved(B, "crumbs")).counts
    assert not after(A, told(A), moved(B), told(B, "crumbs", single=True)).counts


def test_a_certain_move_is_no_load() -> None:
    """To a page that another tab has just loaded."""
    assert after(A, told(A), B, moved(B)) == Verdict(counts=True, previous=A)


def test_a_loaded_page_that_never_reported_is_forgotten() -> None:
    """Its callbacks are not waited for without end."""
    visits = load((), A, A, "", 0.0)
    _, early = report(visits, told(A, single=True), LOADING - 1)
    _, late = report(visits, told(A, single=True), LOADING + 1)
    assert (early.counts, late.counts) == (False, True)


def test_the_callbacks_of_a_move_come_together() -> None:
    """Long after, it is another move."""
    visits, _ = report(load((), A, A, "", 0.0), moved(B), 10.0)
    assert not report(visits, moved(B, "crumbs"), 10.0 + TOGETHER - 1)[1].counts
    assert report(visits, moved(B, "crumbs"), 10.0 + TOGETHER + 1)[1].counts


def test_a_browser_of_which_nothing_is_known() -> None:
    """Everything at once is how a location comes up; one property alone says nothing, so it is told."""
    assert not after(told(A)).counts
    assert after(told(A, single=True)) == Verdict(counts=True)
    assert after(moved(A)) == Verdict(counts=True)


def test_a_tab_is_where_it_is() -> None:
    """The same page again in the same tab is a location that came up anew, or what follows ``#``."""
    assert not after(A, told(A, tab="1"), told(A, tab="1")).counts
    assert after(A, told(A, tab="1"), told(B, tab="1")) == Verdict(counts=True, previous=A)
    assert after(A, told(A, tab="1"), B, told(B, tab="2"), moved(B, tab="1")) == Verdict(counts=True, previous=A)


def test_a_tab_that_another_machine_has_loaded() -> None:
    """Its first report is its load's, which was counted there."""
    assert not after(B, told(B, tab="1"), told(A, tab="2", single=True)).counts
    assert after(told(A, tab="2"), told(B, tab="2")) == Verdict(counts=True, previous=A)


def test_what_follows_the_hash() -> None:
    """A callback that reads ``href`` alone is asked then as well."""
    assert not after(A, told(A, single=True, vague=True), told(A, single=True, vague=True)).counts
    assert after(A, told(A, single=True, vague=True), told(B, single=True, vague=True)).counts


def test_a_visitor_comes_from_where_they_were() -> None:
    """Among several behind one address, the pages of the same session are theirs."""
    visits = load(load((), A, A, "me", 1.0), "/c", "/c", "you", 2.0)
    assert report(visits, moved(B, who="me"), 3.0)[1].previous == A
    assert report(visits, moved(B, who="you"), 3.0)[1].previous == "/c"
    assert report(visits, moved(B), 3.0)[1].previous == "/c"


PAGES = st.sampled_from([A, B, "/c"])
STEPS = st.one_of(
    PAGES,
    st.builds(
        Report,
        PAGES,
        st.just("/url"),
        st.sampled_from(["router", "crumbs"]),
        st.sampled_from(["", "1", "2"]),
        st.sampled_from(["", "me"]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
)


@given(st.lists(st.tuples(STEPS, st.floats(0, 400)), max_size=30))
def test_any_history(steps: list[tuple[Report | str, float]]) -> None:
    """What is remembered is bounded, in the order of time, and never another's."""
    visits: tuple[Visit, ...] = ()
    now = 0.0
    for step, passed in steps:
        now += passed
        if isinstance(step, str):
            visits = load(visits, step, step, "", now)
        else:
            visits, verdict = report(visits, step, now)
            assert verdict.counts or not verdict.previous
            assert any(each.page == step.page for each in visits)
        assert len(visits) <= MOST
        assert [each.at for each in visits] == sorted(each.at for each in visits)


@given(
    st.lists(st.sampled_from(["/a", "/b", "/a?x", "/b?x"]), min_size=1, max_size=12),
    st.sampled_from(["", "1"]),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_a_walk_is_counted_step_by_step(walk: list[str], tab: str, loads: list[bool]) -> None:
    """Loads and moves in any order, read by two callbacks: every move once, each from the page before."""
    visits: tuple[Visit, ...] = ()
    number, before = 0, ""
    for now, (page, loaded) in enumerate(zip(walk, loads, strict=False)):
        if loaded or not before:
            number += 1
            visits = load(visits, page, page, "", now)
            changed = {"pathname", "search"}
        else:
            old, new = before.partition("?"), page.partition("?")
            changed = {name for name, a, b in (("pathname", old[0], new[0]), ("search", old[2], new[2])) if a != b}
        verdicts = []
        for callback, reads in (("router", {"pathname", "search"}), ("crumbs", {"pathname"})):
            if reads & changed:
                step = told(
                    page, callback, tab=tab and f"{tab}-{number}", mounting=reads <= changed, single=len(reads) == 1
                )
                visits, verdict = report(visits, step, now)
                verdicts.append(verdict)
        if loaded or not before:
            assert not any(each.counts for each in verdicts)
        elif page != before:
            assert [Verdict(counts=True, previous=before)] == [each for each in verdicts if each.counts]
        before = page
