"""The client's document: each of its blocks in our own words, and the blocks themselves.

The document is no part of this project: ``FOOTSPAN_SEED_DOCS`` names the folder that holds it, and its own blocks, run
with only the import changed, are skipped without.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import textwrap
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import aiogram
import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Chat, Message, Update, User
from flask import Flask, request

from compat.opentrace.recordings import RESOLVE
from footspan.compat.opentrace import OpenTrace

if TYPE_CHECKING:
    from compat.opentrace.recordings import Recorder

FOLDER: Final = os.environ.get("FOOTSPAN_SEED_DOCS", "")
DOCUMENT: Final = Path(FOLDER, "opentrace-sdk.md")
seed = pytest.mark.skipif(
    not FOLDER or not DOCUMENT.is_file(), reason="FOOTSPAN_SEED_DOCS names no folder with opentrace-sdk.md"
)

_BLOCK: Final = re.compile(r"^```(\w+)\r?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_IMPORT: Final = re.compile(r"^from opentrace import", re.MULTILINE)
_HOST: Final = re.compile(r'host="[^"]+"')

CAMPAIGN: Final = {"utm_source": "telegram", "utm_medium": "bot", "utm_campaign": "spring"}
KNOWN: Final = [{"method": "GET", "path_prefix": RESOLVE, "status": 200, "body": CAMPAIGN}]
NOBODY: Final = {"utm_source": None, "utm_medium": None, "utm_campaign": None}


def sent(client: OpenTrace, server: Recorder) -> list[dict[str, Any]]:
    """The bodies that arrived."""
    assert client.flush(20) == 0
    return [json.loads(body) for body in server.bodies]


def start(router: Router, text: str) -> None:
    """Have a person send a command to a bot, through aiogram's own dispatcher."""
    message = Message(
        message_id=1,
        date=datetime.now(timezone.utc),
        chat=Chat(id=777, type="private"),
        from_user=User(id=777, is_bot=False, first_name="Ann"),
        text=text,
    )

    async def feed() -> None:
        dispatcher = Dispatcher()
        dispatcher.include_router(router)
        bot = Bot("42:" + "a" * 35)
        await dispatcher.feed_update(bot, Update(update_id=1, message=message))
        await bot.session.close()

    asyncio.run(feed())


# -- in our own words --------------------------------------------------------------------------------------------------


def test_a_first_event(server: Recorder) -> None:
    """An object with its host and project, by keyword, and one event with a payload."""
    client = OpenTrace(host=server.url, project_id="ot_web_1")
    client.track_event("worker_started", payload={"release": "2.4"})

    assert sent(client, server) == [
        {
            "name": "worker_started",
            "project_id": "ot_web_1",
            "payload": {"release": "2.4"},
            **NOBODY,
            "session_id": None,
        }
    ]


def test_a_shop_in_flask(server: Recorder) -> None:
    """A cart by a business event, a purchase with the click ids of the request."""
    client = OpenTrace(host=server.url, project_id="ot_web_1")
    app = Flask("shop")

    @app.post("/cart")
    def cart() -> dict[str, str]:
        client.track_event(
            name="cart_filled",
            session_id=client.get_user_hash("ann@example.com"),
            payload={"product": "tea", "price": 4.5, "currency": "EUR"},
        )
        return {"cart": "filled"}

    @app.post("/paid")
    def paid() -> dict[str, str]:
        client.capture(
            name="purchase",
            payload={"amount": 4.5, "order": "A-1"},
            user_id=client.get_user_hash(7),
            fbclid=request.args.get("fbclid"),
            ttclid=request.cookies.get("ttclid"),
        )
        return {"cart": "paid"}

    visitor = app.test_client()
    visitor.set_cookie("ttclid", "tt-1")
    assert visitor.post("/cart").status_code == visitor.post("/paid?fbclid=fb-1").status_code == 200

    assert sent(client, server) == [
        {
            "name": "cart_filled",
            "project_id": "ot_web_1",
            "payload": {"product": "tea", "price": 4.5, "currency": "EUR"},
            **NOBODY,
            "session_id": client.get_user_hash("ann@example.com"),
        },
        {
            "type": "purchase",
            "rid": "ot_web_1",
            "meta": {"amount": 4.5, "order": "A-1"},
            "fbclid": "fb-1",
            "ttclid": "tt-1",
            "sid": client.get_user_hash(7),
        },
    ]


@pytest.mark.parametrize(("text", "resolved"), [("/start utm_a1B2", True), ("/start", False)])
def test_a_bot_in_aiogram(text: str, resolved: bool, server: Recorder) -> None:
    """The code of the link is looked up by itself; a start without one is an event, too."""
    server.answers = KNOWN
    client = OpenTrace(host=server.url, project_id="ot_bot_1")
    router = Router()

    @router.message(Command("start"))
    async def started(message: Message, command: CommandObject) -> None:
        assert message.from_user is not None
        client.track_event(name="began", bot_param=command.args, session_id=str(message.from_user.id))

    start(router, text)

    assert sent(client, server) == [
        {
            "name": "began",
            "project_id": "ot_bot_1",
            "payload": {"bot_param": "utm_a1B2"} if resolved else {},
            **(CAMPAIGN if resolved else NOBODY),
            "session_id": "777",
        }
    ]
    assert server.looked_up == ([RESOLVE + "a1B2"] if resolved else [])


def test_a_person_over_time(server: Recorder) -> None:
    """One short name for an id, by which events are grouped."""
    client = OpenTrace(server.url, "p")
    who = client.get_user_hash(123456789)
    client.track_event("page_seen", session_id=who)

    assert re.fullmatch(r"[0-9a-f]{16}", who)
    assert [body["session_id"] for body in sent(client, server)] == [who]


def test_the_reference(server: Recorder) -> None:
    """Every name of its tables."""
    server.answers = KNOWN
    client = OpenTrace(server.url, project_id="p", debug=True)
    client.track_event(
        "step",
        session_id="s",
        bot_param="code",
        payload={"k": 1},
        utm_source="news",
        utm_medium="mail",
        utm_campaign="may",
    )
    client.capture("seen", fbclid="fb", ttclid="tt", user_id="u", meta={"k": 2})

    assert sent(client, server) == [
        {
            "name": "step",
            "project_id": "p",
            "payload": {"k": 1},
            "utm_source": "news",
            "utm_medium": "mail",
            "utm_campaign": "may",
            "session_id": "s",
        },
        {"type": "seen", "rid": "p", "meta": {"k": 2}, "fbclid": "fb", "ttclid": "tt", "sid": "u"},
    ]


# -- the document's own blocks -----------------------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    """The document's blocks of a language. Its bytes are broken in places: none of them in a block of code."""
    text = DOCUMENT.read_text(encoding="utf-8", errors="replace")
    return [textwrap.dedent(code) for found, code in _BLOCK.findall(text) if found == language]


class App:
    """What the blocks take for granted, one namespace for all of them.

    Args:
        server: What answers for the host that the first block names.
    """

    def __init__(self, server: Recorder) -> None:
        self.server = server
        self.flask = Flask("app")
        self.router = Router()
        self.names: dict[str, Any] = {
            "Command": aiogram.filters.Command,
            "CommandObject": aiogram.filters.CommandObject,
            "Message": aiogram.types.Message,
            "app": self.flask,
            "current_user": SimpleNamespace(id=7),
            "raw_id": 123456789,
            "request": request,
            "router": self.router,
            "user_email_or_ip": "user@example.com",
        }
        self.run(0)

    def run(self, number: int) -> None:
        """Run a block: its import changed, and the host it names."""
        code = _IMPORT.sub("from footspan.compat.opentrace import", blocks("python")[number])
        exec(_HOST.sub(f'host="{self.server.url}"', code), self.names)

    def sent(self) -> list[dict[str, Any]]:
        """The bodies that arrived, without the first block's."""
        return sent(self.names["ot"], self.server)[1:]


@seed
def test_the_document_is_the_one_that_is_known() -> None:
    """The blocks below are found by their place, and all of them are tried."""
    assert (len(blocks("python")), len(blocks("bash"))) == (4, 1)


@seed
def test_its_quick_start(server: Recorder) -> None:
    """The first block."""
    app = App(server)

    assert [(body["name"], body["payload"]) for body in sent(app.names["ot"], server)] == [
        ("server_booted", {"version": "1.0.0"})
    ]


@seed
def test_its_shop(server: Recorder) -> None:
    """The second block, in Flask."""
    app = App(server)
    app.run(1)
    visitor = app.flask.test_client()
    visitor.set_cookie("ttclid", "tt-1")
    assert visitor.post("/api/cart/add").status_code == 200
    assert visitor.post("/api/checkout/complete?fbclid=fb-1").status_code == 200

    cart, purchase = app.sent()
    assert (cart["name"], cart["session_id"], cart["payload"]["value"]) == ("add_to_cart", "b4c9a289323b21a0", 49.99)
    assert (purchase["type"], purchase["meta"]) == ("purchase", {"amount": 49.99, "transaction_id": "TX_789"})
    assert (purchase["fbclid"], purchase["ttclid"]) == ("fb-1", "tt-1")
    assert re.fullmatch(r"[0-9a-f]{16}", purchase["sid"])


@seed
def test_its_bot(server: Recorder) -> None:
    """The third block, in aiogram."""
    server.answers = KNOWN
    app = App(server)
    app.run(2)
    start(app.router, "/start utm_a1B2")

    [body] = app.sent()
    assert body == {
        "name": "bot_start",
        "project_id": "ot_web_xxxxx",
        "payload": {"bot_param": "utm_a1B2"},
        **CAMPAIGN,
        "session_id": "777",
    }


@seed
def test_its_people(server: Recorder) -> None:
    """The fourth block."""
    app = App(server)
    app.run(3)

    assert [(body["name"], body["session_id"]) for body in app.sent()] == [("page_visit", "15e2b0d3c33891eb")]
