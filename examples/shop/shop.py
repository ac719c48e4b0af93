"""A small tea shop. It knows nothing of Umami or OTLP: it calls ``footspan.track`` and the environment says the rest.

    FOOTSPAN_DESTINATIONS_UMAMI_URL=... FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE=... OTEL_SERVICE_NAME=shop \
        opentelemetry-instrument flask --app shop run

Page views come from the server spans of the Flask instrumentation; there is no code for them here.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, abort, g, jsonify, redirect, render_template, request, session, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

import footspan

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@dataclass(frozen=True)
class Product:
    """Something to buy; the price is in euros, and a leaf of its colour is its picture."""

    slug: str
    name: str
    price: float
    colour: str
    text: str


PRODUCTS = {
    product.slug: product
    for product in (
        Product("oolong", "Mountain Oolong", 14.5, "#b5772f", "Rolled leaves from high gardens. Seven cups a pot."),
        Product("sencha", "First Flush Sencha", 11.0, "#6c9a3b", "Steamed in spring, green as the day it was picked."),
        Product("assam", "Smoky Assam", 9.5, "#7a3b22", "Dark and malty. Takes milk, and early mornings."),
        Product("rooibos", "Evening Rooibos", 7.0, "#c2542d", "No caffeine, all the colour of a sunset."),
        Product("pot", "Iron Pot", 49.0, "#3c4245", "Cast iron, enamelled inside. Outlives its owner."),
        Product("cup", "Thin Cup", 12.0, "#8fb3c4", "Porcelain so thin that the tea shines through."),
    )
}

DECLINED_CARD = "4000000000000002"


class PaymentDeclined(Exception):  # noqa: N818 - a shop's word for it
    """The bank said no."""


def create_app() -> Flask:
    """The shop's WSGI application."""
    shop = Flask(__name__)
    shop.secret_key = os.environ.get("SHOP_SECRET_KEY", "only for the demo")
    # One proxy stands in front: its X-Forwarded-For names the visitor. Never trust more proxies than there are.
    shop.wsgi_app = ProxyFix(shop.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    shop.before_request(enter_visit)
    shop.teardown_request(leave_visit)
    shop.add_template_filter(lambda amount: f"€{amount:.2f}", "euro")
    shop.context_processor(lambda: {"cart_size": sum(session.get("cart", {}).values())})
    for rule, view, methods in (
        ("/", home, ["GET"]),
        ("/product/<slug>", product, ["GET"]),
        ("/cart", cart, ["GET"]),
        ("/cart/add", add_to_cart, ["POST"]),
        ("/checkout", checkout, ["GET", "POST"]),
        ("/thanks/<order>", thanks, ["GET"]),
        ("/teas", old_address, ["GET"]),
        ("/api/products", api_products, ["GET"]),
        ("/api/search", api_search, ["GET"]),
        ("/health", health, ["GET"]),
    ):
        shop.add_url_rule(rule, view_func=view, methods=methods)
    shop.register_error_handler(404, not_found)
    return shop


# -- the visit ---------------------------------------------------------------------------------------------------------


def enter_visit() -> None:
    """Say once who visits; every event of this request bears it."""
    visit = session.setdefault("visit", secrets.token_hex(8))
    scope = ExitStack()
    scope.enter_context(
        footspan.context(session_id=visit, ip=request.remote_addr, user_agent=request.user_agent.string)
    )
    g.scope = scope


def leave_visit(_: BaseException | None) -> None:
    """Forget the visitor with the request."""
    scope = g.pop("scope", None)
    if scope is not None:
        scope.close()


def tracked(name: str, **properties: Any) -> None:
    """Track an event and, when the demo asks for it, keep the receipt to compare with what arrives."""
    receipt(footspan.track(name, **properties), name)


def receipt(uid: str, name: str) -> None:
    """One line in the file ``SHOP_RECEIPTS``: an event that the shop was promised is on disk."""
    path = os.environ.get("SHOP_RECEIPTS")
    if path:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, json.dumps({"uid": uid, "name": name}).encode() + b"\n")
        finally:
            os.close(descriptor)


# -- pages -------------------------------------------------------------------------------------------------------------


def home() -> ResponseReturnValue:
    """Everything there is to buy."""
    return render_template("home.html", products=PRODUCTS.values())


def product(slug: str) -> ResponseReturnValue:
    """One product."""
    if slug not in PRODUCTS:
        abort(404)
    return render_template("product.html", product=PRODUCTS[slug])


def cart() -> ResponseReturnValue:
    """What the visitor has chosen."""
    lines = cart_lines()
    return render_template("cart.html", lines=lines, total=total_of(lines))


def add_to_cart() -> ResponseReturnValue:
    """Put a product into the cart, and go there."""
    chosen = PRODUCTS.get(request.form.get("slug", ""))
    if chosen is None:
        abort(404)
    content = session.get("cart", {})
    session["cart"] = {**content, chosen.slug: content.get(chosen.slug, 0) + 1}
    tracked(
        "cart.added",
        product=chosen.slug,
        price=chosen.price,
        # Visitors write what they like into a free text field; footspan cuts addresses out before the disk.
        note=request.form.get("note", ""),
    )
    return redirect(url_for("cart"), 303)


def checkout() -> ResponseReturnValue:
    """The form, and what comes of it."""
    lines = cart_lines()
    total = total_of(lines)
    if request.method == "GET" or not lines:
        return render_template("checkout.html", lines=lines, total=total, error=None)
    # A password in a property is a mistake that happens; its value is replaced before the disk.
    tracked("account.created", plan="guest", password=request.form.get("password", ""))
    try:
        order = pay(request.form.get("card", ""), total)
    except PaymentDeclined:
        receipt("", "checkout.failed")
        error = "Your bank declined this card. Nothing was charged; please try another one."
        return render_template("checkout.html", lines=lines, total=total, error=error), 402
    receipt("", "checkout.completed")
    tracked("purchase.completed", order=order, items=len(lines), revenue=total, currency="EUR")
    session["cart"] = {}
    return redirect(url_for("thanks", order=order), 303)


@footspan.track_duration("checkout")
def pay(card: str, total: float) -> str:
    """Charge a card; the decorator says started, then completed or failed, and how long it took."""
    if card.replace(" ", "") == DECLINED_CARD:
        # An address in an exception's text is another mistake that happens.
        message = f"the card of {request.form.get('email', '')} was declined for {total:.2f}"
        raise PaymentDeclined(message)
    return secrets.token_hex(4)


def thanks(order: str) -> ResponseReturnValue:
    """The order is on its way."""
    return render_template("thanks.html", order=order)


def not_found(_: Exception) -> ResponseReturnValue:
    """There is no such page."""
    return render_template("not_found.html"), 404


# -- no pages ----------------------------------------------------------------------------------------------------------


def old_address() -> ResponseReturnValue:
    """Where the shop was last year."""
    return redirect(url_for("home"), 301)


def api_products() -> ResponseReturnValue:
    """The products, for programs."""
    return jsonify([{"slug": each.slug, "name": each.name, "price": each.price} for each in PRODUCTS.values()])


def api_search() -> ResponseReturnValue:
    """Products whose name has a word in it."""
    word = request.args.get("q", "").lower()
    found = [each.slug for each in PRODUCTS.values() if word and word in each.name.lower()]
    tracked("search.performed", results=len(found))
    tracked("debug.search_index", entries=len(PRODUCTS))
    return jsonify(found)


def health() -> ResponseReturnValue:
    """Whether the shop is open."""
    return "open"


def cart_lines() -> list[tuple[Product, int]]:
    """Products and their numbers."""
    return [(PRODUCTS[slug], number) for slug, number in session.get("cart", {}).items() if slug in PRODUCTS]


def total_of(lines: list[tuple[Product, int]]) -> float:
    """Their price, in euros."""
    return round(sum(each.price * number for each, number in lines), 2)


app = create_app()
