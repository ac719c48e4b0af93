"""TLS with certificates on both sides, against a server that asks for ours."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from destinations.making import line, settings
from footspan.destinations import build_destination
from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.otlp_spans import OtlpSpanDestination
from footspan.otlp_json.span_lines import merge_spans
from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from collections.abc import Iterator

DELIVERED: Final = Outcome(Verdict.DELIVERED)
OURS: Final = str(Path(__file__).with_name("localhost.pem"))
STRANGER: Final = str(Path(__file__).with_name("stranger.pem"))


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    """A receiver that talks to clients with a certificate of its authority only."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=OURS)
    context.load_cert_chain(OURS)
    context.verify_mode = ssl.CERT_REQUIRED
    with OtlpSink(tls=context) as running:
        yield running


def send(sink: OtlpSink, /, **options: Any) -> Outcome:
    """Send one event."""
    destination = build_destination(settings("otlp", endpoint=sink.url, **options))
    try:
        return destination.send([line()], 10.0)
    finally:
        destination.close()


@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf"])
def test_a_certificate_that_the_server_knows(sink: OtlpSink, tmp_path: Path, protocol: str) -> None:
    """In one file with its key, or in two."""
    options = {"certificate": OURS, "protocol": protocol}
    assert send(sink, client_certificate=OURS, **options) == DELIVERED
    certificate, mark, key = _parts(Path(OURS).read_text())
    (tmp_path / "c.pem").write_text(certificate)
    (tmp_path / "k.pem").write_text(mark + key)
    two = {"client_certificate": str(tmp_path / "c.pem"), "client_key": str(tmp_path / "k.pem")}
    assert send(sink, **two, **options) == DELIVERED
    assert len(sink.events) == 2


def _parts(pem: str) -> tuple[str, str, str]:
    mark = "-----BEGIN PRIVATE KEY-----"
    front, _, back = pem.partition(mark)
    key, end, rest = back.partition("-----END PRIVATE KEY-----\n")
    return front + rest, mark, key + end


@pytest.mark.parametrize("certificate", [None, STRANGER])
def test_without_one_that_it_knows_nothing_is_in_doubt(sink: OtlpSink, certificate: str | None) -> None:
    """The server says so while the request leaves (TLS 1.3), or just hangs up: of the request it has read nothing."""
    outcome = send(sink, certificate=OURS, client_certificate=certificate)
    assert outcome in (Outcome(Verdict.PARK, "tls"), Outcome(Verdict.RETRY, "connection_refused"))
    assert not sink.requests


def test_an_authority_of_the_systems_does_not_vouch(sink: OtlpSink) -> None:
    """Certificates are verified unless the operator names another authority; there is no setting to switch that off."""
    assert send(sink, client_certificate=OURS) == Outcome(Verdict.PARK, "tls")
    assert send(sink, client_certificate=OURS, certificate=STRANGER) == Outcome(Verdict.PARK, "tls")


def test_spans_may_have_certificates_and_headers_of_their_own(sink: OtlpSink) -> None:
    """What is said of spans alone is in force for them, the rest for both."""
    shared: dict[str, Any] = {
        "endpoint": sink.url,
        "certificate": OURS,
        "client_certificate": OURS,
        "headers": {"x-key": "logs"},
    }
    made = settings("otlp", **shared, traces_headers={"x-key": "traces"}, traces_compression="none", traces_timeout=3.0)
    spans, logs = OtlpSpanDestination(made), build_destination(made)
    assert (spans.timeout, logs.timeout) == (3.0, 5.0)
    body = merge_spans([])
    assert spans.send_spans(body, 5.0) == DELIVERED
    assert logs.send([line()], 5.0) == DELIVERED
    for destination in (spans, logs):
        destination.close()
    seen = [(request.headers["x-key"], request.headers.get("content-encoding")) for request in sink.requests]
    assert seen == [("traces", None), ("logs", "gzip")]
