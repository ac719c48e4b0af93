"""The exporters that entry points name: each destination under its own, made from keywords or the environment.

OpenTelemetry calls them without arguments where ``OTEL_LOGS_EXPORTER`` or ``OTEL_TRACES_EXPORTER`` names them, and with
the keywords that a declarative configuration file gives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from footspan.config import ConfigurationError, PageViewSettings
from footspan.exporters.logs import DestinationLogExporter
from footspan.exporters.options import destination_for, load, policy_of
from footspan.exporters.spans import DestinationSpanExporter, OtlpJsonSpanExporter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack

    from footspan.exporters.options import (
        ConsoleOptions,
        DashTrackerOptions,
        OpenTraceOptions,
        OtlpOptions,
        TraceTelemetryOptions,
        UmamiOptions,
    )


class _LogsByName(DestinationLogExporter):
    """A log record exporter that makes its destination itself."""

    kind: ClassVar[str]

    def __init__(self, options: Mapping[str, Any], *, redact: bool) -> None:
        one = load(self.kind, options, caller=type(self).__name__)
        super().__init__(destination_for(self.kind, one), redact=redact, policy=policy_of(one))


class _SpansByName(DestinationSpanExporter):
    """A span exporter that makes its destination itself."""

    kind: ClassVar[str]

    def __init__(self, options: Mapping[str, Any], *, page_views: bool | None, redact: bool) -> None:
        one = load(self.kind, options, caller=type(self).__name__)
        rule = PageViewSettings() if one is None else one.page_views
        if page_views is not None:
            rule = PageViewSettings(enabled=page_views, ignore_routes=rule.ignore_routes)
        super().__init__(destination_for(self.kind, one), redact=redact, policy=policy_of(one), page_views=rule)


class UmamiLogExporter(_LogsByName):
    """Events to Umami, without a spool. Records without an event name are passed over.

    Args:
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: The settings of a ``umami`` destination: ``url`` and ``website`` (both needed, here or in the
            environment), ``hostname``, ``tag``, ``revenue``, ``currency``, ``path``, ``batch_path``, ``events``,
            ``on_ambiguous``, ``timeout``, ``batch``; ``name`` for the settings of another destination of the type.

    Raises:
        ConfigurationError: Something needed is missing or cannot be used.
    """

    kind = "umami"

    def __init__(self, *, redact: bool = True, **options: Unpack[UmamiOptions]) -> None:
        super().__init__(options, redact=redact)


class UmamiSpanExporter(_SpansByName):
    """Server spans of pages to Umami as page views, and spans that ``spans`` names as events.

    Args:
        page_views: Whether server spans become page views; default: what the settings say.
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: As for :class:`UmamiLogExporter`; and ``spans``, patterns of the spans that become events.

    Raises:
        ConfigurationError: Something needed is missing or cannot be used.
    """

    kind = "umami"

    def __init__(self, *, page_views: bool | None = None, redact: bool = True, **options: Unpack[UmamiOptions]) -> None:
        super().__init__(options, page_views=page_views, redact=redact)


class OtlpLogExporter(_LogsByName):
    """Log records and events to any OTLP backend, with answers read to the end.

    OpenTelemetry's own variables count (``OTEL_EXPORTER_OTLP_ENDPOINT``, …), and so does its default address.

    Args:
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: The settings of an ``otlp`` destination: ``endpoint`` or ``logs_endpoint``, ``headers``,
            ``protocol``, ``compression``, ``certificate``, ``client_certificate``, ``client_key``, ``events``,
            ``on_ambiguous``, ``timeout``, ``batch``; ``name`` for the settings of another destination of the type.

    Raises:
        ConfigurationError: Something cannot be used.
    """

    kind = "otlp"

    def __init__(self, *, redact: bool = True, **options: Unpack[OtlpOptions]) -> None:
        super().__init__(options, redact=redact)


class OtlpSpanExporter(OtlpJsonSpanExporter):
    """Spans to any OTLP backend, with answers read to the end.

    Args:
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: As for :class:`OtlpLogExporter`, with ``traces_endpoint`` in place of ``logs_endpoint``. Of
            OpenTelemetry's variables, those for traces win (``OTEL_EXPORTER_OTLP_TRACES_HEADERS``, …).

    Raises:
        ConfigurationError: Something cannot be used.
    """

    kind: ClassVar[str] = "otlp"

    def __init__(self, *, redact: bool = True, **options: Unpack[OtlpOptions]) -> None:
        one = load(self.kind, options, caller=type(self).__name__, traces=True)
        destination = destination_for(self.kind, one)
        if getattr(destination, "traces_url", None) == "":
            raise ConfigurationError(
                f"{type(self).__name__}(traces_endpoint)", "nothing", "Set it, or endpoint, the base address."
            )
        super().__init__(destination, redact=redact, policy=policy_of(one))


class ConsoleLogExporter(_LogsByName):
    """Events and log records to standard error, one line each.

    Args:
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: The settings of a ``console`` destination: ``format`` (``text`` or ``json``), ``events``.

    Raises:
        ConfigurationError: Something cannot be used.
    """

    kind = "console"

    def __init__(self, *, redact: bool = True, **options: Unpack[ConsoleOptions]) -> None:
        super().__init__(options, redact=redact)


class ConsoleSpanExporter(_SpansByName):
    """What spans would become in a destination of events, to standard error: page views, and what ``spans`` names.

    Args:
        page_views: Whether server spans become page views; default: what the settings say.
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: As for :class:`ConsoleLogExporter`; and ``spans``, patterns of the spans that become events.

    Raises:
        ConfigurationError: Something cannot be used.
    """

    kind = "console"

    def __init__(
        self, *, page_views: bool | None = None, redact: bool = True, **options: Unpack[ConsoleOptions]
    ) -> None:
        super().__init__(options, page_views=page_views, redact=redact)


class DashTrackerLogExporter(_LogsByName):
    """Events to a Dash-Tracker endpoint, one request each. Records without an event name are passed over.

    Args:
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: The settings of a ``dash_tracker`` destination: ``url`` (needed, here or in the environment),
            ``api_key``, ``certificate``, ``events``, ``on_ambiguous``, ``timeout``; ``name`` for the settings of
            another destination of the type.

    Raises:
        ConfigurationError: Something needed is missing or cannot be used.
    """

    kind = "dash_tracker"

    def __init__(self, *, redact: bool = True, **options: Unpack[DashTrackerOptions]) -> None:
        super().__init__(options, redact=redact)


class DashTrackerSpanExporter(_SpansByName):
    """Server spans of pages to a Dash-Tracker endpoint as page views, and spans that ``spans`` names as events.

    Args:
        page_views: Whether server spans become page views; default: what the settings say.
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: As for :class:`DashTrackerLogExporter`; and ``spans``, patterns of the spans that become events.

    Raises:
        ConfigurationError: Something needed is missing or cannot be used.
    """

    kind = "dash_tracker"

    def __init__(
        self, *, page_views: bool | None = None, redact: bool = True, **options: Unpack[DashTrackerOptions]
    ) -> None:
        super().__init__(options, page_views=page_views, redact=redact)


class OpenTraceLogExporter(_LogsByName):
    """Events to an OpenTrace server, without a spool. Records without an event name are passed over.

    Args:
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: The settings of an ``opentrace`` destination: ``url`` (needed, here or in the environment),
            ``project_id``, ``revenue``, ``include_ids``, ``certificate``, ``events``, ``on_ambiguous``, ``timeout``;
            ``name`` for the settings of another destination of the type.

    Raises:
        ConfigurationError: Something needed is missing or cannot be used.
    """

    kind = "opentrace"

    def __init__(self, *, redact: bool = True, **options: Unpack[OpenTraceOptions]) -> None:
        super().__init__(options, redact=redact)


class OpenTraceSpanExporter(_SpansByName):
    """Server spans of pages to an OpenTrace server as page views, and spans that ``spans`` names as events.

    Args:
        page_views: Whether server spans become page views; default: what the settings say.
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: As for :class:`OpenTraceLogExporter`; and ``spans``, patterns of the spans that become events.

    Raises:
        ConfigurationError: Something needed is missing or cannot be used.
    """

    kind = "opentrace"

    def __init__(
        self, *, page_views: bool | None = None, redact: bool = True, **options: Unpack[OpenTraceOptions]
    ) -> None:
        super().__init__(options, page_views=page_views, redact=redact)


class TraceTelemetryLogExporter(_LogsByName):
    """Events to a TraceTelemetry endpoint, without a spool. Records without an event name are passed over.

    Args:
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: The settings of a ``trace_telemetry`` destination: ``url`` (needed, here or in the environment),
            ``api_key``, ``key_case``, ``wrapper``, ``enable_country_lookup``, ``country_database``, ``certificate``,
            ``events``, ``on_ambiguous``, ``timeout``, ``batch``; ``name`` for the settings of another destination of
            the type.

    Raises:
        ConfigurationError: Something needed is missing or cannot be used.
    """

    kind = "trace_telemetry"

    def __init__(self, *, redact: bool = True, **options: Unpack[TraceTelemetryOptions]) -> None:
        super().__init__(options, redact=redact)


class TraceTelemetrySpanExporter(_SpansByName):
    """Server spans of pages to a TraceTelemetry endpoint as page views, and spans that ``spans`` names as events.

    Args:
        page_views: Whether server spans become page views; default: what the settings say.
        redact: Whether personal data and secrets are removed, by the privacy policy.
        **options: As for :class:`TraceTelemetryLogExporter`; and ``spans``, patterns of the spans that become events.

    Raises:
        ConfigurationError: Something needed is missing or cannot be used.
    """

    kind = "trace_telemetry"

    def __init__(
        self, *, page_views: bool | None = None, redact: bool = True, **options: Unpack[TraceTelemetryOptions]
    ) -> None:
        super().__init__(options, page_views=page_views, redact=redact)
