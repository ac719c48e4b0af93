"""Pseudonyms: the same token for the same value while its key exists, and nobody's afterwards.

A token is ``p_<key id>_<32 letters a to p>``: no digit in the last part, so that no rule ever takes a piece of one
for a number. Where keys come from and when they end is for whoever makes a :class:`Pseudonymiser`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final, Protocol

TOKEN: Final = r"p_[a-z0-9]{1,8}_[a-p]{32}"  # noqa: S105 - a form, no secret
"""The form of every token, as a pattern."""

_KEY_ID: Final = re.compile(r"[a-z0-9]{1,8}")
_LEAST_KEY: Final = 16
_LETTERS: Final = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")


class Pseudonymiser(Protocol):
    """What makes tokens. Any thread may call it; it may be called for each of many events."""

    def token(self, value: str) -> str:
        """The token that stands for a value, in the form of :data:`TOKEN`.

        Raises:
            Exception: There is no key; the value is then replaced by a constant.
        """


class HmacPseudonymiser:
    """Tokens by HMAC-SHA-256 under one key.

    Args:
        key: At least 16 bytes.
        key_id: Names the key in its tokens: 1 to 8 lower-case letters and digits.

    Raises:
        ValueError: The key is too short, or the id has another form.
    """

    def __init__(self, key: bytes, key_id: str) -> None:
        if len(key) < _LEAST_KEY:
            raise ValueError(f"a key of {len(key)} bytes: {_LEAST_KEY} are the least")
        if not _KEY_ID.fullmatch(key_id):
            raise ValueError("a key id is 1 to 8 lower-case letters and digits")
        self._key = hmac.new(key, digestmod=hashlib.sha256)
        self.key_id = key_id

    def token(self, value: str) -> str:
        """The token that stands for a value under this key."""
        keyed = self._key.copy()
        keyed.update(value.encode("utf-8", "surrogatepass"))
        return f"p_{self.key_id}_{letters(keyed.digest()[:16])}"


def letters(digest: bytes) -> str:
    """Bytes as letters from a to p, two for each."""
    return digest.hex().encode().translate(_LETTERS).decode()
