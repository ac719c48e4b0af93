"""OTLP backends and Collectors: stored lines leave as they are, as one ``ExportLogsServiceRequest``.

JSON is the fast way (the lines are joined, not parsed). A backend that answers 415 gets protobuf from then on; gRPC is
protobuf too. Sources: the OTLP specification 1.11, sections "OTLP/HTTP", "OTLP/gRPC" and "Partial Success".
"""

from __future__ import annotations

import threading
import zlib
from typing import TYPE_CHECKING, ClassVar, Final

from footspan._guard import guard, warn_once
from footspan.config import ConfigurationError
from footspan.destinations.base import FaultKind, Outcome, Request, Verdict
from footspan.destinations.grpc_status import outcome_of_call
from footspan.destinations.http import HttpDestination, header_map, join
from footspan.destinations.otlp_grpc import GrpcClient, call_url
from footspan.destinations.otlp_protobuf import (
    JSON_TYPE,
    PROTOBUF_TYPE,
    UnreadableAnswerError,
    rejected,
    request_bytes,
)
from footspan.destinations.status import outcome_of
from footspan.otlp_json import merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config import DestinationSettings
    from footspan.destinations.base import Answer
    from footspan.destinations.otlp_protobuf import Signal
    from footspan.otlp_json import LogLine

GZIP_LEVEL: Final = 1
"""Most of the gain for a fraction of the time."""

PARTIAL: Final = "partial_success"
"""The reason of events that a backend accepted a request without."""

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_UNSUPPORTED_MEDIA_TYPE: Final = 415
_INTERNAL_ERROR: Final = 500


class OtlpDestination(HttpDestination):
    """Any OTLP endpoint, for events and, through :meth:`send_spans`, for spans.

    Attributes:
        logs_url: Where events go; empty when only a traces endpoint is set.
        traces_url: Where spans go; empty when only a logs endpoint is set.
        protocol: ``http/json``, ``http/protobuf`` or ``grpc``, as in force now.
    """

    type: ClassVar[str] = "otlp"
    plain_logs: ClassVar[bool] = True
    passes_on: ClassVar[bool] = True
    address_options: ClassVar[tuple[str, ...]] = ("endpoint", "logs_endpoint")
    # A Collector takes 20 MiB over HTTP and 4 MiB over gRPC, where the same events are smaller than as stored lines.
    default_max_items: ClassVar[int] = 2048
    default_max_bytes: ClassVar[int] = 4 * 1024 * 1024

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        options = settings.options
        base = str(options.get("endpoint") or "")
        self.logs_url = str(options.get("logs_endpoint") or (join(base, "v1/logs") if base else ""))
        self.traces_url = str(options.get("traces_endpoint") or (join(base, "v1/traces") if base else ""))
        if not self.logs_url and not self.traces_url:
            raise ConfigurationError(
                f"telemetry.destinations.{self.name}.endpoint", "nothing", "Set the backend's base address."
            )
        self.protocol = str(options.get("protocol") or "http/json")
        if self.protocol not in {"http/json", "http/protobuf", "grpc"}:
            raise ConfigurationError(
                f"telemetry.destinations.{self.name}.protocol",
                "a protocol that this version does not speak",
                "Use http/json or http/protobuf (backends' usual port: 4318), or grpc (4317).",
            )
        self._may_switch = self.protocol == "http/json"
        self._compress = options.get("compression") != "none"
        self._headers = header_map(options.get("headers"))
        self._request = threading.local()
        self._grpc = self._make_grpc() if self.protocol == "grpc" else None

    def _make_grpc(self) -> GrpcClient:
        base = str(self.settings.options.get("endpoint") or "")
        self.logs_url = call_url(str(self.settings.options.get("logs_endpoint") or base), "logs")
        self.traces_url = call_url(str(self.settings.options.get("traces_endpoint") or base), "traces")
        return GrpcClient(
            name=self.name,
            headers=self._headers,
            compress=self._compress,
            certificate=self.certificate,
            client_certificate=self.client_certificate,
            client_key=self.client_key,
            proxy=self.proxy,
        )

    # -- events --------------------------------------------------------------------------------------------------------

    def build(self, events: Sequence[LogLine]) -> Request:
        """Join the events into one request."""
        return self._make(self.logs_url, merge(events), "logs")

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:
        """Read the answer to events.

        A backend that takes a part of a request says how many it rejected, not which, and sending any of them again
        would duplicate the others. So where all were rejected, the request is refused (and cut in halves by the
        courier, harmlessly); where some were, the last ``n`` events stand for them, so that the counts are exact.
        """
        return self._spread(*self._judge(answer, "logs"), len(events))

    @staticmethod
    def _spread(outcome: Outcome, rejected_count: int, sent: int) -> Outcome:
        if not rejected_count:
            return outcome
        refused = Outcome(Verdict.REFUSED, PARTIAL)
        if rejected_count >= sent:
            return refused
        return Outcome(Verdict.DELIVERED, items=dict.fromkeys(range(sent - rejected_count, sent), refused))

    # -- spans ---------------------------------------------------------------------------------------------------------

    def send_spans(self, body: bytes, timeout: float) -> Outcome:
        """Deliver spans in one go, to the traces endpoint, by the same rules as events.

        Args:
            body: An ``ExportTraceServiceRequest`` as OTLP JSON.
            timeout: Seconds this may take.

        Returns:
            What became of them; ``refused`` with :data:`PARTIAL` when the backend rejected some. Never raises.
        """
        for _ in range(2):  # the second time, in the encoding that a 415 made us switch to
            request: Request | None = None
            with guard("otlp.build_spans"):
                request = self._make(self.traces_url, body, "traces")
            if request is None:
                return Outcome(Verdict.REFUSED, "unencodable")
            result = self.post(request, timeout)
            if isinstance(result, FaultKind):
                return self.fault(result, ())
            outcome, count = self._judge(result, "traces")
            if outcome.verdict is not Verdict.AGAIN:
                break
        return Outcome(Verdict.REFUSED, PARTIAL) if count else outcome

    # -- both ----------------------------------------------------------------------------------------------------------

    def post(self, request: Request, timeout: float) -> Answer | FaultKind:
        """Post one request, or make the call that it is in gRPC. See :meth:`HttpDestination.post`."""
        return super().post(request, timeout) if self._grpc is None else self._grpc.post(request, timeout)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        super().close()
        if self._grpc is not None:
            self._grpc.close()

    def _make(self, url: str, body: bytes, signal: Signal) -> Request:
        if self._grpc is not None:
            return Request(url, request_bytes(body, signal))
        protobuf = self.protocol == "http/protobuf"
        # Remembered for the answer: another thread may switch the protocol meanwhile.
        self._request.protobuf = protobuf
        if protobuf:
            body = request_bytes(body, signal)
        headers = {**self._headers, "Content-Type": PROTOBUF_TYPE if protobuf else JSON_TYPE}
        if self._compress:
            body = _gzip(body)
            headers["Content-Encoding"] = "gzip"
        return Request(url, body, headers)

    def _judge(self, answer: Answer, signal: Signal) -> tuple[Outcome, int]:
        """The outcome of an answer, and how many items a successful one rejected."""
        if self._grpc is not None:
            outcome = outcome_of_call(answer)
            return self._judge_success(answer, signal) if outcome.verdict is Verdict.DELIVERED else (outcome, 0)
        if answer.status == _UNSUPPORTED_MEDIA_TYPE and self._may_switch and not self._request.protobuf:
            self.protocol = "http/protobuf"
            warn_once(
                f"otlp.protobuf.{self.id}",
                "footspan: %s does not take OTLP JSON (415); sending protobuf. Setting protocol: http/protobuf for it "
                "saves the try",
                self.name,
            )
            return Outcome(Verdict.AGAIN, "protobuf"), 0
        outcome = outcome_of(answer)
        if answer.status == _INTERNAL_ERROR:
            # The specification makes 500 not retryable, and a Collector drops what it answers that: a fault of the
            # backend's, which no other event would cure.
            return Outcome(Verdict.PARK, "http_500"), 0
        if outcome.verdict is not Verdict.DELIVERED:
            return outcome, 0
        return self._judge_success(answer, signal)

    def _judge_success(self, answer: Answer, signal: Signal) -> tuple[Outcome, int]:
        content_type = answer.headers.get("content-type", "").lower()
        if not answer.body.strip():
            return Outcome(Verdict.DELIVERED), 0
        if "html" in content_type:
            # A sign-in page or a parked domain: no OTLP backend answers with a page.
            return Outcome(Verdict.PARK, "not_otlp"), 0
        try:
            count, message = rejected(answer.body, content_type, signal)
        except UnreadableAnswerError:
            # The status is the acceptance; sending again would only duplicate what was accepted.
            warn_once(f"otlp.unreadable.{self.id}", "footspan: %s accepts with an unreadable answer", self.name)
            return Outcome(Verdict.DELIVERED, "unreadable_answer"), 0
        if count:
            warn_once(f"otlp.partial.{self.id}", "footspan: %s rejected %d items of a request", self.name, count)
        elif message:
            warn_once(f"otlp.message.{self.id}", "footspan: %s accepts with a warning", self.name)
        return Outcome(Verdict.DELIVERED), count


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()
