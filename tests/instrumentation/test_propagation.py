"""An empty propagator would make every instrumented request fail; ours stands in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry import context, propagate
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator

from footspan.instrumentation.propagation import NoPropagation, repair_propagator

if TYPE_CHECKING:
    import pytest


def test_an_empty_propagator_is_exchanged_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """What extracted ``None`` now extracts a context that can be attached; the log says it one time."""
    propagate.set_global_textmap(CompositePropagator([]))
    carrier = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    before: object = propagate.extract(carrier)

    assert before is None
    assert repair_propagator()
    assert propagate.extract(carrier) == Context()
    context.detach(context.attach(propagate.extract(carrier)))
    propagate.set_global_textmap(CompositePropagator([]))
    assert repair_propagator()
    assert caplog.text.count("no propagator is configured") == 1
    assert "OTEL_PROPAGATORS=tracecontext,baggage" in caplog.text


def test_a_working_propagator_stays(caplog: pytest.LogCaptureFixture) -> None:
    """The operator's propagator is left alone, silently."""
    before = propagate.get_global_textmap()
    with caplog.at_level(logging.DEBUG):
        assert not repair_propagator()
    assert propagate.get_global_textmap() is before
    assert caplog.text == ""


def test_no_propagation_moves_nothing() -> None:
    """It keeps the context it is given and writes no header."""
    given = context.set_value("k", "v", Context())
    carrier: dict[str, str] = {}
    NoPropagation().inject(carrier, given)
    assert NoPropagation().extract({"traceparent": "x"}, given) is given
    assert carrier == {}
    assert NoPropagation().fields == set()
