"""Tests for footspan.instrumentation.telegram.python_telegram_bot: real applications, fed with updates, no network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiogram import Dispatcher
from aiogram.types import Update as AiogramUpdate
from opentelemetry.trace import SpanKind, StatusCode
from telegram import Update
from telegram.ext import (
    Application,
    ApplicationHandlerStop,
    BaseHandler,
    CallbackContext,
    CallbackQueryHandler,
    CommandHandler,
    ConversationHandler,
    Defaults,
    Job,
    MessageHandler,
    TypeHandler,
    filters,
)

import footspan
from footspan.instrumentation.telegram.python_telegram_bot import PythonTelegramBotInstrumentor
from footspan.processors.context import ambient
from instrumentation.telegram.conftest import events
from instrumentation.telegram.updates import GROUP, OTHER_USER, USER, aiogram_bot, application, callback, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


async def start(update: Update, context: Any) -> None:
    """Say hello."""
    footspan.track("said.hello")


async def other(update: object, context: Any) -> None:
    """Take anything."""
    footspan.track("took.other")


def feed(app: Any, *updates: dict[str, Any]) -> None:
    """Process updates one after the other, and wait for handlers that the application does not wait for."""

    async def run() -> None:
        async with app:
            await app.start()
            for each in updates:
                await app.process_update(Update.de_json(each, app.bot))
                for _ in range(10):  # for who is not waited for, and waits for nothing
                    await asyncio.sleep(0)
            await app.stop()

    asyncio.run(run())


def shop() -> Any:
    """A bot that knows one command, and takes buttons."""
    app = application()
    app.add_handler(CommandHandler("start", start))
    app.add_handler(CallbackQueryHandler(other))
    return app


def test_a_start_by_a_link_is_an_event_and_the_campaign_of_what_follows(
    instrumented: Callable[..., None], spans: InMemorySpanExporter
) -> None:
    """As with the other library."""
    instrumented()
    feed(shop(), message("/start spring_24"), callback(), message("/start", user=OTHER_USER))
    started, button, plain = events("telegram.command", "telegram.callback_query")
    hello, hello_of_other = events("said.hello")

    assert {
        "footspan.campaign.start_code": "spring_24",
        "footspan.telegram.update_type": "message",
        "footspan.telegram.chat_type": "private",
        "footspan.telegram.command": "start",
        "footspan.telegram.handler": "start",
        "footspan.telegram.outcome": "handled",
        "browser.language": "de",
    }.items() <= started.attributes.items()
    for each in (button, hello):
        assert each.attributes["footspan.campaign.start_code"] == "spring_24"
        assert each.attributes["session.id"] == started.attributes["session.id"]
        assert each.attributes["user.id"] == started.attributes["user.id"]
    for each in (plain, hello_of_other):
        assert "footspan.campaign.start_code" not in each.attributes
        assert each.attributes["user.id"] != started.attributes["user.id"]
    assert [each.name for each in spans.get_finished_spans()] == [
        "telegram.update message",
        "telegram.update callback_query",
        "telegram.update message",
    ]
    assert {each.kind for each in spans.get_finished_spans()} == {SpanKind.CONSUMER}
    assert "user.id" not in ambient()


def test_both_libraries_know_a_user_by_the_same_name(instrumented: Callable[..., None]) -> None:
    """It depends on the bot's token alone, not on process or library."""
    instrumented()
    feed(shop(), message("/start"))
    asyncio.run(Dispatcher().feed_update(aiogram_bot(), AiogramUpdate.model_validate(message("hello"))))
    (first,) = {each.attributes["user.id"] for each in events()}

    assert first != footspan.get_user_hash(USER["id"])
    assert len(first) == 16


def test_nothing_of_the_person_leaves_by_default(instrumented: Callable[..., None], spans: Any) -> None:
    """Unknown commands, groups and all."""
    instrumented()
    app = shop()
    app.add_handler(MessageHandler(filters.COMMAND, other))
    feed(
        app,
        message("/my_password_is_hunter2"),
        message("my secret text", chat=GROUP),
        message(caption="a caption of mine", contact={"phone_number": "5551234", "first_name": "Annabel"}),
        callback("secret-data-17"),
    )
    everything = str([each.record for each in events()]) + "".join(
        each.to_json() for each in spans.get_finished_spans()
    )

    for secret in ("hunter2", "secret", "caption of", "5551234", "Annabel", "123456789", "Kiel", "TEST", "shop_bot"):
        assert secret not in everything, secret
    assert [each.attributes["footspan.telegram.command"] for each in events("telegram.command")] == ["_OTHER"]


def test_another_bots_command_is_none(instrumented: Callable[..., None]) -> None:
    """In groups, commands name their bot."""
    instrumented()
    feed(
        shop(),
        message("/start@other_bot theirs", chat=GROUP),
        message("/start@Shop_Bot ours", chat=GROUP),
    )

    assert [each.name for each in events("telegram.message", "telegram.command")] == [
        "telegram.message",
        "telegram.command",
    ]
    assert events("telegram.message")[0].attributes.get("footspan.campaign.start_code") is None
    assert events("telegram.command")[0].attributes["footspan.campaign.start_code"] == "ours"


def test_errors(instrumented: Callable[..., None], spans: InMemorySpanExporter) -> None:
    """Of a handler, a filter, an error handler; the library's own handlers get the same object."""
    instrumented()
    seen: list[BaseException | None] = []
    raised = KeyError("hunter2")

    async def fails(update: Update, context: Any) -> None:
        raise raised

    async def on_error(update: object, context: Any) -> None:
        footspan.track("error.handled")
        seen.append(context.error)

    class Broken(filters.MessageFilter):
        def filter(self, message: Any) -> bool:
            raise LookupError("broken")

    app = application()
    app.add_handler(MessageHandler(filters.Regex("hunter"), fails))
    app.add_handler(MessageHandler(Broken(), other))
    app.add_handler(TypeHandler(Update, other), group=1)
    app.add_error_handler(on_error)
    feed(app, message("hunter2"), message("other"))
    first, second = events("telegram.error")

    assert seen[0] is raised
    assert first.attributes["error.type"] == "KeyError"
    assert first.attributes["exception.message"] == "'[…]'"
    assert "hunter2" not in str(first.record)
    assert "raise raised" in first.attributes["exception.stacktrace"]
    assert first.attributes["footspan.telegram.handler"].endswith("fails")
    assert second.attributes["error.type"] == "LookupError"
    assert [each.attributes["footspan.telegram.outcome"] for each in events("telegram.message")] == ["error", "error"]
    assert len(events("took.other")) == 2
    assert all("user.id" in each.attributes for each in events("error.handled"))
    assert {each.status.status_code for each in spans.get_finished_spans()} == {StatusCode.ERROR}


def test_handlers_that_steer_the_library_do_not_fail(instrumented: Callable[..., None]) -> None:
    """``ApplicationHandlerStop`` ends the other groups."""
    instrumented()

    async def stops(update: Update, context: Any) -> None:
        raise ApplicationHandlerStop

    app = application()
    app.add_handler(MessageHandler(filters.ALL, stops))
    app.add_handler(MessageHandler(filters.ALL, other), group=1)
    feed(app, message("a"))
    (event,) = events()

    assert event.attributes["footspan.telegram.outcome"] == "handled"
    assert events("telegram.error") == []


@pytest.mark.parametrize("how", ["handler", "defaults"])
def test_an_update_is_over_when_its_last_handler_is(
    instrumented: Callable[..., None], spans: InMemorySpanExporter, how: str
) -> None:
    """Handlers that nobody waits for bear the user, count for the time, and their errors are the update's."""
    instrumented()

    async def later(update: Any, context: Any) -> None:
        await asyncio.sleep(0.05)
        footspan.track("later")
        if update.message.text == "fail":
            raise RuntimeError("late")

    app = application(**({"defaults": Defaults(block=False)} if how == "defaults" else {}))
    app.add_handler(MessageHandler(filters.ALL, later, **({"block": False} if how == "handler" else {})))

    async def on_error(update: object, context: Any) -> None:
        """Take it."""

    app.add_error_handler(on_error)
    feed(app, message("a"), message("fail", user=OTHER_USER))
    first, second = sorted(events("telegram.message"), key=lambda each: each.attributes["footspan.telegram.outcome"])
    assert len(spans.get_finished_spans()) == 2

    assert (first.attributes["footspan.telegram.outcome"], second.attributes["footspan.telegram.outcome"]) == (
        "error",
        "handled",
    )
    for each in (first, second):
        assert each.attributes["footspan.duration_ms"] >= 50
        assert each.attributes["footspan.telegram.handler"].endswith("later")
    assert [each.attributes["error.type"] for each in events("telegram.error")] == ["RuntimeError"]
    assert {each.attributes["user.id"] for each in events("later")} == {
        first.attributes["user.id"],
        second.attributes["user.id"],
    }
    tracked = {each.attributes["user.id"]: each.record["traceId"] for each in events("later")}
    assert tracked[second.attributes["user.id"]] == second.record["traceId"]


def test_a_handler_that_never_began_ends_its_update(instrumented: Callable[..., None]) -> None:
    """Cancelled before its first step, as when a loop is closed."""
    instrumented()

    async def run() -> None:
        app = application()
        app.add_handler(MessageHandler(filters.ALL, other, block=False))
        async with app:
            await app.start()
            others = asyncio.all_tasks()
            await app.process_update(Update.de_json(message("a"), app.bot))
            for task in asyncio.all_tasks() - others:
                task.cancel()
            await asyncio.sleep(0.05)
            await app.stop()

    with pytest.warns(RuntimeWarning, match="never awaited"):
        asyncio.run(run())

    assert [each.name for each in events()] == ["telegram.message"]


def test_concurrent_updates_do_not_mix(instrumented: Callable[..., None]) -> None:
    """Through the application's own queue, many at once."""
    instrumented()

    async def run() -> None:
        opened, waiting = asyncio.Event(), asyncio.Event()
        inside = []

        async def slow(update: Any, context: Any) -> None:
            footspan.set_context(marker=update.message.text)
            inside.append(1)
            if len(inside) == 20:
                waiting.set()
            await opened.wait()
            footspan.track("after.wait", said=update.message.text)

        app = application(concurrent_updates=True)
        app.add_handler(MessageHandler(filters.ALL, slow))
        async with app:
            await app.start()
            for number in range(20):
                user = {"id": 1000 + number, "is_bot": False, "first_name": "P"}
                await app.update_queue.put(Update.de_json(message(f"t{number}", user=user), app.bot))
            await asyncio.wait_for(waiting.wait(), 20)
            opened.set()
            await app.stop()

    asyncio.run(run())
    tracked = events("after.wait")

    assert len({each.attributes["user.id"] for each in tracked}) == 20
    assert all(each.attributes["marker"] == each.attributes["said"] for each in tracked)
    assert {each.attributes["footspan.telegram.outcome"] for each in events("telegram.message")} == {"handled"}


@pytest.mark.parametrize("block", [True, False])
def test_a_conversation_names_its_steps(instrumented: Callable[..., None], block: bool) -> None:
    """Not itself."""
    instrumented()

    async def order(update: Update, context: Any) -> int:
        return 1

    async def size(update: Update, context: Any) -> int:
        footspan.track("order.placed")
        return int(ConversationHandler.END)

    app = application()
    app.add_handler(
        ConversationHandler(
            entry_points=[CommandHandler("order", order, block=block)],
            states={1: [MessageHandler(filters.TEXT, size, block=block)]},
            fallbacks=[],
        )
    )
    feed(app, message("/order"), message("large"))
    first, second = events("telegram.command", "telegram.message")

    assert first.attributes["footspan.telegram.command"] == "order"
    assert first.attributes["footspan.telegram.handler"].endswith("order")
    assert second.attributes["footspan.telegram.handler"].endswith("size")
    assert {each.attributes["session.id"] for each in events()} == {first.attributes["session.id"]}


def test_a_handler_class_of_the_apps_own_counts_as_a_handler(instrumented: Callable[..., None]) -> None:
    """Even one that goes round the base class; it has no name then."""
    instrumented()

    class Own(BaseHandler[Any, Any, Any]):
        def check_update(self, update: object) -> bool:
            return True

        async def handle_update(self, *_: Any) -> None:
            footspan.track("own")

    app = application()
    app.add_handler(Own(other))
    feed(app, message("a"))
    (event,) = events("telegram.message")

    assert event.attributes["footspan.telegram.outcome"] == "handled"


def test_what_is_no_update_of_telegrams(instrumented: Callable[..., None]) -> None:
    """Applications process objects of their own, too."""
    instrumented()
    app = application()
    app.add_handler(TypeHandler(dict, other))

    async def run() -> None:
        async with app:
            await app.process_update({"paid": 1})

    asyncio.run(run())

    assert [each.name for each in events()] == ["took.other", "telegram.other"]


def test_a_job_belongs_to_its_own_user(instrumented: Callable[..., None], spans: InMemorySpanExporter) -> None:
    """Timers run in the context of whoever armed them: nothing of that user may be seen in another's job."""
    instrumented()

    async def run() -> None:
        done = asyncio.Event()

        async def remind(context: Any) -> None:
            footspan.track("reminded", of=context.job.data)
            if context.job.data == "b":
                raise RuntimeError("job")
            if context.job.data == "c":
                done.set()

        async def arm(update: Update, context: Any) -> None:
            footspan.set_context(marker="of who armed it")
            queue = context.job_queue
            queue.run_once(remind, 0.01, user_id=USER["id"], chat_id=USER["id"], data="a", name="123456789")
            queue.run_once(remind, 0.1, chat_id=OTHER_USER["id"], data="b")
            queue.run_once(remind, 0.2, data="c")

        app = application()
        app.add_handler(MessageHandler(filters.ALL, arm))
        async with app:
            await app.start()
            await app.process_update(Update.de_json(message("/start code"), app.bot))
            await asyncio.wait_for(done.wait(), 20)
            await app.stop()

    asyncio.run(run())
    (armed,) = events("telegram.command")
    first, second, third = events("reminded")
    jobs = events("telegram.job")

    assert first.attributes["user.id"] == armed.attributes["user.id"]
    assert first.attributes["session.id"] == armed.attributes["session.id"]
    assert first.attributes["footspan.campaign.start_code"] == "code"
    assert second.attributes["user.id"] != armed.attributes["user.id"]
    assert not {"session.id", "footspan.campaign.start_code"} & second.attributes.keys()
    assert "user.id" not in third.attributes
    assert not any("marker" in each.attributes for each in (first, second, third))
    assert len({each.record["traceId"] for each in (armed, first, second, third)}) == 4
    assert [each.attributes["footspan.telegram.outcome"] for each in jobs] == ["handled", "error", "handled"]
    assert all(each.attributes["footspan.telegram.handler"].endswith("remind") for each in jobs)
    assert [each.attributes["error.type"] for each in events("telegram.error")] == ["RuntimeError"]
    assert [each.name for each in spans.get_finished_spans()] == ["telegram.update message", *["telegram.job"] * 3]
    assert "123456789" not in str([each.record for each in events()])
    assert len(events("session.start")) == 1


def test_uninstrumented_it_is_as_before(instrumented: Callable[..., None]) -> None:
    """Every class is the library's own again."""
    owners = (Application, BaseHandler, CallbackContext, Job)
    before = [dict(vars(each)) for each in owners]
    instrumented()
    feed(shop(), message("a"))
    assert len(events()) == 1
    PythonTelegramBotInstrumentor().uninstrument()
    feed(shop(), message("b"))

    assert [dict(vars(each)) for each in owners] == before
    assert len(events()) == 1
