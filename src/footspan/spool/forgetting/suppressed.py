"""The list of people of whom nothing is sent any more: ``suppressed.json`` in the spool.

It holds no id, only keyed digests under a salt of its own, so it says who is meant only to somebody who asks for a
known id. It is written anew as a whole, so a reader finds the old or the new one.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from footspan.otlp_json.text import dumps, loads
from footspan.spool import files, locks
from footspan.spool.forgetting.person import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

NAME: Final = "suppressed.json"
LANES: Final = ("spans", "logs")
"""Folders of a spool whose lines the list of the spool above holds for as well."""

_FORMAT: Final = 1
_SALT: Final = 32
_DIGEST: Final = 16
_KINDS: Final = ("ids", "named", "emails", "linked")
_MOST_KNOWN: Final = 16_384
_LONGEST_KNOWN: Final = 256
_TRIES: Final = 200
_PAUSE: Final = 0.05


class SuppressionError(OSError):
    """The list is there and cannot be read: whether something may be sent is not known."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One request to forget.

    Attributes:
        id: What it is called.
        person: Whom it is about, by digests.
        created: When it was made (seconds since the epoch).
        expires: Until when it holds; ``None`` for ever.
    """

    id: str
    person: Person
    created: float
    expires: float | None

    def holds(self, now: float) -> bool:
        """Whether it is in force."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The whole list."""

    salt: bytes
    entries: tuple[Entry, ...]

    def digest(self) -> Callable[[str], str]:
        """What values are compared by, with a memory for those that come again."""
        known: dict[str, str] = {}

        def digest(text: str) -> str:
            found = known.get(text)
            if found is None:
                found = _digest(self.salt, text)
                if len(text) <= _LONGEST_KNOWN:
                    if len(known) >= _MOST_KNOWN:
                        known.clear()
                    known[text] = found
            return found

        return digest

    def everybody(self, now: float) -> Person:
        """All who are in force, as one."""
        people = [entry.person for entry in self.entries if entry.holds(now)]
        return _person(lambda kind: [text for each in people for text in getattr(each, kind)], self.digest())


def path_of(root: str) -> str:
    """Where the list of a spool is; a lane has that of its spool."""
    above, name = os.path.split(root)
    lane = name in LANES and os.path.exists(f"{above}/FORMAT")
    return f"{above if lane else root}/{NAME}"


def read(root: str) -> Suppressed | None:
    """The list of a spool; ``None`` where there is none.

    Raises:
        SuppressionError: It cannot be read.
    """
    path = path_of(root)
    try:
        found = loads(files.read_all(path))
        salt = base64.b64decode(found["salt"], validate=True)
        if found["format"] == _FORMAT and len(salt) == _SALT:
            return Suppressed(salt, tuple(_entry(each) for each in found["entries"]))
        problem = "it is of another format"
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except (ValueError, KeyError, TypeError, AttributeError):
        problem = "it is damaged"
    raise SuppressionError(f"{path}: {problem}; nothing is sent until it is mended or deleted")


def add(root: str, person: Person, *, expires: float | None, now: float | None = None) -> Entry:
    """Add a person to a spool's list.

    Args:
        root: The spool's folder.
        person: Who, by plain values.
        expires: Until when (seconds since the epoch); ``None`` for ever.
        now: The time.

    Raises:
        OSError: The list cannot be read or written.
    """
    now = time.time() if now is None else now
    with _changing(root):
        listed = read(root) or Suppressed(secrets.token_bytes(_SALT), ())
        salt = listed.salt
        hashed = _person(lambda kind: [_digest(salt, text) for text in getattr(person, kind)])
        former = next((each for each in listed.entries if each.person == hashed), None)
        entry = Entry(former.id if former else secrets.token_hex(4), hashed, now, expires)
        others = [each for each in listed.entries if each is not former and each.holds(now)]
        _write(root, Suppressed(listed.salt, (*others, entry)))
    return entry


def remove(root: str, ids: Collection[str]) -> list[Entry]:
    """Take entries off a spool's list, and those that have expired; the former.

    Raises:
        OSError: The list cannot be read or written.
    """
    now = time.time()
    with _changing(root):
        listed = read(root)
        if listed is None:
            return []
        gone = [each for each in listed.entries if each.id in ids]
        kept = tuple(each for each in listed.entries if each.id not in ids and each.holds(now))
        if len(kept) == len(listed.entries):
            return gone
        if kept:
            _write(root, Suppressed(listed.salt, kept))
        else:
            files.discard(path_of(root))
    return gone


@contextmanager
def _changing(root: str) -> Iterator[None]:
    for _ in range(_TRIES):
        lock = locks.acquire(f"{path_of(root)[:-5]}.lock")
        if lock is not None:
            break
        time.sleep(_PAUSE)
    else:
        raise BlockingIOError(f"{path_of(root)} is being changed by another process")
    try:
        yield
    finally:
        lock.release()


def _write(root: str, listed: Suppressed) -> None:
    entries = [
        {
            "id": each.id,
            **{kind: sorted(getattr(each.person, kind)) for kind in _KINDS if getattr(each.person, kind)},
            "created": each.created,
            "expires": each.expires,
        }
        for each in listed.entries
    ]
    content = {"format": _FORMAT, "salt": base64.b64encode(listed.salt).decode(), "entries": entries}
    files.replace(path_of(root), dumps(content) + b"\n", sync=True)


def _entry(found: Any) -> Entry:
    person = _person(lambda kind: map(str, found.get(kind, ())))
    expires = found["expires"]
    return Entry(str(found["id"]), person, float(found["created"]), None if expires is None else float(expires))


def _person(values: Callable[[str], Iterable[str]], digest: Callable[[str], str] = str) -> Person:
    ids, named, emails, linked = (frozenset(values(kind)) for kind in _KINDS)
    return Person(ids, named, emails, linked, digest)


def _digest(salt: bytes, text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=salt, digest_size=_DIGEST).hexdigest()
