"""Keys that say what their values are.

A key is compared in lower case and without separators, so that ``userPassword``, ``user_password``, ``User-Password``
and ``user password`` are one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_SEPARATORS: Final = re.compile(r"[\W_]+")
_NOT_IN_GLOBS: Final = re.compile(r"[^\w*?]+|_+")
_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")
_ARGUMENT: Final = "arg_"  # before a parameter's name, where a watched function's arguments are recorded


def bare(key: str) -> str:
    """A key in lower case and without separators."""
    return _SEPARATORS.sub("", key.lower())


class Named:
    """Keys by words they hold.

    Args:
        parts: Anywhere in the bare key.
        endings: At its end.
        whole: The whole of it, or of a watched function's argument.
        words: A word of it; too short to be looked for inside others: ``card_cvc`` has one, ``shipping`` has no pin.
    """

    def __init__(
        self,
        parts: Iterable[str] = (),
        endings: Iterable[str] = (),
        whole: Iterable[str] = (),
        words: Iterable[str] = (),
    ) -> None:
        self._parts, self._endings = tuple(parts), tuple(endings)
        self._whole, self._words = frozenset(whole), frozenset(words)

    def __call__(self, key: str) -> bool:
        """Whether a key is one of these."""
        plain = bare(key)
        return (
            plain in self._whole
            or plain.endswith(self._endings)
            or any(part in plain for part in self._parts)
            or (key.startswith(_ARGUMENT) and plain.removeprefix("arg") in self._whole)
            or (bool(self._words) and any(word.lower() in self._words for word in _WORD.findall(key)))
        )


BY_NAME: Final[Mapping[str, Callable[[str], bool]]] = {
    "secret_key": Named(
        parts=(
            "password",
            "passwd",
            "passphrase",
            "passcode",
            "passwort",
            "kennwort",
            "motdepasse",
            "contrasena",
            "contraseña",
            "secret",
            "apikey",
            "accesskey",
            "privatekey",
            "signingkey",
            "encryptionkey",
            "authorization",
            "authkey",
            "credential",
            "cookie",
            "connectionstring",
        ),
        endings=("token", "pwd", "sessionkey"),
        whole=("auth", "bearer", "pass"),
        words=("jwt", "otp", "pin", "ssn", "totp"),
    ),
    "payment_key": Named(
        parts=("cardnumber", "creditcard", "debitcard", "cvv", "iban", "accountnumber", "bankaccount", "kontonummer"),
        whole=("pan", "cardno", "cardnum", "sortcode", "routingnumber", "bic"),
        words=("cvc", "csc"),
    ),
    "contact_key": Named(
        endings=("email", "emailaddress", "phone", "phonenumber", "mobile", "telephone", "mobilenumber", "telefon"),
        whole=("mailaddress", "fax", "faxnumber", "msisdn", "handynummer"),
    ),
    "identifier_key": Named(
        parts=("passport", "driverslicense", "nationalid", "taxid", "socialsecurity", "deviceid", "advertisingid"),
        endings=("userid", "customerid", "accountid", "memberid", "patientid", "employeeid", "visitorid", "username"),
        whole=("login", "nickname", "idfa", "gaid", "imei", "fullname", "firstname", "lastname", "surname"),
    ),
    "location_key": Named(
        parts=("latitude", "longitude", "postcode", "postalcode", "zipcode", "geolocation", "coordinates"),
        endings=("street", "streetaddress", "ipaddress", "clientip", "remoteaddr"),
        whole=("ip", "lat", "lon", "lng", "city", "zip", "address", "plz"),
    ),
    "free_text_key": Named(
        endings=("comment", "comments", "feedback", "freetext", "review", "message", "prompt", "bio"),
        whole=("note", "notes", "remark", "remarks", "description", "searchterm", "searchquery"),
    ),
}
"""The built-in rules that look at keys."""

_NUMBERED: Final = frozenset(
    """
    id ids uuid guid sku ean gtin isbn order invoice tracking shipment parcel ticket reference ref receipt transaction
    txn trace span commit sha sha256 md5 hash checksum digest etag version build revision timestamp time ts date at ns
    ms us epoch lat lon lng latitude longitude price amount total sum cents quantity count size bytes offset seq
    sequence serial barcode batch
    """.split()  # noqa: SIM905 - read as words
)
_NUMBER_WORDS: Final = frozenset({"number", "no", "nr", "num", "code"})


def tells_number(key: str) -> bool:
    """Whether a key says that digits under it are an id, a time or an amount, and so no card or telephone."""
    words = [word.lower() for word in _WORD.findall(key)]
    while words and words[-1] in _NUMBER_WORDS:
        words.pop()
    return bool(words) and words[-1] in _NUMBERED


class Globs:
    """Some globs of keys: ``*`` stands for any text, ``?`` for one character; case and separators do not count."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._globs = tuple(_NOT_IN_GLOBS.sub("", glob.lower()) for glob in globs)

    def __bool__(self) -> bool:
        return bool(self._globs)

    def __call__(self, key: str) -> bool:
        """Whether a key is one of these."""
        plain = bare(key)
        return any(_fits(glob, plain) for glob in self._globs)


def _fits(glob: str, text: str) -> bool:
    """Whether a glob takes a text, in a time of their lengths' product at the most."""
    at = star = resume = 0
    found = -1
    while at < len(text):
        if star < len(glob) and (glob[star] == "?" or glob[star] == text[at]) and glob[star] != "*":
            star, at = star + 1, at + 1
        elif star < len(glob) and glob[star] == "*":
            found, resume, star = star, at, star + 1
        elif found >= 0:
            resume += 1
            star, at = found + 1, resume
        else:
            return False
    return not glob[star:].strip("*")
