"""OpenTelemetry's process-wide state, taken back between tests: its providers may be set only once."""

from __future__ import annotations

import opentelemetry._logs._internal as logs
import opentelemetry.metrics._internal as metrics
from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.util._once import Once

_PROPAGATOR = propagate.get_global_textmap()


def reset_providers() -> None:
    """Forget the logger, tracer and meter provider, so that the next one set is the process's.

    Providers are not shut down: whoever started a batch processor in a test stops it there.
    """
    logs._LOGGER_PROVIDER_SET_ONCE = Once()
    logs._LOGGER_PROVIDER = None
    trace._TRACER_PROVIDER_SET_ONCE = Once()
    trace._TRACER_PROVIDER = None
    metrics._METER_PROVIDER_SET_ONCE = Once()
    metrics._METER_PROVIDER = None
    # Meters made before a provider was set are kept by the stand-in and bound to the next one.
    metrics._PROXY_METER_PROVIDER = metrics._ProxyMeterProvider()


def reset_all() -> None:
    """Forget the providers, the current context (a span, baggage) and an exchanged propagator."""
    reset_providers()
    context.attach(Context())
    propagate.set_global_textmap(_PROPAGATOR)
