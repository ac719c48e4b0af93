"""The life of ``footspan deliver``: taking spools up, saying what happens, and when to end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

import click

from footspan.delivery.suppression import without_withheld

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.cli.deliver_view import View
    from footspan.delivery.deliverer import Deliverer
    from footspan.delivery.stop import Stop
    from footspan.spool.layout import Layout

NO_PROGRESS: Final = 30.0
"""Seconds without any movement after which ``--once`` gives up what is left."""

PATIENCE: Final = 60.0
"""Seconds that requests under way may take at the end; their own time-outs are shorter as a rule."""

_FIRST_LOOK: Final = 5.0
_LOOK_EVERY: Final = 5.0
_TURN: Final = 0.25


class Run:
    """One run of the command.

    Args:
        find: The spools to deliver.
        make: Makes the deliverer of one.
        stop: When to end early.
        view: Where progress is shown.

    Attributes:
        taken: With ``once``: whether another deliverer stands for destinations of ours.
    """

    def __init__(
        self, find: Callable[[], list[Layout]], make: Callable[[Layout], Deliverer], stop: Stop, view: View
    ) -> None:
        self._find = find
        self._make = make
        self._stop = stop
        self._view = view
        self._began = time.monotonic()
        self._deliverers: dict[str, Deliverer] = {}
        self._before: dict[str, dict[str, Any]] = {}
        self._standbys: dict[str, dict[str, Any]] = {}
        self._lacking = 0
        # What the carriers were doing at the end: afterwards nobody carries any more.
        self._last: dict[str, dict[str, Any]] = {}
        self.taken = False

    # -- the two ways to run -------------------------------------------------------------------------------------------

    def on(self, idle_exit: float | None, *, watch: bool) -> str:
        """Deliver until a signal comes, or nothing has been to do for ``idle_exit`` seconds.

        Args:
            idle_exit: Seconds; ``None`` never ends by itself.
            watch: Whether to look for new spools now and then.

        Returns:
            ``signal`` or ``idle``.
        """
        self._take_up()
        looked = busy = time.monotonic()
        try:
            while not self._stop.wait(_TURN):
                now = time.monotonic()
                self._say_who_stands()
                self._view.show(self._figures)
                if idle_exit is not None:
                    if any(deliverer.busy(idle_exit) for deliverer in self._deliverers.values()):
                        busy = now
                    elif now - busy >= idle_exit:
                        return "idle"
                if now - looked >= _LOOK_EVERY:
                    looked = now
                    for deliverer in self._deliverers.values():
                        deliverer.warn_of_strangers()
                    if watch:
                        self._take_up()
            return "signal"
        finally:
            self._leave()

    def once(self, timeout: float | None) -> str:
        """Deliver what waits now.

        Args:
            timeout: Seconds; ``None`` ends where nothing has moved for :data:`NO_PROGRESS`.

        Returns:
            ``done``, ``timeout``, ``stuck`` (nothing moves, or all that is left is parked) or ``signal``.
        """
        self._take_up()
        try:
            self._wait_for_places()
            for deliverer in self._deliverers.values():
                deliverer.aim()
                deliverer.warn_of_strangers()
            return self._until_nothing_is_left(timeout)
        finally:
            self._lacking = sum(sum(deliverer.left().values()) for deliverer in self._deliverers.values())
            self._leave()

    def _until_nothing_is_left(self, timeout: float | None) -> str:
        moved = began = time.monotonic()
        least: int | None = None
        while True:
            left = self._left_to_us()
            now = time.monotonic()
            if not left:
                return "done"
            if least is None or sum(left.values()) < least:
                least, moved = sum(left.values()), now
            if timeout is not None and now - began >= timeout:
                return "timeout"
            if (timeout is None and now - moved >= NO_PROGRESS) or self._all_parked(left):
                return "stuck"
            for deliverer in self._deliverers.values():
                deliverer.hurry(5.0)
            self._view.show(self._figures)
            if self._stop.wait(_TURN if timeout is None else min(_TURN, max(0.01, timeout - (now - began)))):
                return "signal"

    def _left_to_us(self) -> dict[tuple[str, str], int]:
        """What the goal still lacks, of the destinations whose place is ours, by service and destination."""
        left = {}
        for service, deliverer in self._deliverers.items():
            ours = set(deliverer.standing_for)
            left.update({(service, name): count for name, count in deliverer.left().items() if count and name in ours})
        return left

    def _all_parked(self, left: dict[tuple[str, str], int]) -> bool:
        states = {
            (service, name): entry["state"]
            for service in {service for service, _ in left}
            for name, entry in self._deliverers[service].status()["destinations"].items()
        }
        return all(states.get(place) == "parked" for place in left)

    # -- taking up and leaving -----------------------------------------------------------------------------------------

    def _take_up(self) -> None:
        for layout in self._find():
            if layout.root in {deliverer.root for deliverer in self._deliverers.values()}:
                continue
            deliverer = self._make(layout)
            self._deliverers[deliverer.service] = deliverer
            self._before[deliverer.service] = deliverer.status()["destinations"]
            if not deliverer.begin():
                raise click.ClickException("The system has no thread left to deliver in.")
            self._view.say(f"{deliverer.service}: delivering {layout.root}")

    def _wait_for_places(self) -> None:
        """Until it is clear for each destination who stands for it."""
        deadline = time.monotonic() + _FIRST_LOOK
        while time.monotonic() < deadline and not self._stop.asked:
            if all(deliverer.settled for deliverer in self._deliverers.values()):
                break
            self._stop.wait(0.05)
        self._say_who_stands()
        self.taken = any(self._standbys.values())

    def _leave(self) -> None:
        if self._stop.asked:
            self._view.say("ending: requests under way are finished; once more ends it at once")
        self._last = self._figures()
        leaving = [
            threading.Thread(target=deliverer.leave, args=(PATIENCE,), daemon=True)
            for deliverer in self._deliverers.values()
        ]
        for thread in leaving:
            thread.start()
        for thread in leaving:
            thread.join()
        self._view.end(self._figures)

    # -- what to say ---------------------------------------------------------------------------------------------------

    def _say_who_stands(self) -> None:
        for service, deliverer in self._deliverers.items():
            others = deliverer.others()
            if others == self._standbys.get(service, {}):
                continue
            for name, who in others.items():
                self._view.say(
                    f"{service}: {name} is delivered by process {who.get('pid')} on {who.get('host')}; standing by"
                )
            for name in set(self._standbys.get(service, {})) - set(others):
                self._view.say(f"{service}: taking over {name}")
            self._standbys[service] = others

    def _figures(self) -> dict[str, dict[str, Any]]:
        """Each service's destinations: ``delivered`` and ``refused`` since the start, ``waiting``, ``state``."""
        return {
            service: {
                name: {**_since(entry, self._before[service].get(name)), **self._last_state(service, name)}
                for name, entry in deliverer.status()["destinations"].items()
            }
            for service, deliverer in self._deliverers.items()
        }

    def _last_state(self, service: str, name: str) -> dict[str, Any]:
        entry = self._last.get(service, {}).get(name, {})
        return {key: entry[key] for key in ("state", "reason") if key in entry}

    def summary(self) -> dict[str, Any]:
        """What the run did, for programs."""
        figures = self._figures()
        return {
            "seconds": round(time.monotonic() - self._began, 3),
            "services": {
                service: {"directory": deliverer.root, "destinations": figures[service]}
                for service, deliverer in self._deliverers.items()
            },
        }

    def left(self) -> bool:
        """Whether something of the goal was not delivered: it waits, was refused, or no settings here name it."""
        figures = self._figures()
        refused = any(without_withheld(entry["refused"]) for each in figures.values() for entry in each.values())
        strangers = any(deliverer.strangers(deliverer.status()) for deliverer in self._deliverers.values())
        return bool(refused or strangers or (self._lacking and not self.taken))


def _since(entry: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    old = before or {"delivered": 0, "refused": {}}
    refused = {reason: count - old["refused"].get(reason, 0) for reason, count in entry["refused"].items()}
    return {
        "delivered": entry["delivered"] - old["delivered"],
        "waiting": entry["waiting"],
        "refused": {reason: count for reason, count in refused.items() if count},
        "state": entry["state"],
        "reason": entry["reason"],
    }
