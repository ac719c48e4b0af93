"""``FootspanConfigurator``: the SDK's own configurator, with footspan's road built in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from footspan import _guard, _otel, emit
from footspan import conventions as c
from footspan._version import __version__
from footspan.config import ConfigurationError
from footspan.instrumentation import by_file
from footspan.instrumentation.choice import choose, names_nothing, shown_to_sdk
from footspan.instrumentation.defaults import apply_defaults
from footspan.instrumentation.parts import Parts
from footspan.instrumentation.propagation import repair_propagator
from footspan.instrumentation.startup import give_sessions, hear_consent, refuse, settings_in_force, was_refused
from footspan.pipeline import arm_exit, configure, start
from footspan.processors import baggage

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

    from footspan.config import Settings

_EXPORTER_VARIABLES = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER")


class FootspanConfigurator(_otel.base_configurator()):  # type: ignore[misc] # the base class is private to the SDK
    """The entry point ``footspan`` of ``opentelemetry_configurator``.

    It builds the providers as the SDK would, by the same variables, and adds: page views, redaction before every
    exporter, events through the spool, spans to ``otlp`` destinations. Metrics are the SDK's alone.
    """

    _instance = None  # the base class keeps the first object made, of whatever class, unless each class has a place

    def _configure(self, **kwargs: Any) -> None:
        """Configure the SDK; called once per process by auto-instrumentation."""
        settings = settings_in_force()
        parts = None if settings is None else _start(settings)
        if was_refused():
            _guard.logger.warning(
                "footspan: OpenTelemetry is not set up either: nothing would redact what its exporters send"
            )
            repair_propagator()
            return
        if settings is None or parts is None:
            # Footspan is off, but its names may still stand in the exporters' variables.
            with shown_to_sdk([choose("traces", ()), choose("logs", ())]):
                super()._configure(**kwargs)
            repair_propagator()
            return
        apply_defaults(page_views=settings.page_views.enabled)
        give_sessions(settings)
        hear_consent(settings)
        if by_file.is_asked_for():
            # A file takes no processors from a configurator; ours join the providers that it describes.
            by_file.configure_by_file(lambda: parts.attach(choose("traces", settings.destinations).destinations))
        else:
            self._configure_by_environment(settings, parts, kwargs)
        repair_propagator()
        baggage.propagate(settings.context.propagate or ())  # a configuration file brings a propagator of its own
        emit.reset()
        # Registered after the providers' exit handlers, so it runs before them.
        arm_exit()

    def _configure_by_environment(self, settings: Settings, parts: Parts, kwargs: dict[str, Any]) -> None:
        traces, logs = choose("traces", settings.destinations), choose("logs", settings.destinations)
        if nothing := names_nothing(settings.destinations):
            _guard.logger.warning(
                "footspan: %s: no such destination is set up, so nothing goes there. Give it its address, such as "
                "FOOTSPAN_DESTINATIONS_UMAMI_URL=https://...",
                ", ".join(nothing),
            )

        def clean(span_exporter: SpanExporter, *_: Any, **__: Any) -> SpanProcessor:
            return parts.redacting(BatchSpanProcessor(span_exporter))

        arguments: dict[str, Any] = {
            **kwargs,
            "resource_attributes": _resource(settings, kwargs.get("resource_attributes")),
            "span_processors": parts.span_processors(traces.destinations),
            "log_record_processors": [parts.log_processor(logs.destinations)],
            "export_span_processor": clean,
        }
        with shown_to_sdk([traces, logs]):
            try:
                super()._configure(**arguments)
            except Exception as error:  # noqa: BLE001 - an exporter that cannot be had must not cost the events
                self._configure_without_exporters(error, arguments)
                start(settings)
        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            parts.join_own(provider)

    def _configure_without_exporters(self, error: Exception, arguments: dict[str, Any]) -> None:
        named = {name: os.environ[name] for name in _EXPORTER_VARIABLES if name in os.environ}
        _guard.logger.error(
            "footspan: the exporters cannot all be set up (%s; %s); going on without. OTLP over JSON or protobuf needs "
            "none: name a destination, FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT=http://...",
            ", ".join(f"{name}={value}" for name, value in named.items()) or "no variable names one",
            # The SDK's own texts name exporters and protocols; other exceptions may quote anything.
            error if type(error) is RuntimeError else type(error).__name__,
        )
        if isinstance(trace.get_tracer_provider(), TracerProvider):
            return  # it failed half-way, with our span processors in place; providers cannot be set twice
        os.environ.update(dict.fromkeys(_EXPORTER_VARIABLES, "none"))
        try:
            super()._configure(**arguments)
        finally:
            for name in _EXPORTER_VARIABLES:
                os.environ.pop(name)
            os.environ.update(named)


def _start(settings: Settings) -> Parts | None:
    """The process's pipeline and what it adds; ``None``, and said, when it cannot be built."""
    try:
        pipeline = configure(settings)
    except ConfigurationError as error:
        refuse(error)
        return None
    return None if pipeline is None else Parts(pipeline)


def _resource(settings: Settings, given: Any) -> dict[str, Any]:
    attributes = {**(given or {}), c.TELEMETRY_DISTRO_NAME: "footspan", c.TELEMETRY_DISTRO_VERSION: __version__}
    if settings.service.name:
        attributes[c.SERVICE_NAME] = settings.service.name
    if settings.service.version:
        attributes[c.SERVICE_VERSION] = settings.service.version
    return attributes
