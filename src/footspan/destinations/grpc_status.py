"""What the end of a gRPC call means: a status of the server's, or that there was no server.

An answer takes the form of the HTTP response that it is: status 200, ``grpc-status`` among the headers (where the
trailers belong too), the message as the body. So a message is read as over HTTP.
Sources: the OTLP specification 1.11, "OTLP/gRPC" → "Failures"; gRPC's ``status.h``; ``google/rpc/error_details.proto``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from footspan.destinations.base import Answer, FaultKind, Outcome, Verdict
from footspan.destinations.otlp_protobuf import PROTOBUF_TYPE
from footspan.destinations.status import MAX_RETRY_AFTER

_OK: Final = "ok"
_STATUS: Final = "grpc-status"
_RETRY_AFTER: Final = "retry-after"
_DETAILS: Final = "grpc-status-details-bin"

# Statuses by which the server refuses the event, does not know it yet, or leaves in doubt what became of it. Every
# other one (unauthenticated, not implemented, internal, ...) is its own fault: no other event would fare better.
_VERDICTS: Final = {
    "invalid_argument": Verdict.REFUSED,
    "resource_exhausted": Verdict.REFUSED,  # too large; with RetryInfo it is overload
    "unavailable": Verdict.RETRY,
    "cancelled": Verdict.AMBIGUOUS,
    "deadline_exceeded": Verdict.AMBIGUOUS,
    "aborted": Verdict.AMBIGUOUS,
    "out_of_range": Verdict.AMBIGUOUS,
    "data_loss": Verdict.AMBIGUOUS,
}

# What gRPC's core says of a call that no server answered; there is nothing but its words to tell these apart. A text
# that is not known here is read by the state of the connection.
_WORDS: Final = (
    (FaultKind.DNS, ("errors resolving", "DNS resolution failed", "address lookup failed", "C-ares status")),
    (FaultKind.PROTOCOL, ("http1.x server", "Failed parsing HTTP/2", "missing selected ALPN")),
    (FaultKind.TLS, ("andshake failed", "SSL_ERROR", "CERTIFICATE_VERIFY", "Peer name")),
    (FaultKind.CONNECT_TIMEOUT, ("connection attempt timed out", "Connection timed out", "FD Shutdown")),
    (FaultKind.REFUSED, ("failed to connect to all addresses", "Failed to connect to remote host")),
    (FaultKind.RESET, ("Socket closed", "Stream removed", "Connection reset", "Broken pipe", "GOAWAY")),
)


def answer_of(message: bytes) -> Answer:
    """The answer that a successful call brought."""
    return Answer(200, {_STATUS: _OK, "content-type": PROTOBUF_TYPE}, message)


def outcome_of_call(answer: Answer) -> Outcome:
    """The reading of a call's status (OTLP specification, "OTLP/gRPC" → "Failures").

    * OK: delivered, as far as the status says.
    * UNAVAILABLE, and RESOURCE_EXHAUSTED with RetryInfo: nothing was stored, again later.
    * INVALID_ARGUMENT, and RESOURCE_EXHAUSTED without: the event's fault; a request too large is cut.
    * CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, DATA_LOSS: nobody knows whether something was stored.
    * everything else: the destination's fault (key, service, a bug of its own).

    Args:
        answer: From :func:`answer_of` or :func:`result_of`.
    """
    status = answer.headers[_STATUS]
    if status == _OK:
        return Outcome(Verdict.DELIVERED)
    verdict = _VERDICTS.get(status, Verdict.PARK)
    pause = answer.headers.get(_RETRY_AFTER)
    if pause is not None and status == "resource_exhausted":
        verdict = Verdict.RETRY
    retry_after = min(float(pause), MAX_RETRY_AFTER) if pause is not None and verdict is Verdict.RETRY else None
    return Outcome(verdict, f"grpc_{status}", retry_after or None)  # no pause at all leaves it to ours


def result_of(error: Any, channel: Any) -> Answer | FaultKind:
    """What the server answered to a call that failed, or why it did not.

    Args:
        error: The ``RpcError``.
        channel: What the call was made on.
    """
    name = error.code().name.lower()
    details = str(error.details() or "")
    if name == "unavailable":
        for kind, words in _WORDS:
            if any(word in details for word in words):
                return kind
        if not _is_connected(channel):
            return FaultKind.RESET
    if name == "deadline_exceeded":
        # A call that has begun fails with its connection at once, so one that waited without any has never begun.
        return FaultKind.READ_TIMEOUT if _is_connected(channel) else FaultKind.CONNECT_TIMEOUT
    headers = {_STATUS: name}
    pause = _retry_delay(error)
    if pause is not None:
        headers[_RETRY_AFTER] = str(pause)
    return Answer(200, headers)


def _is_connected(channel: Any) -> bool:
    """Whether a channel has a connection now; also where that cannot be found out."""
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415 - loaded already

    # To ask the public way takes a thread inside gRPC for a while, which no fork likes. Interceptors wrap a channel.
    core = channel
    while core is not None and not hasattr(core, "check_connectivity_state"):
        core = getattr(core, "_channel", None)
    if core is None:
        return True
    try:
        state = core.check_connectivity_state(False)
    except ValueError:  # it was closed meanwhile
        return True
    return bool(state == grpc.ChannelConnectivity.READY.value[0])


def _retry_delay(error: Any) -> float | None:
    """Seconds in the RetryInfo of a failed call, if it has one."""
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS:
            continue
        from google.protobuf.message import DecodeError  # noqa: PLC0415 - only such answers cost this
        from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # noqa: PLC0415 - the same
        from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # noqa: PLC0415 - the same

        with suppress(DecodeError):
            for detail in Status.FromString(value).details:
                info = RetryInfo()
                if detail.Unpack(info):
                    return max(0.0, float(info.retry_delay.seconds) + float(info.retry_delay.nanos) / 1e9)
    return None
