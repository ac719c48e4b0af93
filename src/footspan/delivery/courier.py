"""Who carries: the threads of this process, which destinations they hold, and what happens at a fork and at exit."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _otel, _platform
from footspan.delivery import ledger
from footspan.delivery.by_hand import ByHand
from footspan.delivery.carrier import LEAST_TIME
from footspan.delivery.crew import Crew, anew, finish, leave
from footspan.delivery.gate import Gate
from footspan.delivery.once import Once
from footspan.delivery.signal import Signal
from footspan.delivery.standing import turn_in
from footspan.delivery.threads import started
from footspan.delivery.waiting import goal_of, hurry_others, warn_of_unattended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from footspan.delivery.carrier import Carrier
    from footspan.delivery.live import Live
    from footspan.delivery.standing import Turn
    from footspan.delivery.waiting import Goal
    from footspan.destinations.base import Destination
    from footspan.spool.base import Spool, Target

MAINTAIN_EVERY: Final = 5.0
"""Seconds between two rounds of the spool's own housekeeping."""

START_AGAIN_AFTER: Final = 5.0
"""Seconds until the next try where the system refused a thread."""

HURRY_FOR: Final = 1.0
"""Seconds that carriers hurry for a flush without hearing of it again."""

_POLL_FIRST: Final = 0.01
_POLL_LONGEST: Final = 0.1


class Courier:
    """Delivers what is in a spool, as far as no other process does.

    It starts no thread before there is an event. Each destination whose lock it gets has a thread of its own, so that
    none can hold back another.

    Args:
        spool: Where events wait.
        destinations: Where they go.
        exit_timeout: Seconds that an ending process may spend on delivery, all destinations together.
        carry: ``False`` leaves delivery to other processes.
        turn: Whose turn it is; by default this process yields to a dedicated deliverer.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        spool: Spool,
        destinations: Sequence[Destination],
        *,
        exit_timeout: float,
        carry: bool = True,
        turn: Turn | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.exit_timeout = exit_timeout
        self._spool = spool
        # Whether what is left over outlives this process.
        self._durable = bool(getattr(spool, "durable", True))
        self._clock = clock
        self._carry = carry
        self._turn = turn or turn_in(spool)
        targets = {target.id: target for target in spool.targets}
        self._destinations: dict[str, Destination] = {}
        for destination in destinations:
            if destination.id in targets:
                self._destinations.setdefault(destination.id, destination)
        self._targets: dict[str, Target] = targets
        self._closed = False
        self._ending = Once()
        self._reset()
        _platform.on_fork(self._after_fork)

    def _reset(self) -> None:
        """No threads, no locks held: the state of a new courier and of a forked child."""
        self._gate = Gate()
        self._signal = Signal()
        self._coordinator: threading.Thread | None = None
        self._by_hand = ByHand(self._clock)
        self._crew = Crew(
            self._spool,
            self._turn,
            by_hand=self._by_hand,
            resting=self._resting,
            durable=self._durable,
            clock=self._clock,
        )
        self._by_hand_lock = threading.Lock()
        self._hurry_until = 0.0
        self._start_after = 0.0
        # Whether there was ever anything to carry.
        self._wanted = False
        # Whether somebody must be told of a new event: no thread runs yet, or one of them rests.
        self._idle = not self._closed

    # -- the caller's side ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Get ready. Threads that stay start with the first event, or now if events are waiting from before.

        To find that out means a look at every segment, which a thread of its own takes: the caller does not wait.
        """
        if self._durable and (self._turn.on_call or self._may_carry()) and _platform.threads_run():
            with _guard.guard("courier"), suppress(RuntimeError):  # no thread to be had: the first event tries again
                threading.Thread(target=self._look, name="footspan-look", daemon=True).start()

    def _look(self) -> None:
        with _guard.guard("courier"):
            if any(map(self._spool.behind, self._destinations)):
                self._rouse()

    def begin(self) -> bool:
        """Carry from now on, whether there are events or not; whether threads could be started."""
        self._start_threads()
        return self._coordinator is not None

    def wake(self) -> None:
        """Tell the carriers of a new event; called after every append, so it does nothing while they are busy."""
        if self._idle:
            self._rouse()

    def _rouse(self) -> None:
        self._idle = False
        self._wanted = True
        if self._turn.on_call:
            self._turn.check()
        if self._coordinator is None:
            with _guard.guard("courier"):
                self._start_threads()
        for carrier in self._crew:
            carrier.wake()

    def flush(self, timeout: float) -> dict[str, int]:
        """Wait until every destination, whoever carries for it, has what was waiting at the call.

        Carriers' own pauses between requests are cut short meanwhile, in whatever process; a destination's
        ``Retry-After`` is not. The calling thread is blocked: asynchronous code calls this in a thread.

        Args:
            timeout: Seconds to wait at the most.

        Returns:
            Events of those that are still waiting, by destination name; 0 where none is.
        """
        _platform.notice_fork()
        deadline = self._clock() + max(0.0, timeout)
        goal = goal_of(self._spool, self._destinations)
        left = goal.left()
        if any(left.values()):
            if self._turn.on_call:
                self._wanted = True
                self._turn.check()
            self._press(left, deadline)
            if self._coordinator is None and self._may_carry():
                left = self._carry_by_hand(goal, deadline)
        pause = _POLL_FIRST
        while any(left.values()) and self._clock() < deadline:
            self._press(left, deadline)
            time.sleep(min(pause, max(0.0, deadline - self._clock())))
            pause = min(_POLL_LONGEST, pause * 1.5)
            left = goal.left()
        if any(left.values()) and not self._may_carry() and not self._closed:
            warn_of_unattended(self._spool, [self._targets[key] for key, count in left.items() if count])
        return {self._targets[key].name: count for key, count in left.items()}

    def _press(self, left: Mapping[str, int], deadline: float) -> None:
        """Have all carriers hurry while a flush waits, and hardly longer: each time for a moment only."""
        now = self._clock()
        if self._hurry_until < min(deadline, now + HURRY_FOR / 2):
            self._hurry(min(deadline, now + HURRY_FOR))
        theirs = [key for key, count in left.items() if count and key not in self._crew]
        hurry_others(self._spool, theirs, deadline - now)

    def _carry_by_hand(self, goal: Goal, deadline: float) -> dict[str, int]:
        """Deliver in the calling thread, until the goal is reached, the time is up, or a thread could be started."""
        left = goal.left()
        if not self._by_hand_lock.acquire(blocking=False):
            return left  # another thread, or we ourselves before a signal came, are at it
        claim_at = 0.0
        try:
            while any(left.values()) and self._clock() < deadline and not self._closed and self._coordinator is None:
                if self._clock() >= claim_at and self._gate.acquire(blocking=False):
                    try:
                        self._by_hand.take(self._claim(threads=False), deadline)
                    finally:
                        self._gate.release()
                    claim_at = self._clock() + self._turn.every
                self._by_hand.turn()
                left = goal.left()
                self._press(left, deadline)
        finally:
            self._by_hand.give_up()
            self._by_hand_lock.release()
        self._keep_house()
        return left

    def hurry(self, seconds: float) -> None:
        """Have our carriers try at once, and often for so long; a ``Retry-After`` still holds."""
        self._hurry(self._clock() + seconds)

    def _hurry(self, until: float) -> None:
        self._hurry_until = max(self._hurry_until, until)
        if self._coordinator is None and not self._closed:
            with _guard.guard("courier"):
                self._start_threads()
        self._signal.give()
        for carrier in self._crew:
            carrier.hurry(until)

    def status(self) -> dict[str, Any]:
        """What became of every event, and what each destination's carrier is doing: see ``docs/delivery.md``."""
        _platform.notice_fork()
        return ledger.shape(self._spool.status(), self._destinations, self.live())

    def live(self) -> dict[str, Live]:
        """What our carriers are doing, by destination id."""
        return self._crew.live()

    # -- carrying ------------------------------------------------------------------------------------------------------

    def _may_carry(self) -> bool:
        """Whether this process carries at all.

        A child of ``multiprocessing`` ends by ``os._exit``, so whatever it had in flight would be cut short. What it
        has in memory would end with it in any case.
        """
        if not self._carry or self._closed or not self._turn.carries:
            return False
        return not (self._durable and _platform.in_multiprocessing_child())

    def _start_threads(self) -> None:
        """Start the coordinator, once; it starts the rest."""
        self._wanted = True
        if self._clock() < self._start_after or not self._gate.acquire(blocking=False):
            self._idle = not self._closed
            return
        try:
            if self._coordinator is not None or not (self._durable or self._may_carry()):
                return
            self._signal = Signal()
            thread = threading.Thread(target=self._coordinate, name="footspan-courier", daemon=True)
            if started(thread):
                self._coordinator = thread
            else:
                self._start_after = self._clock() + START_AGAIN_AFTER
                self._idle = True
        finally:
            self._gate.release()

    def _coordinate(self) -> None:
        """Take over whatever nobody carries, and keep house, which a process that only writes must do as well."""
        maintained = self._clock()
        with _otel.suppressed():
            while not self._closed:
                self._turn.check()
                with self._gate:
                    self._claim_if_open()
                for carrier in self._crew:
                    carrier.pulse()
                if self._clock() - maintained >= MAINTAIN_EVERY:
                    maintained = self._clock()
                    self._keep_house()
                self._signal.wait(self._turn.every if self._carry else MAINTAIN_EVERY)

    def _keep_house(self) -> None:
        try:
            self._spool.maintain()
        except Exception as error:  # noqa: BLE001 - the courier never dies
            _guard.report("spool maintenance", error)

    def _claim(self, *, threads: bool = True) -> list[Carrier]:
        """Take what is ours to carry, give up the rest; ``_gate`` is held. Returns carriers without a thread."""
        return self._crew.claim(self._destinations, self._targets, hurry_until=self._hurry_until, threads=threads)

    def _claim_if_open(self) -> None:
        """Not after ``shutdown``, which may just have had the gate."""
        if not self._closed and (len(self._crew) or self._may_carry()):
            self._claim()

    def _resting(self) -> None:
        self._idle = not self._closed

    # -- the end -------------------------------------------------------------------------------------------------------

    def shutdown(self, timeout: float | None = None) -> None:
        """Deliver what can be delivered in time, and give every destination up, once.

        A second call waits for the end of the first, unless it interrupts it.

        Where another process carries, nothing is left to do for it. Where we carry, our threads finish; what they
        cannot start for any more is done by the calling thread.

        Args:
            timeout: Seconds for all destinations together; ``exit_timeout`` when not given.
        """
        _platform.notice_fork()
        seconds = max(0.0, self.exit_timeout if timeout is None else timeout)
        if self._ending.begin(seconds):
            try:
                self._shut_down(self._clock() + seconds)
            finally:
                self._ending.end()

    def _shut_down(self, deadline: float) -> None:
        if self._wanted:
            self._turn.ending(deadline - self._clock())
        ours = self._wanted and self._may_carry()
        self._closed = True
        self._idle = False
        self._signal.give()
        if not self._gate.acquire(timeout=max(0.001, deadline - self._clock())):
            return
        try:
            # With no time for a request, what nobody carries is left to whoever comes next.
            threadless = self._claim() if ours and deadline - self._clock() >= LEAST_TIME else []
            carriers = list(self._crew)
        finally:
            self._gate.release()
        finish(carriers, threadless, deadline, self._clock)
        self._turn.release()

    def leave(self, patience: float) -> None:
        """Give every destination up as soon as the batch under way is through; what waits is left to others.

        Args:
            patience: Seconds to wait for that.
        """
        deadline = self._clock() + patience
        self._closed = True
        self._idle = False
        self._signal.give()
        if self._gate.acquire(timeout=max(0.001, patience)):
            carriers = list(self._crew)
            self._gate.release()
            leave(carriers, deadline, self._clock)
        self._turn.release()

    def _after_fork(self) -> None:
        """In a forked child: the threads stayed with the parent, and so did the destinations they hold."""
        self._reset()
        self._ending.forked()
        self._destinations = {key: anew(destination) for key, destination in self._destinations.items()}
