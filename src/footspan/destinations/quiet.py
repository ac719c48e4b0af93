"""``urllib3`` logs the address of every request, with its query, which may hold a key. Not so that of ours."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGERS: Final = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "urllib3.util.ssl_")


class _Thread(threading.local):
    sending = False


_thread = _Thread()


def _passes(record: logging.LogRecord) -> bool:  # noqa: ARG001 - whatever is said
    return not _thread.sending


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that ``urllib3`` says in this thread gets into a log; what the host does in others does."""
    before, _thread.sending = _thread.sending, True
    try:
        yield
    finally:
        _thread.sending = before


def keep_quiet() -> None:
    """Make :func:`quiet` work. Doing it again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_passes)
