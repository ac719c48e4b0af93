"""Where a client's events wait, and how they leave: a spool beside the queue's path, emptied on request.

Every client of a path shares the spool, in whatever process. An event is stored for the endpoint of its client; one of
a client without an endpoint is stored for nobody in particular, and goes to the endpoint of whoever delivers first.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.compat.clients import Client
from footspan.config import ConfigurationError
from footspan.destinations.base import identity
from footspan.spool.base import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.compat.trace_telemetry.options import Chosen
    from footspan.delivery.on_request import OnRequest
    from footspan.pipeline import Pipeline

KIND: Final = "trace_telemetry"
FOLDER: Final = "queue"
"""The spool's folder below ``<queue_path>.d``, whatever the application is called today."""

TIMEOUT: Final = 30.0
"""Seconds a request may take, as with the other SDK."""

NOWHERE: Final = "http://nowhere.invalid/"
"""Stands for the endpoint of clients that have none (RFC 2606: a name that never leads anywhere)."""

MAX_AGE: Final = 30 * 86_400.0
"""Seconds that events wait where nobody says otherwise: devices may be offline for longer than a service is."""

_MAX_AGE_VARIABLE: Final = "FOOTSPAN_SPOOL_MAX_AGE"
_COUNTRIES: Final = ("country_database", "enable_country_lookup")


class Road:
    """One client's way to its endpoint.

    Args:
        path: The queue's path.
        chosen: The options in force.

    Attributes:
        client: Takes events.
        sends: Whether anything is ever sent.

    Raises:
        ConfigurationError: A setting of the process cannot be used.
    """

    def __init__(self, path: str, chosen: Chosen) -> None:
        self.sends = bool(chosen.endpoint) and chosen.batch > 0
        self._request: OnRequest | None = None
        try:
            self.client = _client(path, chosen)
        except ConfigurationError as error:
            if f".{Client.name_of(KIND)}." not in error.key:
                raise
            _guard.warn_once(f"trace_telemetry {error.key} {path}", "footspan: %s", error)
            self.sends = self.sends and error.key.endswith(_COUNTRIES)
            usable = chosen._replace(countries=None)
            self.client = _client(path, usable if self.sends else usable._replace(endpoint="", api_key=""))

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline; ``None`` while tracking is off."""
        return self.client.pipeline

    @property
    def waiting(self) -> int:
        """Events that wait for this endpoint, or for any."""
        pipeline = self.pipeline
        if pipeline is None:
            return 0
        found = pipeline.spool.waiting()
        mine = {each.id for each in pipeline.destinations} | {unaddressed(self.client.name).id}
        return sum(count for identifier, count in found.items() if identifier in mine)

    def deliver(self, *, patience: float, when_due: bool, stopped: Callable[[], bool]) -> None:
        """See :meth:`OnRequest.deliver`."""
        pipeline = self.pipeline
        if pipeline is None or not self.sends:
            return
        if self._request is None:
            from footspan.delivery.on_request import OnRequest  # noqa: PLC0415 - loaded with the pipeline

            own = [each for each in pipeline.spool.targets if each.id == pipeline.destinations[0].id]
            anybody = [unaddressed(self.client.name, passes_of(pipeline))] if pipeline.spool.durable else []
            self._request = OnRequest(pipeline.spool, pipeline.destinations[0], [*anybody, *own])
        self._request.deliver(patience=patience, when_due=when_due, stopped=stopped)


def unaddressed(name: str, passes: tuple[str, ...] = ()) -> Target:
    """As whose events are stored that go to the endpoint of whoever delivers first.

    Args:
        name: The client's destination.
        passes: The purposes whose events it gets though nobody agreed to them.
    """
    return Target(identity(KIND, [NOWHERE]), name, KIND, passes=passes)


def passes_of(pipeline: Pipeline) -> tuple[str, ...]:
    """The purposes whose events a client's destination gets though nobody agreed to them."""
    return pipeline.settings.destinations[0].consent.passes


def _client(path: str, chosen: Chosen) -> Client:
    options: dict[str, Any] = {
        "url": chosen.endpoint or NOWHERE,
        "api_key": chosen.api_key or None,
        "batch": {"max_items": max(1, chosen.batch)},
        "timeout": TIMEOUT,
        "enable_country_lookup": None if chosen.countries is None else True,
        "country_database": chosen.countries or None,
    }
    return Client(
        KIND,
        options,
        apart=True,
        courier="external",  # nothing leaves before somebody asks
        flush_on_sigterm=False,
        spool={"directory": f"{path}.d", "folder": FOLDER, "max_age": _max_age()},
        service_name=_setting(chosen.name),
        service_version=_setting(chosen.version),
    )


def _setting(name: str) -> str | None:
    """A name as the settings can have it; ``None`` where they cannot, and each event must tell it."""
    from footspan.config.kinds import BadValueError  # noqa: PLC0415 - loaded with the pipeline
    from footspan.config.values import read_text  # noqa: PLC0415 - the same

    try:
        return read_text(name)
    except BadValueError:
        return None


def _max_age() -> float | None:
    """Our own default, unless the operator set another; ``None`` leaves that in force."""
    from footspan.config import SpoolSettings  # noqa: PLC0415 - loaded with the pipeline
    from footspan.config.load import load_settings  # noqa: PLC0415 - the same

    if _MAX_AGE_VARIABLE in os.environ or load_settings().spool.max_age != SpoolSettings().max_age:
        return None
    return MAX_AGE
