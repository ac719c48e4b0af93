"""Containers that share a volume: process ids mean nothing, one kernel's locks mean everything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from programs import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.otlp import OtlpSink

pytestmark = pytest.mark.slow

UNSHARE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]

SERVICE = """
import json, os, sys, footspan
footspan.init()
for line in sys.stdin:
    answer = footspan.status()["destinations"]["otlp"]
    if line.strip().isdigit():
        answer = [footspan.track("order.placed", n=n) for n in range(int(line))]
    print(json.dumps([os.getpid(), answer]), flush=True)
"""


def permitted() -> str:
    """Why there can be no namespaces; empty where there can."""
    if shutil.which(UNSHARE[0]) is None:
        return "no unshare"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, timeout=20, check=False)
    return tried.stderr.strip() if tried.returncode else ""


class Container:
    """A service whose process is the first of a namespace of its own."""

    def __init__(self, sink: OtlpSink) -> None:
        env = {**os.environ, "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": sink.url, "OTEL_SERVICE_NAME": "shop"}
        self.process = subprocess.Popen(
            [*UNSHARE, sys.executable, "-c", SERVICE],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: object) -> tuple[int, Any]:
        """The process's own id, and uids for a number or else the destination's figures."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        pid, answer = json.loads(self.process.stdout.readline())
        return pid, answer

    def kill(self) -> None:
        """End it as a container ends: at once, with all that is in it."""
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture
def containers(otlp_sink: OtlpSink) -> Iterator[list[Container]]:
    """Two of them, side by side."""
    reason = permitted()
    if reason:
        pytest.skip(f"namespaces cannot be made here: {reason}")
    made = [Container(otlp_sink), Container(otlp_sink)]
    yield made
    for each in made:
        each.kill()


def test_equal_process_ids(containers: list[Container], otlp_sink: OtlpSink) -> None:
    """Both live and write, one carries; it dies and comes back under the same id, and the other one carries on."""
    uids: list[str] = []
    for each in containers:
        pid, some = each.ask(20)
        assert pid == 1
        uids += some
    assert until(lambda: set(uids) <= {event["uid"] for event in otlp_sink.events})
    figures = [each.ask("status")[1] for each in containers]
    assert sorted(each["here"] for each in figures) == [False, True]
    assert {each["carrier"]["pid"] for each in figures} == {1}
    assert len({each["carrier"]["pid_namespace"] for each in figures}) == 1

    carrier = 0 if figures[0]["here"] else 1
    containers[carrier].kill()
    containers[carrier] = Container(otlp_sink)
    for each in containers:
        pid, some = each.ask(20)
        assert pid == 1
        uids += some
    assert until(lambda: set(uids) <= {event["uid"] for event in otlp_sink.events})
    assert sorted(each.ask("status")[1]["here"] for each in containers) == [False, True]
    # Only what the dead one had under way, if anything, comes twice.
    counts = Counter(event["uid"] for event in otlp_sink.events)
    assert counts.keys() == set(uids)
    assert max(counts.values()) <= 2
