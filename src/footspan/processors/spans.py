"""Spans: record those that page views are read from, and let none leave unredacted.

An ended span cannot be changed, so redaction builds a new one from the public constructor and hands that on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, TraceState

from footspan import _guard
from footspan import conventions as c
from footspan.privacy.consent import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from opentelemetry.util.types import Attributes

_Origin = TypeVar("_Origin")
_OURS: Final = "footspan."


# Captured for page views, to know what a visitor refuses; they say more of a browser than anybody needs to keep.
_SIGNALS: Final = frozenset(
    f"http.request.header.{name}" for signal in SIGNALS for name in (signal, signal.replace("-", "_"))
)


class Redacts(Protocol):
    """What cleans; :class:`footspan.processors.redaction.Redactor` is one."""

    def mapping(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Attributes to use instead, and the keys that were touched."""

    def text(self, value: str) -> str:
        """Free text to use instead."""


class RecordServerSpans(Sampler):
    """Lets the chosen sampler decide what is exported, but records every local-root server span.

    Page views are read from server spans, and a visitor counts at any sampling rate. What the chosen sampler drops is
    recorded without the sampled flag: processors see it, exporters and children do not.

    Args:
        chosen: The sampler the operator chose.
    """

    def __init__(self, chosen: Sampler) -> None:
        self._chosen = chosen

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """The chosen sampler's decision, with ``DROP`` made ``RECORD_ONLY`` for local-root server spans."""
        result = self._chosen.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is not Decision.DROP or kind is not SpanKind.SERVER or not _is_local_root(parent_context):
            return result
        # Samplers that drop return no attributes, since a dropped span has none; this one keeps its own.
        kept = {**(attributes or {}), **dict(result.attributes or {})}
        return SamplingResult(Decision.RECORD_ONLY, kept, result.trace_state)

    def get_description(self) -> str:
        """The chosen sampler's description: this wrapper changes nothing about what is exported."""
        return self._chosen.get_description()


class RedactingSpanProcessor(SpanProcessor):
    """Hands redacted copies of ended, sampled spans to another processor.

    It fails closed: a span that cannot be redacted goes no further. The wrapped processor never sees the live span, so
    it gets no ``on_start``.

    Args:
        wrapped: The exporting processor.
        redactor: What cleans.
    """

    def __init__(self, wrapped: SpanProcessor, redactor: Redacts) -> None:
        self.wrapped = wrapped
        self._redactor = redactor

    def on_end(self, span: ReadableSpan) -> None:
        """Redact and hand on. Never raises."""
        place = span.get_span_context()
        if place is None or not place.trace_flags.sampled:
            return
        with _guard.guard("span redaction"):
            self.wrapped.on_end(redacted(span, self._redactor))

    def shutdown(self) -> None:
        """Shut the wrapped processor down."""
        self.wrapped.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the wrapped processor; milliseconds, as the SDK has it."""
        return self.wrapped.force_flush(timeout_millis)


class CleanEndings(SpanProcessor):
    """Lets a processor of somebody else's take part in spans while they live, and shows it clean copies at their end.

    It fails closed: of a span that cannot be redacted it does not hear the end.

    Args:
        wrapped: The processor; what it does with ended spans is unknown, so it may export them.
        redactor: What cleans.
    """

    def __init__(self, wrapped: SpanProcessor, redactor: Redacts) -> None:
        self.wrapped = wrapped
        self._redactor = redactor

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Hand on the live span: processors add attributes to it here."""
        self.wrapped.on_start(span, parent_context)

    def _on_ending(self, span: Span) -> None:
        self.wrapped._on_ending(span)  # noqa: SLF001 - the SDK's own hook, under its only name

    def on_end(self, span: ReadableSpan) -> None:
        """Redact and hand on."""
        clean = None
        with _guard.guard("span redaction"):
            clean = redacted(span, self._redactor)
        if clean is not None:
            self.wrapped.on_end(clean)

    def shutdown(self) -> None:
        """Shut the wrapped processor down."""
        self.wrapped.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the wrapped processor; milliseconds, as the SDK has it."""
        return self.wrapped.force_flush(timeout_millis)


def shown_clean(processor: SpanProcessor, redactor: Redacts) -> SpanProcessor:
    """A processor that sees no ended span unredacted: the given one in a wrapper, or itself where it needs none."""
    if isinstance(processor, RedactingSpanProcessor | CleanEndings) or type(processor).on_end is SpanProcessor.on_end:
        return processor
    if type(processor).__module__.startswith(_OURS):
        return processor  # what it makes of a span takes the events' road, and is cleaned there
    if type(processor) in (BatchSpanProcessor, SimpleSpanProcessor):
        return RedactingSpanProcessor(processor, redactor)
    return CleanEndings(processor, redactor)


def redacted(span: ReadableSpan, redactor: Redacts) -> ReadableSpan:
    """A copy of an ended span without what must not leave.

    Name, attributes, events, links, the status's text, trace states, resource and scope are cleaned, as an event's are.
    The keys touched are listed under ``footspan.redacted``.
    """
    attributes, touched = redactor.mapping(
        {name: value for name, value in (span.attributes or {}).items() if name not in _SIGNALS}
    )
    if touched:
        attributes[c.REDACTED] = list(dict.fromkeys(touched))
    status = span.status
    return _Redacted(
        span,
        name=redactor.text(span.name),
        context=_clean_context(span.get_span_context(), redactor),
        parent=_clean_context(span.parent, redactor),
        resource=clean_resource(span.resource, redactor),
        attributes=attributes,
        events=[
            Event(redactor.text(event.name), redactor.mapping(event.attributes or {})[0], event.timestamp)
            for event in span.events
        ],
        links=[
            Link(_clean_context(link.context, redactor), redactor.mapping(link.attributes or {})[0])
            for link in span.links
        ],
        kind=span.kind,
        status=Status(status.status_code, redactor.text(status.description)) if status.description else status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=clean_scope(span.instrumentation_scope, redactor),
    )


def _clean_context(context: Any, redactor: Redacts) -> Any:
    """A span's context without the entries of its trace state that must not leave; the same where there are none."""
    if context is None or not context.trace_state:
        return context
    given = dict(context.trace_state.items())
    clean, _ = redactor.mapping(given)
    kept = [(key, value) for key, value in given.items() if clean.get(key) == value]
    if len(kept) == len(given):
        return context
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags, TraceState(kept))


# Resources and scopes are few and live long. Each is kept with its copy and the policy it was held to, so that their
# ids cannot come to mean others.
_MOST_ORIGINS = 4096
_origins: dict[tuple[int, int], tuple[Any, Any, Any]] = {}


def clean_resource(resource: Resource, redactor: Redacts) -> Resource:
    """A resource without what must not leave: always the same one for the same one."""
    return _remembered(
        resource,
        redactor,
        lambda: Resource(redactor.mapping(resource.attributes)[0], redactor.text(resource.schema_url or "")),
    )


def clean_scope(scope: InstrumentationScope | None, redactor: Redacts) -> InstrumentationScope | None:
    """The same for an instrumentation scope."""
    if scope is None:
        return None
    return _remembered(
        scope,
        redactor,
        lambda: InstrumentationScope(
            redactor.text(scope.name),
            None if scope.version is None else redactor.text(scope.version),
            redactor.text(scope.schema_url or ""),
            redactor.mapping(scope.attributes or {})[0],
        ),
    )


def _remembered(given: _Origin, redactor: Redacts, clean: Callable[[], _Origin]) -> _Origin:
    policy = getattr(redactor, "policy", redactor)
    known = _origins.get((id(given), id(policy)))
    if known is not None:
        return cast("_Origin", known[1])
    made = clean()
    if len(_origins) >= _MOST_ORIGINS:
        _origins.clear()
    _origins[id(given), id(policy)] = (given, made, policy)
    _origins[id(made), id(policy)] = (made, made, policy)  # another processor of ours may come by it again
    return made


class _Redacted(ReadableSpan):
    """Remembers how much the SDK's limits had dropped from the original."""

    def __init__(self, original: ReadableSpan, **fields: Any) -> None:
        super().__init__(**fields)
        self._dropped = (original.dropped_attributes, original.dropped_events, original.dropped_links)

    @property
    def dropped_attributes(self) -> int:
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        return self._dropped[2]


def _is_local_root(parent_context: Context | None) -> bool:
    parent = trace.get_current_span(parent_context).get_span_context()
    return not parent.is_valid or parent.is_remote
