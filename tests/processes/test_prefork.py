"""A preforking server that loads the app first: its master and all of its workers track, also those that come later."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from programs import until
from serving import Served

if TYPE_CHECKING:
    from pathlib import Path

    from servers.otlp import OtlpSink

pytestmark = pytest.mark.slow

APP = """
import json, os
import footspan

footspan.init()
MASTER = footspan.track("app.loaded")

def app(environ, respond):
    body = json.dumps({"pid": os.getpid(), "uid": footspan.track("page.served"), "master": MASTER}).encode()
    respond("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.mark.parametrize("carrier", ["master", "worker"])
def test_a_killed_worker_is_replaced_and_nothing_is_lost(carrier: str, tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """Whoever carries: the master, whose first event started its carriers, or a worker where it tracked nothing."""
    source = APP if carrier == "master" else APP.replace('footspan.track("app.loaded")', '""')
    (tmp_path / "web.py").write_text(source, "utf-8")
    command = ["gunicorn", "--preload", "--workers", "2", "--bind", "127.0.0.1:0", "web:app"]
    env = {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": otlp_sink.url, "OTEL_SERVICE_NAME": "web"}
    answers = []
    with Served(command, tmp_path, env, instrument=False) as server:

        def served_by(*others: int) -> bool:
            answers.append(json.loads(server.get("/")[1]))
            return len({answer["pid"] for answer in answers} - set(others)) >= 2

        assert until(served_by)
        killed: list[int] = []
        for victim in {answer["pid"] for answer in answers}:
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)
            assert until(lambda: served_by(*killed))
        assert server.stop() == 0, server.said()
    uids = {answer["uid"] for answer in answers} | {answer["master"] for answer in answers if answer["master"]}

    assert until(lambda: uids <= {event["uid"] for event in otlp_sink.events}), server.said()
    counts = Counter(event["uid"] for event in otlp_sink.events)
    # A worker may have died before it could answer.
    assert len(counts) <= len(uids) + 2
    if carrier == "master":
        assert max(counts.values()) == 1
