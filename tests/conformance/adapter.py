"""What the suite must know of a destination. A new one adds a module with a subclass, and its name to ``adapters``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from conformance.faults import HTTP, elsewhere, strike
from destinations.making import settings
from footspan.destinations import build_destination

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.faults import Expected
    from footspan.config import DestinationSettings
    from footspan.destinations.base import Destination


class Adapter(ABC):
    """One destination in one way of sending.

    Attributes:
        name: What tests are called by.
        looks: What each event of ``cases.EVENTS`` looks like there, as :meth:`seen` shows it.
    """

    name: ClassVar[str]
    looks: ClassVar[Mapping[str, Any]]

    @property
    @abstractmethod
    def faults(self) -> Mapping[str, Expected]:
        """Every fault that can strike there, and what must follow."""

    @abstractmethod
    def prove(self) -> None:
        """Hold the stand-in against recordings of the real thing, or against somebody else's client of it."""

    @abstractmethod
    @contextmanager
    def running(self) -> Iterator[Any]:
        """The stand-in, running."""

    @abstractmethod
    def settings(self, server: Any, **more: Any) -> DestinationSettings:
        """Settings that lead to it. ``address`` among ``more`` leads elsewhere instead."""

    @abstractmethod
    def seen(self, server: Any) -> list[Any]:
        """What arrived, in an order of its own."""

    def names(self, server: Any) -> list[str]:
        """The names of what arrived."""
        return [each["name"] for each in self.seen(server)]

    @abstractmethod
    def requests(self, server: Any) -> int:
        """How many requests arrived."""

    @contextmanager
    def failing(self, server: Any, fault: str) -> Iterator[dict[str, Any]]:
        """The stand-in has a fault for its next request; what the settings need for that."""
        with elsewhere(fault) as address:
            strike(server.faults, fault)
            yield {"address": address} if address else {}

    def build(self, server: Any, **more: Any) -> Destination:
        """The destination."""
        return build_destination(self.settings(server, **more))


class HttpAdapter(Adapter):
    """A destination over HTTP whose stand-in is one of ``servers``."""

    type: ClassVar[str]
    address: ClassVar[str] = "url"
    exceptions: ClassVar[Mapping[str, Expected]] = {}
    """Where its contract says otherwise than the table for all."""

    @property
    def faults(self) -> Mapping[str, Expected]:
        """The table for all, and the exceptions."""
        return {**HTTP, **self.exceptions}

    def options(self, server: Any) -> dict[str, Any]:
        """Options besides the address."""
        del server
        return {}

    def settings(self, server: Any, **more: Any) -> DestinationSettings:
        """Settings that lead to the stand-in, or to ``address``."""
        options = {self.address: more.pop("address", server.url), **self.options(server)}
        return settings(self.type, **{**options, **more})

    def requests(self, server: Any) -> int:
        """How many requests arrived."""
        return len(server.requests)
