"""The choke point before the disk: what it removes is never written, logged or sent.

Two tests. By key: a value under a key that names a secret, a payment number or contact data is replaced whole. By
value: e-mail addresses inside text, credentials and secret parameters inside URLs are cut out. Identity that the API
has a field for (``user.*``, ``client.address``, the user agent) passes.

It fails closed: a value that cannot be examined is replaced. Every key touched is listed under ``footspan.redacted``;
the list and the replacements hold no part of a value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from footspan import _guard
from footspan import conventions as c
from footspan.otlp_json import plain
from footspan.otlp_json.sanitise import tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from footspan.emit import Draft

MARKER = "[redacted]"

# Compared with the key in lower case and without separators: userPassword, user_password and User-Password are one.
_DENIED_PARTS = (
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "credential",
    "cookie",
    "cardnumber",
    "creditcard",
    "cvv",
    "iban",
)
_DENIED_WHOLE = frozenset({"auth", "bearer", "pan", "pass"})
_DENIED_WORDS = frozenset({"cvc", "jwt", "otp", "pin", "ssn"})
"""Too short to be looked for inside other words: ``card_cvc`` and ``userPin`` have them, ``shipping`` has not."""
_ARGUMENT = "arg_"  # before a parameter's name, where a watched function's arguments are recorded
_DENIED_ENDINGS = ("token", "pwd", "email", "emailaddress", "phone", "phonenumber", "mobile")

_PASSING = frozenset(
    {
        c.USER_ID,
        c.USER_EMAIL,
        c.USER_FULL_NAME,
        c.SESSION_ID,
        c.REQUEST_ID,
        c.CLIENT_ADDRESS,
        c.USER_AGENT_ORIGINAL,
    }
)
"""Identity given through the API, by its attribute: a text or number there passes untouched and is documented as
passing. What a mapping or a list there holds is examined like anything else."""

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
# An e-mail address is looked for from its @ outwards, so that text without one costs nothing and no text costs more
# than its length: the part behind is bounded (RFC 1035: 63 in a label, which cannot hold the dot that ends it), the
# part before is read backwards from there (RFC 5321: 64 characters).
_AT_DOMAIN = re.compile(r"(?:@|%(?:25)*40)[^\W_](?:[\w-]{0,62}\.){1,8}[^\W\d_]{2,24}")
_LOCAL_BACKWARDS = re.compile(r"[\w.+%-]{1,64}")
_LOCAL_LENGTH = 64
# Up to the last @ before the path; and where a password holds a slash of its own, which is no port, up to the next @.
_URL_USER = re.compile(
    r"""(://)(?:[^\s/?#"'<>]{1,256}|[^\s/?#@:\["'<>]{0,128}:(?!\d{1,5}(?:[/?#]|$))[^\s@"'<>]{1,256})@"""
)
_PARAMETER = re.compile(r"(^|[?&;#])([^=&;#\s?]{1,128})=([^&;#\s]+)")
_URL_ATTRIBUTES = frozenset({c.URL_FULL, c.URL_QUERY, c.HTTP_REQUEST_HEADER_REFERER, "http.url", "http.target"})
_KEY_CACHE_SIZE = 4096
_LONGEST_KEPT = 256
"""Characters of a key that is remembered; longer ones are data, and would fill the memory."""
_NESTED_URLS = 3
"""How many addresses, each a parameter's value in the one before, are looked into."""


class Redactor:
    """Removes what must not leave; one for every signal.

    Args:
        count: Called with the name of a counter when a value could not be examined.
    """

    def __init__(self, count: Callable[[str], None] | None = None) -> None:
        self._count = count
        self._keys: dict[str, bool] = {}
        # Keys seen that need no look themselves, and whose values need one only where their text says so.
        self._innocent: set[str] = set()

    def __call__(self, draft: Draft) -> None:
        """Redact a draft in place and list the keys touched under ``footspan.redacted``."""
        touched: list[str] = []
        draft.attributes = self._attributes(draft.attributes, touched)
        if draft.body is not None:
            draft.body = self._guarded("body", draft.body, touched, "body")
        name = draft.name
        if type(name) is not str or not harmless(name):
            draft.name = str(self._guarded("", plain(name), touched, "name"))
        severity = draft.severity_text
        if type(severity) is not str or not harmless(severity):
            draft.severity_text = str(self._guarded("", plain(severity), touched, "severity"))
        if touched:
            before = draft.attributes.get(c.REDACTED)  # from another process that redacted the event before us
            listed = before if isinstance(before, (list, tuple)) else ()
            draft.attributes[c.REDACTED] = list(dict.fromkeys((*listed, *touched)))

    def mapping(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Attributes of any signal, redacted.

        Returns:
            The attributes to use in their place, and the keys that were touched.
        """
        touched: list[str] = []
        return self._attributes(attributes, touched), touched

    def text(self, value: str) -> str:
        """Free text (a span's name, a log message), redacted."""
        return str(self._guarded("", value, [], ""))

    def examines(self, key: str) -> bool | None:
        """What becomes of a text or a number under a key.

        Returns:
            ``False``: it passes as it is. ``True``: a text passes if :meth:`leaves` says so, and a number in any case.
            ``None``: that depends on more.
        """
        if key in _PASSING:
            return False
        return None if key in _URL_ATTRIBUTES or self._denied(key) or self._clean_key(key) != key else True

    def leaves(self, key: str, text: str) -> bool:
        """Whether a text under a key that is examined stays as it is."""
        return self._string(key, text) == text

    def _attributes(self, attributes: Mapping[str, Any], touched: list[str]) -> dict[str, Any]:
        """Clean attributes; the very same mapping where nothing had to be looked at, which is the usual case."""
        innocent = self._innocent
        try:
            for key, value in attributes.items():
                kind = type(value)
                if key not in innocent or not (
                    (kind is str and "@" not in value and "://" not in value and "%" not in value and "?" not in value)
                    or kind is int
                    or kind is float
                    or kind is bool
                    or value is None
                ):
                    break
            else:
                if type(attributes) is dict:
                    return attributes
        except TypeError:  # a key that cannot be hashed, in a mapping of the host's own making
            pass
        items = list(attributes.items())
        if any(type(key) is not str for key, _ in items):
            items = list(tidy(dict(items)).items())  # the names they will be written under
        return {self._clean_key(key): self._looked_at(key, value, touched) for key, value in items}

    def _looked_at(self, key: Any, value: Any, touched: list[str]) -> Any:
        clean = self._guarded(key, value, touched, key)
        if (
            type(key) is str
            and len(self._innocent) < _KEY_CACHE_SIZE
            and len(key) <= _LONGEST_KEPT
            and key not in _URL_ATTRIBUTES
            and not self._denied(key)
            and self._clean_key(key) == key
        ):
            self._innocent.add(key)
        return clean

    def _guarded(self, key: Any, value: Any, touched: list[str], path: Any) -> Any:
        """Examine one value; whatever goes wrong, the value does not pass."""
        try:
            return self._value(key, value, touched, path)
        except Exception as error:  # noqa: BLE001 - fails closed, whatever the value does
            _guard.report("redaction", error)
            if self._count is not None:
                self._count("redaction_failed")
            return self._touch(path, touched)

    def _value(self, key: Any, value: Any, touched: list[str], path: Any) -> Any:
        kind = type(value)
        if key in _PASSING and (kind is str or kind is int or kind is float):
            return value
        if value is None or value is True or value is False:
            return value  # yes and no give nobody away: `email_verified` is no address
        if self._denied(key):
            return value if kind is str and value == MARKER else self._touch(path, touched)
        if kind is str:
            clean = self._string(key, value)
            if clean != value:
                touched.append(self._clean_key(path))
            return clean
        if kind is int or kind is float:
            return value
        return self._structure(key, plain(value), touched, path)

    def _structure(self, key: Any, value: Any, touched: list[str], path: Any) -> Any:
        """A plain value: bounded in depth and free of cycles, since ``plain`` made it."""
        if isinstance(value, dict):
            return {
                self._clean_key(inner): self._value(inner, item, touched, f"{path}.{inner}")
                for inner, item in value.items()
            }
        if isinstance(value, list):
            return [self._item(key, item, touched, path) for item in value]
        if isinstance(value, bytes):
            text = value.decode("utf-8", "replace")
            return value if self._string(key, text) == text else self._touch(path, touched)
        return self._value(key, value, touched, path)

    def _item(self, key: Any, item: Any, touched: list[str], path: Any) -> Any:
        """An item of a list; headers often come as a list of pairs, where the first of a pair names the second."""
        if isinstance(item, list) and len(item) == 2 and isinstance(item[0], (str, bytes)):  # noqa: PLR2004 - a pair
            name = item[0] if isinstance(item[0], str) else item[0].decode("utf-8", "replace")
            if self._denied(name):
                return [self._value(key, item[0], touched, path), self._value(name, item[1], touched, f"{path}.{name}")]
        return self._value(key, item, touched, path)

    def _string(self, key: Any, value: str) -> str:
        clean = value
        if "://" in clean and "@" in clean:
            clean = _URL_USER.sub(rf"\1{MARKER}@", clean)
        if "=" in clean and ("?" in clean or "://" in clean or key in _URL_ATTRIBUTES):
            clean = self._parameters(clean, _NESTED_URLS)
        if "@" in clean or "%" in clean:
            clean = cut_addresses(clean)
        return clean

    def _parameters(self, text: str, levels: int) -> str:
        """Parameters under denied names cut out, also of an address that is itself a parameter's value."""

        def parameter(match: re.Match[str]) -> str:
            lead, name, value = match.groups()
            if self._denied(unquote(name)):
                return match.group() if value == MARKER else f"{lead}{name}={MARKER}"
            inner = unquote(value)
            if levels and "=" in inner:
                clean = self._parameters(inner, levels - 1)
                if clean != inner:
                    return f"{lead}{name}={clean if inner == value else quote(clean, safe='[]')}"
            return match.group()

        return _PARAMETER.sub(parameter, text)

    def _denied(self, key: Any) -> bool:
        """Whether a key names something that must not leave, remembered per key."""
        if type(key) is not str:
            key = str(plain(key))
        denied = self._keys.get(key)
        if denied is None:
            bare = _SEPARATORS.sub("", key.lower())
            denied = key not in _PASSING and (
                bare in _DENIED_WHOLE
                or (key.startswith(_ARGUMENT) and bare.removeprefix("arg") in _DENIED_WHOLE)
                or bare.endswith(_DENIED_ENDINGS)
                or any(part in bare for part in _DENIED_PARTS)
                or any(word.lower() in _DENIED_WORDS for word in _WORD.findall(key))
            )
            if len(self._keys) < _KEY_CACHE_SIZE and len(key) <= _LONGEST_KEPT:
                self._keys[key] = denied
        return denied

    def _touch(self, path: Any, touched: list[str]) -> str:
        touched.append(self._clean_key(path))
        return MARKER

    @staticmethod
    def _clean_key(key: Any) -> Any:
        """A key, unless it is itself somebody's address."""
        if type(key) is str and ("@" in key or "%" in key):
            return cut_addresses(key)
        return key


def harmless(text: str) -> bool:
    """Whether nothing in a text can be anything that is looked for outside address attributes."""
    return "@" not in text and "%" not in text and "://" not in text and "?" not in text


def cut_addresses(text: str) -> str:
    """The text with every e-mail address replaced by the marker."""
    kept: list[str] = []
    end = 0
    for domain in _AT_DOMAIN.finditer(text):
        before = text[max(end, domain.start() - _LOCAL_LENGTH) : domain.start()]
        local = _LOCAL_BACKWARDS.match(before[::-1])
        if local is not None:
            kept += (text[end : domain.start() - local.end()], MARKER)
            end = domain.end()
    kept.append(text[end:])
    return "".join(kept)
