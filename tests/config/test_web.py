"""Kinds of values that go on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.config.kinds import BadValueError
from footspan.config.web import HEADERS, REQUEST_PATH, SECRET, url

WHOLE = url(instead="Use `headers`.")
BASE = url(instead="Use `headers`.", base=True)


@pytest.mark.parametrize(
    ("text", "base", "whole"),
    [
        ("http://localhost:4318", "http://localhost:4318", "http://localhost:4318"),
        ("HTTPS://Host.example/", "https://host.example", "https://host.example/"),
        (" https://h/a/?q=1 ", "https://h/a?q=1", "https://h/a/?q=1"),
        ("http://[::1]:3000/p", "http://[::1]:3000/p", "http://[::1]:3000/p"),
    ],
)
def test_addresses(text: str, base: str, whole: str) -> None:
    """One place has one spelling; a query stays; a slash at the end counts only in a whole address."""
    assert BASE.read(text) == base
    assert WHOLE.read(text) == whole


@pytest.mark.parametrize(
    "value",
    [
        "",
        "localhost:4318",
        "//host",
        "ftp://host",
        "https://",
        "http://:80",
        "http://h:99999",
        "http://h:x",
        "http://h:0",
        "http://[::1",
        "http://a b",
        "http://a\nb",
        "http://h/#part",
        "http://h/\udcff",
        5,
        None,
        ["http://h"],
    ],
)
def test_no_addresses(value: object) -> None:
    """An address has a scheme, a host and nothing that could not be sent."""
    with pytest.raises(BadValueError, match=r"Write an address|Leave the # part out"):
        WHOLE.read(value)


@pytest.mark.parametrize("text", ["https://user:pw@h/", "https://token@h", "https://@h"])
def test_no_credentials_in_addresses(text: str) -> None:
    """An address with credentials is refused with the place they belong."""
    with pytest.raises(BadValueError) as caught:
        BASE.read(text)
    assert caught.value.fix == "Use `headers`."
    assert "pw" not in str(caught.value)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize("text", ["/api/send", "/"])
def test_request_paths(text: str) -> None:
    """A path starts at the root."""
    assert REQUEST_PATH.read(text) == text


@pytest.mark.parametrize("text", ["api/send", "//host/x", "/a b", "/a?b", "/a#b", "", 5])
def test_no_request_paths(text: object) -> None:
    """Nothing that would change the host or start a query."""
    with pytest.raises(BadValueError):
        REQUEST_PATH.read(text)


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        ("X-Key=a%20b", {"x-key": "a b"}),
        ("authorization=Basic dTpw==, b = c ,", {"authorization": "Basic dTpw==", "b": "c"}),
        ("a=1%2C2,A=3", {"a": "3"}),
        ("a=", {"a": ""}),
        ("", {}),
        ({"X-Key": "a%20b"}, {"x-key": "a%20b"}),
        ({"X-Name": "Zoë"}, {"x-name": "Zoë"}),
    ],
)
def test_headers(value: object, headers: dict[str, str]) -> None:
    """A mapping as it is, or pairs with percent-encoding; names do not depend on case."""
    assert HEADERS.read(value) == headers


@pytest.mark.parametrize(
    "value",
    [
        "authorization: Bearer s3cret",
        "s3cret",
        "a b=s3cret",
        "=s3cret",
        "a=s3cret%0d%0ax: y",
        {"a": "s3cret\r\nx: y"},
        {"a": 5},
        {"a": "s3cret€"},
        {5: "s3cret"},
        ["a=s3cret"],
        5,
    ],
)
def test_no_headers(value: object) -> None:
    """What would break a request is refused, and nothing of it is quoted."""
    with pytest.raises(BadValueError) as caught:
        HEADERS.read(value)
    assert "s3cret" not in str(caught.value)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), st.text(max_size=20)))
def test_headers_never_carry_a_line_break(headers: dict[str, str]) -> None:
    """Whatever is accepted fits one line of a request."""
    try:
        read = HEADERS.read(headers)
    except BadValueError:
        return
    for name, content in read.items():
        assert f"{name}: {content}".encode("latin-1").count(b"\n") == 0
        assert "\r" not in content


@pytest.mark.parametrize("value", ["", " ", "two words", "a\nb", "schlüssel", 5, None])
def test_no_keys(value: object) -> None:
    """A key is one word of visible ASCII."""
    with pytest.raises(BadValueError) as caught:
        SECRET.read(value)
    assert "words" not in str(caught.value)
