"""The settings of pseudonyms, and the file that holds their keys.

A key file is JSON: ``{"keys": [{"id": "k1", "key": "<base64>", "created": "<RFC 3339>", "expires": "<RFC 3339>"}]}``,
``expires`` being optional. Of the keys that are neither expired nor still to come, the one created last makes tokens.
"""

# ruff: noqa: RUF009 - `_setting` is `dataclasses.field` with our metadata

from __future__ import annotations

import base64
import json
import os
import re
import stat
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Any, Final

from footspan.config.errors import ConfigurationError
from footspan.config.kinds import BadValueError, Kind, describe
from footspan.config.values import PATH, read_text
from footspan.config.web import SECRET

if TYPE_CHECKING:
    from footspan.config.settings import Settings

LEAST_KEY: Final = 16
"""Bytes that a key must have."""
KEY_FILE: Final = "telemetry.privacy.pseudonyms.key_file"
LARGEST: Final = 1024 * 1024

_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)
_KEY_ID: Final = re.compile(r"[a-z0-9]{1,8}")
_FIX: Final = "Make one with `footspan privacy keys rotate`."


def _read_key_id(value: object) -> str:
    text = read_text(value)
    if not _KEY_ID.fullmatch(text):
        raise BadValueError(describe(value), "Write 1 to 8 lower-case letters and digits.")
    return text


KEY_ID: Final = Kind("id of a key", _read_key_id)


def _setting(kind: Kind, help_text: str) -> Any:
    """A field with the way it is read and its documentation; a key is kept out of what a settings object shows."""
    return field(default=None, repr=kind is not SECRET, metadata={"kind": kind, "help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymSettings:
    """Where the keys of pseudonyms come from."""

    key: str | None = _setting(SECRET, "Key of pseudonyms, 16 characters or more, where there is no file of keys.")
    key_id: str | None = _setting(KEY_ID, "What tokens call that key; default: made of the key.")
    key_file: Path | None = _setting(PATH, "File of keys, which only its owner may read.")


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        id: Stands in its tokens.
        secret: The key itself.
        created: From when it makes tokens (seconds since the epoch).
        expires: Until when it does; ``None`` for ever.
    """

    id: str
    secret: bytes = field(repr=False)
    created: float = 0.0
    expires: float | None = None


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file, by the time they were made.

    Raises:
        ConfigurationError: It cannot be read, others may read it, or it holds something else. Nothing of it is quoted.
    """
    found = _content(path)
    problem = ""
    try:
        entries = json.loads(found)["keys"]
        keys = [_key(entry) for entry in entries]
        if len({key.id for key in keys}) < len(keys):
            problem = "two keys of one id"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        problem, keys = "a file that holds no keys", []
    if problem:  # outside the handler: no chained exception that might hold a key
        raise ConfigurationError(KEY_FILE, f"{problem} ({path})", _FIX)
    return tuple(sorted(keys, key=lambda key: key.created))


def _content(path: Path) -> bytes:
    problem = ""
    try:
        # Not to wait for whoever writes to a pipe of that name.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE)) as file:
            state = os.fstat(file.fileno())
            if os.name == "posix" and stat.S_IMODE(state.st_mode) & 0o077:
                raise ConfigurationError(
                    KEY_FILE, f"a file that others may read or change ({path})", f"Run chmod 600 {path}."
                )
            if not stat.S_ISREG(state.st_mode):
                problem = f"something that is no file ({path})"
            elif state.st_size <= LARGEST:
                return file.read(LARGEST)
            else:
                problem = f"a file of {state.st_size} bytes ({path})"
    except OSError as error:
        problem = f"no readable file at {path} ({type(error).__name__})"
    raise ConfigurationError(KEY_FILE, problem, f"Name a file of keys that may be read. {_FIX}")


def _key(entry: Any) -> Key:
    identifier, secret = entry["id"], base64.b64decode(entry["key"], validate=True)
    if not isinstance(identifier, str) or not _KEY_ID.fullmatch(identifier) or len(secret) < LEAST_KEY:
        raise ValueError
    expires = entry.get("expires")
    return Key(identifier, secret, _moment(entry["created"]), None if expires is None else _moment(expires))


def _moment(text: Any) -> float:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def written(keys: tuple[Key, ...]) -> bytes:
    """Keys as a file holds them."""

    def text(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")

    entries = [
        {
            "id": key.id,
            "key": base64.b64encode(key.secret).decode(),
            "created": text(key.created),
            **({} if key.expires is None else {"expires": text(key.expires)}),
        }
        for key in keys
    ]
    return json.dumps({"keys": entries}, indent=2).encode() + b"\n"


def missing_key(settings: Settings) -> ConfigurationError | None:
    """What is wrong where something is to be made a pseudonym: no key, one too short, a file that cannot be used."""
    given = settings.privacy.pseudonyms
    if given.key_file is not None:
        return _problem_of_file(given)
    if given.key is not None and len(given.key.encode()) < LEAST_KEY:
        return ConfigurationError(
            "telemetry.privacy.pseudonyms.key",
            f"a key of {len(given.key)} characters",
            f"Write at least {LEAST_KEY}; better, make one: openssl rand -base64 32.",
        )
    asks = asks_for_pseudonyms(settings)
    if given.key is None and asks:
        return ConfigurationError(
            "telemetry.privacy.pseudonyms.key",
            "no key",
            f"{asks} asks for pseudonyms: set FOOTSPAN_PRIVACY_PSEUDONYMS_KEY (openssl rand -base64 32) or "
            "privacy.pseudonyms.key_file.",
        )
    return None


def _problem_of_file(given: PseudonymSettings) -> ConfigurationError | None:
    assert given.key_file is not None
    if given.key is not None:
        return ConfigurationError(KEY_FILE, "a file beside privacy.pseudonyms.key", "Set one of them.")
    try:
        found = read_keys(given.key_file)
    except ConfigurationError as error:
        return error
    return None if found else ConfigurationError(KEY_FILE, f"no key in the file ({given.key_file})", _FIX)


def asks_for_pseudonyms(settings: Settings) -> str:
    """What of the settings asks for pseudonyms, for people; empty where nothing does."""
    policy = settings.privacy.rules
    for place, each in (("", policy), *((f" for {name}", own) for name, own in policy.destinations.items())):
        acts = {*each.identity.values(), *(each.action_of(rule) for rule in each.rules)}
        if "pseudonym" in acts:
            return f"The privacy policy{place}"
    if any(action == "pseudonymise" for _, actions in settings.privacy.purposes.without for _, action in actions):
        return "privacy.purposes.without"
    return ""
