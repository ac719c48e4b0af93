"""Updates as Telegram sends them, and bots of both libraries that reach no network."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.types import User
from telegram.ext import Application
from telegram.request import BaseRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiogram.methods import TelegramMethod

TOKEN = "42:TEST"
NAME = "shop_bot"
ME = {"id": 42, "is_bot": True, "first_name": "Shop", "username": NAME}
USER = {"id": 123456789, "is_bot": False, "first_name": "Annabel", "username": "ann_of_shop", "language_code": "de"}
OTHER_USER = {"id": 987654321, "is_bot": False, "first_name": "Bob", "language_code": "pt-BR"}
PRIVATE = {"id": 123456789, "type": "private", "first_name": "Annabel"}
GROUP = {"id": -1001234567, "type": "supergroup", "title": "Tea lovers of Kiel"}

_numbers = itertools.count(1)


def update(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """An update of one kind."""
    return {"update_id": next(_numbers), kind: payload}


def message(
    text: str | None = None,
    user: dict[str, Any] | None = None,
    chat: dict[str, Any] | None = None,
    kind: str = "message",
    **fields: Any,
) -> dict[str, Any]:
    """A message, with the entities that Telegram adds to a command."""
    user = USER if user is None else user
    chat = {**PRIVATE, "id": user["id"]} if chat is None else chat
    payload = {"message_id": next(_numbers), "date": 1_700_000_000, "chat": chat, "from": user, **fields}
    if text is not None:
        payload["text"] = text
        if text.startswith("/"):
            payload["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    return update(kind, payload)


def callback(data: str = "buy:4711", user: dict[str, Any] | None = None) -> dict[str, Any]:
    """Somebody has pressed a button."""
    shown = {"message_id": 7, "date": 1_700_000_000, "chat": PRIVATE, "from": ME, "text": "Buy?"}
    return update(
        "callback_query",
        {"id": "1", "from": user or USER, "chat_instance": "x", "data": data, "message": shown},
    )


class Unreachable(BaseSession):
    """A session of aiogram's that no request may go through."""

    async def close(self) -> None:
        """Nothing is open."""

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:
        """Nobody may ask anything."""
        raise AssertionError(f"a request to Telegram: {type(method).__name__}")

    def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:
        """Nobody may ask anything."""
        raise AssertionError("a request to Telegram")


def aiogram_bot() -> Bot:
    """A bot of aiogram's, which knows its name as after its first question."""
    bot = Bot(TOKEN, session=Unreachable())
    bot._me = User.model_validate(ME)
    return bot


class OnlyMe(BaseRequest):
    """A way to Telegram that answers who the bot is, and nothing else."""

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing is open."""

    @property
    def read_timeout(self) -> float:
        """Seconds."""
        return 1.0

    async def do_request(self, url: str, *_: Any, **__: Any) -> tuple[int, bytes]:
        """The bot's name."""
        if not url.endswith("/getMe"):
            raise AssertionError(f"a request to Telegram: {url.rpartition('/')[2]}")
        return 200, json.dumps({"ok": True, "result": ME}).encode()


def application(**settings: Any) -> Any:
    """An application of python-telegram-bot's, to be initialized."""
    builder = Application.builder().token(TOKEN).request(OnlyMe()).get_updates_request(OnlyMe())
    for name, value in settings.items():
        builder = getattr(builder, name)(value)
    return builder.build()
