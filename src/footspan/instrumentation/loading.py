"""Work that waits until the library it is about is loaded: an app without it must not pay for loading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wrapt import register_post_import_hook

from footspan._guard import guard

if TYPE_CHECKING:
    from collections.abc import Callable


def when_loaded(module: str, work: Callable[[], None]) -> Callable[[], None]:
    """Do something once a module has been loaded: at once if it has been.

    Args:
        module: Its name.
        work: What to do; a failure of it is reported and reaches nobody.

    Returns:
        A function that takes the wish back; it undoes nothing.
    """
    wished = [True]

    def loaded(_: object) -> None:
        if wished:
            with guard(f"instrumentation of {module}"):
                work()

    register_post_import_hook(loaded, module)
    return wished.clear
