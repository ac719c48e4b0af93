"""Which spans become events, and what is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, Status, StatusCode

from exporters.making import FIREFOX, PAGE, page, span
from footspan import conventions as c
from footspan.config import DestinationSettings, PageViewSettings
from footspan.processors.span_events import OTHER_ERROR, SpanEventProcessor, SpanRule, area_of
from footspan.processors.spans import RecordServerSpans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

QUERY = {"db.system.name": "postgresql", "db.query.text": "SELECT jane", "server.address": "db.internal", "rows": 3}


def event_of(ended: ReadableSpan, *patterns: str, page_views: bool = True) -> Any:
    """What a rule with some patterns makes of a span."""
    return SpanRule(PageViewSettings(enabled=page_views), patterns or None).event_of(ended)


def ended(name: str = "work", failure: BaseException | None = None, **attributes: Any) -> ReadableSpan:
    """A span of a tenth of a second."""
    made: Any = TracerProvider().get_tracer("tests").start_span(name, attributes=attributes, start_time=10**18)
    if failure is not None:
        made.record_exception(failure)
        made.set_status(Status(StatusCode.ERROR, "told by jane@canary.example"))
    made.end(end_time=10**18 + 123_456_789)
    return made  # type: ignore[no-any-return] # an SDK span


def test_a_page_is_a_page_view_and_nothing_else() -> None:
    """Also where a pattern names it; with who was there, where the span knows."""
    event = event_of(page(**{"user.id": "u_1", "session.id": "s_1"}), "*")
    assert event.name == c.EVENT_PAGE_VIEW
    assert event.attributes[c.URL_PATH] == "/tea"
    assert (event.attributes[c.USER_ID], event.attributes[c.SESSION_ID]) == ("u_1", "s_1")
    assert c.DURATION_MS not in event.attributes


def test_without_patterns_no_other_span_is_an_event() -> None:
    """It is off unless it is asked for."""
    assert event_of(span("work")) is None
    assert event_of(page(), page_views=False) is None


@pytest.mark.parametrize(
    ("name", "attributes", "pattern", "taken"),
    [
        ("SELECT users", QUERY, "db.*", True),
        ("SELECT users", {"db.system": "mysql"}, "db.SELECT *", True),
        ("SELECT users", QUERY, "http.*", False),
        ("SELECT users", {}, "db.*", False),
        ("db.query", {}, "db.*", True),
        ("POST", {"http.method": "POST"}, "http.*", True),
        ("send", {"messaging.system": "kafka"}, "messaging.send", True),
        ("shop.Cart/Add", {"rpc.system": "grpc"}, "rpc.*", True),
        ("chat m", {"gen_ai.system": "x", "http.request.method": "POST"}, "gen_ai.*", True),
        ("checkout", {}, "checkout", True),
    ],
)
def test_patterns_match_names_and_areas(name: str, attributes: dict[str, Any], pattern: str, *, taken: bool) -> None:
    """The area says what kind of work a span is, by the conventions of both generations."""
    event = event_of(span(name, attributes), pattern)
    assert (event is not None) is taken
    if taken:
        assert event.name == name
        assert event.attributes.get(c.CATEGORY, "") == area_of(attributes)


def test_an_exclusion_wins() -> None:
    """As it does for events."""
    assert event_of(span("work.a"), "work.*", "!work.a") is None
    assert event_of(span("work.b"), "work.*", "!work.a") is not None


def test_duration_and_status_are_properties() -> None:
    """Whole milliseconds, and how it ended."""
    event = event_of(ended(n=1), "*")
    assert event.time_ns == 10**18
    assert event.severity_number == 9
    assert event.attributes == {"n": 1, c.DURATION_MS: 123, "status": "ok"}


def test_a_failure_says_of_which_kind() -> None:
    """The conventions' attribute, else the exception; never what the exception says."""
    event = event_of(ended(failure=KeyError("jane@canary.example")), "*")
    assert event.severity_number == 17
    assert (event.attributes["status"], event.attributes[c.ERROR_TYPE]) == ("error", "KeyError")
    assert "canary" not in str(event.attributes)
    typed = event_of(ended(failure=KeyError("x"), **{c.ERROR_TYPE: "timeout"}), "*")
    assert typed.attributes[c.ERROR_TYPE] == "timeout"
    made: Any = TracerProvider().get_tracer("tests").start_span("work")
    made.set_status(StatusCode.ERROR)
    made.end()
    assert event_of(made, "*").attributes[c.ERROR_TYPE] == OTHER_ERROR


def test_statements_headers_and_other_hosts_are_left_out() -> None:
    """What a request went to is not where the visitor was."""
    client = {**PAGE, **QUERY, "url.full": "https://pay.example/card/4111", "server.port": 443, "http.host": "x"}
    event = event_of(span("GET", client, kind=SpanKind.CLIENT), "*")
    assert set(event.attributes) == {
        "db.system.name",
        "rows",
        c.HTTP_REQUEST_METHOD,
        c.HTTP_ROUTE,
        c.HTTP_RESPONSE_STATUS_CODE,
        c.DURATION_MS,
        "status",
        c.CATEGORY,
    }


def test_a_server_span_tells_of_its_visitor() -> None:
    """An API's answer is no page, but who asked is who would have looked at one."""
    event = event_of(page(**{"http.response.header.content_type": ["application/json"]}), "http.*")
    assert event.name == "GET /tea"
    assert event.attributes[c.URL_PATH] == "/tea"
    assert event.attributes[c.SERVER_ADDRESS] == "shop.example"
    assert event.attributes[c.USER_AGENT_ORIGINAL] == FIREFOX


def test_the_processor_emits_for_the_destination_that_asked() -> None:
    """Each its own event, in the span's trace; page views are another processor's."""
    emitted: list[tuple[str, dict[str, Any]]] = []
    asking = [
        DestinationSettings(name="umami", type="umami", options={"spans": ("db.*",)}),
        DestinationSettings(name="second", type="umami", options={"spans": ("*",)}),
    ]
    processor = SpanEventProcessor(
        PageViewSettings(), asking, lambda name, attributes, **_: emitted.append((name, dict(attributes)))
    )
    for each in (span("SELECT users", QUERY), span("work"), page()):
        processor.on_end(each)
    assert [(name, attributes[c.DESTINATION]) for name, attributes in emitted] == [
        ("SELECT users", "umami"),
        ("SELECT users", "second"),
        ("work", "second"),
    ]


def test_spans_that_are_only_recorded_are_no_events() -> None:
    """Those that the sampler dropped are recorded for page views alone."""
    emitted: list[str] = []
    asking = [DestinationSettings(name="umami", type="umami", options={"spans": ("*",)})]
    provider = TracerProvider(sampler=RecordServerSpans(ALWAYS_OFF))
    provider.add_span_processor(
        SpanEventProcessor(PageViewSettings(), asking, lambda name, *_, **__: emitted.append(name))
    )
    with provider.get_tracer("tests").start_as_current_span("GET /x", kind=SpanKind.SERVER):
        pass
    assert emitted == []
