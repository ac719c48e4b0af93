"""A pipeline that delivers nothing, spans that are kept, and instrumentors that are taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import footspan
from footspan.instrumentation.telegram.aiogram import AiogramInstrumentor
from footspan.instrumentation.telegram.python_telegram_bot import PythonTelegramBotInstrumentor
from spooled import Spooled, spooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def started() -> None:
    """A pipeline that delivers nothing."""
    footspan.init(service_name="bot", courier="external", destinations={"console": {"enabled": True}})


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What was exported."""
    return InMemorySpanExporter()


@pytest.fixture
def instrumented(spans: InMemorySpanExporter) -> Iterator[Callable[..., None]]:
    """Instruments both libraries, with keywords."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrumentors = (AiogramInstrumentor(), PythonTelegramBotInstrumentor())

    def instrument(**keywords: Any) -> None:
        for each in instrumentors:
            each.instrument(tracer_provider=provider, **keywords)

    yield instrument
    for each in instrumentors:
        if each.is_instrumented_by_opentelemetry:
            each.uninstrument()
    provider.shutdown()


def events(*names: str) -> list[Spooled]:
    """The stored events of some names; without one, all but those of sessions."""
    found = spooled()
    return [each for each in found if (each.name in names if names else not each.name.startswith("session."))]
