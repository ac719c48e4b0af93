"""One destination's loop: take a batch, send it, read the answer, acknowledge; for as long as we hold its lock."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from footspan import _guard, _otel
from footspan.delivery import live
from footspan.delivery.beats import SLICE, Beats
from footspan.delivery.dispatch import LEAST_TIME as LEAST_TIME  # noqa: PLC0414 - for whoever sets a carrier's deadline
from footspan.delivery.dispatch import Dispatch
from footspan.delivery.limits import size_of
from footspan.delivery.moves import Move, Step
from footspan.delivery.pauses import HURRIED, HURRIED_PACE, NOW, Pause, Wait
from footspan.delivery.retry import Backoff, obeyed
from footspan.delivery.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.delivery.fanout import Convoy
    from footspan.delivery.pace import Pace
    from footspan.delivery.past import Past
    from footspan.destinations.base import Destination
    from footspan.spool.base import Batch, Feed

IDLE_FIRST: Final = 0.1
IDLE_LONGEST: Final = 0.5
"""Seconds between two looks for events of other processes, which cannot wake us."""

LOOK: Final = 0.5
"""Seconds between two looks whether a batch that is waited for has become full."""

CAUGHT_UP: Final = 3
"""Batches that were not full, after which an ending carrier has seen all there was; others go on writing for ever."""


class Carrier:
    """Delivers one destination's events, of every process that writes to the spool.

    Args:
        destination: Where they go.
        feed: The destination's view of the spool; its lock is ours.
        resting: Called before each look for events: from then on the carrier must be woken for a new one.
        durable: Whether what is left over at exit outlives the process.
        clock: Monotonic seconds.
        backoff: The pauses between requests that fail.
        pace: How fast events may go. Whoever drives the turns waits for it.
        before: What earlier carriers of this process made of the destination, pauses included.
    """

    def __init__(
        self,
        destination: Destination,
        feed: Feed,
        *,
        resting: Callable[[], None] = lambda: None,
        durable: bool = True,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
        pace: Pace | None = None,
        before: Past | None = None,
    ) -> None:
        self.destination = destination
        self.feed = feed
        self.live = live.Live(destination.name) if before is None else before.live
        self._resting = resting
        self._durable = durable
        self._clock = clock
        self._backoff = backoff or (Backoff(clock) if before is None else before.backoff)
        self._trouble = Backoff(clock)
        self._dispatch = Dispatch(
            destination,
            time_left=self._time_left,
            accepted=self._backoff.succeeded,
            answered=self._answered,
            beat=self.pulse,
            clock=clock,
            pace=pace,
            record=None if before is None else before.record,
            roots=getattr(feed, "roots", ()),  # what is in memory has no list
        )
        self._convoy: Convoy | None = None
        self._journaled = False
        self._line_bytes = 0.0
        self._signal = Signal()
        self._hurried = False
        self._hurry_until = 0.0
        self._asked_until = self._clock() + getattr(feed, "asked_for", float)()  # in memory nobody was before us
        self._idle_pause = IDLE_FIRST
        self._deadline: float | None = None
        self._leaving = False
        self._over = False
        self._beats = Beats(feed, self.live, clock)
        self._thread: threading.Thread | None = None

    # -- from other threads --------------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Carry in a thread of our own from now on; ``False`` where no thread can be started any more."""
        thread = threading.Thread(target=self._run, name=f"footspan-{self.destination.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no threads left, or the interpreter is going down
            return False
        self._thread = thread
        return True

    def asked_for(self) -> float:
        """Seconds that the destination, asked by us or by a carrier before us, wants to be left alone; 0 for none."""
        return max(0.0, self._asked_until - self._clock())

    @property
    def carrying(self) -> bool:
        """Whether the destination is still ours."""
        return not self._over

    @property
    def inquiring(self) -> bool:
        """Whether the destination refused several events in a row, and others of the batch may still speak for it."""
        return self._convoy is not None and self._dispatch.record.doubtful and not self._convoy.examined

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def wake(self) -> None:
        """There may be a new event."""
        self._signal.give()

    def hurry(self, until: float) -> None:
        """Try at once, and often until then (clock seconds): somebody waits. ``Retry-After`` still holds."""
        self._hurry_until = max(self._hurry_until, until)
        self._hurried = True
        self._signal.give()

    def stop(self, deadline: float) -> None:
        """Deliver what is waiting, until ``deadline`` (clock seconds) at the most, then give the destination up."""
        self._deadline = deadline
        self._signal.give()

    def leave(self, deadline: float) -> None:
        """Finish the batch that was begun, begin no other, then give the destination up: somebody else will carry."""
        self._leaving = True
        if self._deadline is None:
            self.stop(deadline)

    def join(self, timeout: float) -> bool:
        """Wait for the thread's end; whether it came."""
        if self._thread is not None:
            self._thread.join(max(0.0, timeout))
        return not self.alive

    # -- the loop ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with _otel.suppressed():
            asked = self.asked_for()
            if asked:
                self.live.asked(asked)
                self._wait(Pause(Wait.ASKED, asked))
            while self._deadline is None:
                self._wait(self.turn())
            self._finish()

    def finish_here(self, deadline: float) -> None:
        """Do in the calling thread what ``stop`` has the carrier's own thread do."""
        self._deadline = deadline
        with _otel.suppressed():
            self._finish()

    def _finish(self) -> None:
        try:
            self._drain()
            self._let_go()
        except Exception as error:  # noqa: BLE001 - a carrier gives its lock back whatever happens
            _guard.report("delivery at exit", error)
        self._dispatch.close()
        try:
            self.destination.close()
        except Exception as error:  # noqa: BLE001 - the same
            _guard.report("closing a destination", error)
        try:
            self.feed.close()
        except Exception as error:  # noqa: BLE001 - the same
            _guard.report("giving a destination up", error)
        self._over = True

    def _let_go(self) -> None:
        """Acknowledge what is finished of a batch that there was no time to finish, so that it is not sent again."""
        if self._convoy is not None and not self._convoy.unsent:
            self._settle(self._convoy)

    def _drain(self) -> None:
        """Carry what waits now; a durable spool keeps the rest for the next carrier, so one failure is enough."""
        if self._durable and self.live.state == live.PARKED:
            return
        partial = 0
        while self._asked_until <= self._clock() and self._time_left() >= LEAST_TIME and partial < CAUGHT_UP:
            pause = self.turn()
            if pause.kind is Wait.EVENTS or (pause.kind is Wait.BACKOFF and self._durable):
                return
            if pause.kind is Wait.FULLER_BATCH:
                partial += 1
            if pause.kind is Wait.BACKOFF:
                time.sleep(max(0.0, min(pause.seconds, HURRIED_PACE, self._time_left())))

    def turn(self) -> Pause:
        """One request at the most. Never raises: a failure of ours is reported and waited out like any other."""
        try:
            pause = self._turn()
        except Exception as error:  # noqa: BLE001 - a carrier never dies
            _guard.report("carrying events", error)
            return Pause(Wait.BACKOFF, self._trouble.failed())
        self._trouble.succeeded()
        return pause

    def _turn(self) -> Pause:
        convoy = self._convoy
        if convoy is None:
            if self._leaving:
                return Pause(Wait.EVENTS)
            self._signal.clear()
            self._resting()
            batch = self.feed.take(*self._dispatch.window)
            if batch is None:
                return self._idle()
            self._idle_pause = IDLE_FIRST
            convoy = self._convoy = self._dispatch.convoy(batch)
        pause = NOW if convoy.finished else self._ship(convoy)
        if not convoy.finished:
            return pause
        acknowledged = self._acknowledge(convoy)
        return acknowledged if pause is NOW else pause

    def _ship(self, convoy: Convoy) -> Pause:
        """Make the next request, or those of all lanes as far as they go, and read the outcome."""
        self.live.working(live.SENDING)
        self._beats.beat()
        if not self._journaled:
            # Whoever is killed in there has sent nothing yet; once it is journaled, nobody could tell.
            if not self._dispatch.prepare(convoy):
                return Pause(Wait.EVENTS)
            self.feed.sending(convoy.batch)
            self._journaled = True
        try:
            move = self._dispatch.ship(convoy, self._meanwhile(convoy))
        except BaseException:
            self._convoy, self._journaled = None, False  # rather repeat the batch than lose an event of it
            raise
        if move is None:  # the time was over just now
            if convoy.unsent:
                self.feed.kept(convoy.batch)
                self._journaled = False
            return Pause(Wait.EVENTS)
        if not convoy.finished:
            self._give_back(convoy, move)
        return self._heed(move)

    def _meanwhile(self, convoy: Convoy) -> Callable[[], None] | None:
        """Read on in the spool while a request is under way; not at the end, when no other thread may be left."""
        prepare = getattr(self.feed, "prepare", None)  # what is in memory need not be read
        if prepare is None or self._deadline is not None or not self._is_full(convoy.batch):
            return None
        return lambda: prepare(*self._dispatch.window)

    def _give_back(self, convoy: Convoy, move: Move) -> None:
        """Note what certainly did not arrive, so that a successor need not take it for ambiguous.

        Before a pause the batch goes back, for the spool to cut it anew if it can: more may have come meanwhile, among
        it an event that answers for a destination which refused all that is left of this batch. While a destination is
        in doubt for refusing many, its batch stays until each of its events was tried.
        """
        if convoy.unsent:
            self.feed.kept(convoy.batch)
            self._journaled = False
            if move.step is Step.GO_ON:
                return
            if len(convoy.batch.events) > 1 and not self._dispatch.record.doubtful:
                self._convoy = None
                return
        if move.step is not Step.GO_ON and convoy.examined and not convoy.unsure:
            self._settle(convoy)

    def _settle(self, convoy: Convoy) -> None:
        """Acknowledge what is finished of a batch, and give the rest back."""
        self._keep_refused(convoy)
        if self.feed.settle(convoy.batch, convoy.left(), convoy.tally, convoy.unsure):
            self._convoy, self._journaled = None, False

    def _answered(self) -> None:
        """The destination answered, and nobody need wait."""
        self._backoff.succeeded()
        self.live.recovered()

    def _heed(self, move: Move) -> Pause:
        """Turn a move into a pause, and say what changed."""
        if move.step is Step.GO_ON:
            return NOW
        asked = obeyed(move.retry_after)
        if move.step is Step.PARK:
            seconds = asked or self._backoff.parked()
            self.live.parked(move.reason, seconds)
        else:
            seconds = asked or self._backoff.failed()
            self.live.failed(move.reason, seconds)
        if asked:
            self._asked_until = self._clock() + asked
            with _guard.guard("noting what a destination asked for"):
                getattr(self.feed, "asked", float)(asked)
        return Pause(Wait.ASKED if asked else Wait.BACKOFF, seconds)

    def _keep_refused(self, convoy: Convoy) -> None:
        while (refused := convoy.refused()) is not None:
            with _guard.guard("keeping a refused event"):  # it is counted all the same; the others must go on
                self.feed.reject(*refused)

    def _acknowledge(self, convoy: Convoy) -> Pause:
        batch = convoy.batch
        self._keep_refused(convoy)
        self.feed.done(batch, convoy.tally)
        self._convoy, self._journaled = None, False
        return NOW if self._is_full(batch) else Pause(Wait.FULLER_BATCH, self.destination.linger)

    def _is_full(self, batch: Batch) -> bool:
        """Whether the spool probably had more to give."""
        items, most = self._dispatch.window
        if not batch.events or batch.ambiguous or len(batch.events) >= items:
            return True
        size = size_of(batch.events)
        self._line_bytes = size / len(batch.events)
        return size >= most // 2

    def _idle(self) -> Pause:
        self.live.working(live.IDLE)
        pause = Pause(Wait.EVENTS, self._idle_pause)
        self._idle_pause = min(IDLE_LONGEST, self._idle_pause * 1.5)
        return pause

    # -- waiting -------------------------------------------------------------------------------------------------------

    def _wait(self, pause: Pause) -> None:
        if pause.kind is Wait.NOTHING:
            return
        began = self._clock()
        while self._deadline is None:
            self._beats.beat()
            waited = self._clock() - began
            left = pause.seconds - waited
            if pause.kind is Wait.FULLER_BATCH and waited >= LOOK and self._is_full_now():
                return
            if pause.kind in HURRIED:
                self._heed_others()
            if self._hurry_until > self._clock():
                left = min(left, HURRIED.get(pause.kind, left + waited) - waited)
            if left <= 0:
                return
            woken = self._signal.wait(min(left, LOOK if pause.kind in HURRIED else SLICE))
            if self._hurried and pause.kind is not Wait.ASKED:
                self._hurried = False
                return
            if woken and pause.kind is Wait.EVENTS:
                # The first event after a quiet time waits a little for company.
                self._wait(Pause(Wait.FULLER_BATCH, self.destination.linger))
                return

    def _heed_others(self) -> None:
        """Hurry if somebody waits in ``flush`` in another process, which cannot wake us."""
        with _guard.guard("a look for those who wait"):
            left = getattr(self.feed, "hurried", float)()  # in memory there are no others
            if left > 0.0:
                self._hurry_until = max(self._hurry_until, self._clock() + left)

    def _is_full_now(self) -> bool:
        """Whether what is waiting makes a full batch, as far as can be told without reading it."""
        items, most = self._dispatch.window
        waiting = 0
        with _guard.guard("counting what waits"):
            waiting = self.feed.waiting()
        return waiting >= items or waiting * self._line_bytes >= most

    def pulse(self) -> None:
        """Say for a carrier in the middle of a request that it lives; called now and then by another thread.

        A request that takes much longer than it may is one that somebody should look at, so that is not covered up.
        """
        if not self._dispatch.pulse.acquire(blocking=False):
            return
        try:
            if self._clock() < self._dispatch.in_flight:
                self._beats.beat()
        finally:
            self._dispatch.pulse.release()

    def _time_left(self) -> float:
        return float("inf") if self._deadline is None else self._deadline - self._clock()
