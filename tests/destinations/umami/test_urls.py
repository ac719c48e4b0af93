"""Page addresses, referrers and host names: always parsable, never over a column."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.destinations.umami.urls import CAMPAIGN, host_name, page_address, referrer


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("shop.example", "shop.example"),
        ("SHOP.Example.", "shop.example"),
        (" shop.example:8000 ", "shop.example"),
        ("localhost", "localhost"),
        ("my_host-1.internal", "my_host-1.internal"),
        ("192.0.2.7", "192.0.2.7"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("h" * 60 + "." + "h" * 39, "h" * 60 + "." + "h" * 39),
        ("h" * 60 + "." + "h" * 40, ""),
        ("exa mple", ""),
        ("", ""),
        ("-a.example", ""),
        ("a..b", ""),
        ("999.1.1.1", ""),
        ("shop.1", ""),
        ("shop.0x1f", ""),
        ("::1", ""),
        ("[::1]:80", ""),
        ("a/b", ""),
        ("user@host", ""),
        ("xn--a", ""),
        ("a%20b", ""),
    ],
)
def test_only_host_names_that_parse_are_reported(value: str, host: str) -> None:
    """An invalid one is a 500 in Umami, which uses it as the base of every address."""
    assert host == host_name(value)


def test_a_full_address_becomes_path_query_and_host() -> None:
    """As Umami stores it: the host in its own field."""
    assert page_address("https://u:p@Shop.Example:8443/a/b?x=1&y=2#top", "", "", {}) == (
        "/a/b?x=1&y=2#top",
        "shop.example",
    )
    assert page_address("https://shop.example", "", "", {}) == ("/", "shop.example")


def test_path_and_query_stand_in_for_a_full_address() -> None:
    """Server spans have these two; a question mark in the query is tolerated."""
    assert page_address("", "/a", "x=1", {}) == ("/a?x=1", "")
    assert page_address("", "/a", "?x=1", {}) == ("/a?x=1", "")
    assert page_address("", "/a?x=1", "", {}) == ("/a?x=1", "")
    assert page_address("", "", "", {}) == ("", "")


def test_campaign_attributes_go_through_the_query() -> None:
    """There is no other way to set them; the event's own word wins over the address's."""
    address, _ = page_address("https://s.example/?utm_source=old&x=1", "", "", {"utm_source": "n&w", "gclid": "g"})
    assert address == "/?utm_source=n%26w&x=1&gclid=g"
    assert page_address("", "", "", {"utm_source": "news"}) == ("/?utm_source=news", "")


def test_campaign_values_are_cut_to_their_columns() -> None:
    """256 characters are a 500 with nothing but the session stored; an escaped name counts as well."""
    long = "u" * 300
    for query in (f"utm_source={long}", f"utm%5Fsource={long}", f"fbclid={long}"):
        address, _ = page_address("", "/", query, {})
        assert all(values == ["u" * 255] for values in parse_qs(urlsplit(address).query).values())
    address, _ = page_address("", "/", "", {"utm_term": "\u00fc" * 300})
    assert parse_qs(urlsplit(address).query) == {"utm_term": ["\u00fc" * 255]}


def test_a_long_query_gives_up_other_parameters_first() -> None:
    """What is stored of a query is 500 characters; campaign parameters are read before that."""
    query = "&".join(f"p{number}={'v' * 90}" for number in range(9))
    address, _ = page_address("", "/", query, {"utm_source": "news"})
    stored = urlsplit(address).query
    assert len(stored) <= 500
    assert parse_qs(stored)["utm_source"] == ["news"]
    assert parse_qs(stored)["p0"] == ["v" * 90]


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("//evil.example/x", "/evil.example/x"),
        ("/\\evil", "/%5Cevil"),
        ("a b", "/a%20b"),
        ("/caf\u00e9", "/caf%C3%A9"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/a%00b", "/ab"),
        ("/a%%0000b", "/ab"),
        ("/a\0b", "/ab"),
    ],
)
def test_paths_stay_paths(path: str, address: str) -> None:
    """Two slashes would name a host; an escaped NUL would be decoded and refused by the database."""
    assert (address, "") == page_address("", path, "", {})


def test_a_cut_path_ends_before_an_escape() -> None:
    """Half an escape is none."""
    address, _ = page_address("", "/" + "a" * 498 + "\u00e9", "", {})
    assert address == "/" + "a" * 498


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("https://www.google.com/search?q=a b", "https://www.google.com/search?q=a%20b"),
        ("https://user:pass@site.example/", "https://site.example/"),
        ("http://site.example:8080", "http://site.example/"),
        ("android-app://com.google.android.gm/", "android-app://com.google.android.gm/"),
        ("/prev?y=2", "/prev?y=2"),
        ("about:blank", ""),
        ("not an address", ""),
        ("https://exa mple/", ""),
        ("https://[bad/", ""),
        ("", ""),
    ],
)
def test_referrers_that_do_not_parse_are_left_out(value: str, sent: str) -> None:
    """A 400 for a referrer would cost the whole event; a password in one is nobody's business."""
    assert sent == referrer(value)


@given(
    st.text(max_size=800),
    st.text(max_size=800),
    st.text(max_size=800),
    st.dictionaries(st.sampled_from(sorted(CAMPAIGN.values())), st.text(min_size=1, max_size=400)),
)
def test_any_address_is_printable_ascii_and_bounded(full: str, path: str, query: str, campaign: dict[str, str]) -> None:
    """Whatever the parts are, what leaves is one path with a query that every URL parser takes."""
    for first in ("", full, f"https://shop.example/{full}"):
        address, _ = page_address(first, path, query, campaign)
        assert address == "" or address.startswith("/")
        assert not address.startswith("//")
        assert address.isascii()
        assert not any(character <= " " or character in '"<>\\^`{|}\x7f' for character in address)
        assert "%00" not in address
    assert referrer(full).isascii()
