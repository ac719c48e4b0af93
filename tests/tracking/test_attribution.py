"""Tests for footspan.tracking.attribution: how a visitor came, from any address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan import conventions as c
from footspan.tracking.attribution import (
    MAX_VALUE,
    as_first_touch,
    attribution_of,
    host_of,
    is_touch,
)

SHOP = "https://shop.example/"


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/p?utm_source=news&utm_medium=email&gclid=g1#top",
        "/p?utm_source=news&utm_medium=email&gclid=g1",
        "p?utm_source=news&utm_medium=email&gclid=g1",
        "?utm_source=news&utm_medium=email&gclid=g1",
        "utm_source=news&utm_medium=email&gclid=g1",
        "HTTPS://SHOP.example/?UTM_Source=news&utm%5Fmedium=email&gclid=g1",
        "//shop.example?utm_source=news&utm_medium=email&gclid=g1",
        "a=b?c&utm_source=news&utm_medium=email&gclid=g1",
        "?next=https://x.example/?q&utm_source=news&utm_medium=email&gclid=g1",
    ],
)
def test_parameters_are_read_from_any_part_of_an_address(url: str) -> None:
    """Whole, from the path on, or the query alone."""
    found = attribution_of(url)

    assert found == {
        "footspan.utm.source": "news",
        "footspan.utm.medium": "email",
        "footspan.click_id.gclid": "g1",
        "footspan.referrer.class": "paid",
    }


def test_every_campaign_field_and_click_id_is_read() -> None:
    """All of them, under the attribute names of the conventions."""
    names = [name for name in c.TOUCHES if name.startswith("utm") or name in c.CLICK_ID_FIELDS]
    found = attribution_of(SHOP + "?" + "&".join(f"{name}=v_{name}" for name in names))

    assert {c.ALIASES[name]: f"v_{name}" for name in names} == {
        key: value for key, value in found.items() if key != c.REFERRER_CLASS
    }
    assert len(names) == 11


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("utm_source=a&utm_source=b", "a"),
        ("utm_source=&utm_source=b", "b"),
        ("utm_source=%20&utm_source=b", "b"),
        ("utm_source=a+b%20c", "a b c"),
        ("utm_source=100%", "100%"),
        ("utm_source=%zz%4", "%zz%4"),
        ("utm_source=%ff%fe", "\ufffd\ufffd"),
        ("utm_source=caf%C3%A9", "café"),
        ("utm_source=a%00b%0d%0ac", "abc"),
        ("utm_source=a=b", "a=b"),
        ("x=1;utm_source=a&utm_source=b", "b"),
    ],
)
def test_values_are_read_as_browsers_write_them(query: str, value: str) -> None:
    """The first that says something counts; broken encodings stay readable; no control character survives."""
    assert value == attribution_of(f"/?{query}")["footspan.utm.source"]


def test_what_is_no_parameter_is_not_read() -> None:
    """Neither what stands in the path or behind the ``#``, nor a name without a value."""
    assert attribution_of("https://x.example/utm_source=a/#utm_source=b") == {c.REFERRER_CLASS: "direct"}
    assert attribution_of("/?utm_source&utm_source=") == {c.REFERRER_CLASS: "direct"}
    assert attribution_of("/?xutm_source=a&utm_sourcex=b") == {c.REFERRER_CLASS: "direct"}


def test_very_long_values_are_cut() -> None:
    """255 characters, counted after decoding."""
    plain = attribution_of("/?utm_source=" + "x" * 5000)["footspan.utm.source"]
    encoded = attribution_of("/?utm_source=" + "%F0%9F%98%80" * 400)["footspan.utm.source"]

    assert plain == "x" * MAX_VALUE
    assert encoded == "\U0001f600" * MAX_VALUE


def test_a_flood_of_parameters_costs_little_and_hides_none_of_the_first() -> None:
    """What comes first is read; the rest of a flood is not looked at."""
    flood = "&".join(f"a{number}=1" for number in range(5000))

    assert attribution_of(f"/?utm_source=a&{flood}")["footspan.utm.source"] == "a"
    assert "footspan.utm.source" not in attribution_of(f"/?{flood}&utm_source=a")


@given(st.text() | st.binary() | st.none() | st.integers(), st.text() | st.none() | st.floats())
def test_hostile_input_never_raises(url: object, referrer: object) -> None:
    """Whatever comes: there is a class, and every value is a short text without control characters."""
    found = attribution_of(url, referrer)  # type: ignore[arg-type] # hostile

    assert found[c.REFERRER_CLASS] in {"search", "social", "email", "paid", "direct", "internal", "referral"}
    assert {type(value) for value in found.values()} == {str}
    assert all(0 < len(value) <= MAX_VALUE for value in found.values())


@given(st.sampled_from(["https://", "//", "http://[", "https://a@", "?utm_source=", "android-app://"]), st.text())
def test_hostile_endings_never_raise(beginning: str, ending: str) -> None:
    """The same behind something that looks right."""
    found = attribution_of(beginning + ending, beginning + ending)

    assert all("\x00" not in value and "\n" not in value for value in found.values())


@pytest.mark.parametrize(
    ("referrer", "expected", "domain"),
    [
        (None, "direct", None),
        ("", "direct", None),
        ("about:blank", "direct", None),
        ("https://www.google.com/", "search", "google.com"),
        ("https://www.google.co.uk/search?q=x", "search", "google.co.uk"),
        ("https://google.de", "search", "google.de"),
        ("https://google.evil.example/", "referral", "google.evil.example"),
        ("https://evilgoogle.com/", "referral", "evilgoogle.com"),
        ("https://mail.google.com/", "email", "mail.google.com"),
        ("https://duckduckgo.com/", "search", "duckduckgo.com"),
        ("https://l.facebook.com/l.php?u=x", "social", "l.facebook.com"),
        ("https://t.co/abc", "social", "t.co"),
        ("http://WWW.Reddit.COM:80/r/x", "social", "reddit.com"),
        ("https://www.pinterest.fr/", "social", "pinterest.fr"),
        ("https://user:pass@blog.example/post", "referral", "blog.example"),
        ("android-app://com.google.android.gm/", "email", "com.google.android.gm"),
        ("https://[2001:db8::1]:8080/", "referral", "2001:db8::1"),
        ("https://shop.example/cart", "internal", None),
        ("https://www.shop.example/cart", "internal", None),
        ("https://blog.shop.example/cart", "internal", None),
        ("https://notshop.example/", "referral", "notshop.example"),
    ],
)
def test_the_referrer_has_a_class(referrer: str | None, expected: str, domain: str | None) -> None:
    """By its host; what nobody knows is a referral."""
    found = attribution_of("https://www.shop.example/", referrer)

    assert found[c.REFERRER_CLASS] == expected
    assert found.get(c.REFERRER_DOMAIN) == domain


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gclid=1", "paid"),
        ("msclkid=1", "paid"),
        ("ttclid=1", "paid"),
        ("twclid=1", "paid"),
        ("li_fat_id=1", "paid"),
        ("fbclid=1", "social"),
        ("utm_medium=cpc", "paid"),
        ("utm_medium=CPC&utm_source=google", "paid"),
        ("utm_medium=paid_social&utm_source=facebook", "paid"),
        ("utm_medium=email&utm_source=google", "email"),
        ("utm_medium=social", "social"),
        ("utm_medium=organic", "search"),
        ("utm_medium=affiliate", "referral"),
        ("utm_source=newsletter", "email"),
        ("utm_source=facebook", "social"),
        ("utm_source=linkedin.com", "social"),
        ("utm_source=google", "search"),
        ("utm_source=poster", "referral"),
        ("utm_campaign=spring", "referral"),
        ("ref=x", "direct"),
    ],
)
def test_a_campaign_has_a_class(query: str, expected: str) -> None:
    """An advertisement's click first, then the medium, then the source."""
    assert expected == attribution_of(f"{SHOP}?{query}")[c.REFERRER_CLASS]


def test_a_campaign_counts_more_than_the_referrer() -> None:
    """A link in a newsletter that is read in webmail is the newsletter's."""
    found = attribution_of(SHOP + "?utm_source=poster&utm_medium=email", "https://www.google.com/")

    assert found[c.REFERRER_CLASS] == "email"
    assert found[c.REFERRER_DOMAIN] == "google.com"


def test_the_table_can_be_extended_and_overruled() -> None:
    """What the operator says of a domain counts first, for its subdomains too."""
    others = {"find.example": "search", "google": "referral"}

    assert attribution_of(SHOP, "https://de.find.example/", referrers=others)[c.REFERRER_CLASS] == "search"
    assert attribution_of(SHOP, "https://www.google.com/", referrers=others)[c.REFERRER_CLASS] == "referral"
    assert attribution_of("?utm_source=find.example", referrers=others)[c.REFERRER_CLASS] == "search"


def test_own_domains_are_internal() -> None:
    """Where the page's address names no host, or another of one's own."""
    assert attribution_of("/cart", "https://a.shop.example/", internal=["shop.example"])[c.REFERRER_CLASS] == "internal"
    assert attribution_of("/cart", "https://a.shop.example/")[c.REFERRER_CLASS] == "referral"


def test_what_counts_as_a_touch() -> None:
    """Neither coming directly nor walking around."""
    assert is_touch(attribution_of(SHOP, "https://t.co/"))
    assert not is_touch(attribution_of(SHOP))
    assert not is_touch(attribution_of(SHOP, SHOP))
    assert not is_touch({})


def test_a_first_touch_has_names_of_its_own() -> None:
    """The same values, so that both fit on one event; nothing else is taken along."""
    touch = {**attribution_of(SHOP + "?utm_source=a&gclid=b", "https://t.co/"), "user.id": "u"}

    assert as_first_touch(touch) == {
        "footspan.first_touch.utm.source": "a",
        "footspan.first_touch.click_id.gclid": "b",
        "footspan.first_touch.referrer.class": "paid",
        "footspan.first_touch.referrer.domain": "t.co",
    }


@pytest.mark.parametrize(
    "url", ["https://", "shop.example/x", "/x", "https:///x", "mailto:a@b.example", "https://:80/"]
)
def test_an_address_without_a_host_has_none(url: str) -> None:
    """Nothing is guessed."""
    assert host_of(url) == ""
