"""Who somebody is without saying who: hashes of users, and ids of visitors."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.config.errors import ConfigurationError
from footspan.tracking.in_force import settings_in_force

if TYPE_CHECKING:
    from footspan.tracking.salts import DailySalt

HASH_DIGITS: Final = 16
"""Hexadecimal digits of a hash: 64 bits, so that among a million users two share one with odds of 1 in 37 million."""


def get_user_hash(value: Any) -> str:
    """A short hash of a user's id or address, the same everywhere.

    Whoever can guess the value can compute its hash: it hides an id from a glance, no more. Against guessing there is
    :func:`get_keyed_user_hash`.

    Args:
        value: Anything that has a text: ``42`` and ``"42"`` give the same. It is neither stripped nor lower-cased.

    Returns:
        The first 16 hexadecimal digits of the SHA-256 of its text in UTF-8; empty if it has no text.
    """
    data = _bytes_of(value)
    return "" if data is None else hashlib.sha256(data).hexdigest()[:HASH_DIGITS]


def get_keyed_user_hash(value: Any, secret: str | bytes | None = None, key_id: str | None = None) -> str:
    """A short hash of a user's id or address that nobody without the key can compute.

    Args:
        value: As for :func:`get_user_hash`.
        secret: The key; the setting ``identity.secret`` when not given.
        key_id: Which key that is; the setting ``identity.key_id`` when neither is given. It stands in front of the
            hash, so that hashes by an old key can be told from those by a new one.

    Returns:
        The first 16 hexadecimal digits of the HMAC-SHA-256 of its text, ``<key_id>.`` in front where there is one;
        empty if it has no text.

    Raises:
        ConfigurationError: There is no key. A hash without one in its place would betray whom it shall hide.
    """
    if secret is None:
        identity = settings_in_force().identity
        secret = identity.secret
        key_id = identity.key_id if key_id is None else key_id
    if not secret:
        raise ConfigurationError("identity.secret", "no key", "Set it, or hand one to get_keyed_user_hash(secret=...).")
    key = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
    data = _bytes_of(value)
    if data is None:
        return ""
    digits = hmac.new(key, data, hashlib.sha256).hexdigest()[:HASH_DIGITS]
    return f"{key_id}.{digits}" if key_id else digits


def new_visitor_id() -> str:
    """A random id for a visitor, 32 hexadecimal digits; whoever makes it has to keep it, in a cookie as a rule."""
    return os.urandom(16).hex()


def daily_visitor_id(ip: str, user_agent: str, site: str = "", *, salt: DailySalt | None = None) -> str:
    """An id for a visitor without a cookie, which means nothing tomorrow.

    It is a hash of the three under a random salt that every process of the service shares for one day (UTC). The salt
    is then replaced and gone, and with it every way from an id back to an address, or from one day to the next.

    Args:
        ip: The visitor's address.
        user_agent: What their browser calls itself.
        site: The site's name: the same visitor has different ids on different sites.
        salt: Where the salt comes from; the service's when not given.

    Returns:
        16 hexadecimal digits.
    """
    if salt is None:
        from footspan.tracking.salts import service_salt  # noqa: PLC0415 - few need it, and it needs the spool's place

        salt = service_salt()
    parts = [str(part).encode("utf-8", "surrogatepass") for part in (site, ip, user_agent)]
    data = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(salt.today(), data, hashlib.sha256).hexdigest()[:HASH_DIGITS]


def _bytes_of(value: Any) -> bytes | None:
    with _guard.guard("text of a user"):
        # `str(b"x")` is the same text, and an error under `python -bb`.
        text = repr(value) if isinstance(value, (bytes, bytearray)) else str(value)
        return text.encode("utf-8", "surrogatepass")
    return None
