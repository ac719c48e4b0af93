"""The hook before instrumentation: where another distro was chosen, footspan joins what that one has built.

Unless the operator asked that one for plain exporters of ours: then they are all that is wanted, and page views need
nothing more than the headers they are read from.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from footspan import _guard
from footspan.config import ConfigurationError
from footspan.instrumentation.choice import asks_for_plain_exporters, choose
from footspan.instrumentation.defaults import apply_defaults, capture_headers
from footspan.instrumentation.propagation import repair_propagator
from footspan.instrumentation.startup import give_sessions, hear_consent, refuse, settings_in_force

if TYPE_CHECKING:
    from footspan.config import Settings

CHOICE = "OTEL_PYTHON_DISTRO=footspan OTEL_PYTHON_CONFIGURATOR=footspan"


def pre_instrument() -> None:
    """The entry point ``footspan`` of ``opentelemetry_pre_instrument``. Never raises."""
    with _guard.guard("pre_instrument"):
        from footspan.pipeline import get_pipeline  # noqa: PLC0415 - loads the SDK

        if get_pipeline() is None:  # else our own configurator ran
            settings = settings_in_force()
            if settings is None:
                return
            if not asks_for_plain_exporters():
                _join(settings)
            elif settings.page_views.enabled:
                capture_headers()


def _join(settings: Settings) -> None:
    from footspan.instrumentation.parts import Parts  # noqa: PLC0415 - loads the SDK
    from footspan.pipeline import configure  # noqa: PLC0415 - the same

    try:
        pipeline = configure(settings)
        if pipeline is None:
            return
        apply_defaults(page_views=settings.page_views.enabled)
        give_sessions(settings)
        hear_consent(settings)
        repair_propagator()
        Parts(pipeline).attach(choose("traces", settings.destinations).destinations)
    except ConfigurationError as error:
        refuse(error)
        return
    _guard.logger.warning(
        "footspan: another OpenTelemetry distro or configurator was chosen (OTEL_PYTHON_DISTRO=%s, "
        "OTEL_PYTHON_CONFIGURATOR=%s). footspan has joined its providers: events and page views flow, and what is "
        "exported is redacted; where spans go is the other's choice. To choose footspan, set %s",
        os.environ.get("OTEL_PYTHON_DISTRO", "unset"),
        os.environ.get("OTEL_PYTHON_CONFIGURATOR", "unset"),
        CHOICE,
    )
