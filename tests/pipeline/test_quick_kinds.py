"""Tests for footspan.pipeline.quick where categories and sampling are set: both are worked out once per kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import footspan
from footspan import conventions as c
from footspan import emit, pipeline
from footspan.pipeline import quick
from pipeline.test_quick import Open, contexts, keys, opened, values

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS: dict[str, Any] = {
    "categories": {"invoice": "payment", "oops": "error", "ml.*": "generation", "failure": "system"},
    "sampling": {
        "enabled": True,
        "rate": 0.5,
        "rules": [{"events": ["payment.*", "generation.*", "system.*"], "rate": 1.0}],
    },
}
NAMES = ["invoice.sent", "oops", "ml.train", "failure.seen", "checkout.completed", "error.x", "x", "user.login"]


@pytest.fixture
def road() -> Iterator[Open]:
    """An open road under settings that say something of every kind."""
    with opened(**SETTINGS) as found:
        yield found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(NAMES),
    properties=st.dictionaries(keys | st.sampled_from([c.SAMPLING_RATE, c.ERROR_TYPE]), values, max_size=4),
    ambient=contexts,
)
@example(name="invoice.sent", properties={}, ambient={"user_id": "\ud800"})
def test_whatever_it_writes_is_what_the_ordinary_road_writes(
    road: Open, name: str, properties: dict[str, Any], ambient: dict[str, Any]
) -> None:
    """Byte for byte, category and all; and it writes nothing that the ordinary road would not keep."""
    footspan.clear_context()
    with footspan.context(**ambient):
        found = road.quickly(name, properties)
        if found is not None:
            assert found == road.ordinary(name, properties)


@pytest.mark.parametrize(
    ("name", "properties", "category", "severity"),
    [
        ("invoice.sent", {"amount": 1}, "payment", 9),
        ("ml.train", {}, "generation", 9),
        ("oops", {"n": 1}, "error", 17),
        ("failure.seen", {}, "system", 9),
        ("checkout.completed", {"n": 1}, None, 9),
        ("error.x", {}, None, 17),
        ("x", {"category": "payment"}, "payment", 9),
        ("x", {"category": "error"}, "error", 17),
    ],
)
def test_kinds_that_are_always_kept_are_not_declined(
    road: Open, name: str, properties: dict[str, Any], category: str | None, severity: int
) -> None:
    """With the category and the severity of the settings, and without a rate: they stand for themselves."""
    found = road.quickly(name, properties)

    assert found is not None
    assert found == road.ordinary(name, properties)
    written = re.search(rb'"footspan\.event\.category","value":\{"stringValue":"(\w+)"', found)
    assert (written and written[1].decode()) == category
    assert b'"severityNumber":%d,' % severity in found
    assert b"sampling" not in found


@pytest.mark.parametrize("properties", [{}, {"n": 1}, {"user_id": "u"}])
def test_a_kind_of_which_a_share_is_kept_is_declined(road: Open, properties: dict[str, Any]) -> None:
    """The sampler decides for every event."""
    for session in range(20):
        with footspan.context(session_id=f"s{session}"):
            assert road.quickly("cart.filled", properties) is None


def test_a_share_is_kept_through_track(road: Open) -> None:
    """The public call: about half of the sessions' carts, all of their payments, and what was dropped is counted."""
    for session in range(200):
        with footspan.context(session_id=f"s{session}"):
            footspan.track("cart.filled")
            footspan.track("checkout.completed", n=session)
    carts = [line for line in road.lines if b"cart.filled" in line]

    assert len(road.lines) - len(carts) == 200
    assert 70 < len(carts) < 130
    assert all(b'{"key":"footspan.sampling.rate","value":{"doubleValue":0.5}}' in line for line in carts)
    assert footspan.status()["counters"]["sampled_out"] == 200 - len(carts)


@pytest.mark.parametrize(
    ("rate", "rules", "is_open"),
    [
        (0.5, [], False),
        (1.0, [], True),
        (0.5, [{"events": ["a.*"], "rate": 0.9}], False),
        (0.0, [{"events": ["a.*"], "rate": 1}], True),
    ],
)
def test_it_is_closed_where_every_kind_is_sampled(rate: float, rules: list[Any], is_open: bool) -> None:
    """Asking it in vain would cost every event a little."""
    sampling = {"enabled": True, "rate": rate, "rules": rules}
    footspan.init(destinations={"console": {"enabled": True}}, courier="external", sampling=sampling)
    started = pipeline.get_pipeline()
    assert started is not None

    assert (quick.quick_road(started, emit.default_logger()) is not None) is is_open


def test_a_category_in_the_context_counts_before_the_settings(road: Open) -> None:
    """As on the ordinary road."""
    assert road.quickly("invoice.sent", {})
    with footspan.context(category="user"):
        assert road.quickly("invoice.sent", {}) is None
