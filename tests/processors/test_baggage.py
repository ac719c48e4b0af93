"""Tests for context values in baggage: nothing by default, and by name only what was named."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import baggage as otel_baggage
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import footspan
from footspan import context, pipeline, set_context
from footspan import conventions as c
from footspan.processors import baggage
from footspan.processors.baggage import MAX_HEADER, MAX_VALUE, incoming
from footspan.processors.propagator import BaggagePropagator

EVERYTHING: dict[str, Any] = {
    "user_id": "u-secret",
    "session_id": "s-secret",
    "request_id": "r-secret",
    "email": "jane@secret.example",
    "ip": "192.0.2.77",
    "plan": "secret plan",
}


def sent(into: Context | None = None) -> dict[str, str]:
    """The headers that an instrumented client would send here and now."""
    headers: dict[str, str] = {}
    propagate.inject(headers, into)
    return headers


def start(**settings: Any) -> None:
    """Start footspan with settings of the context."""
    footspan.init(courier="external", destinations={"console": {"enabled": True}}, context=settings)


def test_by_default_nothing_of_the_context_leaves() -> None:
    """Not in baggage, not in any other header, with a trace and without, from base and scope."""
    start()
    set_context(**EVERYTHING)
    footspan.track("x")
    with context(**EVERYTHING), TracerProvider().get_tracer("t").start_as_current_span("s"):
        headers = sent()
        footspan.track("x")

    assert set(headers) == {"traceparent"}
    assert "secret" not in str(headers)
    assert otel_baggage.get_all() == {}
    assert not isinstance(propagate.get_global_textmap(), BaggagePropagator)


def test_what_is_named_leaves_and_nothing_else() -> None:
    """Under its attribute name, encoded as the header asks."""
    start(propagate=["session_id", "plan"])
    with context(**EVERYTHING):
        assert sent() == {"baggage": "session.id=s-secret,plan=secret+plan"}
    assert sent() == {}


def test_an_attribute_name_is_a_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the environment says it like the file."""
    monkeypatch.setenv("FOOTSPAN_CONTEXT_PROPAGATE", "session.id,user_id")
    start()
    with context(**EVERYTHING):
        assert sent() == {"baggage": "session.id=s-secret,user.id=u-secret"}


def test_the_apps_own_baggage_stays() -> None:
    """Ours is added for the request alone; the app's context is as it was."""
    start(propagate=["session_id"])
    theirs = otel_baggage.set_baggage("tenant", "t1", Context())
    with context(session_id="s1"):
        assert sent(theirs) == {"baggage": "tenant=t1,session.id=s1"}
    assert otel_baggage.get_all(theirs) == {"tenant": "t1"}


def test_the_operators_propagators_decide() -> None:
    """Without OpenTelemetry's baggage propagator there is no such header."""
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    start(propagate=["session_id"])
    with context(session_id="s1"):
        assert sent() == {}


def test_settings_without_names_end_it() -> None:
    """The process's settings are exchanged, and the next request bears nothing."""
    start(propagate=["session_id"])
    start()
    with context(session_id="s1"):
        assert sent() == {}

    start(propagate=["session_id"])
    pipeline.reset()
    with context(session_id="s1"):
        assert sent() == {}


def test_starting_again_wraps_once() -> None:
    """The propagator before ours is still the app's."""
    start(propagate=["session_id"])
    start(propagate=["user_id"])
    found = propagate.get_global_textmap()

    assert isinstance(found, BaggagePropagator)
    assert not isinstance(found.wrapped, BaggagePropagator)
    assert found.fields == found.wrapped.fields


def test_extracting_is_the_wrapped_propagators_business() -> None:
    """Trace and baggage arrive as without us."""
    start(propagate=["session_id"])
    headers = {"traceparent": f"00-{1:032x}-{2:016x}-01", "baggage": "session.id=theirs,tenant=t1"}
    found = propagate.extract(headers, Context())

    assert trace.get_current_span(found).get_span_context().trace_id == 1
    assert otel_baggage.get_all(found) == {"session.id": "theirs", "tenant": "t1"}


@pytest.mark.parametrize("value", ["x" * (MAX_VALUE + 1), "a\nb", ["a"], {"a": 1}, b"a", "", None])
def test_values_that_do_not_travel_stay(value: Any) -> None:
    """Long ones are not cut: half an id is another id."""
    start(propagate=["session_id", "user_id"])
    with context(session_id=value, user_id="u1"):
        assert sent() == {"baggage": "user.id=u1"}


def test_a_long_value_is_named_once_without_being_shown(caplog: pytest.LogCaptureFixture) -> None:
    """The log says which, not what."""
    start(propagate=["session_id"])
    with context(session_id="secret" * 99):
        sent()
        sent()

    assert [record.getMessage() for record in caplog.records if "baggage" in record.getMessage()] == [
        "footspan: a value of session.id is too long for baggage: it is left out"
    ]


def test_numbers_travel_as_texts() -> None:
    """An id may be a number."""
    start(propagate=["user_id"])
    with context(user_id=7):
        assert sent() == {"baggage": "user.id=7"}


def test_of_incoming_baggage_only_what_is_named_is_read() -> None:
    """Others may send whatever they like."""
    baggage.propagate(["session_id"])

    assert incoming(lambda: "user.id=evil, session.id = s%201%3B%2C2 ;p=1;q,footspan.destination=x") == {
        c.SESSION_ID: "s 1;,2"
    }
    assert incoming(lambda: None) == {}
    assert incoming(lambda: "") == {}


@pytest.mark.parametrize(
    "header",
    [
        f"session.id={'x' * (MAX_VALUE + 1)}",
        "session.id=a%0Ab",
        f"session.id=s1,{'x' * MAX_HEADER}=1",
        "session.id",
        ",,;=,%%%",
        "session.id=",
        "\x00\xff",
    ],
)
def test_baggage_that_is_too_much_or_nonsense_is_not_read(header: str) -> None:
    """Neither does it fail."""
    baggage.propagate(["session_id"])

    assert incoming(lambda: header) == {}


def test_by_default_the_header_is_not_even_looked_at() -> None:
    """Nothing is named, so there is nothing to find."""

    def header() -> str:
        raise AssertionError

    assert incoming(header) == {}


def test_what_is_sent_is_what_is_read() -> None:
    """From one footspan to another, whatever characters an id has."""
    start(propagate=["session_id"])
    for value in ("s-1", "a b+c", "50%;x=1,y", "é=ü", '"quoted"'):
        with context(session_id=value):
            headers = sent()
        assert incoming(lambda found=headers["baggage"]: found) == {c.SESSION_ID: value}  # type: ignore[misc]


def test_a_failing_context_costs_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's request goes out, with the trace, whatever we do wrong."""
    from footspan import _guard  # noqa: PLC0415 - as in production

    _guard.reraise_in_tests(False)

    def fail() -> dict[str, str]:
        raise KeyError

    monkeypatch.setattr("footspan.processors.propagator.outgoing", fail)
    headers: dict[str, str] = {}
    with TracerProvider().get_tracer("t").start_as_current_span("s"):
        BaggagePropagator(TraceContextTextMapPropagator()).inject(headers)

    assert set(headers) == {"traceparent"}
