"""The OTLP/HTTP receiver: which requests it takes, how it answers, what it keeps."""

from __future__ import annotations

import base64
import zlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from servers.faults import MAX_TIMES, Faults
from servers.http import Answer, RecordedRequest, StandIn, json_answer
from servers.otlp import decode, messages
from servers.otlp.decode import ContractError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection, Mapping

    from servers.otlp.decode import Message

JSON: Final = "application/json"
PROTOBUF: Final = "application/x-protobuf"
_INVALID_ARGUMENT: Final = 3
_PATHS: Final = {"/v1/logs": "logs", "/v1/traces": "traces", "/v1/metrics": "metrics"}
_REJECTED: Final = {"logs": "rejectedLogRecords", "traces": "rejectedSpans", "metrics": "rejectedDataPoints"}
_MAX_INFLATED: Final = 128 * 1024 * 1024


class OtlpFaults(Faults):
    """The common faults, and partial successes."""

    def __init__(self, switch: Any) -> None:
        super().__init__(switch)
        self.partial: deque[tuple[int, str]] = deque()

    def partial_success(self, rejected: int = 1, message: str = "", times: int = 1) -> None:
        """Answer the next ``times`` requests with a partial success; the last ``rejected`` records are not kept."""
        if not 1 <= times <= MAX_TIMES or rejected < 0:
            raise ValueError(f"times must lie between 1 and {MAX_TIMES}, rejected must not be negative")
        self.partial.extend([(rejected, message)] * times)

    def clear(self) -> None:
        """End every fault."""
        self.partial.clear()
        super().clear()

    def apply(self, command: Mapping[str, Any]) -> None:
        """Do what a ``POST /_test/faults`` body says."""
        if command.get("fault") == "partial_success":
            numbers = int(command.get("rejected", 1)), str(command.get("message", "")), int(command.get("times", 1))
            self.partial_success(*numbers)
        else:
            super().apply(command)


class OtlpSink(StandIn):
    """An OTLP/HTTP receiver on loopback that holds every request against the specification.

    Args:
        port: The port; 0 picks a free one.
        accepts: The content types it takes; others get 415.
        tls: Makes it speak TLS.
    """

    faults: OtlpFaults

    def __init__(
        self, *, port: int = 0, accepts: Collection[str] = (JSON, PROTOBUF), tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(port=port, tls=tls)
        self.accepts: Collection[str] = accepts
        self._kept: dict[str, list[Message]] = {signal: [] for signal in _PATHS.values()}
        self._problems: list[str] = []

    # -- what tests read -----------------------------------------------------------------------------------------------

    @property
    def logs(self) -> list[Message]:
        """Every log record, in the order of arrival."""
        return self._copy("logs")

    @property
    def events(self) -> list[Message]:
        """The log records that have an event name."""
        return [record for record in self.logs if record["name"]]

    @property
    def spans(self) -> list[Message]:
        """Every span, in the order of arrival."""
        return self._copy("traces")

    @property
    def metrics(self) -> list[Message]:
        """Every metric, in the order of arrival."""
        return self._copy("metrics")

    @property
    def problems(self) -> list[str]:
        """What was wrong with the requests that got 400."""
        with self._lock:
            return list(self._problems)

    def partial_success(self, rejected: int = 1, message: str = "", times: int = 1) -> None:
        """Answer the next ``times`` requests with a partial success; the last ``rejected`` records are not kept."""
        self.faults.partial_success(rejected, message, times)

    def snapshot(self) -> dict[str, Any]:
        """What was received, for ``GET /_test/rows``; bytes in base64."""
        return {
            "logs": _readable(self._kept["logs"]),
            "spans": _readable(self._kept["traces"]),
            "metrics": _readable(self._kept["metrics"]),
            "problems": list(self._problems),
        }

    # -- serving -------------------------------------------------------------------------------------------------------

    def handle(self, request: RecordedRequest) -> Answer:
        """The answer of a receiver to a request."""
        self.pause(self.faults.latency)
        # The path is compared as it is: a slash at its end or a query is another address.
        signal = _PATHS.get(request.path)
        if signal is None:
            return Answer(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
        if request.method != "POST":
            return Answer(405, b"405 method not allowed, supported: [POST]", {"Allow": "POST"})
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind not in (JSON, PROTOBUF) or kind not in self.accepts:
            return Answer(415, b"415 unsupported media type", {"Content-Type": "text/plain; charset=utf-8"})
        try:
            body = _body(request)
            records = decode.from_json(signal, body) if kind == JSON else decode.from_protobuf(signal, body)
        except ContractError as error:
            return self._refuse(kind, str(error))
        return self._accept(signal, kind, records)

    def _accept(self, signal: str, kind: str, records: list[Message]) -> Answer:
        with self._lock:
            rejected, message = self.faults.partial.popleft() if self.faults.partial else (0, "")
            self._kept[signal].extend(records[: max(len(records) - rejected, 0)])
        if kind == PROTOBUF:
            return Answer(200, messages.success(signal, rejected, message), {"Content-Type": PROTOBUF})
        partial = {_REJECTED[signal]: str(rejected), "errorMessage": message}
        return json_answer({"partialSuccess": partial} if rejected or message else {})

    def _refuse(self, kind: str, problem: str) -> Answer:
        with self._lock:
            self._problems.append(problem)
        if kind == PROTOBUF:
            return Answer(400, messages.status(_INVALID_ARGUMENT, problem), {"Content-Type": PROTOBUF})
        return json_answer({"code": _INVALID_ARGUMENT, "message": problem}, 400)

    def _copy(self, signal: str) -> list[Message]:
        with self._lock:
            return list(self._kept[signal])

    def _make_faults(self) -> OtlpFaults:
        return OtlpFaults(self._listener)

    def _forget(self) -> None:
        for records in self._kept.values():
            records.clear()
        self._problems.clear()


def _body(request: RecordedRequest) -> bytes:
    if not request.headers.get("user-agent"):
        raise ContractError("the User-Agent header is missing")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return request.body
    if encoding != "gzip":
        raise ContractError("the content encoding is neither gzip nor none")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = inflater.decompress(request.body, _MAX_INFLATED)
    except zlib.error:
        raise ContractError("the body is no gzip") from None
    if not inflater.eof or inflater.unused_data:
        raise ContractError("the gzip body is cut off, too large, or has something after it")
    return body


def _readable(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return {key: _readable(item) for key, item in value.items()} if isinstance(value, dict) else value
