"""``FootspanDistro``: what ``opentelemetry-instrument`` asks first. It sets defaults and nothing else."""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # the module is untyped

from footspan import _guard
from footspan.instrumentation.defaults import apply_defaults
from footspan.instrumentation.propagation import repair_propagator
from footspan.instrumentation.startup import settings_in_force


class FootspanDistro(BaseDistro):  # type: ignore[misc] # the same
    """The entry point ``footspan`` of ``opentelemetry_distro``."""

    def _configure(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Set the defaults. Never raises: whatever did would switch off all telemetry of the process."""
        with _guard.guard("distro"):
            repair_propagator()
            settings = settings_in_force()
            if settings is not None:
                apply_defaults(page_views=settings.page_views.enabled)
