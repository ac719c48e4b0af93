"""What an update says. Both libraries' objects bear the field names of Telegram's Bot API, and are read alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

OTHER: Final = "other"
"""The type of an update that the library does not know, and of what is no update of Telegram's."""
MAX_TEXT: Final = 4_096
"""Characters of a message; Telegram's own limit."""

_CHAT_TYPES: Final = frozenset({"private", "group", "supergroup", "channel", "sender"})
_COMMANDED: Final = frozenset({"message", "business_message", "channel_post"})
"""Updates that a command comes by. Who edits one does not give it again."""
# Bot API, "Commands": up to 32 letters, digits and underscores; in groups with the bot's name behind it.
_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,32}))?(?=\s|\Z)")
# Bot API, "Deep Linking": up to 64 letters, digits, underscores and dashes. Anything else was typed by a person.
_START_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is read of an update.

    Attributes:
        update_type: The name of the field that holds it, such as ``message``.
        chat_type: Telegram's name for the kind of chat; empty if it has none.
        user_id: Who did it; ``None`` if it was nobody, a bot, or somebody who speaks for a chat.
        language: The language that their app is set to; empty if nobody says.
        text: A message's text or caption.
        command: The command that a message gives this bot, in lower case; empty for none.
        start_code: What stood behind ``/start``, if a link brought it.
    """

    update_type: str = OTHER
    chat_type: str = ""
    user_id: int | None = None
    language: str = ""
    text: str = ""
    command: str = ""
    start_code: str = ""


def facts_of(update: Any, kinds: Iterable[str], bot_name: str | None) -> Facts:
    """Read an update.

    Args:
        update: The library's object.
        kinds: The fields that an update may hold, by which it is named.
        bot_name: The bot's user name, if it is known: a command may be for another bot.
    """
    for kind in kinds:
        payload = getattr(update, kind, None)
        if payload is not None:
            return _facts(kind, payload, bot_name)
    return Facts()


def _facts(kind: str, payload: Any, bot_name: str | None) -> Facts:
    user_id, language = _who(payload)
    text = _text(payload)
    command, code = _command(text, bot_name) if kind in _COMMANDED else ("", "")
    return Facts(kind, _chat_type(payload), user_id, language, text, command, code)


def _who(payload: Any) -> tuple[int | None, str]:
    user = getattr(payload, "from_user", None) or getattr(payload, "user", None)
    # Everybody who speaks for a group or a channel has the same stand-in, which Telegram calls a bot or the sender.
    if user is None or getattr(user, "is_bot", False) or getattr(payload, "sender_chat", None) is not None:
        return None, ""
    language = getattr(user, "language_code", None)
    identity = getattr(user, "id", None)
    return (
        identity if isinstance(identity, int) else None,
        language if isinstance(language, str) and _LANGUAGE.fullmatch(language) else "",
    )


def _chat_type(payload: Any) -> str:
    chat = getattr(payload, "chat", None) or getattr(getattr(payload, "message", None), "chat", None)
    found = getattr(payload, "chat_type", None) if chat is None else getattr(chat, "type", None)
    text = str(getattr(found, "value", found) or "")
    return text if text in _CHAT_TYPES else ""


def _text(payload: Any) -> str:
    for name in ("text", "caption"):
        text = getattr(payload, name, None)
        if isinstance(text, str) and text:
            return text[:MAX_TEXT]
    return ""


def _command(text: str, bot_name: str | None) -> tuple[str, str]:
    match = _COMMAND.match(text)
    if match is None:
        return "", ""
    word, addressed = match.group(1).lower(), match.group(2)
    if addressed and bot_name and addressed.lower() != bot_name.lower():
        return "", ""
    rest = text[match.end() :].strip()
    code = rest if word == "start" and _START_CODE.fullmatch(rest) else ""
    return word, code
