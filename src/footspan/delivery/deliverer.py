"""A process's whole work when that is delivery: one service's spool, its destinations, and a courier that stands."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from footspan import _guard
from footspan.delivery import standing
from footspan.delivery.courier import Courier
from footspan.delivery.lanes import lane_destination, lane_of, max_bytes_of, takes_all
from footspan.delivery.routing import accepts
from footspan.delivery.waiting import goal_of
from footspan.destinations import build_destination
from footspan.spool.base import Target
from footspan.spool.disk import DiskSpool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from footspan.config import DestinationSettings, Settings
    from footspan.delivery.waiting import Goal
    from footspan.destinations.base import Destination
    from footspan.spool.layout import Layout


class Deliverer:
    """Delivers one service's spool in place of the service's own processes.

    Args:
        layout: The spool, prepared; or one of its lanes.
        settings: Its limits.
        destinations: Settings of the destinations to stand for.
        note: What to say about this process beside who it is.

    Attributes:
        service: The service's name as its folder has it; of a lane ``<service>/<lane>``.
        root: The spool's folder.

    Raises:
        ConfigurationError: A destination cannot be built from its settings.
    """

    def __init__(
        self,
        layout: Layout,
        settings: Settings,
        destinations: Iterable[DestinationSettings],
        note: Mapping[str, Any] | None = None,
    ) -> None:
        lane = lane_of(layout)
        folder = Path(layout.root)
        self.service = f"{folder.parent.name}/{lane}" if lane else folder.name
        self.root = layout.root
        self._layout = layout
        built: list[Destination] = []
        targets = []
        for declared in destinations:
            if lane and declared.type != "otlp":
                continue
            destination = lane_destination(lane, declared) if lane else build_destination(declared)
            built.append(destination)
            passes = declared.consent.passes
            targets.append(Target(destination.id, declared.name, declared.type, declared.events, passes))
        self._targets = {target.id: target for target in targets}
        self.turn = standing.Dedicated(layout, note)
        self._spool = DiskSpool(
            layout,
            targets,
            takes_all if lane else accepts,
            max_bytes=max_bytes_of(lane, settings) if lane else settings.spool.max_bytes,
            max_age=settings.spool.max_age,
            sync=settings.spool.durability == "disk",
        )
        self._courier = Courier(self._spool, built, exit_timeout=settings.exit_timeout, turn=self.turn)
        self._named: set[str] = set()
        self._goal: Goal | None = None

    def begin(self) -> bool:
        """Carry from now on; whether the system had threads for it."""
        return self._courier.begin()

    def leave(self, patience: float) -> None:
        """Finish the requests under way, journal their outcome and let the next one carry."""
        self._courier.leave(patience)
        with _guard.guard("closing the spool"):
            self._spool.close()

    def status(self) -> dict[str, Any]:
        """The ledger, as ``footspan.status()`` has it."""
        return self._courier.status()

    @property
    def standing_for(self) -> list[str]:
        """The names of the destinations whose place is ours."""
        held = self.turn.stands_for
        return [target.name for key, target in self._targets.items() if key in held]

    @property
    def settled(self) -> bool:
        """Whether it is clear for each destination who stands for it."""
        return len(self.turn.stands_for) + len(self.others()) >= len(self._targets)

    def others(self) -> dict[str, dict[str, Any]]:
        """The destinations for which another deliverer stands, by name, and who that is."""
        held = self.turn.stands_for
        found = {t.name: standing.who(self._layout, key) for key, t in self._targets.items() if key not in held}
        return {name: identity for name, identity in found.items() if identity}

    def busy(self, within: float) -> bool:
        """Whether something waits that we shall try to deliver within so many seconds.

        A destination that is parked or long unreachable is probed so seldom that waiting for it is no work.
        """
        now = time.time()
        held = self.turn.stands_for
        waiting = self._spool.waiting()
        live = self._courier.live()
        for key in held:
            if waiting.get(key):
                next_try = live[key].next_try if key in live else None
                if next_try is None or next_try - now <= within:
                    return True
        return False

    def apps_alive(self) -> bool:
        """Whether a process of the service has the spool open to write."""
        return standing.writers_alive(self._layout)

    def aim(self) -> None:
        """Make what waits now the goal of :meth:`left`."""
        self._goal = goal_of(self._spool, self._targets)

    def hurry(self, seconds: float) -> None:
        """Try often for so long, whatever the pauses between requests that fail would be."""
        self._courier.hurry(seconds)

    def left(self) -> dict[str, int]:
        """How much of the goal each destination still lacks, by name."""
        left = {} if self._goal is None else self._goal.left()
        return {self._targets[key].name: count for key, count in left.items()}

    def warn_of_strangers(self) -> None:
        """Name once each destination that has events waiting and no settings here."""
        for name, entry in self.strangers(self.status(), self._named).items():
            self._named.add(entry["id"])
            _guard.logger.warning(
                "footspan: %s: %d events wait for destination %s (%s), of which these settings know nothing: name it "
                "under `destinations:` in the file given with --config, or in FOOTSPAN_DESTINATIONS_%s_..., with the "
                "same address as in the service; until then they wait",
                self.service,
                entry["waiting"],
                name,
                entry["id"],
                name.partition(" ")[0].upper(),
            )

    @staticmethod
    def strangers(status: dict[str, Any], known: Collection[str] = ()) -> dict[str, Any]:
        """The entries of a ledger that have events waiting and no settings here, by name."""
        return {
            name: entry
            for name, entry in status["destinations"].items()
            if entry["waiting"] and not entry["configured"] and entry["id"] not in known
        }
