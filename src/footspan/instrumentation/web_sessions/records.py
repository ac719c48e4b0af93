"""What a visitor's cookie holds, and how it is signed: their id, their session, how they came first and last.

The cookie is the record, so that any process of an app knows a visitor. It is signed, not encrypted, and holds nothing
but random ids, times and what stood in an address.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.tracking.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_COOKIE: Final = 3_500
"""Characters of a cookie's value; browsers take 4096 bytes with the name and the attributes."""

_SALT: Final = "footspan.visitor"
_VERSION: Final = 1
_NAMES: Final = tuple(c.TOUCHES.values())  # by position: what is added goes to the end
_CLICKS: Final = frozenset(f"footspan.click_id.{name}" for name in c.CLICK_ID_FIELDS)
_SHORT: Final = 48


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a visitor.

    Attributes:
        visitor_id: Their id.
        session: Their session, or the last one.
        ended: Whether that was ended by a call.
        first: The first touch, by the attributes of a touch; empty if nobody saw it.
        last: The last touch that was not direct.
    """

    visitor_id: str
    session: Session | None = None
    ended: bool = False
    first: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)


def serializer(secrets: Sequence[str | bytes], salt: str) -> Any:
    """What signs and reads texts of one kind.

    Args:
        secrets: The keys, newest first; the newest signs, all are read.
        salt: Names the kind, so that a text of one cannot stand for one of another.

    Raises:
        ModuleNotFoundError: ``itsdangerous`` is not installed; the text says how to install it.
    """
    try:
        from itsdangerous import URLSafeTimedSerializer  # noqa: PLC0415 - comes with Flask; elsewhere an extra
    except ModuleNotFoundError as error:  # pragma: no cover - tests have it
        error.msg = "footspan: sessions in a cookie or a link need itsdangerous: pip install 'footspan[sessions]'"
        raise
    return URLSafeTimedSerializer(
        [_key(each) for each in reversed(secrets)],
        salt=salt,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def _key(secret: str | bytes) -> bytes:
    return secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret


class Signer:
    """Signs and reads cookies.

    Args:
        secrets: The keys, newest first; the newest signs, all are read.
        max_age: How long a cookie is read (seconds).
        clock: Says what time it is (seconds since the epoch).

    Raises:
        ModuleNotFoundError: ``itsdangerous`` is not installed; the text says how to install it.
    """

    def __init__(
        self, secrets: Sequence[str | bytes], max_age: float, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._max_age = max_age
        self._clock = clock
        self._serializer = serializer(secrets, _SALT)
        self._newest = _key(secrets[0])

    def dump(self, record: Record) -> str:
        """A cookie's value. Of touches that are too long for one, click ids go first, then the ends of values."""
        for first, last in _ever_smaller(record):
            value: str = self._serializer.dumps(_packed(record, first, last))
            if len(value) <= MAX_COOKIE:
                break
        return value

    def load(self, value: str) -> Record | None:
        """What a cookie holds; ``None`` for one that is too old, tampered with, of another key or of another kind."""
        from itsdangerous import BadData  # noqa: PLC0415 - as above

        if not value or len(value) > 2 * MAX_COOKIE:
            return None
        try:
            data, signed = self._serializer.loads(value, return_timestamp=True)
            # Not by itsdangerous, which refuses what another host has signed whose clock is a second ahead.
            return None if self._clock() - signed.timestamp() > self._max_age else _unpacked(data)
        except (BadData, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
            return None

    def next_id(self, session: Session) -> str:
        """The id of the session after one: the same in every process, and to be foreseen by nobody without the key.

        The requests of one page arrive at several processes at once with the same old cookie, and must not start a
        session each.
        """
        return hmac.new(self._newest, f"session after {session.id}".encode(), hashlib.sha256).hexdigest()[:32]


def event_uid(kind: str, session_id: str, near: float) -> str:
    """The id of an event of which several processes may tell: a UUIDv7 (RFC 9562 §5.7) that all of them come to.

    Args:
        kind: The event's name.
        session_id: The session it is about.
        near: A time that all of them know (seconds since the epoch).
    """
    digest = hashlib.sha256(f"{kind} {session_id}".encode()).digest()
    bits = int.from_bytes(digest[:10], "big")
    stamp = f"{int(near * 1000) & 0xFFFF_FFFF_FFFF:012x}"
    drawn = f"7{bits >> 68 & 0xFFF:03x}-{0x8000 | bits >> 54 & 0x3FFF:04x}-{bits & 0xFFFF_FFFF_FFFF:012x}"
    return f"{stamp[:8]}-{stamp[8:]}-{drawn}"


def _ever_smaller(record: Record) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    first, last = record.first, record.last
    yield first, last
    first = {name: value for name, value in first.items() if name not in _CLICKS}
    yield first, last
    for size in (_SHORT, _SHORT // 4, 0):
        first, last = (
            {name: value[:size] for name, value in each.items() if size and name not in _CLICKS}
            for each in (first, last)
        )
        yield first, last


def _packed(record: Record, first: dict[str, str], last: dict[str, str]) -> list[Any]:
    session = record.session
    return [
        _VERSION,
        record.visitor_id,
        None
        if session is None
        else [
            session.id,
            round(session.started * 1000),
            round(session.last_seen * 1000),
            session.previous_id,
            int(record.ended),
        ],
        pack_touch(first),
        None if last == first else pack_touch(last),
    ]


def _unpacked(data: Any) -> Record:
    version, visitor_id, packed, first, last = data
    if version != _VERSION or not isinstance(visitor_id, str):
        raise ValueError
    session, ended = None, False
    if packed is not None:
        session_id, started, last_seen, previous, ended = packed
        session = Session(str(session_id), visitor_id, started / 1000, last_seen / 1000, previous)
    touch = unpack_touch(first)
    return Record(visitor_id, session, bool(ended), touch, touch if last is None else unpack_touch(last))


def pack_touch(touch: dict[str, str]) -> dict[str, str]:
    """A touch with short names."""
    return {str(_NAMES.index(name)): value for name, value in touch.items() if name in _NAMES}


def unpack_touch(packed: dict[str, str]) -> dict[str, str]:
    """The touch that :func:`pack_touch` packed, in this version or an older one."""
    return {_NAMES[int(place)]: str(value) for place, value in packed.items() if int(place) < len(_NAMES)}
