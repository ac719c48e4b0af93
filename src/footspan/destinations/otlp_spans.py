"""OTLP backends and Collectors, for spans that waited in the spool."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from footspan.destinations.otlp import OtlpDestination
from footspan.otlp_json.span_lines import merge_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config import DestinationSettings
    from footspan.destinations.base import Answer, Outcome, Request
    from footspan.otlp_json import LogLine

_PREFIX: Final = "traces_"
_OWN: Final = frozenset(
    f"{_PREFIX}{key}"
    for key in ("headers", "protocol", "compression", "timeout", "certificate", "client_certificate", "client_key")
)


class OtlpSpanDestination(OtlpDestination):
    """The traces endpoint of an ``otlp`` destination. What it is given are stored spans, not events."""

    address_options: ClassVar[tuple[str, ...]] = ("endpoint", "traces_endpoint")

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(for_traces(settings))

    def build(self, events: Sequence[LogLine]) -> Request:
        """Join the spans into one request."""
        return self._make(self.traces_url, merge_spans(events), "traces")

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:
        """Read the answer, by the rules for events."""
        return self._spread(*self._judge(answer, "traces"), len(events))


def for_traces(settings: DestinationSettings) -> DestinationSettings:
    """The settings in force for spans: what is said of them alone (``traces_headers``, …) wins."""
    own = {key.removeprefix(_PREFIX): value for key, value in settings.options.items() if key in _OWN}
    timeout = own.pop("timeout", None)
    options = {key: value for key, value in settings.options.items() if key not in _OWN}
    given = {key: value for key, value in own.items() if value is not None}
    return replace(settings, options={**options, **given}, timeout=timeout or settings.timeout)
