"""Tests for footspan.processors.redaction."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan import _guard
from footspan import conventions as c
from footspan.emit import Draft
from footspan.processors.redaction import MARKER, MARKS, Redactor

SECRET, CONTACT, PAYMENT = MARKS["secret"], MARKS["contact"], MARKS["payment"]


def draft(attributes: Mapping[str, Any], *, name: str = "thing.done", body: Any = None) -> Draft:
    """A draft with these attributes."""
    return Draft(name, 1, 1, dict(attributes), body)


def redacted(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are left after redaction."""
    subject = draft(attributes)
    Redactor()(subject)
    return subject.attributes


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "userPassword",
        "user_password",
        "USER-PASSWORD",
        "X-Api-Key",
        "api_key",
        "client.secret",
        "http.request.header.authorization",
        "cookie",
        "access_token",
        "csrfToken",
        "card_number",
        "cvv",
        "cvc",
        "pin",
        "IBAN",
        "contact_email",
        "customerEmail",
        "phone",
        "mobile",
        "privateKey",
        "card_cvc",
        "userPin",
        "user.ssn",
        "OTP",
        "smsOTPCode",
        "pass",
        "passcode",
        "db_credentials",
    ],
)
def test_denied_keys_lose_their_values(key: str) -> None:
    """A value under a key that names a secret is replaced, however the key is spelt."""
    (value, *listed) = redacted({key: "hunter2"}).values()
    assert value in MARKS.values()
    assert listed == [[key]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("order_id", "A-10042"),
        ("token_count", 12),
        ("input_tokens", 731),
        ("spinner", "on"),
        ("shipping", "air"),
        ("opinion", "good"),
        ("pass_rate", 0.9),
        ("company", "Pan & Sons"),
        ("email_verified", True),
        ("author", "Ada"),
        ("uid", "0190a6f0-7e3a-7c5e-9d61-3b7b6c1f6f11"),
        ("note", "3 @ 5 each"),
        ("handle", "@ada"),
        ("price", 9.99),
        ("link", "https://shop.example/cart?item=3&page=2"),
        ("empty", None),
    ],
)
def test_innocent_values_pass(key: str, value: Any) -> None:
    """What gives nobody away is left as it is, and nothing is listed as redacted."""
    assert redacted({key: value}) == {key: value}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to bob@example.com", f"write to {CONTACT}"),
        ("<Bob.O+tag@mail.example.co.uk>, soon", f"<{CONTACT}>, soon"),
        ("a@b.de and c@d.fr", f"{CONTACT} and {CONTACT}"),
        ("bob%40example.com", CONTACT),
        ("müller@bücher.example", CONTACT),
        ("https://ada:pw@db.example/x", f"https://{SECRET}@db.example/x"),
        ("https://x.example/?q=1&token=abc&z=2", f"https://x.example/?q=1&token={SECRET}&z=2"),
        ("https://x.example/#access_token=abc", f"https://x.example/#access_token={SECRET}"),
        ("x" * 200 + "bob@example.com", "x" * 139 + CONTACT),
    ],
)
def test_personal_values_are_cut_out_of_text(text: str, clean: str) -> None:
    """E-mail addresses and credentials in URLs are cut out of free text; the rest stays."""
    assert redacted({"note": text})["note"] == clean


def test_nested_values_are_examined() -> None:
    """Secrets are found at any depth, in mappings, lists and objects' texts, and listed by path."""

    class Customer:
        def __str__(self) -> str:
            return "Customer bob@example.com"

    clean = redacted({"cart": {"items": [{"sku": "x", "coupon": {"secret": "s3"}}], "who": Customer()}})

    assert clean["cart"] == {
        "items": [{"sku": "x", "coupon": {"secret": SECRET}}],
        "who": f"Customer {CONTACT}",
    }
    assert clean[c.REDACTED] == ["cart.items.coupon.secret", "cart.who"]


def test_fields_of_dataclasses_are_examined_by_name() -> None:
    """A password in a dataclass is under its name, as it is in a mapping."""

    @dataclass
    class Account:
        user: str
        password: str

    assert redacted({"account": Account("ada", "hunter2")})["account"] == {"user": "ada", "password": SECRET}


def test_what_another_process_redacted_stays_listed() -> None:
    """An event that was cleaned before keeps its list, and gains what is cleaned here."""
    clean = redacted({c.REDACTED: ["password"], "password": SECRET, "token": "t"})

    assert clean[c.REDACTED] == ["password", "token"]


def test_url_queries_are_examined_without_a_scheme() -> None:
    """The attribute that holds a bare query string is read as one."""
    assert redacted({c.URL_QUERY: "utm_source=x&api_key=k1"})[c.URL_QUERY] == f"utm_source=x&api_key={SECRET}"


def test_identity_given_through_the_api_passes() -> None:
    """Identity has attributes of its own, and those pass."""
    identity = {c.USER_ID: "bob@example.com", c.USER_EMAIL: "bob@example.com", c.CLIENT_ADDRESS: "203.0.113.9"}

    assert redacted(identity) == identity


def test_body_and_name_are_examined() -> None:
    """The body is redacted like a property, and an address in an event's name is cut out."""
    subject = draft({}, name="mail.bob@example.com", body={"password": "x", "ok": 1})
    Redactor()(subject)

    assert subject.body == {"password": SECRET, "ok": 1}
    assert CONTACT in subject.name
    assert "bob" not in subject.name


def test_keys_that_are_addresses_are_cut() -> None:
    """A key can be somebody's address too; neither it nor its listing shows it."""
    clean = redacted({"bob@example.com": "x", "seen": {"eve@example.com": 1}})

    assert "@" not in repr(clean)


def test_bytes_are_examined() -> None:
    """Bytes that hold an address go whole."""
    assert redacted({"raw": b"to bob@example.com", "blob": b"\x00\xff"})["raw"] == MARKER
    assert redacted({"blob": b"\x00\xff"})["blob"] == b"\x00\xff"


def test_a_value_that_cannot_be_examined_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """When examining a value fails, the value is replaced and the failure is counted."""
    counted: list[str] = []
    redactor = Redactor(counted.append)
    _guard.reraise_in_tests(False)

    def broken(*_: Any) -> Any:
        raise RuntimeError("secret in the message")

    monkeypatch.setattr(redactor, "_string", broken)
    subject = draft({"note": "anything", "n": 1})
    redactor(subject)

    assert subject.attributes == {"note": MARKER, "n": 1, c.REDACTED: ["note"]}
    assert counted == ["redaction_failed"]


def test_hostile_mappings_have_an_outcome() -> None:
    """A mapping that raises while it is read is replaced by something without its content."""

    class Hostile(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            raise ValueError("hunter2")

        def __iter__(self) -> Iterator[str]:
            return iter(["password"])

        def __len__(self) -> int:
            return 1

    assert "hunter2" not in repr(redacted({"m": Hostile()}))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_total_and_idempotent(value: Any) -> None:
    """Redaction takes anything, and a second pass changes nothing more."""
    once = redacted({"value": value})
    twice = redacted(once)

    assert repr(twice) == repr(once)


@given(st.text(), st.text(), st.from_regex(r"[a-z]{1,20}\.[a-z0-9]{1,10}", fullmatch=True))
def test_no_address_survives_in_any_text(before: str, after: str, local: str) -> None:
    """Whatever stands around it, an e-mail address does not survive."""
    address = f"{local}@mail.example.com"

    assert address not in redacted({"note": f"{before}{address}{after}"})["note"]


@pytest.mark.parametrize(
    ("unit", "end"),
    [("a", "@"), ("@", ""), ("a@", ""), ("a@a.", ""), ("?a=", ""), ("a-", "@x."), ("%40", ""), ("://a", "@")],
)
def test_attack_strings_take_linear_time(unit: str, end: str) -> None:
    """No input makes the patterns backtrack: sixteen times the text stays far from 256 times the work."""
    redactor = Redactor()

    def work(count: int) -> float:
        text = unit * count + end
        start = time.thread_time()  # of this thread alone: other load on the machine does not count
        redactor(draft({"note": text, c.URL_FULL: "https://x.example/" + text}))
        return time.thread_time() - start

    small = min(work(4_000) for _ in range(5))
    assert min(work(64_000) for _ in range(3)) < max(small, 0.0005) * 100


@pytest.mark.parametrize(
    "attributes",
    [
        {c.USER_ID: {"password": "hunter2"}},
        {c.USER_AGENT_ORIGINAL: [{"token": "hunter2"}]},
        {"headers": [("Authorization", "hunter2"), ["Cookie", ["hunter2"]], (b"X-Api-Key", b"hunter2")]},
        {b"pin": "hunter2"},
    ],
)
def test_secrets_have_no_hiding_place(attributes: dict[Any, Any]) -> None:
    """Identity passes as a text, not as a mapping; pairs are read as a mapping is; a key counts by what is written."""
    assert "hunter2" not in repr(redacted(attributes))


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/?next=https://b.example/?token=hunter2",
        "https://a.example/?next=https%3A%2F%2Fb.example%2F%3Ftoken%3Dhunter2&x=1",
        "https://a.example/?to%6ben=hunter2",
        "/reset?token=hunter2",
        "https://bob:p@hunter2@a.example/",
        "postgres://bob:p/hunter2@a.example/db",
    ],
)
def test_secrets_in_addresses_of_any_form_are_cut(text: str) -> None:
    """Nested addresses, percent codes, no host, an @ or a slash in a password; again changes nothing."""
    subject = draft({"link": text}, name=text)
    Redactor()(subject)
    shown = (subject.name, subject.attributes["link"])
    Redactor()(subject)

    assert "hunter2" not in repr(shown)
    assert (subject.name, subject.attributes["link"]) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example:8080/list?page=2&next=/x?y=1",
        'see "https://a.example" or https://b.example:80/@you',
        "50% of 3? a=b",
        "https://a.example/?next=%2Flist%3Fpage%3D2",
    ],
)
def test_innocent_addresses_stay_as_they_are(text: str) -> None:
    """Ports, nested addresses and percent signs alone are nobody's secret."""
    assert redacted({"link": text}) == {"link": text}


def test_keys_of_other_types_and_the_severity_are_examined() -> None:
    """What becomes text when it is written is examined as that text; so is an address that was encoded twice."""

    class Text(str):
        __slots__ = ()

    odd: dict[Any, Any] = {Text("bob@example.com"): 1, b"bob@example.com ": 2, c.REDACTED: ["bob@example.com"]}
    subject = draft(odd)
    subject.attributes["link"] = "https://a.example/?m=bob%2540example.com"
    subject.severity_text = "bob@example.com"
    Redactor()(subject)

    assert "bob" not in repr((subject.attributes, subject.severity_text))
