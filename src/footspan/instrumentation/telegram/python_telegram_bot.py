"""The instrumentor of python-telegram-bot: every update and every job that an application processes."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # untyped

from footspan.instrumentation.loading import when_loaded
from footspan.instrumentation.telegram.bots import Bots
from footspan.instrumentation.telegram.handling import JOB, current, name_of
from footspan.instrumentation.telegram.patches import Patches
from footspan.instrumentation.telegram.updates import Facts, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from footspan.instrumentation.telegram.handling import Handling


class PythonTelegramBotInstrumentor(BaseInstrumentor):  # type: ignore[misc] # the same
    """The entry point ``footspan_python_telegram_bot``; :meth:`instrument` takes the keywords of :class:`Bots`."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The versions that it is made for."""
        return ("python-telegram-bot >= 20",)

    def _instrument(self, **kwargs: Any) -> None:
        self._bots = Bots(**kwargs)
        self._patches = Patches()
        self._wait_no_more = when_loaded("telegram.ext", self._patch)

    def _patch(self) -> None:
        from telegram.ext import Application, BaseHandler, CallbackContext, Job  # noqa: PLC0415 - where there are bots

        handlers = _Handlers()
        self._patches.wrap(Application, "process_update", _around_updates(self._bots))
        self._patches.wrap(Application, "process_error", _around_errors)
        self._patches.wrap(Application, "create_task", handlers.around_tasks)
        self._patches.wrap(BaseHandler, "handle_update", handlers.around)
        self._patches.wrap(CallbackContext, "from_update", _around_matches)
        self._patches.wrap(Job, "run", _around_jobs(self._bots))

    def _uninstrument(self, **_: Any) -> None:
        self._wait_no_more()
        self._patches.undo()
        self._bots.close()


def _around_updates(bots: Bots) -> Callable[..., Any]:
    from telegram import Update  # noqa: PLC0415 - as above
    from telegram.ext import ApplicationHandlerStop  # noqa: PLC0415 - as above

    async def process_update(wrapped: Any, app: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        update = args[0] if args else kwargs.get("update")

        def read() -> Facts:
            return facts_of(update, Update.ALL_TYPES, _name_of(app.bot)) if isinstance(update, Update) else Facts()

        handling = bots.begin(
            read,
            token=str(getattr(app.bot, "token", "")),
            dump=lambda: update.to_dict() if isinstance(update, Update) else {},
            passing=(ApplicationHandlerStop,),
        )
        if handling is None:
            return await wrapped(*args, **kwargs)
        with handling:
            return await wrapped(*args, **kwargs)

    return process_update


def _name_of(bot: Any) -> str | None:
    try:
        return str(bot.username)
    except Exception:  # noqa: BLE001 - whatever the library says of a bot that has not been asked who it is
        return None


def _around_jobs(bots: Bots) -> Callable[..., Any]:
    async def run(wrapped: Any, job: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        app = args[0] if args else kwargs.get("application")

        def read() -> Facts:
            chat = (
                job.chat_id if isinstance(job.chat_id, int) and job.chat_id > 0 else None
            )  # a private chat's is its user's
            return Facts(JOB, user_id=chat if job.user_id is None else job.user_id)

        handling = bots.begin(read, token=str(getattr(getattr(app, "bot", None), "token", "")))
        if handling is None:
            return await wrapped(*args, **kwargs)
        with handling:
            handling.handled = True
            handling.runs(job.callback)
            return await wrapped(*args, **kwargs)

    return run


async def _around_errors(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What handlers, filters, jobs and tasks of theirs raise all comes by here."""
    handling, error = current.get(), kwargs.get("error", args[1] if len(args) > 1 else None)
    if handling is not None and isinstance(error, Exception):
        handling.failed(error)
    return await wrapped(*args, **kwargs)


def _around_matches(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The first handler that takes an update has its context made, even one that our way to handlers passes by."""
    handling = current.get()
    if handling is not None:
        handling.handled = True
    return wrapped(*args, **kwargs)


class _Handlers:
    """The handlers of updates, those that nobody waits for included."""

    def __init__(self) -> None:
        self._running: weakref.WeakSet[Any] = weakref.WeakSet()

    def around(self, wrapped: Any, handler: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Around ``handle_update``."""
        handling = current.get()
        if handling is None:
            return wrapped(*args, **kwargs)
        running = _run(handling, handler, functools.partial(wrapped, *args, **kwargs))
        self._running.add(running)
        return running

    def around_tasks(self, wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Around ``create_task``: an update is not over before a handler with ``block=False`` is."""
        task = wrapped(*args, **kwargs)
        handling, running = current.get(), kwargs.get("coroutine", args[0] if args else None)
        if handling is not None and running in self._running:
            release = handling.hold()
            task.add_done_callback(lambda _: release())
        return task


async def _run(handling: Handling, handler: Any, handle: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    from telegram.ext import ApplicationHandlerStop  # noqa: PLC0415 - as above

    handling.runs(handler.callback, handling.named_by(getattr(handler, "commands", ())))
    try:
        return await handle()
    except ApplicationHandlerStop:
        raise
    except Exception as error:
        handling.failed(error, name_of(handler.callback))
        raise
