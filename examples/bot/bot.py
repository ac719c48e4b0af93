"""A tea shop's bot, with aiogram: a welcome that leads to the web shop, and a search."""

from __future__ import annotations

import asyncio
import os

from aiogram import Bot, Dispatcher, F
from aiogram.filters import CommandStart
from aiogram.methods import AnswerCallbackQuery, SendMessage  # noqa: TC002 - aiogram reads annotations
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

import footspan

SHOP = os.environ.get("SHOP_URL", "http://127.0.0.1:5000")
TEAS = ("assam", "darjeeling", "sencha")

dispatcher = Dispatcher()


@dispatcher.message(CommandStart())
async def welcome(message: Message) -> SendMessage:
    """Greet whoever comes; the button takes their session and the campaign along."""
    button = InlineKeyboardButton(text="To the shop", url=footspan.link(f"{SHOP}/tea"))
    return message.answer("Welcome!", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))


@dispatcher.callback_query(F.data == "like")
async def like(query: CallbackQuery) -> AnswerCallbackQuery:
    """Thank for a press of a button."""
    footspan.track("tea.liked")
    return query.answer("Thank you")


@dispatcher.message(F.text)
async def search(message: Message) -> SendMessage:
    """Find teas."""
    found = [tea for tea in TEAS if tea in str(message.text).lower()]
    footspan.track("tea.searched", hits=len(found))
    return message.answer(", ".join(found) or "Nothing found")


if __name__ == "__main__":
    asyncio.run(dispatcher.start_polling(Bot(os.environ["BOT_TOKEN"])))
