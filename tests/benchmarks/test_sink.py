"""The benchmarks' sink: what it counts is what came."""

from __future__ import annotations

import gzip
import http.client
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODY = b'{"eventName":"checkout.completed"},{"eventName":"checkout.completed"}'


def post(sink: Any, body: Any, **headers: str) -> http.client.HTTPResponse:
    """Post a body, by a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", sink.port, timeout=30)
    try:
        connection.request("POST", "/v1/logs", body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer


@pytest.fixture
def sink(load: Callable[[str], Any]) -> Iterator[Any]:
    """A sink in a thread."""
    running = load("sink").Sink()
    yield running
    running.down()


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_events_are_counted_however_they_come(sink: Any, compressed: bool, chunked: bool) -> None:
    """Compressed or not, with a length or in chunks."""
    body = gzip.compress(BODY) if compressed else BODY
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    assert 200 == post(sink, iter([body[:7], body[7:]]) if chunked else body, **headers).status
    assert {"requests": 1, "events": 2, "bytes": len(body)} == sink.stats()
    assert {"requests": 0, "events": 0, "bytes": 0} == sink.stats()


def test_what_is_refused_is_no_event(sink: Any) -> None:
    """A request that is answered 503 is seen, and nothing of it is taken."""
    sink.status = 503
    assert 503 == post(sink, BODY).status
    assert {"requests": 1, "events": 0, "bytes": 0} == sink.stats()


def test_down_refuses_and_up_takes_again(sink: Any) -> None:
    """The port stays the same."""
    sink.down()
    with pytest.raises(ConnectionError):
        post(sink, BODY)
    sink.up()
    assert 200 == post(sink, BODY).status
    assert 2 == sink.stats()["events"]


def test_a_sink_of_its_own_process_ends_with_its_block(load: Callable[[str], Any]) -> None:
    """It answers questions while it runs, and is gone afterwards."""
    with load("sink").running() as there:
        assert there.url.startswith("http://127.0.0.1:")
        assert {"requests": 0, "events": 0, "bytes": 0} == there.stats()
        process = there._process
    assert 0 == process.returncode
