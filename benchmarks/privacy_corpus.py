"""The corpus that the privacy rules are measured on: made by templates, the same on every machine.

Nothing in it is anybody's: card numbers are the networks' published test numbers or made in their test ranges, account
numbers and keys are random, telephone numbers are examples of their numbering plans. There are two halves with other
templates and other ways of writing: ``tuned``, which the rules were made with, and ``held out``, which they were not;
and ``field``, by another hand (:mod:`privacy_field` and its neighbours).
"""

# ruff: noqa: E501, SIM905 - templates are read as lines, and lists of words as words

from __future__ import annotations

import base64
import json
import random
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import phonenumbers

import privacy_field
import privacy_field_lookalikes
import privacy_field_people
from privacy_innocent import hard, harder, pick, word_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARTS: Final = ("tuned", "held out", "field")
PER_HALF: Final = {"secret": 450, "payment": 350, "contact": 450, "none": 950}
_ALNUM: Final = string.ascii_letters + string.digits
_BASE64: Final = _ALNUM + "-_"


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        cls: The class of what it holds, or ``none``.
        key: The attribute that it would stand under.
        text: The line.
        planted: What must not remain.
    """

    cls: str
    key: str
    text: str
    planted: str = ""


def corpus(part: str) -> list[Line]:
    """All lines of one part."""
    return _field() if part == "field" else _half(part)


def _field() -> list[Line]:
    r = random.Random("footspan field")  # noqa: S311 - as below
    made = {
        "secret": privacy_field.secrets(r),
        "payment": privacy_field_people.payment(r),
        "contact": privacy_field_people.contact(r),
    }
    held = [Line(cls, key, text, planted) for cls, lines in made.items() for key, text, planted in lines]
    return [*held, *(Line("none", key, text) for key, text in privacy_field_lookalikes.lookalikes(r))]


def _half(half: str) -> list[Line]:
    random_ = random.Random(f"footspan {half}")  # noqa: S311 - the same on every machine, and no secret
    held_out = half == "held out"
    makers: dict[str, Callable[[random.Random, bool], Line]] = {
        "secret": _secret,
        "payment": _payment,
        "contact": _contact,
        "none": _innocent,
    }
    return [makers[cls](random_, held_out) for cls, count in PER_HALF.items() for _ in range(count)]


# -- secrets -----------------------------------------------------------------------------------------------------------


def _jwt(r: random.Random) -> str:
    parts = (
        {"alg": r.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"},
        {"sub": pick(r, string.digits, 6), "exp": r.randrange(10**9)},
    )
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*coded, pick(r, _BASE64, 43)))


def _vendor(r: random.Random, *, held_out: bool) -> str:
    hexa = "0123456789abcdef"
    upper = string.ascii_uppercase + string.digits
    tuned = (
        lambda: "AKIA" + pick(r, upper, 16),
        lambda: r.choice(["ghp_", "gho_", "ghs_"]) + pick(r, _ALNUM, 36),
        lambda: "sk_live_" + pick(r, _ALNUM, 24),
        lambda: "xoxb-" + pick(r, string.digits, 11) + "-" + pick(r, string.digits, 12) + "-" + pick(r, _ALNUM, 24),
        lambda: "AIza" + pick(r, _BASE64, 35),
        lambda: "sk-proj-" + pick(r, _BASE64, 40) + "7",
        lambda: "SG." + pick(r, _BASE64, 22) + "." + pick(r, _BASE64, 43),
        lambda: "glpat-" + pick(r, _BASE64, 20),
    )
    other = (
        lambda: "ASIA" + pick(r, upper, 16),
        lambda: "github_pat_" + pick(r, _ALNUM, 22) + "_" + pick(r, _ALNUM, 59),
        lambda: "rk_test_" + pick(r, _ALNUM, 24),
        lambda: "npm_" + pick(r, _ALNUM, 36),
        lambda: "hf_" + pick(r, string.ascii_letters, 34),
        lambda: "shpat_" + pick(r, hexa, 32),
        lambda: "dop_v1_" + pick(r, hexa, 64),
        lambda: "pypi-" + pick(r, _BASE64, 60),
        lambda: "whsec_" + pick(r, _ALNUM, 32),
        lambda: pick(r, string.digits, 10) + ":AA" + pick(r, _BASE64, 33),
        lambda: "hvs." + pick(r, _BASE64, 90),
        lambda: "sk-ant-api03-" + pick(r, _BASE64, 80) + "9AA",
    )
    makers: tuple[Callable[[], str], ...] = other if held_out else tuned
    return r.choice(makers)()


def _private_key(r: random.Random, *, held_out: bool) -> str:
    kind = r.choice(["OPENSSH ", "ENCRYPTED ", ""] if held_out else ["RSA ", "EC "])
    gap = "\\n" if held_out and r.random() < 0.5 else "\n"
    body = gap.join(pick(r, _ALNUM + "+/", 64) for _ in range(r.randint(2, 5)))
    return f"-----BEGIN {kind}PRIVATE KEY-----{gap}{body}{gap}-----END {kind}PRIVATE KEY-----"


def _password(r: random.Random) -> str:
    return word_of(r).capitalize() + r.choice("-_!.#") + pick(r, _ALNUM, r.randint(4, 10)) + r.choice("37x!")


def _secret(r: random.Random, held_out: bool) -> Line:  # noqa: FBT001 - one of two halves
    kind = r.choice(
        ["jwt", "vendor", "vendor", "vendor", "pem", "bearer", "basic", "url", "query", "pair", "json", "key"]
    )
    if kind == "jwt":
        value = _jwt(r)
        frames = (
            ["token {} expired", "got {}", "id_token={}&state=1"]
            if not held_out
            else ["session cookie was {};", '"{}"', "decode({}) failed: bad signature"]
        )
    elif kind == "vendor":
        value = _vendor(r, held_out=held_out)
        frames = (
            ["key {} was revoked", "using {}", "export KEY={}", "{}"]
            if not held_out
            else [
                "Der Schlüssel {} ist abgelaufen",
                "clef: {}.",
                "({})",
                "curl -u {}: https://api.example.com",
                "config[{}]",
            ]
        )
    elif kind == "pem":
        value = _private_key(r, held_out=held_out)
        frames = ["{}", "loaded\n{}\n"] if not held_out else ["cannot parse {} in line 3", "key={}"]
    elif kind == "bearer":
        value = pick(r, _ALNUM + "-._~", r.randint(20, 60)) + "7"
        frames = (
            ["Authorization: Bearer {}", "header Bearer {} rejected"]
            if not held_out
            else [
                "{{'authorization': 'bearer {}'}}",
                "curl -H 'Authorization: Bearer {}' https://x.example",
                "BEARER {}",
            ]
        )
    elif kind == "basic":
        value = base64.b64encode(f"{word_of(r)}:{_password(r)}".encode()).decode()
        frames = (
            ["Authorization: Basic {}", "sent Basic {}"]
            if not held_out
            else ["authorization=Basic {}", "proxy said basic {} is wrong"]
        )
    elif kind == "url":
        value = f"{word_of(r)}:{_password(r).replace('#', '')}"
        frames = (
            ["https://{}@host.example/x", "connect to postgres://{}@db.example:5432/shop"]
            if not held_out
            else [
                "amqp://{}@mq.internal/vhost gave up",
                "GET http://{}@10.0.0.8:8080/ 502",
                "redis://{}@cache.example/0",
            ]
        )
    elif kind == "query":
        value = pick(r, _ALNUM, r.randint(8, 30)) + "4"
        names = (
            ["token", "api_key", "access_token", "password"]
            if not held_out
            else ["apiKey", "X-Auth-Token", "client_secret", "sessionToken", "refresh-token"]
        )
        frames = (
            [f"https://x.example/cb?a=1&{r.choice(names)}={{}}&b=2", f"/reset?{r.choice(names)}={{}}"]
            if not held_out
            else [
                f"GET /v1/me?{r.choice(names)}={{}} HTTP/1.1",
                f"https://a.example/?next=https%3A%2F%2Fb.example%2F%3F{r.choice(names)}%3D{{}}",
            ]
        )
    elif kind == "pair":
        value = _password(r)
        names = (
            ["password", "secret", "api_key", "passwd"]
            if not held_out
            else ["DB_PASSWORD", "clientSecret", "PGPASSWORD", "access-token", "passphrase"]
        )
        name = r.choice(names)
        frames = (
            [f"{name}={{}}", f"login failed ({name}={{}})", f"{name}: {{}}"]
            if not held_out
            else [
                f"{name} = {{}}",
                f"--{name}={{}} --verbose",
                f"{name}='{{}}'",
                f"env {name}={{}} python app.py",
                f"- {name}: {{}}",
            ]
        )
    elif kind == "json":
        value = _password(r)
        name = r.choice(["password", "token"] if not held_out else ["userPassword", "apiToken", "private_key"])
        frames = (
            [f'{{{{"user":"u1","{name}":"{{}}"}}}}', f'[{{{{"a":{{{{"{name}":"{{}}"}}}}}}}}]']
            if not held_out
            else [
                f'payload={{{{"n":1,"{name}":"{{}}"}}}}',
                f"{{{{'{name}': '{{}}', 'x': 2}}}}",
                f'body: "{{{{\\\\"{name}\\\\":\\\\"{{}}\\\\"}}}}"',
            ]
        )
    else:
        value = pick(r, _ALNUM, r.randint(6, 20))
        key = r.choice(
            ["password", "userPassword", "X-Api-Key", "access_token", "cookie"]
            if not held_out
            else [
                "user password",
                "client-secret",
                "DB_PASSWD",
                "authToken",
                "card_pin",
                "smtp.credentials",
                "Set-Cookie",
            ]
        )
        return Line("secret", key, value, value)
    return Line("secret", r.choice(["message", "note", "error"]), r.choice(frames).format(value), value)


# -- payment -----------------------------------------------------------------------------------------------------------

_TEST_CARDS: Final = (
    "4242424242424242 4000056655665556 5555555555554444 2223003122003222 5200828282828210 5105105105105100 "
    "378282246310005 371449635398431 6011111111111117 6011000990139424 3056930009020004 36227206271667 "
    "3566002020360505 6200000000000005 4111111111111111 4012888888881881 30569309025904 38520000023237"
).split()


def _check_digit(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return str(-total % 10)


def _card(r: random.Random, *, held_out: bool) -> str:
    if r.random() < 0.4 and not held_out:
        return r.choice(_TEST_CARDS)
    prefix, length = r.choice(
        [
            ("400000", 16),
            ("411111", 16),
            ("520082", 16),
            ("222300", 16),
            ("378282", 15),
            ("601100", 16),
            ("356600", 16),
            ("305693", 14),
            ("620000", 16),
        ]
    )
    body = prefix + pick(r, string.digits, length - len(prefix) - 1)
    return body + _check_digit(body)


def _spaced(digits: str, gap: str) -> str:
    sizes = {15: (4, 6, 5), 14: (4, 6, 4)}.get(len(digits), (4, 4, 4, 4, 3))
    parts, at = [], 0
    for size in sizes:
        if at < len(digits):
            parts.append(digits[at : at + size])
            at += size
    return gap.join(parts)


_ACCOUNTS: Final = {
    "DE": "d18", "FR": "d10 a11 d2", "GB": "u4 d14", "NL": "u4 d10", "ES": "d20", "IT": "u1 d10 a12", "AT": "d16",
    "CH": "d5 a12", "PL": "d24", "BE": "d12", "SE": "d20", "NO": "d11", "DK": "d14", "FI": "d14", "IE": "u4 d14",
    "PT": "d21", "CZ": "d20", "MT": "u4 d5 a18", "SA": "d2 a18", "AE": "d19", "TR": "d6 a16", "LU": "d3 a13",
}  # fmt: skip


def _iban(r: random.Random, countries: tuple[str, ...]) -> str:
    country = r.choice(countries)
    alphabets = {"d": string.digits, "u": string.ascii_uppercase, "a": string.digits * 4 + string.ascii_uppercase}
    account = "".join(pick(r, alphabets[part[0]], int(part[1:])) for part in _ACCOUNTS[country].split())
    number = int("".join(str(int(each, 36)) for each in account + country + "00"))
    return f"{country}{98 - number % 97:02d}{account}"


def _payment(r: random.Random, held_out: bool) -> Line:  # noqa: FBT001 - one of two halves
    if r.random() < 0.1:
        value = _card(r, held_out=held_out)
        key = r.choice(
            ["card_number", "cardNumber", "iban"]
            if not held_out
            else ["Credit-Card", "pan", "customer iban", "bank_account"]
        )
        return Line("payment", key, value, value)
    if r.random() < 0.55:
        value = _spaced(
            _card(r, held_out=held_out), r.choice(["", " ", "-"] if not held_out else ["", " ", "\u00a0", "-", "."])
        )
        frames = ["card {} declined", "paid with {}", "{}", "{} 12/27 123", "Karte {} abgelehnt"] if not held_out else [
            "Zahlung mit {} fehlgeschlagen", "la tarjeta {} ha caducado", "carte n° {} refusée", "cc:{}", "pan={}", '{{"n":"{}"}}', "{},12/29", "my number is {}.", "charged to {} yesterday",
        ]  # fmt: skip
    else:
        countries = tuple(_ACCOUNTS)[:10] if not held_out else tuple(_ACCOUNTS)
        value = _iban(r, countries)
        if r.random() < 0.5:
            gap = " " if not held_out else r.choice([" ", "\u00a0", "-"])
            value = gap.join(value[at : at + 4] for at in range(0, len(value), 4))
        if held_out and r.random() < 0.2:
            value = value.lower()
        frames = (
            ["IBAN {}", "transfer to {} failed", "{}", "Konto {} gesperrt"]
            if not held_out
            else ["rekening {} onbekend", "payez sur {} svp", "iban:{}", "({})", "refund → {}, thanks", "conto {}."]
        )
    return Line("payment", r.choice(["message", "note", "reason"]), r.choice(frames).format(value), value)


# -- contact -----------------------------------------------------------------------------------------------------------


def _mail(r: random.Random, *, held_out: bool) -> str:
    first, last = word_of(r), word_of(r)
    if not held_out:
        return r.choice(
            [
                f"{first}.{last}@example.com",
                f"{first}{r.randrange(99)}@mail.example.org",
                f"{first}+{last}@example.co.uk",
            ]
        )
    return r.choice(
        [
            f"{first}_{last}@sub.example.net",
            f"{first.upper()}@EXAMPLE.COM",
            f"{first}@bücher.example",
            f"{first}-{last}%40example.com",
            f"jürgen.{last}@example.de",
            f"{first[0]}@x.example.io",
            f"{first}@xn--bcher-kva.example",
            f"o'{last}@example.ie",
        ]
    )


_REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH", "IN", "BR", "AU", "JP")
_ABROAD: Final = (
    *_REGIONS,
    "SE",
    "PL",
    "PT",
    "DK",
    "NO",
    "FI",
    "IE",
    "BE",
    "CZ",
    "MX",
    "ZA",
    "KR",
    "TR",
    "NZ",
    "SG",
    "AE",
)


def _phone(r: random.Random, region: str, form: int) -> str:
    kind = r.choice([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE])
    example = phonenumbers.example_number_for_type(region, kind)
    assert example is not None
    for _ in range(50):
        tail = 10 ** r.randint(2, 4)
        number = phonenumbers.PhoneNumber(
            country_code=example.country_code,
            national_number=example.national_number // tail * tail + r.randrange(tail),
            italian_leading_zero=example.italian_leading_zero,
        )
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, form)
    return phonenumbers.format_number(example, form)


def _contact(r: random.Random, held_out: bool) -> Line:  # noqa: FBT001 - one of two halves
    chance = r.random()
    if chance < 0.08:
        value = _mail(r, held_out=held_out)
        return Line(
            "contact",
            r.choice(
                ["email", "contact_email"] if not held_out else ["Customer E-Mail", "replyToEmail", "email_address"]
            ),
            value,
            value,
        )
    if chance < 0.5:
        value = _mail(r, held_out=held_out)
        frames = (
            ["write to {}", "{}", "from {} to us", "<{}>"]
            if not held_out
            else [
                "bitte an {} schicken",
                "mailto:{}",
                "user={} logged in",
                "no account for {}!",
                "erreur: {} introuvable",
                "[{}]",
                "{};",
            ]
        )
        return Line("contact", r.choice(["message", "note"]), r.choice(frames).format(value), value)
    form = r.choice(
        [
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.NATIONAL,
        ]
    )
    if form != phonenumbers.PhoneNumberFormat.NATIONAL:
        value = _phone(r, r.choice(_ABROAD), form)
        if held_out:
            value = r.choice(
                [
                    value,
                    value.replace(" ", "-"),
                    value.replace(" ", "."),
                    value.replace("+", "00").replace("-", " "),
                    value.replace(" ", "\u00a0"),
                ]
            )
        frames = (
            ["call {}", "{}", "reach me at {} please", "new customer {} asked"]
            if not held_out
            else [
                "ruf {} an",
                "WhatsApp {}",
                "llámame al {}",
                "SMS to {} failed",
                "my number: {}.",
                "{} / {}",
                "joignable au {}",
            ]
        )
    else:
        value = _phone(r, r.choice(_REGIONS), form)
        frames = (
            ["call me at {}", "tel {}", "phone: {}", "Tel.: {}"]
            if not held_out
            else ["Handy {}", "mobile no. {}", "telefon {} besetzt", "fax {}", "teléfono {}", "appelez le {}"]
        )
    return Line("contact", r.choice(["message", "note"]), r.choice(frames).replace("{}", value), value)


# -- hard negatives ----------------------------------------------------------------------------------------------------


def _innocent(r: random.Random, held_out: bool) -> Line:  # noqa: FBT001 - one of two halves
    valid = _card(r, held_out=held_out)
    invalid = valid[:-1] + str((int(valid[-1]) + r.randint(1, 9)) % 10)
    key, text = harder(r, valid, _spaced(invalid, " ")) if held_out else hard(r, valid, invalid)
    return Line("none", key, text)


def everything() -> Iterator[tuple[str, Line]]:
    """Every line with its part."""
    for part in PARTS:
        for line in corpus(part):
            yield part, line
