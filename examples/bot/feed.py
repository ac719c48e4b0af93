"""Feeds the bot with updates as Telegram would send them, and prints what it answers. Needs no network and no bot."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiogram import Bot
from aiogram.types import Update

from bot import dispatcher

TOKEN = "42:EXAMPLE"  # of a bot that does not exist
ANN = {"id": 123454321, "is_bot": False, "first_name": "Ann", "language_code": "de"}


def message(number: int, text: str) -> dict[str, Any]:
    """Ann writes to the bot."""
    chat = {"id": ANN["id"], "type": "private"}
    return {
        "update_id": number,
        "message": {"message_id": number, "date": 1_700_000_000, "chat": chat, "from": ANN, "text": text},
    }


async def main(texts: list[str]) -> None:
    """Feed the bot, one message after the other."""
    bot = Bot(TOKEN)
    for number, text in enumerate(texts, 1):
        answer = await dispatcher.feed_update(bot, Update.model_validate(message(number, text)))
        print(answer.text)
        for row in answer.reply_markup.inline_keyboard if answer.reply_markup else []:
            print(*(button.url for button in row))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["/start spring_24", "Is there Darjeeling?"]))
