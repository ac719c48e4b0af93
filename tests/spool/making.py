"""What spool tests are made of: lines, spools, readers and child processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from footspan.otlp_json import encode_line, encode_record, encode_suffix
from footspan.spool.base import Tally, Target
from footspan.spool.disk import DiskSpool
from footspan.spool.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Feed

SUFFIX = encode_suffix({"service.name": "shop"}, "footspan", "1.0")
UMAMI = Target("umami-0123456789ab", "umami", "umami")
OTLP = Target("otlp-ba9876543210", "otlp", "otlp")
PAYMENTS = Target("store-555555555555", "store", "store", ("payment.*",))
T0 = 1_700_000_000_000_000_000


def line(uid: str, name: str = "user.login", time_ns: int = T0, **attributes: Any) -> bytes:
    """One stored line."""
    record = encode_record(name=name, time_ns=time_ns, attributes={"log.record.uid": uid, **attributes})
    return encode_line(record, SUFFIX)


def having(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes whose names are no identifiers, for :func:`line`."""
    return attributes


def accepts(target: Target, event: LogLine) -> bool:
    """Routing for tests: a pattern ends in a star."""
    return target.events is None or any(event.name.startswith(pattern.rstrip("*")) for pattern in target.events)


def open_disk(root: Path, *targets: Target, **options: Any) -> DiskSpool:
    """A spool in a folder."""
    layout = Layout(root)
    layout.prepare()
    return DiskSpool(layout, targets or (UMAMI,), accepts, **options)


def the_feed(spool: Any, target: Target = UMAMI) -> Any:
    """A destination's feed, which must be free."""
    feed = spool.feed(target)
    assert feed is not None
    return feed


def uids(events: Sequence[LogLine]) -> list[str]:
    """The ids of some events."""
    return [event.uid for event in events]


def drain(feed: Feed, max_items: int = 512, max_bytes: int = 1 << 20) -> list[str]:
    """Deliver all that is there; the ids in the order of delivery."""
    delivered: list[str] = []
    for _ in range(100_000):
        batch = feed.take(max_items, max_bytes)
        if batch is None:
            return delivered
        assert batch.events
        feed.sending(batch)
        getattr(feed, "prepare", lambda *_: None)(max_items, max_bytes)  # as a carrier does while the request is made
        delivered += uids(batch.events)
        feed.done(batch, Tally(delivered=len(batch.events)))
    raise AssertionError("the feed never ends")


def drain_all(root: Path, target: Target = UMAMI) -> list[str]:
    """Deliver all that a folder holds for a destination, as a process would that starts now."""
    spool = open_disk(root, target)
    feed = the_feed(spool, target)
    try:
        return drain(feed)
    finally:
        feed.close()


def segments(root: Path) -> list[Path]:
    """The segment files, by name."""
    return sorted((root / "events").glob("*.jsonl"))


def stored(root: Path) -> bytes:
    """Everything in the segments."""
    return b"".join(path.read_bytes() for path in segments(root))


def age(path: Path, seconds: float) -> None:
    """Make a file look as if it had last been changed so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def wait_for(condition: Callable[[], bool], timeout: float = 20.0) -> None:
    """Poll until something holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def start_child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run Python code in a process of its own that can import this module; its output is piped."""
    here = str(Path(__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": here},
    )


def end_child(child: subprocess.Popen[str], timeout: float = 30.0) -> str:
    """Wait for a child that ends by itself; what it printed."""
    try:
        output, _ = child.communicate(timeout=timeout)
    finally:
        child.kill()
        child.wait(timeout)
    assert child.returncode == 0, output
    return output


def kill_child(child: subprocess.Popen[str]) -> None:
    """SIGKILL."""
    child.kill()
    child.communicate(timeout=30)


def in_fork(work: Callable[[], bool], fork: Callable[[], int] = os.fork) -> bool:
    """Do something in a forked child; whether it came out true there."""
    child = fork()
    if not child:
        status = 1
        try:
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0
