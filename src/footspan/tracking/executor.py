"""``CarryingExecutor``: an executor whose work bears the context of whoever submitted it."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, TypeVar

from footspan.tracking.carrying import carry

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import ParamSpec

    P = ParamSpec("P")

R = TypeVar("R")


class CarryingExecutor(Executor):
    """Hands work on to another executor, each piece bound to the context and the span of its submission.

    ``submit``, ``map`` and ``loop.run_in_executor`` all work. See :func:`footspan.carry`.

    Args:
        executor: Who does the work, such as a ``ThreadPoolExecutor``. It ends when this one does.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a function called with these arguments."""
        return self._executor.submit(carry(fn), *args, **kwargs)

    def map(self, fn: Callable[..., R], *iterables: Any, **options: Any) -> Any:
        """Have a function called for the items of some iterables; arguments and result as the wrapped executor has."""
        return self._executor.map(carry(fn), *iterables, **options)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the base's signature
        """Shut the wrapped executor down."""
        self._executor.shutdown(wait, cancel_futures=cancel_futures)
