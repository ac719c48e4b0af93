"""OTLP backends and Collectors, for spans that waited in the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from footspan.destinations.otlp import OtlpDestination
from footspan.otlp_json.span_lines import merge_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.destinations.base import Answer, Outcome, Request
    from footspan.otlp_json import LogLine


class OtlpSpanDestination(OtlpDestination):
    """The traces endpoint of an ``otlp`` destination. What it is given are stored spans, not events."""

    address_options: ClassVar[tuple[str, ...]] = ("endpoint", "traces_endpoint")

    def build(self, events: Sequence[LogLine]) -> Request:
        """Join the spans into one request."""
        return self._make(self.traces_url, merge_spans(events), "traces")

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:
        """Read the answer, by the rules for events."""
        return self._spread(*self._judge(answer, "traces"), len(events))
