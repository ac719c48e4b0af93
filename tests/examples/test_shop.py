"""The shop is a shop: every page answers, and each step is tracked once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import shop
from spooled import spooled

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient


@pytest.fixture
def client() -> FlaskClient:
    """A browser."""
    return shop.create_app().test_client()


def names() -> list[str]:
    """The names of the events that were stored, in their order."""
    return [event.name for event in spooled()]


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/", 200, "text/html"),
        ("/product/oolong", 200, "text/html"),
        ("/product/coffee", 404, "text/html"),
        ("/cart", 200, "text/html"),
        ("/checkout", 200, "text/html"),
        ("/thanks/ab12", 200, "text/html"),
        ("/teas", 301, "text/html"),
        ("/nowhere", 404, "text/html"),
        ("/api/products", 200, "application/json"),
        ("/health", 200, "text/html"),
        ("/static/style.css", 200, "text/css"),
    ],
)
def test_every_address_answers(client: FlaskClient, path: str, status: int, kind: str) -> None:
    """Status and content type are what page views are told by."""
    with client.get(path) as answer:
        assert (answer.status_code, answer.mimetype) == (status, kind)


def test_buying_is_tracked_step_by_step(client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cart, checkout and purchase, in their order, with receipts for what the shop tracked itself."""
    receipts = tmp_path / "receipts.jsonl"
    monkeypatch.setenv("SHOP_RECEIPTS", str(receipts))
    client.post("/cart/add", data={"slug": "oolong", "note": "for jane@private.example"})
    assert b"Mountain Oolong" in client.get("/cart").data
    answer = client.post("/checkout", data={"email": "jane@private.example", "password": "pw-1", "card": "4242"})

    assert answer.status_code == 303
    assert b"on its way" in client.get(answer.location).data
    assert names() == [
        "cart.added",
        "account.created",
        "checkout.started",
        "checkout.completed",
        "purchase.completed",
    ]
    cart, account, *_, purchase = spooled()
    assert cart.attributes["note"] == "for [contact]"
    assert account.attributes["password"] == "[secret]"
    assert purchase.attributes["revenue"] == 14.5
    assert {event.attributes["session.id"] for event in spooled()} == {cart.attributes["session.id"]}
    kept = [json.loads(line) for line in receipts.read_text().splitlines()]
    assert [receipt["name"] for receipt in kept] == [
        "cart.added",
        "account.created",
        "checkout.completed",
        "purchase.completed",
    ]
    assert [receipt["uid"] for receipt in kept if receipt["uid"]] == [cart.uid, account.uid, purchase.uid]


def test_a_declined_card_is_a_failed_checkout_and_a_page(client: FlaskClient) -> None:
    """The visitor reads what happened; the event says so without the visitor's address."""
    client.post("/cart/add", data={"slug": "cup"})
    answer = client.post(
        "/checkout", data={"email": "jane@private.example", "password": "pw-1", "card": "4000 0000 0000 0002"}
    )

    assert answer.status_code == 402
    assert b"declined" in answer.data
    failed = spooled()[-1]
    assert failed.name == "checkout.failed"
    assert failed.attributes["error.type"] == "PaymentDeclined"
    assert failed.attributes["exception.message"] == "the card of [contact] was declined for 12.00"
    assert "jane@" not in json.dumps([event.record for event in spooled()])
