"""What an app sets, and what is made of it where it cannot be used as it stands."""

from __future__ import annotations

import math
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from footspan import _guard

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_QUEUE: Final = "telemetry-queue.ndjson"
DEFAULT_BATCH: Final = 20
DEFAULT_INTERVAL: Final = 10.0
SHORTEST_INTERVAL: Final = 1.0
LARGEST_BATCH: Final = 999_999_999
"""The most that the setting of a destination may be."""


@dataclass
class TelemetryOptions:
    """The options of a client. They may be changed later; only ``queue_path`` is read once.

    Attributes:
        endpoint_url: The whole address that takes the events. Blank: events wait until a client has one.
        api_key: Sent as ``X-API-Key``; blank for none.
        queue_path: Events wait in the folder of this name and ``.d``.
        batch_size: Events a request carries at the most; 0 sends nothing.
        flush_interval_seconds: Seconds between two deliveries after ``start()``; less than 1 counts as 1.
        application_name: Stands on every event.
        application_version: The same.
        enable_country_lookup: Whether the country of ``ipAddress`` is looked up in ``country_database``.
        country_database: A file of countries in the MaxMind format. No service is ever asked.
    """

    endpoint_url: str = ""
    api_key: str = field(default="", repr=False)
    queue_path: str = DEFAULT_QUEUE
    batch_size: int = DEFAULT_BATCH
    flush_interval_seconds: float = DEFAULT_INTERVAL
    application_name: str = ""
    application_version: str = ""
    enable_country_lookup: bool = False
    country_database: str | None = None


class Chosen(NamedTuple):
    """The options that a client's events depend on, as they can be used. Tells roads apart."""

    endpoint: str
    api_key: str
    batch: int
    name: str
    version: str
    countries: str | None
    """A file; empty for none, although countries are wanted; ``None`` where they are not."""


def given(options: Any) -> tuple[Any, ...] | None:
    """What :func:`chosen` reads, as it stands: where it is the same, so is what is chosen. ``None`` if unreadable."""
    try:
        return _GIVEN(options)
    except Exception:  # noqa: BLE001 - an object of the host's own making
        return None


_GIVEN: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(
    "endpoint_url",
    "api_key",
    "batch_size",
    "application_name",
    "application_version",
    "enable_country_lookup",
    "country_database",
)


def chosen(options: Any) -> Chosen:
    """Read options. Never raises an ``Exception`` for what stands there."""
    wanted = False
    with suppress(Exception):  # an object of the host's own making
        wanted = bool(getattr(options, "enable_country_lookup", False))
    return Chosen(
        _text(options, "endpoint_url").strip(),
        _text(options, "api_key").strip(),
        int(min(LARGEST_BATCH, _number(options, "batch_size", DEFAULT_BATCH))),
        _text(options, "application_name"),
        _text(options, "application_version"),
        _text(options, "country_database") if wanted else None,
    )


def interval(options: Any) -> float:
    """Seconds between two deliveries. Never raises an ``Exception``."""
    wanted = _number(options, "flush_interval_seconds", DEFAULT_INTERVAL)
    return min(threading.TIMEOUT_MAX, max(SHORTEST_INTERVAL, wanted))


def queue_path(options: Any) -> str:
    """Where the queue is, in full: a program may change its working directory later."""
    try:
        path = os.fsdecode(options.queue_path).strip()
    except Exception:  # noqa: BLE001 - no path, or an object of the host's own making
        path = _text(options, "queue_path").strip()
    path = path.replace("\0", "") or DEFAULT_QUEUE
    try:
        return os.path.abspath(path)  # noqa: PTH100 - a link stays a link
    except OSError:  # the working directory is gone
        return path


def _text(options: Any, name: str) -> str:
    try:
        value = getattr(options, name, None)
        return "" if value is None else str(value)
    except Exception:  # noqa: BLE001 - an object of the host's own making
        return ""


def _number(options: Any, name: str, default: float) -> float:
    number = math.nan
    with suppress(Exception):  # an object of the host's own making, or no number
        number = float(getattr(options, name, default))
    if math.isfinite(number):
        return number
    _guard.warn_once(f"trace_telemetry.{name}", "footspan: %s is no number: %g is used", name, default)
    return default
