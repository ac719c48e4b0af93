"""Any destination as an OpenTelemetry log record exporter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult

from footspan._guard import guard
from footspan.config.policy import DEFAULT
from footspan.exporters.lines import line_of
from footspan.exporters.sender import Sender
from footspan.patterns import matcher
from footspan.privacy.epochs import tokens_for
from footspan.processors.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord

    from footspan.config.policy import Policy
    from footspan.destinations.base import Destination
    from footspan.otlp_json import LogLine


class DestinationLogExporter(LogRecordExporter):
    """Any destination as a log record exporter, without a spool.

    What the destination's ``events`` patterns do not take, what names another destination, and, for a destination of
    events, records without an event name are passed over: nothing was to be sent, so nothing has failed.

    Args:
        destination: Where records go; it is closed by ``shutdown``.
        timeout: Seconds that one ``export`` may take, all tries together; by default the destination's own.
        redact: Whether records are redacted here. Off only where a pipeline has cleaned them before.
        policy: The privacy policy that they are held to.

    Attributes:
        carried: Gives the ids of the destinations that a pipeline before this exporter delivers the same events to;
            for those, events are passed over here.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        timeout: float | None = None,
        redact: bool = True,
        policy: Policy = DEFAULT,
    ) -> None:
        self._sender = Sender(destination, timeout)
        self._redactor = Redactor(self._sender.count, policy, pseudonymiser=tokens_for(destination)) if redact else None
        self.carried: Callable[[], Collection[str]] = tuple

    @property
    def destination(self) -> Destination:
        """Where records go."""
        return self._sender.destination

    @destination.setter
    def destination(self, destination: Destination) -> None:
        self._sender.destination = destination

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Deliver some records. Never raises.

        Returns:
            ``SUCCESS`` only when every record was taken, or refused for its own sake; see :meth:`status`.
        """
        sender, done = self._sender, False
        if sender.clock.stopped:
            sender.count("failed", len(batch))
            return LogRecordExportResult.FAILURE
        with guard("exporter.logs"), sender.clock.export() as end:
            done = sender.deliver(self._lines(batch), end)
        return LogRecordExportResult.SUCCESS if done else LogRecordExportResult.FAILURE

    def _lines(self, batch: Sequence[ReadableLogRecord]) -> list[LogLine]:
        if self._sender.off:
            self._sender.count("passed_over", len(batch))
            return []
        carried = self.destination.id in self.carried()

        def make(record: ReadableLogRecord) -> LogLine | None:
            line = line_of(record, self._redactor)
            return None if (carried and line.name) or not self.takes(line) else line

        return self._sender.made(make, batch)

    def takes(self, line: LogLine) -> bool:
        """Whether the destination's settings let a record go there."""
        if not line.name:
            return self.destination.plain_logs
        if line.destination:
            return line.destination == self.destination.name
        patterns = self.destination.settings.events
        return patterns is None or matcher(patterns)(line.name, line.category)

    def status(self) -> dict[str, Any]:
        """Records so far: ``delivered``, ``failed``, ``passed_over``, and ``refused`` by reason."""
        return self._sender.status()

    def shutdown(self) -> None:
        """End what is under way and close the connections. Doing it again changes nothing."""
        self._sender.clock.stop()
        with guard("exporter.shutdown"):
            self.destination.close()

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        """Wait for exports under way; whether all had ended in time. Nothing else waits here."""
        return self._sender.clock.idle(timeout_millis / 1000)

    @property
    def deadline(self) -> float | None:
        """A moment of the monotonic clock after which nothing is tried any more; ``None`` for none.

        Setting it ends an ``export`` under way once that moment has come, even one that waits for an answer: a process
        that ends must not wait for a destination that is dead.
        """
        return self._sender.clock.deadline

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        self._sender.clock.deadline = value
