"""The instrumentor of aiogram: every update that a dispatcher is fed, by polling, by a webhook or by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # untyped

from footspan.instrumentation.loading import when_loaded
from footspan.instrumentation.telegram.bots import Bots
from footspan.instrumentation.telegram.handling import current
from footspan.instrumentation.telegram.patches import Patches
from footspan.instrumentation.telegram.updates import Facts, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


class AiogramInstrumentor(BaseInstrumentor):  # type: ignore[misc] # the same
    """The entry point ``footspan_aiogram``; :meth:`instrument` takes the keywords of :class:`Bots`."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The versions that it is made for."""
        return ("aiogram >= 3",)

    def _instrument(self, **kwargs: Any) -> None:
        self._bots = Bots(**kwargs)
        self._patches = Patches()
        self._wait_no_more = when_loaded("aiogram", self._patch)

    def _patch(self) -> None:
        from aiogram import Dispatcher  # noqa: PLC0415 - loaded where there are bots
        from aiogram.dispatcher.event.handler import HandlerObject  # noqa: PLC0415 - the same
        from aiogram.dispatcher.middlewares.error import ErrorsMiddleware  # noqa: PLC0415 - the same

        self._patches.wrap(Dispatcher, "feed_update", _around_updates(self._bots))
        self._patches.wrap(HandlerObject, "call", _around_handlers())
        self._patches.wrap(ErrorsMiddleware, "__call__", _around_errors())

    def _uninstrument(self, **_: Any) -> None:
        self._wait_no_more()
        self._patches.undo()
        self._bots.close()


def _around_updates(bots: Bots) -> Callable[..., Any]:
    from aiogram.dispatcher.event.bases import UNHANDLED, CancelHandler, SkipHandler  # noqa: PLC0415 - as above
    from aiogram.types import Update  # noqa: PLC0415 - as above

    kinds = [name for name in Update.model_fields if name != "update_id"]

    async def feed_update(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        bot, update = (*args, *(kwargs.get(name) for name in ("bot", "update")[len(args) :]))[:2]

        def read() -> Facts:
            me = getattr(bot, "_me", None)  # known once anybody has asked; asking takes a request
            return facts_of(update, kinds, getattr(me, "username", None))

        handling = bots.begin(
            read,
            token=getattr(bot, "token", ""),
            dump=lambda: update.model_dump(exclude_none=True),
            passing=(SkipHandler, CancelHandler),
        )
        if handling is None:
            return await wrapped(*args, **kwargs)
        with handling:
            response = await wrapped(*args, **kwargs)
            handling.handled = response is not UNHANDLED
            return response

    return feed_update


def _around_handlers() -> Callable[..., Any]:
    from aiogram import Dispatcher  # noqa: PLC0415 - as above
    from aiogram.dispatcher.event.bases import SkipHandler  # noqa: PLC0415 - as above
    from aiogram.types import ErrorEvent  # noqa: PLC0415 - as above

    async def call(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        handling, callback = current.get(), instance.callback
        # The dispatcher's own listener hands an update on, and error handlers come after the handler that failed.
        inner = getattr(callback, "__func__", None) is Dispatcher._listen_update  # noqa: SLF001 - to know it by
        if handling is None or inner or (args and isinstance(args[0], ErrorEvent)):
            return await wrapped(*args, **kwargs)
        # A scene's handler lies in an object.
        handling.runs(getattr(getattr(callback, "handler", None), "callback", callback), _command(kwargs))
        try:
            return await wrapped(*args, **kwargs)
        except SkipHandler:
            handling.handler = ""
            raise

    return call


def _command(kwargs: dict[str, Any]) -> str:
    """The command that a filter has matched by its name; a pattern of the app's matches what people type."""
    command = kwargs.get("command")
    if command is None or getattr(command, "regexp_match", None) is not None:
        return ""
    word = getattr(command, "command", "")
    return word.lower() if isinstance(word, str) else ""


def _around_errors() -> Callable[..., Any]:
    async def watch(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        handling = current.get()
        if handling is None or not args:
            return await wrapped(*args, **kwargs)
        handler, *rest = args

        async def watched(*inner: Any, **more: Any) -> Any:
            try:
                return await handler(*inner, **more)
            except Exception as error:
                handling.failed(error)
                raise

        return await wrapped(watched, *rest, **kwargs)

    return watch
