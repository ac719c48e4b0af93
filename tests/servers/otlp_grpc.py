"""An OTLP/gRPC receiver on loopback: records what comes, answers with scripted statuses; see README.md."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import grpc  # type: ignore[import-untyped]
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import DebugInfo, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_service

from servers.otlp import decode, messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from servers.otlp.decode import Message

LONGEST: Final = 60.0
_DETAILS: Final = "grpc-status-details-bin"
_THREADS: Final = 8


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as it came in."""

    signal: str
    metadata: dict[str, str]
    peer: str
    """Address and port of the client, the same for one connection."""
    seconds: float
    """Left until the client gives up."""


@dataclass(frozen=True, slots=True)
class _Script:
    code: str = ""
    details: str = ""
    trailers: tuple[tuple[str, bytes], ...] = ()
    rejected: int = 0
    message: str = ""
    seconds: float = 0.0
    stored: bool = False


@dataclass(slots=True)
class _Kept:
    records: dict[str, list[Message]] = field(default_factory=lambda: {"logs": [], "traces": []})
    calls: list[RecordedCall] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class OtlpGrpcSink:
    """A receiver of logs and spans; a context manager.

    Args:
        port: The port; 0 picks a free one.
        certificate: Certificate and key (PEM) for TLS; without it, connections are plain.
        authority: Certificate of the authority that clients must be known to, for mutual TLS.
    """

    def __init__(
        self, *, port: int = 0, certificate: tuple[bytes, bytes] | None = None, authority: bytes | None = None
    ) -> None:
        self._changed = threading.Condition()
        self._kept = _Kept()
        self._scripts: deque[_Script] = deque()
        self._stopping = threading.Event()
        self._server: Any = grpc.server(ThreadPoolExecutor(_THREADS), options=[("grpc.so_reuseport", 0)])
        services: tuple[tuple[Any, str], ...] = (
            (logs_service.add_LogsServiceServicer_to_server, "logs"),
            (trace_service.add_TraceServiceServicer_to_server, "traces"),
        )
        for add, signal in services:
            add(_Servicer(self, signal), self._server)
        self._scheme = "https" if certificate else "http"
        if certificate:
            chain, key = certificate
            credentials = grpc.ssl_server_credentials([(key, chain)], authority, authority is not None)
            self.port = int(self._server.add_secure_port(f"127.0.0.1:{port}", credentials))
        else:
            self.port = int(self._server.add_insecure_port(f"127.0.0.1:{port}"))

    def start(self) -> Self:
        """Serve; returns the sink."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Close everything."""
        self._stopping.set()
        self._server.stop(grace=None).wait(10.0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()

    # -- what tests read -----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Its address, as an endpoint."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def logs(self) -> list[Message]:
        """Every log record, as :class:`servers.otlp.OtlpSink` shows it."""
        with self._changed:
            return list(self._kept.records["logs"])

    @property
    def events(self) -> list[Message]:
        """The log records that have an event name."""
        return [record for record in self.logs if record["name"]]

    @property
    def spans(self) -> list[Message]:
        """Every span."""
        with self._changed:
            return list(self._kept.records["traces"])

    @property
    def calls(self) -> list[RecordedCall]:
        """Every call, in the order of arrival, whatever was answered."""
        with self._changed:
            return list(self._kept.calls)

    @property
    def problems(self) -> list[str]:
        """What broke the contract and got INVALID_ARGUMENT."""
        with self._changed:
            return list(self._kept.problems)

    def wait_for(self, test: Callable[[], object], timeout: float = 10.0) -> bool:
        """Wait until ``test()`` is true, asking again after every call; returns its last answer."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not test():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.5))
        return True

    # -- faults; each call takes the next ------------------------------------------------------------------------------

    def answer(self, code: str, *, retry: float | None = None, details: str = "", garbage: bool = False) -> None:
        """The next call gets this status; nothing of it is kept.

        Args:
            code: Its name, such as ``unavailable``.
            retry: Seconds in a RetryInfo, behind another detail.
            details: The words of the status.
            garbage: Whether the details of the status are unreadable.
        """
        trailers: tuple[tuple[str, bytes], ...] = ((_DETAILS, b"\xff\xff"),) if garbage else ()
        if retry is not None:
            status = Status()
            status.details.add().Pack(DebugInfo(detail="nothing of interest"))
            delay = Duration(seconds=int(retry), nanos=round(retry % 1 * 1e9))
            status.details.add().Pack(RetryInfo(retry_delay=delay))
            trailers = ((_DETAILS, status.SerializeToString()),)
        self._scripts.append(_Script(code, details, trailers))

    def partial_success(self, rejected: int = 1, message: str = "") -> None:
        """The next call gets a partial success; its last ``rejected`` records are not kept."""
        self._scripts.append(_Script(rejected=rejected, message=message))

    def hang(self, seconds: float, times: int = 1, *, stored: bool = False) -> None:
        """The next calls wait before their answer; ``stored``: what they bring is kept first."""
        seconds = min(seconds, LONGEST)
        self._scripts.extend(_Script("unavailable", seconds=seconds, stored=stored) for _ in range(times))

    # -- serving -------------------------------------------------------------------------------------------------------

    def handle(self, signal: str, request: Any, context: Any) -> Any:
        """Answer a call."""
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        call = RecordedCall(signal, metadata, context.peer(), context.time_remaining() or 0.0)
        with self._changed:
            self._kept.calls.append(call)
            script = self._scripts.popleft() if self._scripts else _Script()
        try:
            records = decode.from_protobuf(signal, request.SerializeToString())
        except decode.ContractError as error:
            with self._changed:
                self._kept.problems.append(str(error))
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        with self._changed:
            if script.stored or not script.code:
                self._kept.records[signal] += records[: max(len(records) - script.rejected, 0)]
            self._changed.notify_all()
        self._stopping.wait(script.seconds)
        if script.code:
            context.set_trailing_metadata(script.trailers)
            context.abort(grpc.StatusCode[script.code.upper()], script.details)
        answer = messages.success(signal, script.rejected, script.message)
        return messages.response_class(signal).FromString(answer)


class _Servicer(logs_service.LogsServiceServicer, trace_service.TraceServiceServicer):
    """Both generated services at once; each is registered with a signal of its own."""

    def __init__(self, sink: OtlpGrpcSink, signal: str) -> None:
        self._sink = sink
        self._signal = signal

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """The one method of both services."""
        return self._sink.handle(self._signal, request, context)
