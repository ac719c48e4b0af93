"""Ways of writing that a rule has to know: signs, wrappers, options, elements, pairs, look-alikes, other digits."""

from __future__ import annotations

from typing import Any

import pytest

from footspan.privacy import Cleaner
from footspan.privacy.keys import plainly, tells_about


def clean(text: Any, key: str = "note") -> Any:
    """What the default policy leaves."""
    return Cleaner().guarded(key, text, [], key)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("got password=b'hunter2x'", "got password=b'[secret]'"),
        ("Form(a=1, password=SecretStr('hunter2x'))", "Form(a=1, password=SecretStr('[secret]'))"),
        ('password := "hunter2x"', 'password := "[secret]"'),
        ("[password] => hunter2x", "[password] => [secret]"),
        ("mot de passe : hunter2x", "mot de passe : [secret]"),
        ("\u5bc6\u7801\uff1ahunter2x", "\u5bc6\u7801\uff1a[secret]"),
        ("<password>hunter</password>", "<password>[secret]</password>"),
        ("<a:apiKey type='x'>hunter</a:apiKey>", "<a:apiKey type='x'>[secret]</a:apiKey>"),
        ("- name: API_TOKEN\n  value: hunter\n", "- name: API_TOKEN\n  value: [secret]\n"),
        ('<add key="ApiKey" value="hunter" />', '<add key="ApiKey" value="[secret]" />'),
        ("[('a', 'b'), ('x-api-key', 'hunter2x')]", "[('a', 'b'), ('x-api-key', '[secret]')]"),
        ("run --password hunter2x --fast", "run --password [secret] --fast"),
        ("curl -u bob:hunter2x https://a.example", "curl -u [secret] https://a.example"),
        ("my password is hunter2x, help", "my password is [secret], help"),
        ("Mein Passwort lautet hunter$x und", "Mein Passwort lautet [secret] und"),
        ("ALTER USER app WITH PASSWORD 'hunter2x'", "ALTER USER app WITH PASSWORD '[secret]'"),
        ("mobile=0171 2345678", "mobile=[contact]"),
        ("-----BEGIN%20PRIVATE%20KEY-----%0AMIIE%0A-----END%20PRIVATE%20KEY----- ok", "[secret] ok"),
        ("PuTTY-User-Key-File-3: x\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: 00ff\nok", "[secret]\nok"),
        ("acme_live_Zk4T9sPq2LmX7vB1nR6wC3yD8fG5hJ0aE2uQ", "[secret]"),
    ],
)
def test_the_value_is_found_and_the_rest_stays(text: str, left: str) -> None:
    """However the name and the value are joined."""
    assert clean(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "the password is required",
        "--password must be given",
        "['password', 'confirm']",
        "<password>required</password>",
        "password reset",
        "unexpected token: ')' (line 3)",
        "docker run -u 1000:1000 app",
        "counts: 312 873 9757",
        "valid until 04/29 737",
        "sha512-Zk4T9sPq2LmX7vB1nR6wC3yD8fG5hJ0aE2uQZk4T9sPq",
    ],
)
def test_words_stay(text: str) -> None:
    """What only speaks of such a value."""
    assert clean(text) == text


@pytest.mark.parametrize(
    "digits",
    [
        "4111\u200b1111\u200b1111\u200b1111",
        "41\u200b11 1111 1111 1111",
        "\u202e4111\u202c 1111 1111 1111",
        "4111\u30001111\u30001111\u30001111",
        "4111 - 1111 - 1111 - 1111",
        "4111_1111_1111_1111",
        "\uff14\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11",
        "\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
        "+49\u200730\u20071234567",
        "+39\u2009312\u2009345\u20096745",
        "\uff0b\uff14\uff19 \uff13\uff10 \uff11\uff12\uff13\uff14\uff15\uff16\uff17",
    ],
)
def test_digits_are_digits_in_every_script(digits: str) -> None:
    """Wide ones, Arabic ones, with unseen characters and other spaces between."""
    left = clean(f"from {digits} on")
    assert not any(each.isdecimal() for each in left), left


@pytest.mark.parametrize(
    "key",
    [
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
        "p\u0430ssw\u043erd",
        "pass\u200bword",
        "pass\u00adword",
        "\U0001d429\U0001d41a\U0001d42c\U0001d42c\U0001d430\U0001d428\U0001d42b\U0001d41d",
        "pAsSwOrD",
        "\u202epassword",
        "pass\x00word",
    ],
)
def test_a_key_is_read_as_it_looks(key: str) -> None:
    """Wide, styled and look-alike letters, and those that nobody sees."""
    assert clean("hunter", key) == "[secret]"
    assert clean({key: "hunter"}) == {key: "[secret]"}
    assert "hunter2x" not in clean(f"{key}=hunter2x")


def test_words_of_other_scripts_are_their_own() -> None:
    """Only among Latin letters is a look-alike one."""
    assert plainly("\u043f\u0430\u0440\u043e\u043b\u044c") == "\u043f\u0430\u0440\u043e\u043b\u044c"


@pytest.mark.parametrize(
    "key",
    [
        "password_length",
        "passwordStrength",
        "has_password",
        "is_mobile",
        "cookie_consent",
        "api_key_id",
        "card_number_valid",
        "PASSWORD_RESET_AT",
        "secretary",
        "microphone",
        "email_count",
    ],
)
def test_what_is_about_it_is_not_it(key: str) -> None:
    """Such keys hold lengths, times and answers. What their values show by themselves goes all the same."""
    assert clean("12", key) == "12"
    assert clean("bob@example.com", key) == "[contact]"


def test_what_ends_with_such_a_word_alone_is_no_such_key() -> None:
    """One word is not about another."""
    assert not tells_about("password")
    assert not tells_about("type")
    assert clean("hunter", "secret_id") == "[secret]"


def test_what_was_cut_is_not_cut_again() -> None:
    """Whatever stands for a value, in whichever form."""
    for text in ("--password [secret] --x", "name: token\nvalue: [secret]", "[secret]: hello"):
        assert clean(text) == text


def test_a_name_beside_a_value_names_it() -> None:
    """As in manifests, archives of requests and forms."""
    value = [{"name": "API_TOKEN", "value": "hunter"}, {"key": "colour", "value": "red"}]
    assert clean(value) == [{"name": "API_TOKEN", "value": "[secret]"}, {"key": "colour", "value": "red"}]


@pytest.mark.parametrize(
    "mail", ["marie-claire.d'arc@example.fr", '"john doe"@example.com', "jane@[192.0.2.10]", "a@b.example"]
)
def test_a_mail_address_goes_as_a_whole(mail: str) -> None:
    """Nothing of the name before the sign stays."""
    assert clean(f"to {mail} now") == "to [contact] now"
    assert clean(f"login='{mail}'") == "login='[contact]'"
