"""One carrier after another over a spool on disk, by a schedule that a seed draws; what may not happen is found out.

Time is a number, threads are none, and the disk is real. A schedule writes events, gives the carrier turns, has the
destination fail in every way an answer can, and ends carriers: properly, in a hurry, or dead in the middle of a
request. Then the destination is well, and everything has to come to its end.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Final

from delivery.simulated import Death, History, Plan, Server
from footspan import conventions as c
from footspan.config import Settings, SpoolSettings
from footspan.delivery import accepts
from footspan.delivery.carrier import Carrier
from footspan.delivery.pauses import Wait
from footspan.delivery.retry import Backoff
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from footspan.spool import open_spool
from footspan.spool.base import Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from footspan.spool.base import Feed, Spool

USERS: Final = 4

_SUFFIX: Final = encode_suffix({"service.name": "shop"}, "footspan")
_TARGET: Final = Target("simulated-1", "simulated", "simulated", ("good*", "bad*", "paid*"))


class Simulation:
    """One schedule.

    Args:
        seed: Which.
        directory: An empty folder for the spool.
    """

    def __init__(self, seed: int, directory: Path) -> None:
        self.rng = random.Random(seed)
        self.plan = Plan.draw(self.rng)
        self.history = History()
        self.server = Server(self.plan, self.history, self.rng)
        self.turns = 0
        self.deaths = 0
        self.directory = directory
        settings = Settings(spool=SpoolSettings(directory=directory, durability="process"))
        self.writers = [open_spool(settings, [_TARGET], accepts) for _ in range(2)]
        self.spool: Spool = self.writers[0]
        self.feed, self.carrier = self._successor()

    def _successor(self) -> tuple[Feed, Carrier]:
        feed = self.spool.feed(_TARGET)
        assert feed is not None
        clock = lambda: self.server.now  # noqa: E731 - the only use
        return feed, Carrier(self.server, feed, clock=clock, backoff=Backoff(clock, self.rng.uniform))

    # -- what a schedule is made of ------------------------------------------------------------------------------------

    def write(self, name: str = "good") -> None:
        """One more event. A user always writes by the same process."""
        number = len(self.history.users)
        user = self.rng.randrange(USERS)
        uid = f"00000000-0000-4000-8000-{number:012}"
        self.history.users[uid] = user
        if name != "other":
            self.history.written.append(uid)
        if self.plan.on_ambiguous == "drop" or (self.plan.on_ambiguous == "mixed" and name == "paid"):
            self.history.once.add(uid)
        if name == "bad":
            self.history.bad.add(uid)
        record = encode_record(
            name=name,
            time_ns=1_700_000_000_000_000_000 + number,
            attributes={c.LOG_RECORD_UID: uid, c.USER_ID: f"u{user}"},
        )
        self.writers[user % 2].append(encode_line(record, _SUFFIX))

    def turn(self) -> None:
        """One turn of the carrier; as a rule its pause is waited for."""
        self.turns += 1
        pause = self.carrier.turn()
        if pause.kind in (Wait.BACKOFF, Wait.ASKED) and self.rng.random() < 0.8:
            self.server.now += pause.seconds

    def end(self, manner: str) -> None:
        """The carrier ends, and another takes over."""
        if manner == "dead":
            self.deaths += 1
            self._excuse_batch()
            self.feed.close()
        elif manner == "leaves":
            self.carrier.leave(self.server.now + 30.0)
            self.carrier.finish_here(self.server.now + 30.0)
        else:
            self.carrier.finish_here(self.server.now + self.rng.choice((0.0, 0.055, 2.0)))
        self.server.max_items = self.rng.choice((self.plan.max_items, 3))
        self.feed, self.carrier = self._successor()

    def _excuse_batch(self) -> None:
        """What was under way when its carrier died may come again, unless certainly nothing of it had arrived."""
        history = self.history
        batch = self.feed.take(1, 1)
        uids = {event.uid for event in batch.events} if batch else set()
        if self.server.mid_request or uids & history.touched:
            history.doubted |= uids
            history.repeats.update(uids & set(history.arrived))
        self.server.mid_request = False

    def live(self, act: Callable[[], None]) -> None:
        """Do something that the carrier may not outlive."""
        try:
            act()
        except Death:
            self.end("dead")

    def step(self) -> None:
        """Whatever the schedule has next."""
        what = self.rng.random()
        if what < 0.3:
            for _ in range(self.rng.randrange(1, 9)):
                draw = self.rng.random()
                good = self.rng.choice(("good", "good", "paid", "other"))
                self.write("bad" if draw < self.plan.bad else good)
        elif what < 0.85:
            self.live(self.turn)
        else:
            manner = self.rng.choice(("dead", "leaves", "shut down"))
            self.live(lambda: self.end(manner))

    # -- its end -------------------------------------------------------------------------------------------------------

    def run(self) -> list[str]:
        """Play it; what went wrong."""
        try:
            for _ in range(self.plan.steps):
                self.step()
            self.server.well = True
            ended = self._settle_down()
            return [*ended, *self.findings()]
        finally:
            self.carrier.finish_here(self.server.now)
            for writer in self.writers:
                writer.close()

    def _settle_down(self) -> list[str]:
        """The destination is well from now on, and a sound event comes now and then."""
        bound = self.turns + 100 + 12 * len(self.history.written)
        while self.turns < bound:
            for _ in range(8):
                self.turn()
            if not self.feed.waiting():
                return []
            self.write()
        return [f"{self.feed.waiting()} of {len(self.history.written)} wait for ever"]

    def findings(self) -> list[str]:
        """What may not be as it is."""
        return [*self._lost(), *self._repeated(), *self._misjudged(), *self._miscounted(), *self._out_of_order()]

    def _lost(self) -> list[str]:
        history = self.history
        missing = set(history.written) - history.bad - set(history.arrived) - history.doubted - history.unjust
        return [f"{len(missing)} lost"] if missing else []

    def _repeated(self) -> list[str]:
        history, arrivals = self.history, Counter(self.history.arrived)
        allowed = {uid: 1 if uid in history.once else 1 + history.repeats[uid] for uid in arrivals}
        return [f"{uid[-4:]} arrived {n} times" for uid, n in arrivals.items() if n > allowed[uid]]

    def _misjudged(self) -> list[str]:
        """What lies among the rejected must be there for what it is, or for what nobody could know."""
        history = self.history
        just = {"ambiguous": history.doubted}
        lines = [line for file in self.directory.rglob("rejected/*.jsonl") for line in file.read_bytes().splitlines()]
        rejected = [(LogLine(line).uid, json.loads(line)["footspanRejected"]["reason"]) for line in lines]
        return [
            f"{uid[-4:]} given up as {reason}"
            for uid, reason in rejected
            if uid not in just.get(reason, history.bad | history.unjust)
        ]

    def _miscounted(self) -> list[str]:
        (ledger,) = self.spool.status()["destinations"].values()  # type: ignore[attr-defined]
        written, arrived = len(self.history.written), len(set(self.history.arrived))
        refused = sum(ledger["refused"].values())
        right = ledger["accepted"] == written == ledger["delivered"] + refused + ledger["waiting"]
        if not right or ledger["delivered"] > arrived:
            return [f"{written} written, {arrived} arrived, but {ledger['delivered']} delivered and {refused} refused"]
        return []

    def _out_of_order(self) -> list[str]:
        users = range(USERS) if self.plan.ordered else ()
        first = list(dict.fromkeys(self.history.arrived))
        seen = {user: [uid for uid in first if self.history.users[uid] == user] for user in users}
        return [f"user {user} out of order" for user, uids in seen.items() if uids != sorted(uids)]
