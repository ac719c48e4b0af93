"""The search finds what it is for, and identity is what passes: the two ends that the other tests stand on."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

import footspan
from footspan.config.policy import IDENTITY
from privacy.canary.kinds import CARD_IN_GROUPS, KINDS, STEM, Planter
from privacy.canary.searching import Haystack
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable

SPELLINGS: dict[str, Callable[[str], str | bytes]] = {
    "as it is": str,
    "capitals": str.upper,
    "URL-encoded": lambda text: "".join(f"%{ord(each):02X}" for each in text),
    "URL-encoded twice": lambda text: "".join(f"%25{ord(each):02X}" for each in text),
    "quoted": lambda text: quote(quote(text)),
    "JSON-escaped": lambda text: "".join(f"\\u{ord(each):04X}" for each in text),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "hexadecimal": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(f"a{text}".encode()),
    "base64, a place later": lambda text: base64.b64encode(f"ab{text}z".encode()),
    "base64, two places later": lambda text: base64.urlsafe_b64encode(f"abc{text}zz".encode()),
    "gzip": lambda text: gzip.compress(text.encode()),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("needle", [STEM, CARD_IN_GROUPS])
def test_every_spelling_is_found(spelling: str, needle: str) -> None:
    """Wherever it stands; and nothing is found where nothing is."""
    hay = Haystack()
    hay.add("innocent", SPELLINGS[spelling]("a cup of tea, 4556 times"))
    assert hay.hits() == []
    hay.add("guilty", SPELLINGS[spelling](needle))
    assert hay.hits()


def test_a_find_names_its_origin() -> None:
    """By the number that stands behind it."""
    plant, hay = Planter(KINDS["jwt"]), Haystack()
    plant.text("elsewhere")
    hay.add("log", plant.text("span: name"))
    assert "from span: name" in hay.hits(plant.places)[0]


def test_identity_passes_and_nothing_else() -> None:
    """Exactly the fields that the API has for who somebody is, and only as such: as data they are looked at."""
    planted = {name: f"jane+{name}@shop.example" for name in IDENTITY}
    with footspan.context(**planted):
        footspan.track("order.placed")
    footspan.track("order.seen", details=planted, note=" ".join(planted.values()))

    placed, seen = spooled()
    assert {key: value for key, value in placed.attributes.items() if "jane" in str(value)} == {
        attribute: planted[name] for name, attribute in IDENTITY.items()
    }
    assert "jane" not in json.dumps(seen.record)
