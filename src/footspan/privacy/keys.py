"""Keys that say what their values are.

A key is compared in lower case and without separators, so that ``userPassword``, ``user_password``, ``User-Password``
and ``user password`` are one, and so are characters that only look different.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_SEPARATORS: Final = re.compile(r"[\W_]+")
_NOT_IN_GLOBS: Final = re.compile(r"[^\w*?]+|_+")
_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")
_ARGUMENT: Final = "arg_"  # before a parameter's name, where a watched function's arguments are recorded


# Letters of other scripts that look like Latin ones (Unicode's table of confusables, those that are whole letters).
_LOOK: Final = str.maketrans(
    "аеорсухіјѕԁһԛԝкмтнвАЕОРСУХІЈЅԀҺԚԜКМТНВοανρτικΟΑΝΡΤΙΚΕ", "aeopcyxijsdhqwkmthbAEOPCYXIJSDHQWKMTHBoavptikOANPTIKE"
)
_LATIN: Final = re.compile("[a-zA-Z]")


def plainly(key: str) -> str:
    """A key in the characters it is read as: wide and styled ones, and look-alikes among Latin letters, as Latin."""
    if key.isascii():
        return key
    key = unicodedata.normalize("NFKC", key)
    return key.translate(_LOOK) if _LATIN.search(key) else key  # a word of another script is one of its own


def bare(key: str) -> str:
    """A key in lower case and without separators."""
    return _SEPARATORS.sub("", plainly(key).lower())


_ABOUT: Final = frozenset(
    """
    at length len count type kind policy required enabled disabled supported changed expires expired expiry expiration
    days ttl strength visible visibility attempts failures clicked version template valid invalid verified status state
    updated created consent banner frequency model brand name label rotation algorithm alg format
    """.split()  # noqa: SIM905 - read as words
)
_ASKS: Final = frozenset({"has", "is", "needs", "requires", "can", "uses", "supports", "show", "shows"})


def tells_about(key: str) -> bool:
    """Whether a key is about something and does not hold it: ``password_length``, ``has_password``, ``api_key_id``."""
    words = [word.lower() for word in _WORD.findall(key)] if key.isascii() else []
    return len(words) > 1 and (words[-1] in _ABOUT or words[0] in _ASKS or words[-2:] == ["key", "id"])


class Named:
    """Keys by words they hold.

    Args:
        parts: Anywhere in the bare key.
        endings: At its end.
        whole: The whole of it, or of a watched function's argument.
        words: A word of it; too short to be looked for inside others: ``card_cvc`` has one, ``shipping`` has no pin.
        but: Words that hold one of these by accident.
    """

    def __init__(
        self,
        parts: Iterable[str] = (),
        endings: Iterable[str] = (),
        whole: Iterable[str] = (),
        words: Iterable[str] = (),
        but: Iterable[str] = (),
    ) -> None:
        self._parts, self._endings = tuple(parts), tuple(endings)
        self._whole, self._words = frozenset(whole), frozenset(words)
        self._but = tuple(but)

    def __call__(self, key: str) -> bool:
        """Whether a key is one of these."""
        key = plainly(key)
        plain = bare(key)
        for word in self._but:
            plain = plain.replace(word, "")
        return not tells_about(key) and (
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
            "clavesecreta",
            "senha",
            "wachtwoord",
            "hasło",
            "lösenord",
            "пароль",
            "パスワード",
            "密码",
            "密碼",
            "비밀번호",
            "secret",
            "apikey",
            "accesskey",
            "accountkey",
            "subscriptionkey",
            "masterkey",
            "privatekey",
            "privkey",
            "signingkey",
            "encryptionkey",
            "authorization",
            "authkey",
            "credential",
            "cookie",
            "connectionstring",
            "tokenvalue",
            "sessid",
            "jsessionid",
            "amzsignature",
            "googsignature",
            "mfacode",
        ),
        endings=("token", "pwd", "sessionkey", "dsn", "haslo"),
        whole=("auth", "bearer", "pass", "passe", "pw", "sig", "signature"),
        words=("jwt", "otp", "pin", "ssn", "totp"),
        but=("secretary", "secretariat", "cookieless"),
    ),
    "payment_key": Named(
        parts=(
            "cardnumber",
            "creditcard",
            "debitcard",
            "cvv",
            "iban",
            "accountnumber",
            "bankaccount",
            "kontonummer",
            "securitycode",
        ),
        whole=("pan", "cardno", "cardnum", "ccnumber", "ccnum", "sortcode", "routingnumber", "bic"),
        words=("cvc", "csc", "cvn"),
    ),
    "contact_key": Named(
        endings=("email", "emailaddress", "phone", "phonenumber", "mobile", "telephone", "mobilenumber", "telefon"),
        whole=("mailaddress", "fax", "faxnumber", "msisdn", "handynummer"),
        but=("microphone", "headphone", "saxophone", "megaphone", "gramophone", "xylophone"),
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
        self._globs = tuple(_NOT_IN_GLOBS.sub("", plainly(glob).lower()) for glob in globs)

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
