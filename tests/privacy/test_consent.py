"""Tests for footspan.privacy.consent: what people agreed to, however it is said; doubt is a no."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from footspan.config.consent import PURPOSES, PurposeSettings
from footspan.privacy.consent import Purposes, cookie_in, cookie_state, granted, request_state, state_of

ALL = set(PURPOSES)


@pytest.mark.parametrize(
    ("said", "agreed"),
    [
        (True, ALL),
        (False, set()),
        ("analytics,marketing", {"analytics", "marketing"}),
        (" Statistics , necessary", {"analytics", "functional"}),
        ("no analytics", set()),
        ("", set()),
        (["marketing"], {"marketing"}),
        ({"analytics"}, {"analytics"}),
        ({"analytics": True, "marketing": False}, {"analytics"}),
        (MappingProxyType({"analytics": "true", "ads": "0"}), {"analytics"}),
        ({"analytics": True, "statistics": False}, set()),
        (7, set()),
        (object(), set()),
    ],
)
def test_what_an_app_may_say(said: Any, agreed: set[str]) -> None:
    """Whatever is no clear yes is a no."""
    assert set(granted(state_of(said), otherwise=False)) == agreed


def test_purposes_that_nobody_spoke_of_stay_open() -> None:
    """Only a mapping leaves any."""
    state = state_of({"marketing": False})
    assert granted(state, otherwise=True) == ["analytics", "functional"]
    assert granted(state, otherwise=False) == []


@pytest.mark.parametrize(
    ("cookie", "agreed"),
    [
        ("analytics,marketing", {"analytics", "marketing"}),
        ("analytics%2Cfunctional", {"analytics", "functional"}),
        ('["analytics"]', {"analytics"}),
        (quote(json.dumps({"analytics": True, "marketing": False})), {"analytics"}),
        ('"analytics"', {"analytics"}),
        ("{", set()),
        ("[" * 2_000, set()),
        ("analytics," * 1_000, set()),
        ("", set()),
    ],
)
def test_what_a_cookie_may_say(cookie: str, agreed: set[str]) -> None:
    """A list or JSON, encoded or not."""
    assert set(granted(cookie_state(cookie), otherwise=False)) == agreed


@given(st.text(), st.text())
@example("a=b; consent", "consent")
@example("consent=[NaN]", "consent")
@example('consent={"analytics": 1e999}', "consent")
def test_any_header_is_read(header: str, name: str) -> None:
    """Total, and nothing but purposes comes out."""
    value = cookie_in(header, name)
    assert value is None or set(cookie_state(value)) <= ALL
    assert set(cookie_state(header)) <= ALL
    settings = PurposeSettings(cookie="consent")
    state = request_state(settings, lambda asked: header if asked == "cookie" else name)
    assert state is None or set(state) <= ALL


words = st.text() | st.sampled_from(PURPOSES)
said = st.recursive(
    st.none() | st.booleans() | st.integers() | words, lambda inner: st.lists(inner) | st.dictionaries(words, inner)
)


@given(said)
def test_any_json_is_read(said: Any) -> None:
    """An encoded cookie says what the same mapping or list says."""
    encoded = json.dumps(said)
    if len(quote(encoded)) <= 4_096 and isinstance(said, (list, dict)):
        assert cookie_state(quote(encoded)) == state_of(said)


def test_a_browsers_signals_win_over_a_cookie() -> None:
    """As far as the settings have them refuse."""
    headers = {"cookie": "a=b; ok=analytics,marketing", "sec-gpc": "1"}
    settings = PurposeSettings(cookie="ok")
    state = request_state(settings, lambda name: headers.get(name, ""))
    assert granted(state or {}, otherwise=True) == ["analytics"]

    both = PurposeSettings(gpc=("marketing", "analytics"))
    assert granted(request_state(both, lambda name: headers.get(name, "")) or {}, otherwise=True) == ["functional"]
    assert request_state(PurposeSettings(gpc=()), lambda name: headers.get(name, "")) is None
    assert request_state(settings, lambda _: "") is None
    assert request_state(PurposeSettings(), lambda name: "1" if name == "dnt" else "") == {"marketing": False}


@pytest.mark.parametrize(
    ("value", "refuses"), [("1", True), (" 1 ", True), ("1, 1", True), ("0", False), ("11", False)]
)
def test_a_signal_that_a_proxy_repeats_counts(value: str, refuses: bool) -> None:
    """Doubt is a no."""
    found = request_state(PurposeSettings(), lambda name: value if name == "sec-gpc" else "")
    assert (found == {"marketing": False}) is refuses


def test_what_events_are_for() -> None:
    """By the settings, then errors and figures are functional, and the rest is for analytics."""
    purposes = Purposes(PurposeSettings(events=(("marketing", ("campaign.*", "payment.*")),)))
    found = {
        (name, category): purposes.of(name, category)
        for name, category in (("campaign.seen", "campaign"), ("refund", "payment"), ("exception", "error"), ("x", "x"))
    }
    assert list(found.values()) == ["marketing", "marketing", "functional", "analytics"]
    assert Purposes(PurposeSettings(events=(("functional", ()),))).of("error.x", "error") == "analytics"
