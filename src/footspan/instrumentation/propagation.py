"""Repair of an empty propagator.

With ``OTEL_PROPAGATORS=none``, or a configuration file without a ``propagator:`` section, OpenTelemetry's composite
propagator extracts ``None`` instead of a context. Instrumentations attach that, and every request fails. What the
operator asked for, no propagation, is a propagator that extracts the context it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator

from footspan import _guard

if TYPE_CHECKING:
    from opentelemetry.propagators.textmap import CarrierT, Getter, Setter


class NoPropagation(TextMapPropagator):
    """Reads nothing from requests and writes nothing into them."""

    def extract(
        self,
        carrier: CarrierT,  # noqa: ARG002 - the API's signature
        context: Context | None = None,
        getter: Getter[CarrierT] | None = None,  # noqa: ARG002 - the same
    ) -> Context:
        """The context given, or an empty one."""
        return Context() if context is None else context

    def inject(self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] | None = None) -> None:
        """Nothing."""

    @property
    def fields(self) -> set[str]:
        """No header."""
        return set()


def repair_propagator() -> bool:
    """Exchange the process's propagator if it extracts no context at all.

    Returns:
        Whether it was exchanged; that is said once, in the log.
    """
    carrier: dict[str, str] = {}
    extracted: object = propagate.get_global_textmap().extract(carrier)
    if extracted is not None:
        return False
    propagate.set_global_textmap(NoPropagation())
    _guard.warn_once(
        "propagator",
        "footspan: no propagator is configured (OTEL_PROPAGATORS=none, or a configuration file without `propagator:`), "
        "which makes every instrumented request fail; one that does nothing stands in. Incoming trace context is not "
        "used. To use it, set OTEL_PROPAGATORS=tracecontext,baggage.",
    )
    return True
