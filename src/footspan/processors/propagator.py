"""The propagator that adds named context values to the baggage of outgoing requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import baggage
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from footspan import _guard
from footspan.processors.baggage import outgoing

if TYPE_CHECKING:
    from opentelemetry.context import Context


class BaggagePropagator(TextMapPropagator):
    """Another propagator, whose baggage bears our values while a request is sent and at no other time.

    Args:
        wrapped: The process's propagator: it decides whether there is a baggage header at all.
    """

    def __init__(self, wrapped: TextMapPropagator) -> None:
        self.wrapped = wrapped

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """What the wrapped one extracts; our middleware reads incoming values by itself."""
        return self.wrapped.extract(carrier, context, getter)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Inject with our values in the baggage; the app's own baggage stays, except under the same names."""
        with _guard.guard("baggage"):
            for name, value in outgoing().items():
                context = baggage.set_baggage(name, value, context)
        self.wrapped.inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        """The headers of the wrapped one."""
        return self.wrapped.fields
