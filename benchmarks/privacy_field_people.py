"""The third part of the corpus: payment numbers and contact data of many countries."""

# ruff: noqa: E501, RUF001 - templates are read as lines, and written as people do

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import phonenumbers

from privacy_field import draw

if TYPE_CHECKING:
    import random

DIGITS: Final = string.digits

BRANDS: Final = (
    ("4", 16), ("4", 19), ("4539", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16), ("6011", 19), ("644", 16),
    ("65", 16), ("300", 14), ("305", 14), ("36", 14), ("38", 14), ("3528", 16), ("3589", 16), ("62", 16), ("62", 17), ("62", 18), ("62", 19), ("5018", 16), ("5020", 18),
    ("5893", 19), ("6304", 16), ("6304", 19), ("6759", 18), ("6763", 17), ("2200", 16), ("2204", 16), ("5019", 16), ("606282", 16), ("508500", 16), ("9792", 16), ("9860", 16), ("8600", 16), ("506099", 19), ("636297", 16),
)  # fmt: skip
"""What the numbers of a network begin with, and how long they are."""

GAPS: Final = (
    "",
    " ",
    "-",
    "\u00a0",
    "\u202f",
    "\u2009",
    "\u2011",
    "\u2013",
    "  ",
    " - ",
    "\u2007",
    "\u3000",
    ".",
    "_",
    "\u200b",
)

CARD_FRAMES: Final = (
    "{}",
    "Visa {} exp 04/29",
    "{} 04/29 737",
    "{};04/29;737",
    "tarjeta terminada: {} (rechazada)",
    "La carte {} a été refusée",
    "Kartennummer={}",
    "Kreditkarte {} wurde belastet.",
    "cartão {} recusado",
    "carta di credito {} scaduta",
    "кaрта {} отклонена",
    "カード番号 {} は使えません",
    "卡号{}已过期",
    "pls charge {} again",
    "<pan>{}</pan>",
    '{{"c":"{}","m":4}}',
    "card_no: {}, holder: X",
    "PAN={}&exp=0429",
    "https://pay.example/?n={}&amount=5",
    "%B{}^DOE/JOHN^2904101",
    ";{}=29041010000012300000?",
    "my card:{}",
    "[{}]",
    "from {} to savings",
)

CARD_KEYS: Final = (
    "card_number", "cardNumber", "Card-Number", "card.number", "creditCardNumber", "cc_number", "ccNumber", "cc-num", "ccnum", "debitCard", "card_no", "cardnum", "pan", "PAN", "payment.card.number",
    "kreditkartennummer", "numero_tarjeta", "numeroCarte", "kaart_nummer", "card",
)  # fmt: skip
CODE_KEYS: Final = ("cvv", "CVV2", "cvc", "card_cvc", "cardCvc", "csc", "card_security_code", "securityCode", "cvn")
IBAN_KEYS: Final = (
    "iban",
    "IBAN",
    "customerIban",
    "iban_number",
    "bankAccount",
    "bank_account_number",
    "account_number",
    "accountNumber",
    "kontonummer",
    "routing_number",
    "sort_code",
    "bic",
)

ACCOUNTS: Final = {
    "DE": "d18", "FR": "d10 a11 d2", "GB": "u4 d14", "NL": "u4 d10", "ES": "d20", "IT": "u1 d10 a12", "AT": "d16", "CH": "d5 a12", "PL": "d24", "BE": "d12",
    "SE": "d20", "NO": "d11", "DK": "d14", "FI": "d14", "IE": "u4 d14", "PT": "d21", "CZ": "d20", "HU": "d24", "RO": "u4 a16", "GR": "d7 a16", "TR": "d6 a16", "AE": "d19",
    "BR": "d23 u1 a1", "MT": "u4 d5 a18", "HR": "d17", "LT": "d16", "IL": "d19", "KZ": "d3 a13", "GE": "u2 d16", "LU": "d3 a13",
}  # fmt: skip

IBAN_FRAMES: Final = (
    "{}",
    "IBAN: {}",
    "Bitte auf {} überweisen",
    "virement vers {} effectué",
    "transferir a {}.",
    "bonifico su {} respinto",
    "przelew na {} odrzucony",
    "SEPA debit {} returned AC04",
    '{{"a":"{}"}}',
    "iban={}&ref=7",
    "<IBAN>{}</IBAN>",
    "({})",
    "перевод на {}",
    "振込先{}",
    "to {},from",
    "payto://iban/{}?amount=EUR:5",
)

MAILS: Final = (
    "maria.garcia@correo.example.es", "Bob.Smith+newsletter@mail.example.com", "x@y.example.co", "first-last@sub-domain.example.museum", "user_name@example.photography",
    '"john doe"@example.com', '"a.b"@example.org', "用户@例子.example", "δοκιμή@παράδειγμα.example", "müller@straße.example", "anna@xn--80ak6aa92e.com", "o'brien@example.ie",
    "a.b.c.d@e.f.g.example.net", "UPPER.CASE@EXAMPLE.DE", "1234567890@qq.example.com", "tag+with-dash_1@example.io", "s!def#x@example.com", "user%example.com@example.org", "marie-claire.d'arc@example.fr",
    "bob@example.com.", "jane@[192.0.2.10]", "peter@intranet.local", "иван@почта.рф",
)  # fmt: skip

MAIL_FRAMES: Final = (
    "{}",
    "Contact: {}",
    "mailto:{}?subject=Hi",
    "To: Bob <{}>, x",
    "<a href='mailto:{}'>mail</a>",
    "no such user {}",
    "duplicate key value violates unique constraint: Key (login)=({}) already exists.",
    "Benutzer „{}“ nicht gefunden",
    "l'adresse {} est inconnue",
    "el correo {} ya existe",
    "{} さん",
    "邮箱{}已注册",
    "SELECT * FROM users WHERE login='{}'",
    "/users/{}/orders",
    "https://app.example/u?who={}&x=1",
    "user:{}|plan:pro",
    "a={},b=2",
    '{{"to":["{}"]}}',
    "from={} rcpt=x",
    "{};ok",
    "[{}] signed in",
    "email={}",
)

MAIL_KEYS: Final = (
    "email",
    "Email",
    "e-mail",
    "eMail",
    "E_Mail_Address",
    "contactEmail",
    "billing_email",
    "email_1",
    "emailAddress",
    "recipient_email",
    "mail",
    "user mail",
    "correo",
    "courriel",
    "emails",
)
PHONE_KEYS: Final = (
    "phone",
    "Phone",
    "phone_number",
    "phoneNumber",
    "mobile",
    "mobile_no",
    "mobilePhone",
    "cell",
    "cellphone",
    "tel",
    "telephone",
    "home.phone",
    "contactPhone",
    "telefon",
    "Telefonnummer",
    "handynummer",
    "telefono",
    "whatsapp",
    "msisdn",
    "fax",
    "phone1",
    "phones",
)

COUNTRIES: Final = (
    "US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH", "IN", "BR", "AU", "JP", "SE", "PL", "PT", "DK", "NO", "CZ", "MX", "ZA", "KR", "TR", "AE", "SG", "GR", "UA", "IL", "CN", "RU",
)  # fmt: skip
KNOWN: Final = COUNTRIES[:13]
"""Those whose national ways of writing are looked for unless a policy names others."""

ABROAD_FRAMES: Final = (
    "{}",
    "call {}",
    "Rückruf unter {} erbeten",
    "appelez-moi au {} svp",
    "mi número es {}",
    "SMS an {} nicht zugestellt",
    "tel:{}",
    "sip:{};user=phone",
    "<tel>{}</tel>",
    '{{"t":"{}"}}',
    "https://wa.example/send?p={}&t=hi",
    "verify {}: code sent",
    "電話番号{}です",
    "звоните {}",
    "from={}, to=x",
    "({})",
    "User {} registered",
    "{} (Bob)",
    "line1\n{}\nline3",
)
NATIONAL_FRAMES: Final = (
    "Tel. {}",
    "phone {}",
    "call me on {} after 5",
    "Telefon: {}",
    "Mobil: {}",
    "tél : {}",
    "Teléfono: {}",
    "Cell: {}",
    "please ring {}",
    "mobile={}",
    "reach me: {}",
    "WhatsApp: {}.",
    "電話: {}",
    "Handynr. {}",
    "ph: {}",
    "telefoonnummer {}",
)


def check_digit(digits: str) -> str:
    """The digit that Luhn asks for behind others."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        twice = int(digit) * (2 - place % 2)
        total += twice // 10 + twice % 10
    return str(-total % 10)


def card(r: random.Random, prefix: str, length: int) -> str:
    """A number with a right check digit."""
    body = prefix + draw(r, DIGITS, length - len(prefix) - 1)
    return body + check_digit(body)


def grouped(digits: str, gap: str) -> str:
    """As it is printed."""
    sizes = {15: (4, 6, 5), 14: (4, 6, 4), 17: (4, 4, 4, 5), 18: (4, 4, 4, 6), 19: (4, 4, 4, 4, 3)}.get(
        len(digits), (4,) * 4
    )
    parts, at = [], 0
    for size in sizes:
        parts.append(digits[at : at + size])
        at += size
    return gap.join(parts)


def iban(r: random.Random, country: str) -> str:
    """An account number with right check digits."""
    kinds = {"d": DIGITS, "u": string.ascii_uppercase, "a": DIGITS * 3 + string.ascii_uppercase}
    account = "".join(draw(r, kinds[part[0]], int(part[1:])) for part in ACCOUNTS[country].split())
    number = int("".join(str(int(each, 36)) for each in account + country + "00"))
    return f"{country}{98 - number % 97:02d}{account}"


def payment(r: random.Random) -> list[tuple[str, str, str]]:
    """All lines that hold a payment number: key, text, what is in it."""
    found = []

    def add(frame: str, value: str, key: str = "") -> None:
        text = frame.replace("{{", "{").replace("}}", "}").replace("{}", value)
        found.append((key or r.choice(["message", "note", "reason", "memo"]), text, value))

    for place, (prefix, length) in enumerate(BRANDS):
        add(CARD_FRAMES[place % len(CARD_FRAMES)], card(r, prefix, length))
        gap = GAPS[place % len(GAPS)]
        add(r.choice(CARD_FRAMES[:17]), grouped(card(r, prefix, length), gap))
    for key in CARD_KEYS:
        add("{}", r.choice([grouped(card(r, "4", 16), " "), card(r, "51", 16)]), key)
    for key in CODE_KEYS:
        add("{}", draw(r, "123456789", 3), key)
    for key in IBAN_KEYS:
        add("{}", draw(r, "123456789", 8), key)
    for place, country in enumerate(ACCOUNTS):
        for which in range(2):
            value = iban(r, country)
            form = (place + which * 7) % 6
            if form in {1, 3, 4}:
                gap = {1: " ", 3: "\u00a0", 4: "-"}[form]
                value = gap.join(value[at : at + 4] for at in range(0, len(value), 4))
            if form in {2, 3}:
                value = value.lower()
            add(r.choice(IBAN_FRAMES), value)
    return found


def phone(r: random.Random, country: str, form: int) -> str:
    """A number of a country in one of the written forms."""
    kind = r.choice([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE])
    example = phonenumbers.example_number_for_type(country, kind)
    assert example is not None
    tail = 10 ** r.randint(2, 4)
    for _ in range(40):
        number = phonenumbers.PhoneNumber(
            country_code=example.country_code,
            national_number=example.national_number // tail * tail + r.randrange(tail),
            italian_leading_zero=example.italian_leading_zero,
        )
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, form)
    return phonenumbers.format_number(example, form)


def contact(r: random.Random) -> list[tuple[str, str, str]]:
    """All lines that hold contact data: key, text, what is in it."""
    found = []
    forms = phonenumbers.PhoneNumberFormat

    def add(frame: str, value: str, key: str = "") -> None:
        text = frame.replace("{{", "{").replace("}}", "}").replace("{}", value)
        found.append((key or r.choice(["message", "note", "comment", "title"]), text, value))

    for place, mail in enumerate(MAILS):
        for which in range(3):
            add(MAIL_FRAMES[(place * 3 + which * 5) % len(MAIL_FRAMES)], mail)
    for mail in ("ana.diaz+x@example.pt", "li@example.cn", "q.r@example.travel"):
        add("/go?u={}", quote(mail, safe=""))
        add("https://a.example/?next=%2Flogin%3Fe%3D{}", quote(quote(mail, safe=""), safe=""))
    for key in MAIL_KEYS:
        add("{}", r.choice(MAILS[:4]), key)
    for country in COUNTRIES:
        international = phone(r, country, forms.INTERNATIONAL)
        add(r.choice(ABROAD_FRAMES), international)
        add(r.choice(ABROAD_FRAMES), phone(r, country, forms.E164))
        written = r.choice(["-", ".", "\u00a0", "\u2011", "\u2009", "\u2007", "/"])
        add(r.choice(ABROAD_FRAMES[:12]), phone(r, country, forms.INTERNATIONAL).replace(" ", written))
        add(r.choice(ABROAD_FRAMES[:7]), "00" + phone(r, country, forms.E164)[1:])
        code, _, rest = international.partition(" ")
        add(
            r.choice(ABROAD_FRAMES[:6]),
            f"{code} (0) {rest}" if country in {"GB", "DE", "FR", "AT", "CH", "NL"} else f"({code}) {rest}",
        )
    for country in KNOWN:
        for _ in range(3):
            add(r.choice(NATIONAL_FRAMES), phone(r, country, forms.NATIONAL))
    for key in PHONE_KEYS:
        add("{}", phone(r, r.choice(KNOWN), r.choice([forms.NATIONAL, forms.E164])), key)
    return found
