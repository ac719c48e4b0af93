"""``courier: process``: the app calls a deliverer into being, and keeps itself free of delivery.

One deliverer serves a spool, however many processes of the service start at once: whoever holds the lock of
``spawning`` in the spool's folder starts it. Nobody here waits for it: whether a deliverer stands is looked at with the
first event, then about once a second by the courier's thread (or by the events, where no thread runs), and at the end.
"""

from __future__ import annotations

import pickle
import threading
import time
from dataclasses import asdict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan.delivery.assignment import carried, refuse_memory
from footspan.delivery.calling import Call, CallError, call
from footspan.delivery.standing import Turn, Yielding, is_standing, who
from footspan.spool import files, locks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config import Settings
    from footspan.spool.base import Target
    from footspan.spool.layout import Layout
    from footspan.spool.locks import RecordLock

LOOK_EVERY: Final = 0.8
"""Seconds between two looks at whether a deliverer stands, at the least."""

START_LIMIT: Final = 20.0
"""Seconds that a start may take on a busy machine before this process delivers itself."""

AGAIN_FIRST: Final = 5.0
AGAIN_LONGEST: Final = 60.0
"""Seconds until the next try after a start that failed; each time twice as many."""

SHORT_LIFE: Final = 5.0
"""A deliverer that ends sooner than so many seconds after it began has failed."""


def turn_for(spool: object, targets: Sequence[Target], settings: Settings) -> Turn | None:
    """The turn of a process with ``courier: process``; ``None`` where only the process itself can deliver.

    Raises:
        ConfigurationError: The settings keep events where no other process can have them.
    """
    refuse_memory(settings)
    layout: Layout | None = getattr(spool, "layout", None)
    return None if layout is None else Spawned(layout, targets, settings)


class Spawned(Yielding):
    """An app whose events a spawned process delivers; while none can be spawned, it delivers itself.

    Args:
        layout: The spool.
        targets: The destinations of the app's events.
        settings: What the deliverer is to work with.
    """

    on_call = True

    def __init__(self, layout: Layout, targets: Sequence[Target], settings: Settings) -> None:
        super().__init__(layout)
        self._settings = settings
        handed = {each.name for each in carried(settings, console=False)}
        self._handed = frozenset(target.id for target in targets if target.name in handed)
        self._at_home = len(self._handed) < len(targets)
        self._failing = False
        self._reset()
        _platform.on_fork(self._forked)

    def _reset(self) -> None:
        self._gate = threading.Lock()
        self._call: Call | None = None
        self._lock: RecordLock | None = None
        self._failures = 0
        self._again_at = 0.0
        self._look_at = 0.0
        self._missing_since: float | None = None
        # Whether this process still has to see that the deliverer works with the same settings as it does.
        self._compare = True

    def _forked(self) -> None:
        """A child did not start the deliverer."""
        left = self._call
        self._reset()
        self._compare = False  # its parent has seen to it
        if left is not None:
            left.forked()

    @property
    def carries(self) -> bool:
        """Whether this process carries anything: what it prints itself, or everything while nobody can be called."""
        return self._at_home or self._failing

    def mine(self, target: Target) -> bool:
        """What the deliverer has no part in, and everything while there can be none."""
        return (self._failing or target.id not in self._handed) and super().mine(target)

    def check(self) -> None:
        """See that somebody delivers; start him if need be."""
        now = time.monotonic()
        if now < self._look_at or not self._handed or not self._gate.acquire(blocking=False):
            return
        try:
            self._look_at = now + LOOK_EVERY
            if self._hear(now):
                self._see_to_it(now)
        except Exception as error:  # noqa: BLE001 - telemetry never hurts the host
            self._failed(now, type(error).__name__)
        finally:
            self._gate.release()

    def ending(self, timeout: float) -> None:  # noqa: ARG002 - nothing here takes time
        """Call a deliverer for what this process leaves behind; nobody waits for him."""
        self._look_at = 0.0
        self.check()

    def release(self) -> None:
        """Let others start one."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # -- the state of things -------------------------------------------------------------------------------------------

    def _hear(self, now: float) -> bool:
        """Hear what the process we started says; whether there is anything left to see to."""
        call = self._call
        if call is None:
            return True
        call.listen()
        if not call.over:
            if call.standing:
                self._settled()
                return False
            if now - call.began < START_LIMIT:
                return False
        self._call = None
        call.close()
        if call.taken:
            self.release()
        elif not call.standing:
            self._failed(now, call.failure or "no word from it")
            return False
        elif not call.orderly and now - call.began < SHORT_LIFE:
            self._failed(now, "it ended at once")
            return False
        return True

    def _see_to_it(self, now: float) -> None:
        if self._all_stand():
            if self._compare and self._is_outdated():
                if self._have_lock():
                    self._compare = False
                    self._missing_since = now
                    files.replace(relief(self._layout), b"")  # it ends, and the next look finds nobody standing
            elif self._lock is None or now - (self._missing_since or 0.0) > START_LIMIT:
                self._settled()
            return
        self._compare = False
        if self._missing_since is None:
            self._missing_since = now
        if now < self._again_at:
            return
        if not self._have_lock():
            # Another process of the service is starting one. If it is stopped in the middle of that, we deliver.
            if now - self._missing_since > START_LIMIT * 2 and not self._failing:
                self._failed(now, "another process is in the way")
            return
        if self._all_stand():
            self._settled()  # it came between our look and the lock
            return
        self._start(now)

    def _all_stand(self) -> bool:
        return all(is_standing(self._layout, identifier) for identifier in self._handed)

    def _have_lock(self) -> bool:
        if self._lock is None or not self._lock.held:
            self._lock = locks.acquire(f"{self._layout.root}/spawning")
        return self._lock is not None

    def _start(self, now: float) -> None:
        salt = files.now()
        note = {"spawned": {"salt": salt, "settings": self._digest(salt)}}
        try:
            self._call = call(self._layout.root, pickle.dumps((self._layout.root, self._job(), note)), now)
        except (OSError, CallError, RuntimeError) as error:
            self._failed(now, error.args[0] if isinstance(error, CallError) else type(error).__name__)
            return

    def _settled(self) -> None:
        """Somebody stands."""
        self._failing = False
        self._failures = 0
        self._compare = False
        self._missing_since = None
        self.release()

    def _failed(self, now: float, reason: str) -> None:
        """Deliver here, and try again later."""
        self._again_at = now + min(AGAIN_LONGEST, AGAIN_FIRST * 2 ** min(self._failures, 8))
        self._failures += 1
        self._failing = True
        self.release()
        _guard.warn_once(
            "courier process",
            "footspan: no deliverer could be started (%s): this process delivers itself, and tries again now and then",
            reason,
        )

    # -- what the deliverer is to work with ----------------------------------------------------------------------------

    def _job(self) -> Any:
        return self._settings, tuple(carried(self._settings, console=False))

    def _digest(self, salt: str) -> str:
        """What tells other settings apart and gives nothing of them away."""
        settings, destinations = self._job()
        content = (asdict(settings.spool), [asdict(each) for each in destinations])
        return blake2b(repr(content).encode(), key=salt.encode(), digest_size=16).hexdigest()

    def _is_outdated(self) -> bool:
        """Whether a deliverer that an earlier process spawned works with other settings than ours."""
        notes = [who(self._layout, identifier).get("spawned") for identifier in self._handed]
        return any(
            isinstance(note, dict) and note.get("settings") != self._digest(str(note.get("salt"))) for note in notes
        )


def relief(layout: Layout) -> str:
    """The file whose time tells spawned deliverers that began earlier to end."""
    return f"{layout.root}/relief"
