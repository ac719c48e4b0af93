"""Epochs of pseudonyms: whose key makes tokens now, and which tokens a value may have had.

Keys come from a setting or a file (:mod:`footspan.config.pseudonyms`). The file is looked at again every few seconds,
so that a new key is used, and a destroyed one is not, without a restart. A token whose key is gone is nobody's: neither
a key nor a value's token outlives the key in memory.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.config.errors import ConfigurationError
from footspan.config.pseudonyms import Key, read_keys
from footspan.privacy.pseudonym import HmacPseudonymiser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from footspan.config.pseudonyms import PseudonymSettings

LOOK_EVERY: Final = 5.0
"""Seconds after which the file is looked at again."""

_MOST_KNOWN: Final = 16_384
_LONGEST_KNOWN: Final = 256
_ID_LENGTH: Final = 8


class NoKeyError(Exception):
    """There is no key that makes tokens now; what was to have one is replaced by a constant."""

    def __init__(self) -> None:
        super().__init__("no key of pseudonyms is in force")


class Epochs:
    """Makes tokens under the newest key. Any thread may call it, in a forked child as well: there is no lock.

    Args:
        source: The keys, or the file that holds them.
        clock: Says what time it is (seconds since the epoch).
        ticks: Says how much time passes (seconds).
    """

    def __init__(
        self,
        source: Sequence[Key] | Path,
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path: Path | None = None if isinstance(source, (list, tuple)) else source  # type: ignore[assignment]
        self._clock = clock
        self._ticks = ticks
        self._stamp: tuple[Any, ...] = ()
        self._keys: tuple[Key, ...] = tuple(source) if isinstance(source, (list, tuple)) else ()
        self._state: tuple[HmacPseudonymiser | None, dict[str, str]] = (None, {})
        self._next = 0.0
        if self._path is not None:
            self._keys, self._stamp = read_keys(self._path), _stamp(self._path)
        self._choose()
        self._next = ticks() + LOOK_EVERY

    def __repr__(self) -> str:
        return f"<Epochs {' '.join(key.id for key in self._keys) or 'without a key'}>"

    def __reduce__(self) -> Any:
        raise TypeError("keys are not to be pickled")

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys there are, oldest first."""
        self._look()
        return tuple(key.id for key in self._keys)

    def token(self, value: str) -> str:
        """The token that stands for a value now.

        Raises:
            NoKeyError: No key is in force.
        """
        if self._ticks() >= self._next:
            self._look()
        making, known = self._state
        token = known.get(value)
        if token is not None:
            return token
        if making is None:
            raise NoKeyError
        token = making.token(value)
        if len(value) <= _LONGEST_KNOWN:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[value] = token
        return token

    def tokens(self, value: str) -> tuple[str, ...]:
        """Every token that the value has under a key that still exists, the oldest first."""
        self._look()
        return tuple(HmacPseudonymiser(key.secret, key.id).token(value) for key in self._keys)

    def _look(self) -> None:
        """See whether the file is another, and whether time has made another key the newest."""
        self._next = self._ticks() + LOOK_EVERY
        if self._path is not None:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                keys: tuple[Key, ...] = ()
                try:
                    keys = read_keys(self._path)
                except ConfigurationError as error:
                    _guard.warn_once("pseudonym keys", "footspan: no pseudonyms until this is mended: %s", error)
                self._keys, self._stamp = keys, stamp
                self._choose(anew=True)
                return
        self._choose()

    def _choose(self, *, anew: bool = False) -> None:
        now = self._clock()
        there = [key for key in self._keys if key.created <= now and (key.expires is None or now < key.expires)]
        newest = max(there, key=lambda key: key.created, default=None)
        making = self._state[0]
        if newest is None:
            self._state = (None, {})
        elif anew or making is None or making.key_id != newest.id:
            self._state = (HmacPseudonymiser(newest.secret, newest.id), {})  # at once, with nothing known under another


def _stamp(path: Path) -> tuple[Any, ...]:
    """What changes when a file does."""
    try:
        found = os.stat(path)  # noqa: PTH116 - quicker, and looked at again and again
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode)


def id_of(secret: bytes) -> str:
    """What a key without an id is called: always the same, and telling nothing of it."""
    return hmac.new(secret, b"footspan: id of a key", hashlib.sha256).hexdigest()[:_ID_LENGTH]


_known: dict[Any, Epochs] = {}


def epochs_for(settings: PseudonymSettings | None) -> Epochs | None:
    """What makes tokens by the settings; the same for the same ones. ``None`` where they give no key.

    Raises:
        ConfigurationError: The file of keys cannot be used.
    """
    if settings is None or (settings.key is None and settings.key_file is None):
        return None
    # Not the key itself: what holds it may be shown.
    secret = None if settings.key is None else settings.key.encode()
    name = (None if secret is None else hashlib.sha256(secret).digest(), settings.key_id, settings.key_file)
    found = _known.get(name)
    if found is None:
        if secret is not None:
            found = Epochs([Key(settings.key_id or id_of(secret), secret)])
        else:
            assert settings.key_file is not None
            found = Epochs(settings.key_file)
        _known[name] = found
    return found


def tokens_for(destination: Any) -> Epochs | None:
    """What makes tokens for a destination, by its settings; ``None`` without a key.

    Raises:
        ConfigurationError: The file of keys cannot be used.
    """
    return epochs_for(getattr(getattr(destination, "settings", None), "pseudonyms", None))


def reset() -> None:
    """Forget every key; for tests."""
    _known.clear()
