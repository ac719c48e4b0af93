"""Which property makes a revenue row, where the settings say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from destinations.making import line, settings
from footspan import conventions as c
from footspan.destinations.umami import UmamiDestination

if TYPE_CHECKING:
    from servers.umami import UmamiServer

KEYS = ("amount", "value", "order.price")


def umami(server: UmamiServer, **options: Any) -> UmamiDestination:
    """The destination for a server."""
    return UmamiDestination(settings("umami", **{"url": server.url, "website": server.website, **options}))


@pytest.mark.parametrize(
    ("properties", "revenue"),
    [
        ({"revenue": 5, "amount": 7, "currency": "EUR"}, (5.0, "EUR")),
        ({"amount": 7, "value": 9, "currency": "usd"}, (7.0, "USD")),
        ({"value": "9.50", "currency": "EUR"}, (9.5, "EUR")),
        ({"order": {"price": 3.25}, "currency": "EUR"}, (3.25, "EUR")),
        ({"amount": 0, "value": 4, "currency": "EUR"}, (4.0, "EUR")),
        ({"amount": "many", "currency": "EUR"}, None),
        ({"amount": True, "currency": "EUR"}, None),
        ({"amount": -2, "currency": "EUR"}, None),
        ({"amount": 7}, None),
        ({"total": 7, "currency": "EUR"}, None),
    ],
)
def test_the_first_amount_with_a_currency(
    umami_server: UmamiServer, properties: dict[str, Any], revenue: tuple[float, str] | None
) -> None:
    """`revenue` itself wins; what is no amount is passed over; without a currency there is none."""
    umami(umami_server, revenue=KEYS).send([line("order.paid", properties)], 5.0)
    rows = [(float(row["revenue"]), row["currency"]) for row in umami_server.rows["revenue"]]
    assert rows == ([revenue] if revenue else [])
    kept = umami_server.data_of(umami_server.events()[0]["event_id"])
    assert "amount" not in properties or "amount" in kept


def test_without_the_setting_only_revenue_counts(umami_server: UmamiServer) -> None:
    """An `amount` may be anything."""
    umami(umami_server).send([line("order.paid", {"amount": 7, "currency": "EUR"})], 5.0)
    assert not umami_server.rows["revenue"]


def test_the_settings_may_name_the_currency(umami_server: UmamiServer) -> None:
    """For amounts that name none; nothing else gets one."""
    destination = umami(umami_server, revenue=("amount",), currency="eur")
    for properties in ({"amount": 7}, {"revenue": 5}, {"amount": 3, "currency": "USD"}, {"items": 1}):
        destination.send([line("order.paid", properties)], 5.0)
    rows = [(float(row["revenue"]), row["currency"]) for row in umami_server.rows["revenue"]]
    assert rows == [(7.0, "EUR"), (5.0, "EUR"), (3.0, "USD")]
    assert umami_server.data_of(umami_server.events()[-1]["event_id"]) == {"items": 1.0}


def test_a_page_view_never_sells(umami_server: UmamiServer) -> None:
    """Umami fails on it after it has stored the event."""
    view = line(c.EVENT_PAGE_VIEW, {c.URL_PATH: "/", "amount": 7})
    umami(umami_server, revenue=("amount",), currency="EUR").send([view], 5.0)
    assert not umami_server.rows["revenue"]
    assert len(umami_server.page_views()) == 1


@pytest.mark.parametrize("properties", [{"amount": 7, "currency": "EUR"}, {"order": {"price": 7}, "currency": "EUR"}])
def test_such_revenue_is_sent_at_most_once_too(umami_server: UmamiServer, properties: dict[str, Any]) -> None:
    """What makes a revenue row decides, not what the property is called."""
    destination = umami(umami_server, revenue=KEYS)
    assert destination.on_ambiguous_for(line("order.paid", properties)) == "drop"
    assert destination.on_ambiguous_for(line("order.paid", {"amount": 7})) == "retry"
    assert destination.on_ambiguous_for(line("order.seen")) == "retry"
