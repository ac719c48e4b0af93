"""Contract tests for footspan._otel: each private name of OpenTelemetry that we lean on is there and does its job."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from collecting import Collecting
from footspan import _otel
from footspan.emit import Draft

if TYPE_CHECKING:
    import pytest


def test_a_light_record_passes_emit_untouched() -> None:
    """``Logger.emit`` hands our record to the processors as the very same object, draft inside."""
    processor = Collecting()
    provider = LoggerProvider(resource=Resource({}), shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    logger = provider.get_logger("scope")
    draft = Draft("x", 1, 1, {"k": object()})
    record = _otel.light_record_type()(draft, Resource({}), None)
    logger.emit(record)

    assert processor.seen == [record]
    assert processor.seen[0] is record
    assert processor.seen[0].log_record is draft


def test_the_processors_of_provider_and_logger_are_one_tuple() -> None:
    """Adding a processor replaces the tuple, and provider and logger show the same one."""
    provider = LoggerProvider(resource=Resource({}), shutdown_on_exit=False)
    logger = provider.get_logger("scope")
    before = _otel.processors_of(logger)
    processor = Collecting()
    provider.add_log_record_processor(processor)

    assert before == ()
    assert _otel.processors_of(logger) is _otel.processors_of(provider)
    assert _otel.processors_of(logger) == (processor,)
    assert _otel.processors_of(object()) == ()


def test_only_the_sdks_provider_counts() -> None:
    """The API's stand-in is no provider to attach to; the SDK's is, once installed."""
    assert _otel.sdk_logger_provider() is None
    provider = LoggerProvider(resource=Resource({}), shutdown_on_exit=False)
    _otel.install_logger_provider(provider)

    assert _otel.sdk_logger_provider() is provider


def test_suppression_is_seen_by_instrumentations() -> None:
    """Inside the block, OpenTelemetry's own check says that instrumentation is off."""
    with _otel.suppressed():
        assert not is_instrumentation_enabled()
    assert is_instrumentation_enabled()


def test_current_span_ids() -> None:
    """Ids of the current or of a given context's span; zeros without one."""
    assert _otel.current_span_ids() == (0, 0, 0)
    tracer = TracerProvider().get_tracer("t")
    with tracer.start_as_current_span("s") as span:
        place = span.get_span_context()
        inside = context.get_current()
        assert _otel.current_span_ids() == (place.trace_id, place.span_id, int(place.trace_flags))
    assert _otel.current_span_ids(inside) == (place.trace_id, place.span_id, int(place.trace_flags))
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_the_base_configurator_is_there() -> None:
    """The class a distro subclasses."""
    assert callable(_otel.base_configurator()._configure)


def test_detaching_elsewhere_changes_nothing_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Here it takes back what was attached; in another context there is nothing to take back."""
    before = context.get_current()
    token = context.attach(context.set_value("k", 1))
    _otel.detach(token)
    assert context.get_current() == before

    elsewhere = contextvars.copy_context().run(context.attach, context.set_value("k", 2))
    _otel.detach(elsewhere)
    assert context.get_current() == before
    assert caplog.records == []
