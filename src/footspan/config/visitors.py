"""The settings of visitors: who they are, their sessions, how they came."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from footspan.config.kinds import BadValueError, Kind, describe, quote
from footspan.config.values import BOOLEAN, LIST, POSITIVE_DURATION, TEXT, choice, read_text
from footspan.config.web import SECRET, read_request_path

if TYPE_CHECKING:
    from collections.abc import Sequence

TelegramUserId = Literal["keyed", "hash", "raw"]

DAY: Final = 86_400.0
REFERRER_CLASSES: Final = ("search", "social", "email", "paid", "direct", "internal", "referral")

# RFC 6265, section 4.1.1: a cookie's name is a token.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_DOMAIN: Final = re.compile(r"\.?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,9}")


def _read_cookie_name(value: object) -> str:
    text = read_text(value)
    if not _TOKEN.fullmatch(text):
        raise BadValueError(describe(value), "Write a name of letters, digits, - and _, such as footspan.")
    return text


def _read_cookie_path(value: object) -> str:
    path = read_request_path(value)
    if ";" in path or not path.isascii():
        raise BadValueError(describe(value), "Write a path of plain characters without semicolons, such as /shop.")
    return path


def _read_domain(value: object) -> str:
    domain = read_text(value).lower()
    if not _DOMAIN.fullmatch(domain):
        raise BadValueError(describe(value), "Write a domain such as example.com, without scheme, port and path.")
    return domain.lstrip(".")


def _read_referrers(value: object) -> tuple[tuple[str, str], ...]:
    """Read domains with the class of each: a mapping, or ``domain=class,domain=class``."""
    pairs: Any = value
    if isinstance(value, str):
        pairs = [each.split("=", 1) for each in value.split(",") if each.strip()]
    elif isinstance(value, Mapping):
        pairs = list(value.items())
    if not isinstance(pairs, list | tuple):
        raise BadValueError(describe(value), "Write a mapping of domains to classes.")
    read = []
    for number, pair in enumerate(pairs, 1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:  # noqa: PLR2004 - a domain and its class
            raise BadValueError(f"an entry without a class (entry {number})", "Write domain=class,domain=class.")
        domain, kind = pair
        word = kind.strip().lower() if isinstance(kind, str) else ""
        if word not in REFERRER_CLASSES:
            raise BadValueError(f"{quote(kind)} as a class", f"Write one of {', '.join(REFERRER_CLASSES)}.")
        read.append((_read_domain(domain), word))
    return tuple(read)


def _show_referrers(pairs: Sequence[tuple[str, str]]) -> str:
    return ",".join(f"{domain}={kind}" for domain, kind in pairs)


COOKIE_NAME: Final = Kind("name of a cookie", _read_cookie_name)
COOKIE_PATH: Final = Kind("path of a request", _read_cookie_path)
DOMAIN: Final = Kind("domain", _read_domain)
REFERRERS: Final = Kind("domains", _read_referrers, _show_referrers)


def _setting(kind: Kind, default: Any, help_text: str) -> Any:
    """A field with the way it is read and its documentation; a key is kept out of what a settings object shows."""
    return field(default=default, repr=kind is not SECRET, metadata={"kind": kind, "help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """How users are made pseudonymous."""

    secret: str | None = _setting(SECRET, None, "Key of get_keyed_user_hash.")
    key_id: str | None = _setting(TEXT, None, "Which key that is; stands in front of the hash, for rotation.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Sessions of a web app's visitors, kept in a signed cookie."""

    enabled: bool = _setting(BOOLEAN, False, "Whether visitors of instrumented Flask apps get sessions, by a cookie.")
    secret: str | None = _setting(SECRET, None, "Key that signs the cookie; for Flask by default the app's own.")
    previous_secret: str | None = _setting(SECRET, None, "The key before that, whose cookies are still read.")
    idle_timeout: float = _setting(POSITIVE_DURATION, 1800.0, "Quiet time after which a session has ended (seconds).")
    max_length: float = _setting(POSITIVE_DURATION, DAY, "Time after which a session that goes on is another.")
    cookie_name: str = _setting(COOKIE_NAME, "footspan", "The cookie's name.")
    cookie_max_age: float = _setting(POSITIVE_DURATION, 180 * DAY, "Time a visitor is remembered (seconds).")
    cookie_path: str = _setting(COOKIE_PATH, "/", "Path below which the cookie is sent.")
    cookie_domain: str | None = _setting(DOMAIN, None, "Domain whose hosts share the cookie; none: only the host.")
    respect_dnt: bool = _setting(BOOLEAN, True, "Whether a visitor whose browser sends DNT: 1 gets no cookie.")
    respect_gpc: bool = _setting(BOOLEAN, True, "Whether a visitor whose browser sends Sec-GPC: 1 gets no cookie.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionSettings:
    """How visitors came."""

    internal: tuple[str, ...] | None = _setting(LIST, None, "Domains of one's own, with their subdomains.")
    referrers: tuple[tuple[str, str], ...] | None = _setting(
        REFERRERS, None, "Classes of referring domains besides the built-in ones, such as find.example=search."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """What is kept of who writes to a bot."""

    user_id: TelegramUserId = _setting(  # noqa: RUF009 - `dataclasses.field` with our metadata
        choice(*get_args(TelegramUserId)),
        "keyed",
        "What stands for a user: keyed: a hash nobody without the key can compute; hash: get_user_hash; raw: their id.",
    )
    message_text: bool = _setting(BOOLEAN, False, "Whether events of messages bear their text.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DashSettings:
    """What is recorded of Dash apps besides page views."""

    enabled: bool = _setting(BOOLEAN, True, "Whether Dash apps are watched where somebody said where events go.")
    interactions: bool = _setting(BOOLEAN, True, "Whether callbacks that somebody set off become events.")
    values: bool = _setting(BOOLEAN, False, "Whether those bear the new values of what was touched.")
    errors: bool = _setting(BOOLEAN, True, "Whether callbacks that fail become events of an exception.")
    ignore_callbacks: tuple[str, ...] | None = _setting(
        LIST, None, "Callbacks left out, by function name or outputs; * stands for anything."
    )
