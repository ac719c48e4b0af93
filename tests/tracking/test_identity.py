"""Tests for footspan.tracking.identity: hashes by the recorded vectors, and ids of visitors."""

from __future__ import annotations

import ast
import hashlib
import hmac
import logging
import re
from typing import TYPE_CHECKING

import pytest

import footspan
from footspan import ConfigurationError, _guard
from footspan.tracking.identity import daily_visitor_id, get_keyed_user_hash, get_user_hash, new_visitor_id
from footspan.tracking.in_force import settings_in_force
from footspan.tracking.salts import DailySalt

if TYPE_CHECKING:
    from pathlib import Path

# What the OpenTrace SDK 1.2.8 answered: SHA-256 of `str(value)`, neither stripped nor lower-cased.
RECORDED = {
    "'user@example.com'": "b4c9a289323b21a0",
    "'USER@example.com'": "6c61203966243fbc",
    "123456789": "15e2b0d3c33891eb",
    "'123456789'": "15e2b0d3c33891eb",
    "''": "e3b0c44298fc1c14",
    "'Підписка'": "f48e00833300896f",
    "' a'": "7de598b3ff8a9963",
    "0": "5feceb66ffc86f38",
    "-1": "1bad6b8cf97131fc",
    "True": "3cbc87c7681f34db",
    "None": "dc937b59892604f5",
    "1.0": "d0ff5974b6aa52cf",
    "b'x'": "89e03b517edb66ba",
    "'127.0.0.1'": "12ca17b49af22894",
    "(1, 2)": "cf4dabed2ce0f4fc",
}


class Mute:
    """Has no text."""

    def __str__(self) -> str:
        raise ValueError("secret")


@pytest.mark.parametrize(("value", "expected"), RECORDED.items())
def test_a_hash_is_the_recorded_one(value: str, expected: str) -> None:
    """The vectors of the SDK whose name the function bears."""
    assert expected == get_user_hash(ast.literal_eval(value))


def test_a_hash_of_what_has_no_text_is_empty(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing raises, and no two of them are taken for one user."""
    _guard.reraise_in_tests(False)

    assert get_user_hash(Mute()) == ""
    assert get_keyed_user_hash(Mute(), "key") == ""
    assert "secret" not in caplog.text


def test_text_that_is_no_unicode_has_a_hash() -> None:
    """Lone surrogates come out of file names and broken forms."""
    assert re.fullmatch(r"[0-9a-f]{16}", get_user_hash("\ud800"))


@pytest.mark.parametrize("secret", ["kèy", "kèy".encode()], ids=["text", "bytes"])
def test_a_keyed_hash_is_an_hmac(secret: str | bytes) -> None:
    """RFC 2104 with SHA-256, cut as the plain one is."""
    expected = hmac.new("kèy".encode(), b"u@shop.example", hashlib.sha256).hexdigest()[:16]

    assert expected == get_keyed_user_hash("u@shop.example", secret)
    assert expected != get_user_hash("u@shop.example")
    assert f"k2.{expected}" == get_keyed_user_hash("u@shop.example", secret, "k2")


def test_the_key_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """By environment before anything was started; the key's id with it."""
    monkeypatch.setenv("FOOTSPAN_IDENTITY_SECRET", "from-environment")
    monkeypatch.setenv("FOOTSPAN_IDENTITY_KEY_ID", "k7")

    assert get_keyed_user_hash(1) == get_keyed_user_hash(1, "from-environment", "k7")
    assert get_keyed_user_hash(1, key_id="k8").startswith("k8.")


def test_a_key_given_has_no_id_of_another() -> None:
    """The settings' id names the settings' key only."""
    footspan.init(service_name="shop", identity={"secret": "configured", "key_id": "k1"})

    assert get_keyed_user_hash(1).startswith("k1.")
    assert "." not in get_keyed_user_hash(1, "other")


@pytest.mark.parametrize("secret", [None, "", b""])
def test_without_a_key_there_is_no_keyed_hash(secret: str | bytes | None) -> None:
    """An unkeyed hash in its place would look the same and hide nothing."""
    with pytest.raises(ConfigurationError, match=r"identity\.secret"):
        get_keyed_user_hash("u", secret)


def test_no_secret_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Neither by the settings object nor in a log."""
    caplog.set_level(logging.DEBUG)
    footspan.init(
        service_name="shop",
        identity={"secret": "hunter2"},
        sessions={"secret": "hunter3", "previous_secret": "hunter4"},
    )
    get_keyed_user_hash("u")
    settings = settings_in_force()

    assert settings.sessions.secret == "hunter3"
    assert "hunter" not in repr(settings) + caplog.text


def test_visitors_are_random() -> None:
    """128 bits of the system's randomness."""
    ids = {new_visitor_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids)


class Clock:
    """A clock that is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now


DAY = 86_400.0


def test_a_daily_visitor_is_the_same_all_day_and_another_tomorrow(tmp_path: Path) -> None:
    """In every process of the service; tomorrow nobody can tell who it was."""
    clock = Clock(20_000 * DAY + 5)
    salt, elsewhere = DailySalt(tmp_path, clock), DailySalt(tmp_path, clock)
    first = daily_visitor_id("192.0.2.1", "agent", "shop", salt=salt)
    clock.now += DAY - 10

    assert re.fullmatch(r"[0-9a-f]{16}", first)
    assert first == daily_visitor_id("192.0.2.1", "agent", "shop", salt=salt)
    assert first == daily_visitor_id("192.0.2.1", "agent", "shop", salt=elsewhere)
    clock.now += 10
    assert first != daily_visitor_id("192.0.2.1", "agent", "shop", salt=salt)


@pytest.mark.parametrize(
    "other",
    [
        ("192.0.2.2", "agent", "shop"),
        ("192.0.2.1", "other", "shop"),
        ("192.0.2.1", "agent", "blog"),
        ("agent", "192.0.2.1", "shop"),
        ("192.0.2.1a", "gent", "shop"),
    ],
)
def test_daily_visitors_differ_by_each_part(other: tuple[str, str, str], tmp_path: Path) -> None:
    """Address, browser and site, however they are put together."""
    salt = DailySalt(tmp_path)

    assert daily_visitor_id(*other, salt=salt) != daily_visitor_id("192.0.2.1", "agent", "shop", salt=salt)


def test_the_services_salt_lies_beside_its_spool(tmp_path: Path) -> None:
    """Found by itself, in the service's folder."""
    footspan.init(service_name="shop", spool={"directory": str(tmp_path)})
    visitor = daily_visitor_id("192.0.2.1", "agent")

    (file,) = (tmp_path / "shop").glob("visitor-salt-*")
    assert visitor == daily_visitor_id("192.0.2.1", "agent", salt=DailySalt(tmp_path / "shop"))
    assert file.stat().st_mode & 0o777 == 0o600


def test_another_services_salt_is_another(tmp_path: Path) -> None:
    """Also where the settings came into force after the first visitor."""
    ids = []
    for service in ("shop", "blog"):
        footspan.init(service_name=service, spool={"directory": str(tmp_path)})
        ids.append(daily_visitor_id("192.0.2.1", "agent"))

    assert ids[0] != ids[1]
    assert [len(list((tmp_path / service).glob("visitor-salt-*"))) for service in ("shop", "blog")] == [1, 1]
