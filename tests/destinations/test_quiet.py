"""What the HTTP library says of our requests stays out of the host's log."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import requests

from destinations.making import line, settings
from footspan.destinations import build_destination

if TYPE_CHECKING:
    import pytest

    from servers.otlp import OtlpSink


def test_no_address_of_ours_with_a_key_in_it(otlp_sink: OtlpSink, caplog: pytest.LogCaptureFixture) -> None:
    """A query may be a key, and the library writes it into its log at DEBUG."""
    address = f"{otlp_sink.url}/v1/logs?key=s3cret"
    destination = build_destination(settings("otlp", logs_endpoint=address, headers={"x-key": "s3cret"}))
    with caplog.at_level(logging.DEBUG):
        destination.send([line("a", {"password": "s3cret"})], 5.0)
        destination.close()
    assert otlp_sink.requests[0].path == "/v1/logs?key=s3cret"
    assert "s3cret" not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("urllib3")]


def test_what_the_host_does_is_logged_as_ever(otlp_sink: OtlpSink, caplog: pytest.LogCaptureFixture) -> None:
    """Before and after a request of ours in the same thread, and beside one in another."""
    destination = build_destination(settings("otlp", endpoint=otlp_sink.url))
    otlp_sink.faults.hang(0.3)
    with caplog.at_level(logging.DEBUG):
        sending = threading.Thread(target=destination.send, args=([line()], 5.0))
        sending.start()
        assert otlp_sink.wait_for(lambda: otlp_sink.requests)
        requests.get(f"{otlp_sink.url}/host-1", timeout=5)
        sending.join(10)
        destination.send([line()], 5.0)
        requests.get(f"{otlp_sink.url}/host-2", timeout=5)
        destination.close()
    said = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("urllib3"))
    assert "/host-1" in said
    assert "/host-2" in said
    assert "/v1/logs" not in said
