"""The corpus that the privacy rules are measured on: made by templates, the same on every machine.

Nothing in it is anybody's: card numbers are the networks' published test numbers or made in their test ranges, account
numbers and keys are random, telephone numbers are examples of their numbering plans. There are two halves with other
templates and other ways of writing: ``tuned``, which the rules were made with, and ``held out``, which they were not.
"""

# ruff: noqa: E501, SIM905 - templates are read as lines, and lists of words as words

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import phonenumbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HALVES: Final = ("tuned", "held out")
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


def corpus(half: str) -> list[Line]:
    """All lines of one half."""
    random_ = random.Random(f"footspan {half}")  # noqa: S311 - the same on every machine, and no secret
    held_out = half == "held out"
    makers: dict[str, Callable[[random.Random, bool], Line]] = {
        "secret": _secret,
        "payment": _payment,
        "contact": _contact,
        "none": _innocent,
    }
    return [makers[cls](random_, held_out) for cls, count in PER_HALF.items() for _ in range(count)]


def _pick(r: random.Random, alphabet: str, count: int) -> str:
    return "".join(r.choice(alphabet) for _ in range(count))


def _word_of(r: random.Random) -> str:
    return r.choice("amber birch cedar delta ember fjord grove heron iris juniper kestrel larch maple north".split())


# -- secrets -----------------------------------------------------------------------------------------------------------


def _jwt(r: random.Random) -> str:
    parts = (
        {"alg": r.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"},
        {"sub": _pick(r, string.digits, 6), "exp": r.randrange(10**9)},
    )
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*coded, _pick(r, _BASE64, 43)))


def _vendor(r: random.Random, *, held_out: bool) -> str:
    hexa = "0123456789abcdef"
    upper = string.ascii_uppercase + string.digits
    tuned = (
        lambda: "AKIA" + _pick(r, upper, 16),
        lambda: r.choice(["ghp_", "gho_", "ghs_"]) + _pick(r, _ALNUM, 36),
        lambda: "sk_live_" + _pick(r, _ALNUM, 24),
        lambda: "xoxb-" + _pick(r, string.digits, 11) + "-" + _pick(r, string.digits, 12) + "-" + _pick(r, _ALNUM, 24),
        lambda: "AIza" + _pick(r, _BASE64, 35),
        lambda: "sk-proj-" + _pick(r, _BASE64, 40) + "7",
        lambda: "SG." + _pick(r, _BASE64, 22) + "." + _pick(r, _BASE64, 43),
        lambda: "glpat-" + _pick(r, _BASE64, 20),
    )
    other = (
        lambda: "ASIA" + _pick(r, upper, 16),
        lambda: "github_pat_" + _pick(r, _ALNUM, 22) + "_" + _pick(r, _ALNUM, 59),
        lambda: "rk_test_" + _pick(r, _ALNUM, 24),
        lambda: "npm_" + _pick(r, _ALNUM, 36),
        lambda: "hf_" + _pick(r, string.ascii_letters, 34),
        lambda: "shpat_" + _pick(r, hexa, 32),
        lambda: "dop_v1_" + _pick(r, hexa, 64),
        lambda: "pypi-" + _pick(r, _BASE64, 60),
        lambda: "whsec_" + _pick(r, _ALNUM, 32),
        lambda: _pick(r, string.digits, 10) + ":AA" + _pick(r, _BASE64, 33),
        lambda: "hvs." + _pick(r, _BASE64, 90),
        lambda: "sk-ant-api03-" + _pick(r, _BASE64, 80) + "9AA",
    )
    return r.choice(other if held_out else tuned)()


def _private_key(r: random.Random, *, held_out: bool) -> str:
    kind = r.choice(["OPENSSH ", "ENCRYPTED ", ""] if held_out else ["RSA ", "EC "])
    gap = "\\n" if held_out and r.random() < 0.5 else "\n"
    body = gap.join(_pick(r, _ALNUM + "+/", 64) for _ in range(r.randint(2, 5)))
    return f"-----BEGIN {kind}PRIVATE KEY-----{gap}{body}{gap}-----END {kind}PRIVATE KEY-----"


def _password(r: random.Random) -> str:
    return _word_of(r).capitalize() + r.choice("-_!.#") + _pick(r, _ALNUM, r.randint(4, 10)) + r.choice("37x!")


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
        value = _pick(r, _ALNUM + "-._~", r.randint(20, 60)) + "7"
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
        value = base64.b64encode(f"{_word_of(r)}:{_password(r)}".encode()).decode()
        frames = (
            ["Authorization: Basic {}", "sent Basic {}"]
            if not held_out
            else ["authorization=Basic {}", "proxy said basic {} is wrong"]
        )
    elif kind == "url":
        value = f"{_word_of(r)}:{_password(r).replace('#', '')}"
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
        value = _pick(r, _ALNUM, r.randint(8, 30)) + "4"
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
        value = _pick(r, _ALNUM, r.randint(6, 20))
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
    body = prefix + _pick(r, string.digits, length - len(prefix) - 1)
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
    account = "".join(_pick(r, alphabets[part[0]], int(part[1:])) for part in _ACCOUNTS[country].split())
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
    first, last = _word_of(r), _word_of(r)
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
    made = _hard(r) if not held_out else _harder(r)
    key, text = made
    return Line("none", key, text)


def _hard(r: random.Random) -> tuple[str, str]:
    def digits(count: int) -> str:
        return _pick(r, "123456789", 1) + _pick(r, string.digits, count - 1)

    def hexa(count: int) -> str:
        return _pick(r, "0123456789abcdef", count)

    valid = _card(r, held_out=False)
    invalid = valid[:-1] + str((int(valid[-1]) + r.randint(1, 9)) % 10)
    return r.choice(
        (
            lambda: ("message", f"order {digits(8)} shipped"),
            lambda: ("note", f"invoice 2024-{digits(6)} is paid"),
            lambda: ("order_id", valid),
            lambda: ("order_number", valid),
            lambda: ("message", f"tracking {invalid}"),
            lambda: ("note", f"order {invalid} refunded"),
            lambda: ("version", f"{r.randint(0, 20)}.{r.randint(0, 99)}.{r.randint(0, 9999)}"),
            lambda: (
                "message",
                f"upgraded to v{r.randint(1, 9)}.{r.randint(0, 99)}.{r.randint(0, 99)}-rc.{r.randint(1, 9)}",
            ),
            lambda: ("commit", hexa(40)),
            lambda: ("message", f"built {hexa(40)} on main"),
            lambda: ("digest", f"sha256:{hexa(64)}"),
            lambda: ("message", f"at {r.uniform(-90, 90):.6f}, {r.uniform(-180, 180):.6f}"),
            lambda: ("note", f"total {r.randint(1, 999)}.{r.randint(100, 999)},{r.randint(10, 99)} EUR"),
            lambda: ("note", f"${r.randint(1, 9)},{r.randint(100, 999)},{r.randint(100, 999)}.00 raised"),
            lambda: ("request", str(uuid.UUID(int=r.getrandbits(128), version=4))),
            lambda: ("message", f"job {uuid.UUID(int=r.getrandbits(128), version=4)} done"),
            lambda: (
                "message",
                f"2024-0{r.randint(1, 9)}-{r.randint(10, 28)} {r.randint(10, 23)}:{r.randint(10, 59)}:{r.randint(10, 59)}.{digits(6)} started",
            ),
            lambda: ("at", f"2025-1{r.randint(0, 2)}-{r.randint(10, 28)}T{r.randint(10, 23)}:{r.randint(10, 59)}:00Z"),
            lambda: ("timestamp", str(1_600_000_000_000 + r.randrange(10**11))),
            lambda: ("message", f"epoch {1_600_000_000 + r.randrange(10**8)}"),
            lambda: (
                "user_agent",
                f"Mozilla/5.0 (X11; Linux x86_64; rv:{r.randint(90, 130)}.0) Gecko/20100101 Firefox/{r.randint(90, 130)}.0",
            ),
            lambda: ("link", f"https://shop.example/p/{digits(7)}?page={r.randint(1, 40)}&sort=price"),
            lambda: ("message", f"{r.randint(2, 9)} @ {r.randint(1, 99)}.50 each"),
            lambda: ("message", f"thanks @{_word_of(r)}!"),
            lambda: ("message", "the password was reset"),
            lambda: ("message", "password: required"),
            lambda: ("error", "token: expired"),
            lambda: ("error", "a basic authentication header is missing"),
            lambda: ("plan", "basic"),
            lambda: ("message", f"copied {digits(9)} of {digits(10)} bytes"),
            lambda: ("input_tokens", str(r.randrange(9000))),
            lambda: ("path", f"/static/js/{hexa(20)}.chunk.js"),
            lambda: ("sku", f"{_pick(r, string.ascii_uppercase, 3)}-{digits(6)}-{digits(3)}"),
            lambda: ("message", f"ISBN 978-3-{digits(4)}-{digits(4)}-{r.randint(0, 9)}"),
            lambda: ("message", f"opening hours 09:00-17:30, room {digits(3)}"),
        )
    )()


def _harder(r: random.Random) -> tuple[str, str]:
    def digits(count: int) -> str:
        return _pick(r, "123456789", 1) + _pick(r, string.digits, count - 1)

    def hexa(count: int) -> str:
        return _pick(r, "0123456789abcdef", count)

    valid = _card(r, held_out=True)
    wrong = valid[:-1] + str((int(valid[-1]) + r.randint(1, 9)) % 10)
    return r.choice(
        (
            lambda: ("message", f"Bestellung {digits(10)} wurde versandt"),
            lambda: ("note", f"Rechnung Nr. {digits(4)}-{digits(5)}"),
            lambda: ("note", f"pedido nº {digits(9)}"),
            lambda: ("tracking_number", valid),
            lambda: ("transactionId", valid),
            lambda: ("message", f"parcel {_spaced(wrong, ' ')} is late"),
            lambda: ("message", f"snowflake 1{digits(17)}"),
            lambda: (
                "message",
                f"firmware {r.randint(1, 20)}.{r.randint(0, 250)}.{r.randint(0, 250)}.{r.randint(0, 250)} installed",
            ),
            lambda: ("message", f"requires numpy>={r.randint(1, 2)}.{r.randint(10, 30)}.{r.randint(0, 9)},<3"),
            lambda: ("etag", f'W/"{hexa(32)}"'),
            lambda: ("message", f"md5={hexa(32)} size={digits(8)}"),
            lambda: ("trace", hexa(32)),
            lambda: (
                "message",
                f"bounding box {r.uniform(0, 9):.5f} {r.uniform(10, 60):.5f} {r.uniform(0, 9):.5f} {r.uniform(10, 60):.5f}",
            ),
            lambda: ("note", f"{r.randint(1, 9)} {r.randint(100, 999)} {r.randint(100, 999)},{r.randint(10, 99)} zł"),
            lambda: ("note", f"Preis: {r.randint(1, 99)}.{r.randint(100, 999)}.{r.randint(100, 999)} €"),
            lambda: ("uid", uuid.UUID(int=r.getrandbits(128), version=4).hex),
            lambda: (
                "message",
                f"retry {r.randint(1, 9)}/10 in {digits(4)} ms (id={uuid.UUID(int=r.getrandbits(128), version=4)})",
            ),
            lambda: (
                "message",
                f"{r.randint(10, 28)}.0{r.randint(1, 9)}.2025 {r.randint(10, 23)}:{r.randint(10, 59)} Uhr",
            ),
            lambda: (
                "message",
                f"{r.randint(10, 12)}/{r.randint(10, 28)}/2025 - {r.randint(10, 12)}/{r.randint(10, 28)}/2026",
            ),
            lambda: ("message", f"week 2025-W{r.randint(10, 52)}-{r.randint(1, 7)}"),
            lambda: ("message", f"took {digits(7)} ns, {digits(8)} rows"),
            lambda: ("message", f"pid {digits(5)} exited with 137 after {digits(6)} s"),
            lambda: (
                "traceback",
                f'File "/srv/app/views.py", line {digits(3)}, in get\n    raise ValueError({digits(5)})',
            ),
            lambda: ("message", f"<Order object at 0x7f{hexa(10)}>"),
            lambda: ("link", f"https://cdn.example/a/{hexa(24)}/w_{digits(3)},h_{digits(3)}/img.png?v={digits(10)}"),
            lambda: ("message", f"::1 is up, {r.randint(1, 9)}:{r.randint(10, 59)} left"),
            lambda: ("message", f"score {r.randint(0, 9)}:{r.randint(0, 9)} ({r.randint(0, 9)}:{r.randint(0, 9)})"),
            lambda: ("message", f"EAN 40{digits(11)}"),
            lambda: ("message", f"batch {digits(6)}-{digits(4)}-{digits(2)}"),
            lambda: ("message", f"case #{digits(8)} closed"),
            lambda: ("message", f"seats {r.randint(10, 40)}A-{r.randint(10, 40)}F, gate {r.randint(1, 60)}"),
            lambda: ("message", "Your token has been used: please request a new one"),
            lambda: ("message", "secret: it gets better with butter"),
            lambda: ("message", "bearer shares are no longer issued; see basic principles"),
            lambda: ("message", "user@ is missing a domain, and so is @home"),
            lambda: ("message", f"ssh {_word_of(r)}@localhost failed"),
            lambda: (
                "message",
                f"pip install sk-learn-extra=={r.randint(0, 3)}.{r.randint(0, 9)} task-runner-framework-plugin",
            ),
            lambda: ("query", f"utm_source=news&utm_id={digits(9)}&page=2"),
            lambda: ("message", f"range 1{digits(6)}-1{digits(6)} reserved"),
            lambda: ("css", f"#{hexa(6)} 12px 1.5em rgba(12, 34, 56, 0.7{r.randint(1, 9)})"),
        )
    )()


def everything() -> Iterator[tuple[str, Line]]:
    """Every line with its half."""
    for half in HALVES:
        for line in corpus(half):
            yield half, line
