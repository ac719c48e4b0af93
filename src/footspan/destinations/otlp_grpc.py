"""OTLP over gRPC: one unary call for each request.

gRPC's core is native code with threads of its own. It is loaded for the first request, not before, and every call runs
in a thread that can be left behind, because after a fork the core may never answer, whatever the time-out.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from footspan import _guard, _otel, _platform
from footspan._version import __version__
from footspan.config import ConfigurationError
from footspan.config.web import ENVIRONMENT
from footspan.destinations.base import Answer, FaultKind
from footspan.destinations.grpc_forks import calls
from footspan.destinations.grpc_status import answer_of, result_of
from footspan.destinations.http import MAX_CONNECT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.destinations.base import Request
    from footspan.destinations.otlp_protobuf import Signal

METHODS: Final[dict[Signal, str]] = {
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
}
"""The call that takes each signal; a request's URL is the server's origin and one of these."""

GRACE: Final = 1.0
"""Seconds beyond its time-out after which a call counts as stuck."""

_PORTS: Final = {"http": 80, "https": 443}

# Names that a call gives a meaning of its own; from a copied snippet they would break it.
_OWN_NAMES: Final = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "host", "te", "transfer-encoding"}
)
_NAME_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")


class GrpcClient:
    """Makes calls for one destination.

    Args:
        name: The destination's, for messages.
        headers: Sent with each call, as metadata.
        compress: Whether requests are compressed.
        certificate: File of the authorities to trust (PEM).
        client_certificate: File of our own certificate (PEM).
        client_key: File of our own key (PEM); default: it is in the certificate's file.
        proxy: Address of a proxy, or ``environment``; ``None`` for none.

    Raises:
        ConfigurationError: A header that gRPC cannot carry.
    """

    def __init__(
        self,
        *,
        name: str,
        headers: Mapping[str, str],
        compress: bool,
        certificate: str | None = None,
        client_certificate: str | None = None,
        client_key: str | None = None,
        proxy: str | None = None,
    ) -> None:
        self._name = name
        self._proxy = proxy
        self._metadata = _metadata(name, headers)
        self._compress = compress
        self._files = (certificate, client_key or client_certificate, client_certificate)
        self._links: dict[str, _Link] = {}
        self._open: set[_Link] = set()  # also those that are given up but still in use
        self._lock = threading.Lock()
        self._stuck: threading.Thread | None = None
        _platform.on_fork(self._after_fork)

    def post(self, request: Request, timeout: float) -> Answer | FaultKind:
        """Make one call, once.

        Args:
            request: The call: its URL ends in one of :data:`METHODS`, its body is the message.
            timeout: Seconds for everything.

        Returns:
            The status and message of the answer, as they stand in the trailers and the body of the HTTP response that
            they are, or why there is none. Never raises.
        """
        if not calls.usable or self._is_stuck():
            self._warn()
            return FaultKind.UNUSABLE
        call = _Call(self, request, time.monotonic() + timeout)
        thread = threading.Thread(target=call.run, name="footspan-grpc", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            call.run()  # the interpreter is ending and starts no more threads
        if call.done.wait(max(timeout, 0.0) + GRACE):
            return call.result
        self._stuck = thread
        if not call.entered:
            return FaultKind.CONNECT_TIMEOUT
        self._warn()
        return FaultKind.READ_TIMEOUT

    def close(self) -> None:
        """Close the connections and end what is under way; the next call opens new ones."""
        if self._is_stuck():
            return
        with self._lock:
            links, self._open, self._links = self._open, set(), {}
        for link in links:
            link.closed = True
            link.channel.close()

    def _is_stuck(self) -> bool:
        return self._stuck is not None and self._stuck.is_alive()

    def _warn(self) -> None:
        _guard.warn_once(
            f"otlp.grpc.unusable.{self._name}",
            "footspan: gRPC does not work in process %d, probably because it was forked after gRPC was used; what goes "
            "to %s waits. Unset GRPC_ENABLE_FORK_SUPPORT, or use protocol: http/protobuf",
            os.getpid(),
            self._name,
        )

    # -- for a call ----------------------------------------------------------------------------------------------------

    def call(self, request: Request, deadline: float) -> Answer | FaultKind:
        """Make one call in this thread."""
        import grpc  # type: ignore[import-untyped]  # noqa: PLC0415 - loaded already

        front, method = _split(request.url)
        if not front:
            return FaultKind.INVALID
        link = self._use(front)
        keep = False
        try:
            # Message and answer stay bytes: whoever reads answers does so for HTTP too.
            export = link.channel.unary_unary(method)
            left = deadline - time.monotonic()
            with _otel.suppressed():
                body = export(request.body, timeout=max(left, 0.001), metadata=self._metadata)
            keep = True
            return answer_of(body)
        except grpc.RpcError as error:
            result = result_of(error, link.channel)
            # After a fault a channel makes pauses of its own before it connects again, and one that waited for an
            # answer in vain may be dead without knowing it. When to try again is the courier's business.
            keep = isinstance(result, Answer)
            if result is FaultKind.PROTOCOL:
                _guard.warn_once(
                    f"otlp.grpc.protocol.{self._name}",
                    "footspan: %s answers, but not in gRPC; backends usually speak it on port 4317",
                    self._name,
                )
            return result
        except ValueError:
            if link.closed:
                return FaultKind.REFUSED  # by another thread, before the call was made
            raise
        finally:
            self._leave(front, link, keep=keep)

    def _use(self, front: str) -> _Link:
        with self._lock:
            link = self._links.get(front)
            if link is None:
                link = self._links[front] = _Link(self._connect(front))
                self._open.add(link)
            link.users += 1
            return link

    def _leave(self, front: str, link: _Link, *, keep: bool) -> None:
        """Give a channel back; one that is not kept is closed by the last who uses it."""
        with self._lock:
            link.users -= 1
            if not keep and self._links.get(front) is link:
                del self._links[front]
            last = not link.users and self._links.get(front) is not link
            if last:
                self._open.discard(link)
        if last:
            link.channel.close()

    def _connect(self, front: str) -> Any:
        import grpc  # noqa: PLC0415 - loaded already

        parts = urlsplit(front)
        # With its scheme, or a host called `unix` would be taken for one.
        target = f"dns:///{parts.netloc}" + ("" if parts.port else f":{_PORTS[parts.scheme]}")
        options: list[tuple[str, Any]] = [
            ("grpc.primary_user_agent", f"footspan/{__version__}"),
            ("grpc.enable_http_proxy", 1 if self._proxy else 0),  # no proxy that the operator did not name for us
            ("grpc.enable_retries", 0),  # trying again is the courier's business: it knows what was stored
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.use_local_subchannel_pool", 1),  # or pauses between connections outlive a channel
            ("grpc.min_reconnect_backoff_ms", int(MAX_CONNECT_SECONDS * 1000)),  # the longest wait for a connection
        ]
        if self._proxy and self._proxy != ENVIRONMENT:
            options.append(("grpc.http_proxy", self._proxy))  # before the environment's
        compression = grpc.Compression.Gzip if self._compress else grpc.Compression.NoCompression
        if parts.scheme == "http":
            return grpc.insecure_channel(target, options=options, compression=compression)
        credentials = grpc.ssl_channel_credentials(*self._read_files())
        return grpc.secure_channel(target, credentials, options=options, compression=compression)

    def _read_files(self) -> tuple[bytes | None, ...]:
        """The certificates and the key.

        Raises:
            OSError: One of them cannot be used; gRPC would say so on standard error, and just not connect.
        """
        context = ssl.create_default_context(cafile=self._files[0])
        if self._files[2] is not None:
            context.load_cert_chain(self._files[2], self._files[1])
        return tuple(None if path is None else Path(path).read_bytes() for path in self._files)

    def _after_fork(self) -> None:
        """Let go of the parent's channels without closing them, which would touch what its threads held."""
        _abandoned.extend(link.channel for link in self._open)
        self._links, self._open = {}, set()
        self._lock = threading.Lock()
        self._stuck = None


class _Link:
    """A channel, how many calls use it, and whether it was closed under them."""

    __slots__ = ("channel", "closed", "users")

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self.closed = False
        self.users = 0


class _Call:
    """One call in a thread of its own.

    Attributes:
        entered: Whether gRPC was asked for anything, so that something may have left.
        done: Set when there is a result.
    """

    def __init__(self, client: GrpcClient, request: Request, deadline: float) -> None:
        self.entered = False
        self.done = threading.Event()
        self.result: Answer | FaultKind = FaultKind.INVALID
        self._client = client
        self._request = request
        self._deadline = deadline

    def run(self) -> None:
        """Load gRPC, make the call, say what came of it."""
        try:
            calls.load(self._deadline - time.monotonic())
            self.result = FaultKind.CONNECT_TIMEOUT
            with calls.entered(self._client.close, self._deadline - time.monotonic()):
                if time.monotonic() < self._deadline:
                    self.entered = True
                    self.result = self._client.call(self._request, self._deadline)
        except OSError:
            self.result = FaultKind.TLS  # a certificate's file cannot be read
        except Exception as error:  # noqa: BLE001 - such as metadata or a certificate that gRPC does not take
            _guard.report("a gRPC call", error)
            self.result = FaultKind.INVALID
        finally:
            self.done.set()


# Channels of a parent process. They are never used and never closed.
_abandoned: list[Any] = []


# -- addresses and headers ---------------------------------------------------------------------------------------------


def call_url(endpoint: str, signal: Signal) -> str:
    """The URL of a signal's call on the server that an endpoint names; the endpoint's path means nothing in gRPC.

    Returns:
        Nothing for an empty endpoint.
    """
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}{METHODS[signal]}" if parts.netloc else ""


def _split(url: str) -> tuple[str, str]:
    """A URL's origin and path."""
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc}" if parts.netloc and parts.scheme in _PORTS else ""), parts.path


def _metadata(name: str, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Headers as metadata (gRPC over HTTP/2, "Custom-Metadata")."""
    pairs = [(key.strip().lower(), value) for key, value in headers.items()]
    pairs = [(key, value) for key, value in pairs if key not in _OWN_NAMES]
    for key, value in pairs:
        if not key or set(key) - _NAME_LETTERS or key.startswith("grpc-") or key.endswith("-bin"):
            found = "a header whose name gRPC does not carry"
        elif not value.isascii() or not value.isprintable():
            found = "a header with characters beyond ASCII, which gRPC does not carry"
        else:
            continue
        raise ConfigurationError(
            f"telemetry.destinations.{name}.headers", found, "Change the header, or use protocol: http/protobuf."
        )
    return tuple(pairs)
