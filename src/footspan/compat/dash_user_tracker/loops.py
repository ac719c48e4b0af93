"""Awaiting from code that is not asynchronous, without touching anybody's event loop."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from footspan import _platform

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


_parents: Final[list[Any]] = []
"""Loops of the process that this one was forked from."""


class Awaiter:
    """Runs what may be a coroutine to its end, always on the same loop of its own, so that connections live on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        _platform.on_fork(self._forked)

    def call(self, function: Callable[..., Any], *arguments: Any, timeout: float | None = None) -> Any:
        """Call a function and await what it returns, if that can be awaited.

        Args:
            function: An ordinary function, or one that is ``async def``.
            *arguments: Its arguments.
            timeout: Seconds that awaiting may take.

        Raises:
            TimeoutError: It took longer.
        """
        result = function(*arguments)
        if not inspect.isawaitable(result):
            return result
        if not _in_loop():
            return self._run(result, timeout)
        # A loop runs in this thread, which can run no second one.
        box: list[Any] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                box.append(self._run(result, timeout))
            except BaseException as error:  # noqa: BLE001 - handed over to who called
                failure.append(error)

        thread = threading.Thread(target=run, name="footspan-await", daemon=True)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        return box[0]

    def _run(self, awaitable: Awaitable[Any], timeout: float | None) -> Any:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._loop, self._pid = asyncio.new_event_loop(), os.getpid()
            try:
                return self._loop.run_until_complete(asyncio.wait_for(_waiting(awaitable), timeout))
            except asyncio.TimeoutError as error:  # before Python 3.11 it is another one than the built-in
                raise TimeoutError from error

    def close(self) -> None:
        """End the loop; the next call opens another."""
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is not None and self._pid == os.getpid() and not loop.is_running():
                with suppress(Exception):
                    loop.run_until_complete(loop.shutdown_asyncgens())
                loop.close()

    def _forked(self) -> None:
        self._lock = threading.Lock()
        # What it polls is shared with the parent: closing it here, or letting it be collected, would end it there, too.
        _parents.append(self._loop)
        self._loop = None

    def __del__(self) -> None:
        with suppress(Exception):
            if self._loop is not None and self._pid == os.getpid() and not self._loop.is_running():
                self._loop.close()


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _waiting(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except SystemExit as error:  # would break the loop for whoever awaits next
        raise RuntimeError("a coroutine ended with SystemExit") from error
