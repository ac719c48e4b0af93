"""Tests for footspan.tracking.wrapping: each kind of callable stays what it was."""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import footspan
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator


def names() -> list[str]:
    """The names of the stored events."""
    return [event.name for event in spooled()]


DECORATORS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "duration": (lambda: footspan.track_duration("w"), ["w.started", "w.completed"]),
    "function": (lambda: footspan.track_function("w"), ["w"]),
    "error": (lambda: footspan.track_error("w"), []),
}


@pytest.fixture(params=DECORATORS)
def decorator(request: pytest.FixtureRequest) -> tuple[Any, list[str]]:
    """A decorator, and the events of one success."""
    make, events = DECORATORS[request.param]
    return make(), events


class Adder:
    """An object that is called like a function."""

    def __call__(self, a: int, b: int = 1) -> int:
        return a + b


class Waiter:
    """An object that is called like a coroutine function."""

    async def __call__(self, a: int) -> int:
        await asyncio.sleep(0)
        return a


def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


async def wait(a: int) -> int:
    """Wait."""
    await asyncio.sleep(0)
    return a


def count(to: int) -> Generator[int, None, str]:
    """Count."""
    yield from range(to)
    return "end"


async def acount(to: int) -> AsyncGenerator[int, None]:
    """Count, with pauses."""
    for n in range(to):
        await asyncio.sleep(0)
        yield n


def test_functions_and_what_is_called_like_one(decorator: tuple[Any, list[str]]) -> None:
    """Functions, partials, callable objects, built-ins and bound methods give their results."""
    watch, events = decorator
    callables = [watch(add), watch(functools.partial(add, 1)), watch(Adder()), watch("12".__add__)]

    assert [callables[0](1, 2), callables[1](2), callables[2](1, b=2), callables[3]("3")] == [3, 3, 3, "123"]
    assert names() == events * 4


def test_coroutine_functions_stay_coroutine_functions(decorator: tuple[Any, list[str]]) -> None:
    """As do partials of them and objects with a coroutine function inside."""
    watch, events = decorator
    watched = [watch(wait), watch(functools.partial(wait, 7)), watch(Waiter())]

    assert all(inspect.iscoroutinefunction(each) for each in watched)
    assert asyncio.run(watched[0](7)) == asyncio.run(watched[1]()) == asyncio.run(watched[2](7)) == 7
    assert names() == events * 3


def test_generators_give_and_return_what_they_did(decorator: tuple[Any, list[str]]) -> None:
    """Values, the return value and the kind of function stay."""
    watch, events = decorator
    watched = watch(count)
    returned = []

    def consume() -> Iterator[int]:
        returned.append((yield from watched(3)))

    assert inspect.isgeneratorfunction(watched)
    assert list(consume()) == [0, 1, 2]
    assert returned == ["end"]
    assert names() == events


def test_async_generators_give_what_they_did(decorator: tuple[Any, list[str]]) -> None:
    """Values and the kind of function stay."""
    watch, events = decorator
    watched = watch(acount)

    async def consume() -> list[int]:
        return [n async for n in watched(3)]

    assert inspect.isasyncgenfunction(watched)
    assert asyncio.run(consume()) == [0, 1, 2]
    assert names() == events


def test_methods_in_both_orders(decorator: tuple[Any, list[str]]) -> None:
    """Class and static methods are what they are, above and below the decorator."""
    watch, events = decorator

    class Shop:
        @watch  # type: ignore[untyped-decorator]
        def own(self) -> str:
            return type(self).__name__

        @watch  # type: ignore[untyped-decorator]
        @classmethod
        def klass(cls) -> str:
            return cls.__name__

        @classmethod
        @watch  # type: ignore[untyped-decorator]
        def klass_too(cls) -> str:
            return cls.__name__

        @watch  # type: ignore[untyped-decorator]
        @staticmethod
        def static(word: str) -> str:
            return word

        @staticmethod
        @watch  # type: ignore[untyped-decorator]
        def static_too(word: str) -> str:
            return word

        @property
        @watch  # type: ignore[untyped-decorator]
        def prop(self) -> str:
            return "p"

    class Sub(Shop):
        pass

    shop = Sub()
    assert (shop.own(), Sub.klass(), shop.klass_too(), Shop.static("s"), shop.static_too("s"), shop.prop) == (
        "Sub", "Sub", "Sub", "s", "s", "p",
    )  # fmt: skip
    assert names() == events * 6


def test_bare_track_function_takes_every_kind() -> None:
    """Class and static methods, partials and objects have names as well."""

    class Shop:
        @footspan.track_function
        @classmethod
        def klass(cls) -> str:
            return cls.__name__

        @footspan.track_function
        @staticmethod
        def static() -> str:
            return "s"

        @footspan.track_function()
        def own(self) -> str:
            return "o"

    partial: Any = functools.partial(add, 1)
    assert (Shop.klass(), Shop.static(), Shop().own()) == ("Shop", "s", "o")
    assert footspan.track_function(partial)(2) == footspan.track_function(Adder())(1, 2) == 3
    assert names() == [
        "function.klass", "function.static", "function.own", "function.add", "function.Adder",
    ]  # fmt: skip


def test_what_wraps_keeps() -> None:
    """Name, text, module, attributes, signature and the way back to the original."""
    add.mark = 1  # type: ignore[attr-defined]
    watched: Any = footspan.track_duration("w")(add)

    assert (watched.__name__, watched.__doc__, watched.__module__, watched.mark) == ("add", "Add.", __name__, 1)
    assert watched.__wrapped__ is add
    assert inspect.signature(watched) == inspect.signature(add)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: footspan.track_duration("w")(Adder), "class Adder"),
        (lambda: footspan.track_function(Adder), "class Adder"),
        (lambda: footspan.track_error("w")(property(add)), "@property"),  # type: ignore[call-overload]
        (lambda: footspan.track_duration(add), "needs a name"),  # type: ignore[arg-type]
        (lambda: footspan.track_error(add), "needs a name"),  # type: ignore[arg-type]
    ],
    ids=["class", "bare on a class", "property", "bare duration", "bare error"],
)
def test_what_cannot_be_decorated_is_refused_at_once(call: Callable[[], Any], match: str) -> None:
    """At the decoration, with the way out, and not at the first call in production."""
    with pytest.raises(TypeError, match=match):
        call()


def test_a_coroutine_behind_a_plain_decorator_is_watched_to_its_end() -> None:
    """What hands on a coroutine has not done its work when it returns."""
    tracer = TracerProvider().get_tracer("t")

    def careless(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            return function(*args)

        return wrapper

    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("late")

    async def main() -> None:
        with tracer.start_as_current_span("outer") as outer:
            coroutine = footspan.track_duration("w")(careless(fail))()
            assert trace.get_current_span() is outer
            with pytest.raises(LookupError):
                await coroutine
            assert trace.get_current_span() is outer

    asyncio.run(main())
    assert names() == ["w.started", "w.failed"]


def test_a_generator_based_coroutine_can_still_be_awaited() -> None:
    """``types.coroutine`` marks its functions, and the mark stays."""

    @footspan.track_duration("w")
    @types.coroutine
    def old() -> Generator[None, None, int]:
        yield
        return 7

    async def main() -> int:
        return await old()

    assert asyncio.run(main()) == 7
    assert names() == ["w.started", "w.completed"]


def test_blocks_are_watched_by_with_and_async_with(decorator: tuple[Any, list[str]]) -> None:
    """One object, used again and again, inside itself too."""
    watch, events = decorator

    async def main() -> None:
        async with watch, watch:
            await asyncio.sleep(0)

    with watch:
        pass
    asyncio.run(main())

    assert sorted(names()) == sorted(events * 3)


def test_a_block_may_be_left_in_another_context_than_it_was_entered_in() -> None:
    """As an exit stack or a fixture of an asynchronous framework does; the host notices nothing."""
    watch = footspan.track_duration("w")
    asyncio.run(_elsewhere(watch.__aenter__))
    asyncio.run(_elsewhere(lambda: watch.__aexit__(None, None, None)))
    watch.__exit__(None, None, None)  # once too often

    assert names() == ["w.started", "w.completed"]


async def _elsewhere(call: Callable[[], Any]) -> None:
    await asyncio.create_task(call())


def test_many_short_blocks_leave_nothing_behind() -> None:
    """A context that lives as long as the process does not grow with every block."""
    import contextvars  # noqa: PLC0415 - only here

    with footspan.track_duration("w"):
        pass
    before = len(contextvars.copy_context())
    for _ in range(50):
        with footspan.track_error("w"):
            pass

    assert len(contextvars.copy_context()) == before


def test_tracking_that_is_off_leaves_functions_as_they_are() -> None:
    """No event, no span, nothing entered, for every kind."""
    footspan.tracking.default_tracker.switch_off()
    watch = footspan.track_duration("w")

    async def main() -> list[int]:
        async with watch:
            return [await watch(wait)(1), *[n async for n in watch(acount)(2)]]

    def seen() -> Any:
        return trace.get_current_span()

    with trace.use_span(TracerProvider().get_tracer("t").start_span("host")) as host:
        assert watch(seen)() is host
    assert watch(add)(1) == 2
    assert list(watch(count)(2)) == [0, 1]
    assert asyncio.run(main()) == [1, 0, 1]
    assert names() == []
