"""Tests for footspan.pipeline.processor: any OpenTelemetry log record enters the road."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber, get_logger
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource

import footspan
from collecting import Collecting
from footspan import _guard, _otel, pipeline
from footspan.processors.redaction import MARKS
from spooled import spooled


def test_an_event_of_the_plain_api_gets_what_ours_have() -> None:
    """An event emitted by OpenTelemetry's own logger gets id, time and context, and is redacted."""
    footspan.init()
    with footspan.context(user_id="u1"):
        get_logger("their.scope", "2").emit(event_name="their.event", attributes={"password": "x", "n": 1})
    (event,) = spooled()

    assert event.name == "their.event"
    assert event.uid
    assert int(event.record["timeUnixNano"]) > 0
    assert event.attributes["user.id"] == "u1"
    assert event.attributes["password"] == MARKS["secret"]


def test_processors_after_ours_see_clean_records() -> None:
    """An exporter that stands behind us gets neither the secret nor the address."""
    footspan.init()
    foreign = Collecting()
    provider = _otel.sdk_logger_provider()
    assert provider is not None
    provider.add_log_record_processor(foreign)
    footspan.track("x", note="to bob@example.com", password="hunter2")
    get_logger("app").emit(body="mail bob@example.com", attributes={"token": "t"}, severity_number=SeverityNumber.WARN)
    get_logger("app").emit(body={"text": "bob@example.com"})
    shown = repr([(r.log_record.body, dict(r.log_record.attributes or {})) for r in foreign.seen])

    assert len(foreign.seen) == 3
    assert "bob" not in shown
    assert "hunter2" not in shown
    assert "'t'" not in shown


def test_processors_that_were_there_before_ours_see_clean_records() -> None:
    """A provider that the host has made itself, with an exporter: what it shows is clean in all its parts."""
    foreign = Collecting()
    resource = Resource({"db.password": "hunter2", "owner": "bob@example.com"})
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(foreign)
    _otel.install_logger_provider(provider)
    copies: list[str] = []
    foreign.on_emit = lambda log_record: copies.append(  # type: ignore[method-assign] # as an exporter that does not wait
        f"{dict(log_record.log_record.attributes or {})} {log_record.log_record.severity_text} "
        f"{log_record.log_record.body!r} {log_record.resource!r} {log_record.instrumentation_scope!r} "
        f"{dict(getattr(log_record.resource, 'attributes', {}))}"
    )
    footspan.init()
    footspan.track("x", note="to bob@example.com", password="hunter2")
    logger = get_logger("bob@example.com", attributes={"password": "hunter2"})
    logger.emit(body="mail bob@example.com", severity_text="bob@example.com")

    assert len(copies) == 2
    assert "bob" not in repr(copies)
    assert "hunter2" not in repr(copies)


def test_a_plain_record_that_cannot_be_cleaned_is_emptied() -> None:
    """What stands behind us gets nothing rather than what it must not see."""
    _guard.reraise_in_tests(False)
    footspan.init()
    current, provider, foreign = pipeline.get_pipeline(), _otel.sdk_logger_provider(), Collecting()
    assert current is not None
    assert provider is not None
    provider.add_log_record_processor(foreign)

    def fail(*_: Any) -> None:
        raise RuntimeError("hunter2")

    current.redactor._attributes = fail  # type: ignore[method-assign,assignment]
    get_logger("app").emit(body="hunter2", attributes={"password": "hunter2"})
    (record,) = foreign.seen

    assert "hunter2" not in f"{record.log_record.body!r} {dict(record.log_record.attributes or {})}"


def test_plain_log_records_are_no_events() -> None:
    """A record without an event name stays out of the events' spool."""
    footspan.init()
    get_logger("app").emit(body="hello")

    assert spooled() == []


@pytest.mark.parametrize("broken", ["sampling", "redaction"])
def test_a_failing_processor_drops_the_event_and_shows_nothing(broken: str) -> None:
    """What could not be cleaned is neither stored nor shown to the processors behind us; it is counted."""
    _guard.reraise_in_tests(False)
    footspan.init()
    current = pipeline.get_pipeline()
    provider = _otel.sdk_logger_provider()
    assert current is not None
    assert provider is not None
    foreign = Collecting()
    provider.add_log_record_processor(foreign)

    def fail(*_: Any) -> None:
        raise RuntimeError("hunter2")

    if broken == "redaction":
        current.redactor._attributes = fail  # type: ignore[method-assign,assignment]
    else:
        current.processors.insert(0, fail)
    footspan.track("x", password="hunter2")

    assert spooled() == []
    assert "hunter2" not in repr([dict(record.log_record.attributes or {}) for record in foreign.seen])
    assert current.spool.status()["counters"]["dropped"] == 1  # type: ignore[index]


def test_init_joins_a_provider_that_is_there(caplog: pytest.LogCaptureFixture) -> None:
    """An app's own provider is joined, never replaced, and its resource is kept beside the service's name."""
    provider = LoggerProvider(resource=Resource({"deployment.environment.name": "test"}), shutdown_on_exit=False)
    _otel.install_logger_provider(provider)
    with caplog.at_level(logging.WARNING):
        footspan.init(service_name="shop")
        footspan.init(service_name="shop")
    footspan.track("x")
    (event,) = spooled()

    assert _otel.sdk_logger_provider() is provider
    assert len(_otel.processors_of(provider)) == 1
    assert event.resource["deployment.environment.name"] == "test"
    assert event.resource["service.name"] == "shop"
    assert "Overriding" not in caplog.text


def test_other_settings_take_over() -> None:
    """A later init with other settings is what counts from then on; what was written stays."""
    footspan.init(service_name="one")
    footspan.track("a")
    footspan.init(service_name="two")
    footspan.track("b")

    assert {(event.name, event.resource["service.name"]) for event in spooled()} == {("a", "one"), ("b", "two")}
