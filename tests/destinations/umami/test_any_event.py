"""Any event whatsoever becomes a request that Umami stores: never a 4xx, never a 500."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from destinations.making import CHROME, line, settings
from footspan import conventions as c
from footspan.destinations import build_destination
from footspan.destinations.base import Outcome, Verdict
from servers.umami import UmamiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.destinations.base import Destination

_TEXTS = (
    st.text(max_size=60)
    | st.text(min_size=8, max_size=10).map(lambda text: text * 60)  # 480 to 600: drawn so, they cost next to nothing
    | st.sampled_from(
        [
            "https://user:pw@shop.example:99999/a//b?utm_source=" + "u" * 300,
            "//evil",
            "http://[",
            "%00",
            "999.999.999.999",
            "\ud800",
            "a\0b",
            "2026-13-40T25:61:61",
            "\U0001f600" * 300,
        ]
    )
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXTS, inner, max_size=5),
    max_leaves=10,
)
_KEYS = (
    st.sampled_from(
        sorted(
            {*c.PROPERTY_NAMES, "revenue", "currency", "http.request.header.accept-language", c.DESTINATION, "a.b", "a"}
        )
    )
    | _TEXTS
)
_NAMES = st.sampled_from([c.EVENT_PAGE_VIEW, c.EVENT_IDENTIFY, "cart.opened", ""]) | _TEXTS


@pytest.fixture(scope="module")
def server() -> Iterator[UmamiServer]:
    """One Umami for all examples: nothing they store matters to another."""
    with UmamiServer() as running:
        yield running


@pytest.fixture(scope="module")
def destination(server: UmamiServer) -> Iterator[Destination]:
    """One destination, so that its connection is used again."""
    made = build_destination(settings("umami", url=server.url, website=server.website))
    yield made
    made.close()


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@example("\U00010000", {}, None)  # one character, two UTF-16 code units
@given(_NAMES, st.dictionaries(_KEYS, _VALUES, max_size=8), _VALUES)
def test_any_event_is_stored(
    server: UmamiServer, destination: Destination, name: str, attributes: dict[str, Any], body: Any
) -> None:
    """The user agent is a browser's, so that no bot check stands between the event and the database."""
    server.forget()
    attributes = {**attributes, c.USER_AGENT_ORIGINAL: CHROME}
    assert destination.send([line(name, attributes, body=body)], 10.0) == Outcome(Verdict.DELIVERED)
    rows = server.rows
    assert len(rows["session"]) == 1
    assert len(rows["website_event"]) == (name != c.EVENT_IDENTIFY)
