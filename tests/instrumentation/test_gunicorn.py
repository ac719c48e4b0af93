"""gunicorn under auto-instrumentation: workers are forked after footspan has started, and both deliver."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from programs import until
from servers.otlp import OtlpSink
from servers.umami import UmamiServer
from serving import Served, umami_variables

pytestmark = pytest.mark.slow

EVENTS = 60


def application(folder: Path) -> Path:
    """The test app, in a folder of its own."""
    shutil.copy(Path(__file__).with_name("web.py"), folder / "web.py")
    return folder


@pytest.mark.parametrize("preload", [False, True], ids=["", "preload"])
def test_the_events_of_both_workers_arrive_once(preload: bool, tmp_path: Path) -> None:
    """Two forked workers, one spool: every event and page view once, and the end by SIGTERM delivers what waits."""
    command = ["gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--threads", "2", "web:app"]
    with UmamiServer() as umami, OtlpSink() as sink:
        env = {
            **umami_variables(umami),
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_SERVICE_NAME": "web",
            "OTEL_BSP_SCHEDULE_DELAY": "60000",  # whatever arrives of spans has been flushed at the end
        }
        with Served(command + ["--preload"] * preload, application(tmp_path), env) as server:
            answers = [json.loads(server.get(f"/track/{number}")[1]) for number in range(EVENTS)]
            # Two processes share one listening socket; a few more requests until both have been asked.
            for number in range(EVENTS, EVENTS + 200):
                if len({answer["pid"] for answer in answers}) == 2:
                    break
                answers.append(json.loads(server.get(f"/track/{number}")[1]))
            for _ in range(10):
                server.get("/page/tea")
            assert server.stop(signal.SIGTERM) == 0, server.said()
        uids = [answer["uid"] for answer in answers]

        assert len({answer["pid"] for answer in answers}) == 2
        assert until(lambda: len(sink.events) >= len(uids) + 10), server.said()
        arrived = Counter(event["uid"] for event in sink.events if event["name"] == "order.placed")
        assert arrived == Counter(uids)
        assert len([event for event in sink.events if event["name"] == "footspan.page_view"]) == 10
        assert len(umami.page_views()) == 10
        assert len(umami.events("order.placed")) == len(uids)
        # Spans wait in memory for a minute: these were flushed by workers that were told to end.
        assert until(lambda: len(sink.spans) == len(uids) + 10), server.said()
