"""The names footspan writes are the conventions' names, and its tables agree with each other."""

from __future__ import annotations

import importlib
import pkgutil

import opentelemetry.semconv._incubating.attributes as incubating
import opentelemetry.semconv.attributes as stable
import pytest
from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_HEADER_TEMPLATE

from footspan import conventions as c

OURS = {
    name: value
    for name, value in vars(c).items()
    if name.isupper() and isinstance(value, str) and value.startswith("footspan.")
}
THEIRS = {
    name: value for name, value in vars(c).items() if name.isupper() and isinstance(value, str) and name not in OURS
}


def defined() -> dict[str, set[str]]:
    """Every attribute constant of the semantic-conventions package, stable and incubating."""
    names: dict[str, set[str]] = {}
    for package in (stable, incubating):
        for module in pkgutil.iter_modules(package.__path__):
            for name, value in vars(importlib.import_module(f"{package.__name__}.{module.name}")).items():
                if name.isupper() and isinstance(value, str):
                    names.setdefault(name, set()).add(value)
    return names


DEFINED = defined()


UNNAMED = {"HTTP_REQUEST_HEADER_REFERER", "EVENT_EXCEPTION", "EVENT_SESSION_START", "EVENT_SESSION_END"}


@pytest.mark.parametrize("name", sorted(THEIRS.keys() - UNNAMED))
def test_a_literal_equals_the_conventions_constant(name: str) -> None:
    """Same constant, same string."""
    assert {THEIRS[name]} == DEFINED[name]


def test_the_referrer_is_a_request_header_attribute() -> None:
    """Headers have a template: its name, and the header's in lower case."""
    assert f"{HTTP_REQUEST_HEADER_TEMPLATE}.referer" == c.HTTP_REQUEST_HEADER_REFERER


def test_the_exception_event_has_the_conventions_name() -> None:
    """The package has no constant for event names; its attributes share the namespace."""
    assert c.EVENT_EXCEPTION == c.EXCEPTION_TYPE.partition(".")[0]


def test_the_session_events_have_the_conventions_names() -> None:
    """Semantic conventions, "Session": ``session.start`` and ``session.end``, beside the attributes' namespace."""
    namespace = c.SESSION_ID.partition(".")[0]
    assert f"{namespace}.start" == c.EVENT_SESSION_START
    assert f"{namespace}.end" == c.EVENT_SESSION_END


def test_our_own_names_do_not_enter_foreign_namespaces() -> None:
    """What no convention defines starts with our name, in the form the conventions ask for."""
    assert OURS
    assert not set(OURS.values()) & {value for values in DEFINED.values() for value in values}
    for value in OURS.values():
        assert value == value.lower()
        assert value.replace(".", "").replace("_", "").isalnum()


@pytest.mark.parametrize("aliases", [c.ALIASES, c.REQUEST_ALIASES, c.MEASUREMENT_ALIASES])
def test_no_two_keywords_share_an_attribute(aliases: dict[str, str]) -> None:
    """Else the property could not be named on the way out."""
    assert len(aliases) == len(set(aliases.values()))


def test_what_is_recognised_everywhere_is_recognised_everywhere() -> None:
    """The wider tables contain the base one."""
    assert c.ALIASES.items() <= c.REQUEST_ALIASES.items()
    assert c.ALIASES.items() <= c.MEASUREMENT_ALIASES.items()


def test_the_tables_agree_with_each_other() -> None:
    """A keyword means one attribute, whichever table it is looked up in."""
    shared = c.REQUEST_ALIASES.keys() & c.MEASUREMENT_ALIASES.keys()
    assert {key: c.REQUEST_ALIASES[key] for key in shared} == {key: c.MEASUREMENT_ALIASES[key] for key in shared}


def test_property_names_invert_the_aliases() -> None:
    """Every keyword comes back from its attribute."""
    every = {**c.REQUEST_ALIASES, **c.MEASUREMENT_ALIASES, **c.TELEGRAM_NAMES}
    assert every == {keyword: attribute for attribute, keyword in c.PROPERTY_NAMES.items()}


def test_every_campaign_field_has_a_keyword() -> None:
    """All UTM fields and click ids, under their usual keywords."""
    assert {f"footspan.utm.{field}" for field in c.UTM_FIELDS} == {c.ALIASES[f"utm_{field}"] for field in c.UTM_FIELDS}
    assert {f"footspan.click_id.{field}" for field in c.CLICK_ID_FIELDS} == {
        c.ALIASES[field] for field in c.CLICK_ID_FIELDS
    }


def test_first_touches_mirror_touches() -> None:
    """Each attribute of a touch has one of the first touch, and a keyword of its own on the way out."""
    assert c.FIRST_TOUCHES["utm_source"] == "footspan.first_touch.utm.source"
    assert c.FIRST_TOUCHES["gclid"] == "footspan.first_touch.click_id.gclid"
    assert c.FIRST_TOUCHES["referrer_class"] == "footspan.first_touch.referrer.class"
    for keyword, attribute in c.TOUCHES.items():
        assert c.PROPERTY_NAMES[attribute] == keyword
        assert c.PROPERTY_NAMES[c.FIRST_TOUCHES[keyword]] == f"first_touch_{keyword}"


def test_string_lists_are_attributes_we_know() -> None:
    """The set holds attribute names, not keywords."""
    assert set(THEIRS.values()) >= c.STRING_LIST_ATTRIBUTES


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("payment.completed", "payment"),
        ("checkout.completed", "payment"),
        ("Checkout.Completed", "payment"),
        ("stripe.webhook", "payment"),
        ("login", "user"),
        ("generate.image", "generation"),
        ("exception", "error"),
        ("timing.db", "performance"),
        ("api.request", "system"),
        ("footspan.page_view", "user"),
        ("footspan.identify", "user"),
        ("footspan.interaction", "user"),
        ("footspan.other", "footspan"),
        ("cart.added", "cart"),
        ("payments.completed", "payments"),
        ("", ""),
        (".hidden", ""),
    ],
)
def test_the_first_part_of_a_name_tells_the_category(name: str, category: str) -> None:
    """A known part by the table, an unknown one by itself."""
    assert category == c.category_of(name)


def test_every_category_stands_for_itself() -> None:
    """And every synonym for one of them."""
    assert all(c.category_of(category) == category for category in c.CATEGORIES)
    assert set(c.CATEGORIES) == set(c.CATEGORY_SYNONYMS.values())
