"""Secrets to be looked for: one of each kind, each with the same stem and the number of the place it was put in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STEM: Final = "qzkanary"
"""In every secret but the card's; such letters stand nowhere else."""
CARD: Final = "4556737586899855"
"""A card's number can hold no stem. Nobody's: it only has a check digit."""
CARD_IN_GROUPS: Final = "4556 7375 8689 9855"


def _secret(number: int) -> str:
    return f"{STEM}x{number:03d}"


def _api_key(number: int) -> str:
    return f"the key is sk_live_{_secret(number)}00 now"


def _jwt(number: int) -> str:
    return f"token eyJhbGciOiJIUzI1NiJ9.{_secret(number)}a.{_secret(number)}b came"


def _private_key(number: int) -> str:
    return f"-----BEGIN PRIVATE KEY-----\nMII{_secret(number)}A\n{_secret(number)}B==\n-----END PRIVATE KEY-----"


KINDS: Final[Mapping[str, Callable[[int], str]]] = {
    "password": lambda number: f"login with password={_secret(number)} failed",
    "api_key": _api_key,
    "jwt": _jwt,
    "card": lambda _: f"paid with {CARD} today",
    "card_in_groups": lambda _: f"paid with {CARD_IN_GROUPS} today",
    "email": lambda number: f"write to {_secret(number)}@{STEM}.example soon",
    "bearer": lambda number: f"Authorization: Bearer {_secret(number)}.7-f",
    "url_user": lambda number: f"see https://{_secret(number)}:{_secret(number)}pw@db.example/x now",
    "parameter": lambda number: f"https://shop.example/cb?access_token={_secret(number)}&x=1",
    "private_key": _private_key,
    "json": lambda number: json.dumps(
        {"order": {"password": _secret(number), "items": [{"api_key": _secret(number)}]}}
    ),
}
"""A text with a secret of each kind in it, by a number that tells where it was put."""


def together(number: int) -> str:
    """All of them in one text, but JSON, which is the whole of a text or none."""
    return " ; ".join(make(number) for kind, make in KINDS.items() if kind != "json")


@dataclass
class Planter:
    """Makes the texts that are put into fields, and remembers which went where.

    Attributes:
        make: Makes a text with a secret in it.
        places: The places so far.
    """

    make: Callable[[int], str]
    places: list[str] = field(default_factory=list)

    def text(self, place: str) -> str:
        """A text for a place."""
        return self.make(self._number(place))

    def deep(self, place: str) -> dict[Any, Any]:
        """Text in every kind of container, and under keys that say what it is; dict keys are texts themselves."""
        text, secret = self.text(place), _secret(self._number(place))
        return {
            "list": [text, [text, {"inner": text}]],
            "tuple": (text,),
            "raw": text.encode(),
            "json": json.dumps({"a": [text], "password": secret}),
            "json twice": json.dumps({"inside": json.dumps({"a": text, "userPassword": secret})}),
            "user": {"Password": secret, "X-Api-Key": secret, "tokens": {"access_token": [secret]}},
            "headers": [["Authorization", f"Bearer {secret}"], ("Cookie", f"session={secret}")],
            "by name": {text: 1, "deeper": {text: {text: True}}},
        }

    def _number(self, place: str) -> int:
        if place not in self.places:
            self.places.append(place)
        return self.places.index(place)
