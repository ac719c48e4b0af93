"""A log record processor that keeps what it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LogRecordProcessor

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadWriteLogRecord


class Collecting(LogRecordProcessor):
    """Stands for an exporter's processor.

    Args:
        ours: Whether it says that it takes light records, as only ours do.
    """

    def __init__(self, *, ours: bool = False) -> None:
        self.takes_light_records = ours
        self.seen: list[ReadWriteLogRecord] = []

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Keep a record."""
        self.seen.append(log_record)

    def shutdown(self) -> None:
        """Keep nothing any more."""
        self.seen.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits."""
        return True
