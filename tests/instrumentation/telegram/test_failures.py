"""Tests for footspan.instrumentation.telegram.failures: exceptions without what the user wrote."""

from __future__ import annotations

from typing import Any

import pytest

from footspan.instrumentation.telegram.failures import CUT, properties_of

UPDATE = {
    "update_id": 17,
    "message": {
        "text": "Call me: +49 431 555, it's Zoë 😀",
        "chat": {"id": -1001234567, "type": "private", "title": "Kiel\nclub"},
        "from": {"id": 123456789, "is_bot": False, "language_code": "de", "first_name": "Annabel"},
        "location": {"latitude": 54.3233},
        "entities": [{"type": "bold", "offset": 0}],
    },
}


def shown(error: BaseException, **options: Any) -> str:
    """Everything that would be recorded."""
    try:
        raise error  # noqa: TRY301 - it shall have a traceback
    except BaseException as raised:  # noqa: BLE001 - whatever it is
        return str(properties_of(raised, UPDATE, **options))


@pytest.mark.parametrize(
    "text",
    [
        "Call me: +49 431 555, it's Zoë 😀",
        "invalid literal: 'Zoë'",
        "ANNABEL is unknown",
        "chat -1001234567 not found",
        "user 123456789",
        "at 54.3233",
        "two lines\nof Annabel",
        "Kiel club",
    ],
)
def test_words_and_ids_of_the_update_are_cut_out(text: str) -> None:
    """Of the message and of the stack trace, however they are quoted."""
    for error in (ValueError(text), KeyError(text)):
        found = shown(error)
        assert CUT in found
        for word in ("Zoë", "annabel", "1001234567", "123456789", "54.3233", "431", "kiel"):
            assert word.lower() not in found.lower()


def test_linked_exceptions_notes_and_groups_too() -> None:
    """All that a traceback shows."""
    inner = KeyError("Annabel")
    outer = RuntimeError("no user Zoë")
    outer.__cause__ = inner
    inner.__context__ = outer  # a circle
    outer.__notes__ = ["asked by 123456789"]
    found = shown(outer)

    for word in ("Annabel", "Zoë", "123456789"):
        assert word not in found
    assert "RuntimeError" in found
    assert "KeyError" in found


def test_what_helps_stays() -> None:
    """Class, code, the host's own words, small numbers and Telegram's."""
    found = shown(ValueError("private chats of type bold cannot hold 17 things"))

    assert "private chats of type bold cannot hold 17 things" in found
    assert "raise error" in found


def test_a_text_that_is_allowed_stays() -> None:
    """Names and ids do not."""
    found = shown(ValueError("Zoë is not Annabel"), with_text=True)

    assert "Zoë is not […]" in found


def test_the_bots_token_is_cut_out() -> None:
    """An address of Telegram's has it."""
    assert "42:ABC" not in shown(OSError("https://api.telegram.org/bot42:ABC/getMe"), secrets=("42:ABC", ""))
    assert "42:ABC" not in shown(OSError("token 42:ABC"), secrets=("42:ABC",))


def test_an_exception_that_cannot_say_what_it_is() -> None:
    """Its class is enough."""

    class Mute(Exception):  # noqa: N818 - a name for the test
        def __str__(self) -> str:
            raise RuntimeError("Annabel")

    found = shown(Mute())

    assert "Mute" in found
    assert "Annabel" not in found
