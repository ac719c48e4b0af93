"""Who is meant: ids as they are typed, and every pseudonym that they may have."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from footspan.privacy.pseudonym import letters
from footspan.spool.forgetting.person import LONGEST, Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from footspan.config import Settings


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed.

    Attributes:
        anywhere: Ids that count wherever they stand.
        users: Ids that count where identity stands.
        emails: Addresses.
        sessions: Sessions and visitors.
    """

    anywhere: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Given {len(self)} ids>"

    def __len__(self) -> int:
        return len(self.anywhere) + len(self.users) + len(self.emails) + len(self.sessions)

    @property
    def user_ids(self) -> tuple[str, ...]:
        """What a destination may know as a user's id."""
        return tuple(dict.fromkeys((*self.anywhere, *self.users)))

    @property
    def addresses(self) -> tuple[str, ...]:
        """What a destination may know as an address."""
        return tuple(dict.fromkeys((*self.emails, *(each for each in self.anywhere if "@" in each))))


def read_given(users: Sequence[str], user_ids: Sequence[str], emails: Sequence[str], sessions: Sequence[str]) -> Given:
    """What was typed, standard input included where ``-`` stands among the users.

    Raises:
        UsageError: Nothing was, or something that is no id.
    """
    anywhere: list[str] = []
    for user in users:
        anywhere += [line for line in _input_lines() if line.strip()] if user == "-" else [user]
    for kind, texts in (("id", (*anywhere, *user_ids, *sessions)), ("address", emails)):
        for text in texts:
            if not text.strip():
                raise click.UsageError(f"An empty {kind} is nobody's.")
            if len(text) > LONGEST:
                raise click.UsageError(f"An {kind} of {len(text):,} characters: no event holds more than {LONGEST:,}.")
    if any("@" not in email for email in emails):
        raise click.UsageError("--email takes an address, with an @.")
    given = Given(*(tuple(dict.fromkeys(each)) for each in (anywhere, user_ids, emails, sessions)))
    if not given:
        raise click.UsageError("Say who: an id, --user-id, --email, --session, or - to read ids from standard input.")
    return given


def _input_lines() -> Iterable[str]:
    try:
        return sys.stdin.read().splitlines()
    except UnicodeDecodeError:
        raise click.UsageError("Standard input is no text in UTF-8.") from None


def person_of(given: Given, settings: Settings, linked: Iterable[str] = ()) -> Person:
    """Who they are in stored events: as typed, and by every pseudonym whose key exists.

    Raises:
        UsageError: The keys of pseudonyms cannot be read.
    """
    emails = [*given.emails, *(each for each in given.anywhere if "@" in each)]
    tokens = {token for text in (*given.user_ids, *emails, *given.sessions) for token in tokens_of(text, settings)}
    return Person(
        ids=frozenset({*given.anywhere, *given.emails, *tokens}),
        named=frozenset({*given.users, *given.sessions}),
        emails=frozenset(each.lower() for each in emails),
        linked=frozenset(linked),
    )


def tokens_of(text: str, settings: Settings) -> tuple[str, ...]:
    """What a policy may have written in a value's place: its pseudonyms, and its hash.

    Raises:
        UsageError: The keys cannot be read.
    """
    spellings = dict.fromkeys((text, text.lower()) if "@" in text else (text,))
    found = [token for spelling in spellings for token in pseudonyms_of(spelling, settings)]
    found += [hash_of(spelling) for spelling in spellings]
    return tuple(dict.fromkeys(found))


def pseudonyms_of(text: str, settings: Settings) -> tuple[str, ...]:
    """Its pseudonyms under every key that still exists, the oldest first.

    Raises:
        UsageError: The keys cannot be read.
    """
    from footspan.config import ConfigurationError  # noqa: PLC0415 - only what the command needs
    from footspan.privacy.epochs import epochs_for  # noqa: PLC0415 - the same

    try:
        epochs = epochs_for(settings.privacy.pseudonyms)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    return () if epochs is None else epochs.tokens(text)


def hash_of(text: str) -> str:
    """What the action ``hash`` writes."""
    return f"h_{letters(hashlib.sha256(text.encode('utf-8', 'surrogatepass')).digest()[:16])}"
