"""Tests for footspan.config.visitors: what can be said of identity, sessions and attribution, and what cannot."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from footspan.config import ConfigurationError, load_settings

SECRETS = ["identity.secret", "sessions.secret", "sessions.previous_secret"]


def nested(path: str, value: object) -> dict[str, Any]:
    """A setting as ``init`` takes it."""
    section, key = path.split(".")
    return {section: {key: value}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sessions.cookie_name", "a b"),
        ("sessions.cookie_name", "a;b"),
        ("sessions.cookie_name", "a=b"),
        ("sessions.cookie_path", "app"),
        ("sessions.cookie_path", "/; Domain=evil.example"),
        ("sessions.cookie_path", "/x;y"),
        ("sessions.cookie_path", "/é"),
        ("sessions.cookie_domain", "https://x.example"),
        ("sessions.cookie_domain", "x.example; Secure"),
        ("sessions.idle_timeout", 0),
        ("attribution.referrers", "x.example"),
        ("attribution.referrers", "x.example=best"),
        ("attribution.referrers", {"x.example/path": "search"}),
        ("attribution.referrers", {"x.example": None}),
        ("attribution.referrers", [["x.example"]]),
        ("attribution.referrers", 7),
        ("telegram.user_id", "plain"),
        ("telegram.message_text", "some"),
    ],
)
def test_what_would_break_a_header_or_mean_nothing_is_refused(path: str, value: object) -> None:
    """At once, with the key's name."""
    with pytest.raises(ConfigurationError, match=path.replace(".", r"\.")):
        load_settings(environ={}, overrides=nested(path, value))


def test_referrers_are_read_from_every_form() -> None:
    """A mapping in code, text in the environment; leading dots and capitals mean nothing."""
    expected = (("find.example", "search"), ("google", "social"))
    mapping = {".Find.example": "Search", "google": "social"}
    by_code = load_settings(environ={}, overrides=nested("attribution.referrers", mapping))
    by_text = load_settings(environ={"FOOTSPAN_ATTRIBUTION_REFERRERS": "find.example = search,google=social"})

    assert expected == by_code.attribution.referrers == by_text.attribution.referrers


@pytest.mark.parametrize("path", SECRETS)
@pytest.mark.parametrize("value", ["hunter2 hunter2", "hunter2\n", ["hunter2"], {"hunter2": 1}, "hunter€"])
def test_no_key_in_an_error_or_a_settings_object(path: str, value: object) -> None:
    """Whatever is wrong with it."""
    try:
        text = repr(load_settings(environ={}, overrides=nested(path, value)))
    except ConfigurationError as error:
        lines = traceback.TracebackException.from_exception(error).format(chain=True)
        text = "".join(line for line in lines if not line.startswith("  File")) + repr(error)

    assert "hunter" not in text
