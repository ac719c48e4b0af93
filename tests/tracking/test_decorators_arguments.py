"""Tests for footspan.tracking.arguments: what the events say of arguments and results, on request."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest

import footspan
from footspan.tracking.arguments import shown
from spooled import spooled


def recorded(position: int = -1) -> dict[str, Any]:
    """The arguments and the result that an event bears."""
    attributes = spooled()[position].attributes
    return {key: value for key, value in attributes.items() if key.startswith("arg_") or key == "result"}


def test_without_being_asked_nothing_is_recorded() -> None:
    """Arguments are the host's own affair."""
    footspan.track_duration("w")(lambda secret: secret)("x")
    footspan.track_function("w")(lambda secret: secret)("x")

    assert [recorded(position) for position in range(3)] == [{}, {}, {}]


def test_all_events_bear_what_was_asked_for() -> None:
    """Arguments stand on start and end, the result on the end; defaults are arguments too."""

    @footspan.track_duration("generation", include_args=True, include_result=True)
    def generate(prompt: str, model: str = "x", *, steps: int = 4) -> list[int]:
        return [1, 2]

    generate("a cat", model="flux")

    assert recorded(0) == {"arg_prompt": "a cat", "arg_model": "flux", "arg_steps": 4}
    assert recorded(1) == {**recorded(0), "result": "list[2 items]"}


def test_failures_bear_the_arguments() -> None:
    """In all three decorators."""

    def fail(order: int) -> None:
        raise LookupError

    for watch in (
        footspan.track_duration("w", include_args=True),
        footspan.track_function("w", include_args=True),
        footspan.track_error("w", include_args=True),
    ):
        with pytest.raises(LookupError):
            watch(fail)(7)
        assert recorded() == {"arg_order": 7}


def test_only_those_named() -> None:
    """A list of names, or one name; what is in ``**kwargs`` can be named as well."""

    def pay(order: int, card: str, **more: Any) -> None:
        pass

    footspan.track_function("w", include_args=["order", "coupon"])(pay)(1, "4111", coupon="SPRING")
    assert recorded() == {"arg_order": 1, "arg_coupon": "SPRING"}
    footspan.track_function("w", include_args="order")(pay)(2, "4111")
    assert recorded() == {"arg_order": 2}


def test_a_name_that_the_function_does_not_take_is_refused_at_once() -> None:
    """A slip in a name shows when the module is loaded."""
    with pytest.raises(footspan.ConfigurationError, match="order"):
        footspan.track_function("w", include_args=["ordr"])(lambda order: order)


def test_self_and_cls_are_left_out() -> None:
    """The object a method is called on is no argument, whatever it is called in a class method."""

    class Shop:
        @footspan.track_function("w", include_args=True)
        def own(self, n: int) -> None:
            """Nothing."""

        @footspan.track_function("w", include_args=True)
        @classmethod
        def klass(klass, n: int) -> None:  # noqa: N804 - an unusual name
            """Nothing."""

    Shop().own(1)
    Shop.klass(1)
    footspan.track_function("w", include_args=True)(Shop().own)(1)

    assert [recorded(position) for position in (0, 1, 3)] == [{"arg_n": 1}] * 3


def test_secrets_are_redacted() -> None:
    """By the parameter's name, and inside texts; before they are cut, so that no half address passes."""

    def sign_in(password: str, auth: str, pin: int, note: str, url: str) -> str:
        return "mail ada@shop.example"

    long_note = "x" * 85 + " ada.lovelace@shop.example"
    footspan.track_function("w", include_args=True, include_result=True)(sign_in)(
        "hunter2", "hunter2", 1234, long_note, "https://ada:hunter2@shop.example/?token=hunter2"
    )
    values = repr(spooled()[0].record)

    assert "hunter2" not in values
    assert "1234" not in values
    assert "lovelace" not in values
    assert recorded()["result"] == "mail [contact]"
    assert set(spooled()[0].attributes["footspan.redacted"]) >= {"arg_password", "arg_auth", "arg_pin"}


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


class Order:
    """An object whose text tells too much."""

    def __repr__(self) -> str:
        return "hunter2"

    __str__ = __repr__


class Hostile:
    """Raises when one asks for its length."""

    def __len__(self) -> int:
        raise LookupError

    def __iter__(self) -> Any:
        raise LookupError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a" * 500, "a" * 99 + "…"),
        (3, 3),
        (2.5, 2.5),
        (True, True),
        (None, None),
        ([1, 2], "list[2 items]"),
        ((1,), "tuple[1 items]"),
        ({1, 2, 3}, "set[3 items]"),
        ({"a": 1}, "dict[1 keys]"),
        (b"abc", "bytes[3 bytes]"),
        (Colour.RED, "red"),
        (Decimal("1.10"), "1.10"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (PurePosixPath("/a/b"), "/a/b"),
        (Order(), "<Order>"),
        (Hostile(), "<Hostile>"),
        (len, "<builtin_function_or_method>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_shown_not_dumped(value: Any, expected: Any) -> None:
    """Scalars as they are, texts cut, containers by kind and size, objects by class."""
    assert shown(value, str) == expected


def test_a_call_that_does_not_fit_fails_as_it_did() -> None:
    """The host gets Python's own error for a wrong call, and the failure is told without arguments."""
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        footspan.track_duration("w", include_args=True)(lambda order: order)()  # type: ignore[call-arg]
    assert recorded() == {}


def test_variable_arguments_are_told_by_number() -> None:
    """``*args`` and ``**kwargs`` where there are any."""
    watched = footspan.track_function("w", include_args=True)(lambda *args, **kwargs: None)
    watched(1, 2, a=3)
    watched()

    assert (recorded(0), recorded(1)) == ({"arg_args": "tuple[2 items]", "arg_kwargs": "dict[1 keys]"}, {})


def test_which_function_it_was() -> None:
    """Calls and errors name their function and module, as the module they come from did; given properties win."""

    def charge() -> None:
        raise LookupError

    for watch in (footspan.track_function("w"), footspan.track_error("w"), footspan.track_error("w", module="billing")):
        with pytest.raises(LookupError):
            watch(charge)()
    told = [(event.attributes["function"], event.attributes["module"]) for event in spooled()]

    assert told == [("charge", __name__), ("charge", __name__), ("charge", "billing")]
