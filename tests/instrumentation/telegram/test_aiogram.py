"""Tests for footspan.instrumentation.telegram.aiogram: real dispatchers, fed with updates, without a network."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from aiogram import Bot, Dispatcher, F, Router
from aiogram.dispatcher.event.bases import CancelHandler, SkipHandler
from aiogram.dispatcher.event.handler import CallableObject, HandlerObject
from aiogram.filters import Command, CommandStart, StateFilter
from aiogram.fsm.context import FSMContext  # noqa: TC002 - aiogram reads annotations
from aiogram.fsm.state import State, StatesGroup
from aiogram.methods import GetMe, GetUpdates, SendMessage, TelegramMethod
from aiogram.types import ErrorEvent, Message, Update, User
from opentelemetry.trace import SpanKind, StatusCode

import footspan
from footspan import _guard, pipeline, tracking
from footspan.instrumentation.telegram.aiogram import AiogramInstrumentor
from footspan.instrumentation.telegram.people import People
from footspan.processors.context import ambient
from instrumentation.telegram.conftest import events
from instrumentation.telegram.updates import (
    GROUP,
    ME,
    OTHER_USER,
    TOKEN,
    USER,
    Unreachable,
    aiogram_bot,
    callback,
    message,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


async def start(message: Message) -> None:
    """Say hello."""
    footspan.track("said.hello")


async def other(event: Any) -> None:
    """Take anything."""
    footspan.track("took.other")


def shop() -> Dispatcher:
    """A bot that knows one command, and takes buttons."""
    dispatcher = Dispatcher()
    dispatcher.message.register(start, CommandStart())
    dispatcher.callback_query.register(other)
    return dispatcher


def feed(dispatcher: Dispatcher, *updates: dict[str, Any]) -> list[Any]:
    """Feed updates one after the other; what the handlers returned."""

    async def run() -> list[Any]:
        bot = aiogram_bot()
        return [await dispatcher.feed_update(bot, Update.model_validate(each)) for each in updates]

    return asyncio.run(run())


def test_a_start_by_a_link_is_an_event_and_the_campaign_of_what_follows(
    instrumented: Callable[..., None], spans: InMemorySpanExporter
) -> None:
    """The code stands on the event, on what handlers track, and on everything of that user from then on."""
    instrumented()
    feed(shop(), message("/start spring_24"), message("hello"), message("/start", user=OTHER_USER))
    started, text, plain = events("telegram.command", "telegram.message")
    hello, hello_of_other = events("said.hello")

    attributes = started.attributes
    assert {
        "footspan.campaign.start_code": "spring_24",
        "footspan.referrer.class": "referral",
        "footspan.telegram.update_type": "message",
        "footspan.telegram.chat_type": "private",
        "footspan.telegram.command": "start",
        "footspan.telegram.handler": "start",
        "footspan.telegram.outcome": "handled",
        "browser.language": "de",
    }.items() <= attributes.items()
    assert isinstance(attributes["footspan.duration_ms"], int)
    assert (text.name, text.attributes["footspan.telegram.outcome"]) == ("telegram.message", "unhandled")
    for each in (text, hello):
        assert each.attributes["footspan.campaign.start_code"] == "spring_24"
        assert each.attributes["session.id"] == attributes["session.id"]
        assert each.attributes["user.id"] == attributes["user.id"]
    for each in (plain, hello_of_other):
        assert "footspan.campaign.start_code" not in each.attributes
        assert each.attributes["user.id"] != attributes["user.id"]
        assert each.attributes["session.id"] != attributes["session.id"]
    assert (
        hello.record["traceId"] == started.record["traceId"] == f"{spans.get_finished_spans()[0].context.trace_id:032x}"
    )
    assert len(events("session.start")) == 2
    assert {each.attributes["user.id"] for each in events("session.start")} == {
        attributes["user.id"],
        plain.attributes["user.id"],
    }
    assert "user.id" not in ambient()


def test_nothing_of_the_person_leaves_by_default(
    instrumented: Callable[..., None], spans: InMemorySpanExporter
) -> None:
    """No text, no caption, no names, no id, no contact, no place, no file's name, no button's data."""
    instrumented()
    contact = {"phone_number": "+49 431 5551234", "first_name": "Annabel", "user_id": USER["id"]}
    document = {"file_id": "AAA", "file_unique_id": "BBB", "file_name": "my diary.pdf"}
    feed(
        shop(),
        message("my secret text"),
        message("/start my own words"),
        message("/my_password_is_hunter2"),
        message(contact=contact),
        message(location={"latitude": 54.3233, "longitude": 10.1228}),
        message(caption="a caption of mine", document=document),
        message("in a group", chat=GROUP),
        callback("secret-data-17"),
        update("inline_query", {"id": "1", "from": USER, "query": "what I look for", "offset": ""}),
    )
    everything = str([each.record for each in events()]) + "".join(
        each.to_json() for each in spans.get_finished_spans()
    )

    assert len(events()) == 11
    for secret in (
        *("secret", "own words", "hunter2", "5551234", "Annabel", "ann_of_shop", "123456789", "54.3", "diary"),
        *("caption of", "Kiel", "look for", "1001234567", TOKEN, "TEST"),
    ):
        assert secret not in everything, secret
    assert [each.attributes.get("footspan.telegram.command") for each in events("telegram.command")] == [
        "start",
        "_OTHER",
    ]


def test_text_and_ids_leave_where_that_is_asked_for(instrumented: Callable[..., None]) -> None:
    """By keywords."""
    instrumented(message_text=True, user_id="raw")
    feed(shop(), message("hello there"))
    (event,) = events()

    assert event.attributes["footspan.telegram.text"] == "hello there"
    assert event.attributes["user.id"] == "123456789"


def test_text_and_ids_leave_where_the_settings_say_so(instrumented: Callable[..., None]) -> None:
    """The same by settings; ``hash`` is the hash that anybody can compute."""
    footspan.init(
        service_name="bot",
        courier="external",
        destinations={"console": {"enabled": True}},
        telegram={"message_text": True, "user_id": "hash"},
    )
    instrumented()
    feed(shop(), message(caption="hello there"))
    (event,) = events()

    assert event.attributes["footspan.telegram.text"] == "hello there"
    assert event.attributes["user.id"] == footspan.get_user_hash(123456789)


def test_the_key_of_the_settings_makes_the_pseudonym(instrumented: Callable[..., None]) -> None:
    """So that a web app of the same key knows the same user."""
    footspan.init(
        service_name="bot",
        courier="external",
        destinations={"console": {"enabled": True}},
        identity={"secret": "very-secret", "key_id": "k1"},
    )
    instrumented()
    feed(shop(), message("hello"))

    assert events()[0].attributes["user.id"] == footspan.get_keyed_user_hash(123456789)


def test_a_handlers_error_is_an_event_and_is_raised_on(
    instrumented: Callable[..., None], spans: InMemorySpanExporter
) -> None:
    """The same object; without what the user wrote, which exceptions tend to quote."""
    instrumented()
    raised: list[Exception] = []
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def count(message: Message) -> None:
        try:
            int(message.text or "")
        except ValueError as error:
            raised.append(error)
            raise

    with pytest.raises(ValueError, match="hunter2") as caught:
        feed(dispatcher, message("hunter2"))
    assert caught.value is raised[0]
    (error,) = events("telegram.error")
    (event,) = events("telegram.message")
    (span,) = spans.get_finished_spans()

    assert error.attributes["error.type"] == event.attributes["error.type"] == "ValueError"
    assert error.attributes["exception.message"] == "invalid literal for int() with base 10: '[…]'"
    assert 'int(message.text or "")' in error.attributes["exception.stacktrace"]
    assert "hunter2" not in str(error.record)
    assert error.attributes["footspan.event.category"] == "error"
    assert error.record["severityNumber"] == 17
    assert error.attributes["footspan.telegram.handler"].endswith("count")
    assert event.attributes["footspan.telegram.outcome"] == "error"
    assert error.attributes["user.id"] == event.attributes["user.id"]
    assert error.record["traceId"] == event.record["traceId"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"


def test_an_error_that_an_error_handler_takes_is_one_all_the_same(instrumented: Callable[..., None]) -> None:
    """Once, under the handler that failed; an error handler's own error is another."""
    instrumented()
    dispatcher = Dispatcher()

    @dispatcher.message(F.text == "a")
    async def fails(message: Message) -> None:
        raise RuntimeError("first")

    @dispatcher.message()
    async def fails_twice(message: Message) -> None:
        raise KeyError("second")

    @dispatcher.errors()
    async def on_error(event: ErrorEvent) -> str:
        footspan.track("error.handled")
        if isinstance(event.exception, KeyError):
            raise TypeError("third") from event.exception
        return "taken"

    assert feed(dispatcher, message("a")) == ["taken"]
    with pytest.raises(TypeError, match="third"):
        feed(dispatcher, message("b"))

    assert [each.attributes["error.type"] for each in events("telegram.error")] == [
        "RuntimeError",
        "KeyError",
        "TypeError",
    ]
    assert [each.attributes["footspan.telegram.handler"].rpartition(".")[2] for each in events("telegram.error")] == [
        "fails",
        "fails_twice",
        "fails_twice",
    ]
    assert all("user.id" in each.attributes for each in events("error.handled"))


def test_errors_of_filters_and_middlewares_are_events_too(instrumented: Callable[..., None]) -> None:
    """There is no handler to name."""
    instrumented()
    filtered, wrapped = Dispatcher(), Dispatcher()

    async def broken_filter(message: Message) -> bool:
        raise LookupError("filter")

    async def broken_middleware(handler: Any, event: Any, data: Any) -> Any:
        raise OSError("middleware")

    filtered.message.register(other, broken_filter)
    wrapped.message.outer_middleware(broken_middleware)
    wrapped.message.register(other)
    with pytest.raises(LookupError):
        feed(filtered, message("a"))
    with pytest.raises(OSError, match="middleware"):
        feed(wrapped, message("a"))

    assert [each.attributes["error.type"] for each in events("telegram.error")] == ["LookupError", "OSError"]
    assert not any("footspan.telegram.handler" in each.attributes for each in events("telegram.error"))


def test_nested_routers_middlewares_and_skipping(instrumented: Callable[..., None]) -> None:
    """The handler named is the one that took it; what middlewares track belongs to the user as well."""
    instrumented()
    dispatcher, outer, inner = Dispatcher(), Router(), Router()
    dispatcher.include_router(outer)
    outer.include_router(inner)

    async def middleware(handler: Callable[..., Awaitable[Any]], event: Any, data: Any) -> Any:
        footspan.track("in.middleware")
        return await handler(event, data)

    dispatcher.update.outer_middleware(middleware)
    inner.message.middleware(middleware)

    @inner.message()
    async def skips(message: Message) -> None:
        raise SkipHandler

    @inner.message(F.text == "stop")
    async def stops(message: Message) -> None:
        raise CancelHandler

    @inner.message(F.text)
    def in_a_thread(message: Message) -> None:
        footspan.track("in.thread")

    with pytest.raises(CancelHandler):
        feed(dispatcher, message("stop"))
    feed(dispatcher, message("text"), message(photo=[]))

    assert [
        (
            each.attributes.get("footspan.telegram.handler", "").rpartition(".")[2],
            each.attributes["footspan.telegram.outcome"],
        )
        for each in events("telegram.message")
    ] == [("stops", "handled"), ("in_a_thread", "handled"), ("", "unhandled")]
    assert events("telegram.error") == []
    assert len({each.attributes["user.id"] for each in events("in.middleware", "in.thread")}) == 1
    assert len(events("in.thread")) == 1


class Order(StatesGroup):
    """A conversation."""

    size = State()


def test_a_conversation_keeps_its_session(instrumented: Callable[..., None]) -> None:
    """Steps of FSM are handlers like others."""
    instrumented()
    dispatcher = Dispatcher()

    @dispatcher.message(Command("order"))
    async def order(message: Message, state: FSMContext) -> None:
        await state.set_state(Order.size)

    @dispatcher.message(StateFilter(Order.size))
    async def size(message: Message, state: FSMContext) -> None:
        await state.clear()
        footspan.track("order.placed")

    feed(dispatcher, message("/order"), message("large"))
    first, second = events("telegram.command", "telegram.message")

    assert first.attributes["footspan.telegram.command"] == "order"
    assert second.attributes["footspan.telegram.handler"].endswith("size")
    assert {each.attributes["session.id"] for each in events()} == {first.attributes["session.id"]}


@pytest.mark.parametrize(
    ("text", "name", "command"),
    [
        ("/Start", "telegram.command", "start"),
        ("/start@shop_bot", "telegram.command", "start"),
        ("/start@Other_bot code", "telegram.message", None),
        ("/help", "telegram.command", "help"),
        ("/item_12345", "telegram.command", "_OTHER"),
        ("/price tea", "telegram.command", "price"),
        ("!price", "telegram.command", "price"),
        ("/unknown", "telegram.command", "_OTHER"),
        ("/", "telegram.message", None),
        ("/usr/bin", "telegram.message", None),
        ("see /start", "telegram.message", None),
        ("/" + "a" * 33, "telegram.message", None),
    ],
)
def test_a_commands_name_is_one_that_the_bot_knows(
    instrumented: Callable[..., None], text: str, name: str, command: str | None
) -> None:
    """The word behind the slash is whatever somebody typed."""
    instrumented()
    dispatcher = Dispatcher()
    dispatcher.message.register(other, Command("price", prefix="/!"))
    dispatcher.message.register(other, Command(re.compile(r"item_(\d+)")))
    dispatcher.message.register(other)

    feed(dispatcher, message(text))
    (event,) = events("telegram.command", "telegram.message")

    assert (event.name, event.attributes.get("footspan.telegram.command")) == (name, command)


def test_a_code_in_a_group_counts(instrumented: Callable[..., None]) -> None:
    """Telegram sends the bot's name with it there."""
    instrumented()
    feed(shop(), message("/start@shop_bot from_group", chat=GROUP))
    (event,) = events("telegram.command")

    assert event.attributes["footspan.campaign.start_code"] == "from_group"
    assert event.attributes["footspan.telegram.chat_type"] == "supergroup"


def test_a_later_code_replaces_the_one_before(instrumented: Callable[..., None]) -> None:
    """The last touch; a start without one leaves it."""
    instrumented()
    feed(shop(), message("/start one"), message("/start two"), message("/start"))

    assert [each.attributes["footspan.campaign.start_code"] for each in events("said.hello")] == ["one", "two", "two"]


def test_updates_of_nobody(instrumented: Callable[..., None]) -> None:
    """A channel, somebody who speaks for a group, a poll: no user and no session, also where the request has some."""
    instrumented()
    dispatcher = shop()
    channel = {"id": -100777, "type": "channel", "title": "News"}
    post = {"message_id": 1, "date": 1_700_000_000, "chat": channel, "sender_chat": channel, "text": "news"}
    poll = {
        "id": "1",
        "question": "?",
        "options": [],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": False,
        "members_only": False,
    }
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    with footspan.context(user_id="u_web", session_id="s_web", url="https://x.example/hook/42:TEST", plan="pro"):
        feed(
            dispatcher,
            update("channel_post", post),
            message("hi", user=anonymous, chat=GROUP, sender_chat=GROUP),
            update("poll", poll),
        )

    assert [each.name for each in events()] == ["telegram.channel_post", "telegram.message", "telegram.poll"]
    for each in events():
        assert not {"user.id", "session.id", "url.full", "enduser.pseudo.id"} & each.attributes.keys()
        assert each.attributes["plan"] == "pro"
    assert events("session.start") == []


def test_concurrent_updates_do_not_mix(instrumented: Callable[..., None]) -> None:
    """Each handler sees its own user, across every await."""
    instrumented()
    dispatcher = Dispatcher()
    gate = asyncio.Event

    @dispatcher.message()
    async def slow(message: Message, gate: asyncio.Event) -> None:
        footspan.set_context(marker=message.text)
        await gate.wait()
        footspan.track("after.wait", said=message.text, at=ambient()["user.id"])

    async def run() -> None:
        bot, opened = aiogram_bot(), gate()
        people = [{"id": 1000 + number, "is_bot": False, "first_name": "P"} for number in range(20)]
        tasks = [
            asyncio.create_task(
                dispatcher.feed_update(bot, Update.model_validate(message(f"t{number}", user=user)), gate=opened)
            )
            for number, user in enumerate(people)
        ]
        await asyncio.sleep(0.05)
        opened.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())
    tracked = events("after.wait")

    assert len({each.attributes["user.id"] for each in tracked}) == 20
    assert all(each.attributes["marker"] == each.attributes["said"] for each in tracked)
    assert len({each.attributes["session.id"] for each in events("telegram.message")}) == 20


def test_webhooks(instrumented: Callable[..., None]) -> None:
    """A parsed update, a raw one, and one whose handler outlasts the answer: each once."""
    instrumented()
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def answer(message: Message) -> SendMessage:
        if message.text == "slow":
            await asyncio.sleep(0.2)
            footspan.track("slow.done")
        return message.answer("hello")

    async def outlast(bot: Bot) -> None:
        assert await dispatcher.feed_webhook_update(bot, message("slow"), _timeout=0.01) is None
        assert len(events("telegram.message")) == 3
        await asyncio.sleep(0.5)

    async def run() -> None:
        bot = Bot(TOKEN, session=Answering())
        for given in (Update.model_validate(message("a")), message("b")):
            response: Any = await dispatcher.feed_webhook_update(bot, given)
            assert isinstance(response, SendMessage)
        assert isinstance(await dispatcher.feed_raw_update(bot, message("c")), SendMessage)
        with pytest.warns(RuntimeWarning, match="slow response"):
            await outlast(bot)

    asyncio.run(run())

    assert [each.attributes["footspan.telegram.outcome"] for each in events("telegram.message")] == ["handled"] * 4
    assert "user.id" in events("slow.done")[0].attributes


class Answering(Unreachable):
    """Telegram, for a bot that polls: it knows the bot and has some updates."""

    def __init__(self, *waiting: dict[str, Any]) -> None:
        super().__init__()
        self.waiting = list(waiting)
        self.empty = asyncio.Event()

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:
        """Who the bot is, the updates, then silence."""
        if isinstance(method, GetMe):
            return User.model_validate(ME)
        if isinstance(method, SendMessage):
            return None
        if not isinstance(method, GetUpdates):
            return await super().make_request(bot, method, timeout)
        if self.waiting:
            taken, self.waiting = self.waiting, []
            return [Update.model_validate(each, context={"bot": bot}) for each in taken]
        self.empty.set()
        await asyncio.sleep(60)
        return []


def test_polling(instrumented: Callable[..., None], spans: InMemorySpanExporter) -> None:
    """Every update is a trace of its own."""
    instrumented()
    dispatcher = shop()

    async def run() -> None:
        session = Answering(message("/start a"), callback(), message("/start b", user=OTHER_USER))
        bot = Bot(TOKEN, session=session)
        polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False))
        await asyncio.wait_for(session.empty.wait(), 20)
        await asyncio.wait_for(dispatcher.stop_polling(), 20)
        await polling

    asyncio.run(run())
    found = spans.get_finished_spans()

    assert sorted(each.name for each in events() if each.name.startswith("telegram.")) == [
        "telegram.callback_query",
        "telegram.command",
        "telegram.command",
    ]
    assert {each.name for each in found} == {"telegram.update message", "telegram.update callback_query"}
    assert {each.kind for each in found} == {SpanKind.CONSUMER}
    assert len({each.context.trace_id for each in found}) == 3


def test_a_cancelled_update_says_so(instrumented: Callable[..., None]) -> None:
    """The process ends while a handler runs."""
    instrumented()
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def waits(message: Message) -> None:
        await asyncio.sleep(60)

    async def run() -> None:
        task = asyncio.create_task(dispatcher.feed_update(aiogram_bot(), Update.model_validate(message("a"))))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())

    assert [each.attributes["footspan.telegram.outcome"] for each in events()] == ["cancelled"]


def test_uninstrumented_it_is_as_before(instrumented: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    """The classes are the library's own again; doing either twice changes nothing; sessions are over."""
    before = (Dispatcher.feed_update, HandlerObject.__dict__.get("call"))
    assert HandlerObject.call is CallableObject.call
    instrumented()
    instrumented()
    dispatcher = shop()
    feed(dispatcher, message("a"))
    assert len(events()) == 1
    for _ in range(2):
        AiogramInstrumentor().uninstrument()
    feed(dispatcher, message("b"))

    assert (Dispatcher.feed_update, HandlerObject.__dict__.get("call")) == before
    assert len(events()) == 1
    assert len(events("session.end")) == 1
    instrumented()
    feed(dispatcher, message("c"))
    assert len(events()) == 2


def test_what_others_put_around_it_stays(instrumented: Callable[..., None]) -> None:
    """Ours sleeps inside."""
    original = Dispatcher.feed_update
    instrumented()
    ours = Dispatcher.feed_update

    async def theirs(self: Dispatcher, *args: Any, **kwargs: Any) -> Any:
        return await ours(self, *args, **kwargs)

    Dispatcher.feed_update = theirs  # type: ignore[method-assign]
    try:
        AiogramInstrumentor().uninstrument()
        assert Dispatcher.feed_update is theirs
        feed(shop(), message("/start"))
    finally:
        Dispatcher.feed_update = original  # type: ignore[method-assign]

    assert [each.name for each in events()] == ["said.hello"]


def test_switched_off_nothing_is_recorded(
    instrumented: Callable[..., None], monkeypatch: pytest.MonkeyPatch, spans: InMemorySpanExporter
) -> None:
    """Neither event nor span, and the bot works."""
    footspan.init(service_name="bot", enabled=False)
    instrumented()
    answered: list[str] = []
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def answer(message: Message) -> None:
        answered.append(message.text or "")

    feed(dispatcher, message("a"))

    assert answered == ["a"]
    assert events() == []
    assert spans.get_finished_spans() == ()


def test_a_tracker_of_its_own(instrumented: Callable[..., None]) -> None:
    """Its pipeline gets the bot's events."""
    with footspan.Tracker(
        service_name="bots", courier="external", destinations={"console": {"enabled": True}}
    ) as tracker:
        instrumented(tracker=tracker)
        feed(shop(), message("a"))

    assert {each.resource["service.name"] for each in events("telegram.message", "session.start")} == {"bots"}


def test_the_first_update_starts_footspan(instrumented: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, without ``init``; what it knows of the user stays. Other destinations change nothing."""
    monkeypatch.setenv("FOOTSPAN_COURIER", "external")
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_CONSOLE_ENABLED", "true")
    tracking.reset()
    pipeline.reset()
    instrumented()
    feed(shop(), message("/start code"), message("a"))
    footspan.init(courier="external", destinations={"console": {"events": ["x"]}})
    feed(shop(), message("b"))

    assert len(events("session.start")) == 1
    assert {each.attributes["footspan.campaign.start_code"] for each in events("telegram.message")} == {"code"}


@pytest.mark.parametrize("broken", ["name", "came_by", "seen"])
def test_what_fails_inside_never_reaches_the_bot(
    instrumented: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    """The update is handled, in the context that was there; the log says so, once."""

    def fails(*_: Any) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(People, broken, fails)
    _guard.reraise_in_tests(False)
    instrumented()
    feed(shop(), message("/start"), message("/start"))

    assert [each.name for each in events()] == ["said.hello"] * 2
    assert not any("user.id" in each.attributes for each in events())
    assert ambient() == {}
    assert [each.message.count("ZeroDivisionError") for each in caplog.records if each.name == "footspan"] == [1]
    assert "hunter2" not in caplog.text
