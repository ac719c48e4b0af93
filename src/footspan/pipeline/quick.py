"""The quick road from ``track()`` to the spool, for events of a kind that was seen before.

A call site emits the same names with the same types again and again, so what becomes of such an event (its attribute
names, which values the redactor looks at, its severity, its scope and resource, whether any destination takes it) is
worked out once and kept as a :class:`~footspan.pipeline.plans.Plan`: the pieces of the stored line with gaps for the
values. What the context adds is kept in written form with the context itself.

The road is open only while all of it is ours: one log processor behind the logger and it is footspan's, the built-in
processors and no others. Whatever is not usual (a nested value, text that may hold an address, a kind not seen before,
one of which only a share is kept) is declined and takes the ordinary road. A plan is kept only after it wrote, for the
event it was made from, the very bytes that the ordinary road writes.
"""

from __future__ import annotations

from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _otel, _platform, emit
from footspan import conventions as c
from footspan.emit import Draft, new_uid
from footspan.otlp_json import LogLine, encode_line, encode_record
from footspan.otlp_json.records import trace_json
from footspan.pipeline.plans import MAX_KEYS, Plan, Written, make_plan, write_values
from footspan.pipeline.processor import FootspanLogProcessor, Slot
from footspan.processors.context import add_context, ambient
from footspan.processors.scopes import to_attributes

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from footspan.pipeline.build import Pipeline

    QuickRoad: TypeAlias = Callable[[Any, dict[str, Any]], str]

MAX_PLANS: Final = 1_024
_MAX_SEEN: Final = 4_096
_TRY_EVERY: Final = 1.0
"""Seconds between two looks whether the road can be opened."""


def open_road(slot: Slot) -> None:
    """Open the quick road to a slot's pipeline if that is possible; to be called on the ordinary one."""
    now = monotonic()
    if now < slot.try_again:
        return
    slot.try_again = now + _TRY_EVERY
    pipeline = slot.pipeline
    if pipeline is not None:
        logger = emit.default_logger() if slot.emitter is None else slot.emitter.logger
        slot.quick = quick_road(pipeline, logger, slot.close_road)
        if slot.pipeline is not pipeline:  # exchanged meanwhile: this road leads to one that has ended
            slot.close_road()


def quick_road(  # noqa: C901 - the hot path is one piece
    pipeline: Pipeline, logger: Any, close: Callable[[], None] = lambda: None
) -> QuickRoad | None:
    """The quick road of a pipeline behind a logger.

    Args:
        pipeline: Where events go.
        logger: The SDK logger that they would be emitted through.
        close: Called when the road can be used no longer.

    Returns:
        A function of an event's name and its properties as a person writes them, which keeps the event and returns its
        id, or declines it by returning an empty string, having done nothing. It never raises an ``Exception``. ``None``
        where the road is closed.
    """
    unchanged = _otel.direct(logger, FootspanLogProcessor)
    usual = (add_context, *pipeline.by_kind)
    if unchanged is None or tuple(pipeline.processors) not in {(*usual, pipeline.redactor), usual}:
        return None
    if pipeline.sampler is not None and not pipeline.sampler.keeps_some:
        return None
    if pipeline.consent.opt_in:  # every event has to be looked at; else those that somebody said something of
        return None
    planner = _Planner(pipeline, logger)
    latest, redactor, find = planner.latest, planner.redactor, planner.find
    append, wake = pipeline.spool.append, pipeline.courier.wake
    current_span_context = _otel.current_span_context
    after_fork, mark = _platform.after_fork, _platform.fork_mark
    write_context, write_trace = planner.write_context, planner.write_trace
    built = len(pipeline.processors)

    def road(name: Any, properties: dict[str, Any]) -> str:  # noqa: C901 - the same
        try:
            if not mark[0]:
                after_fork()
            plan = latest.get(name)
            values = [*properties.values()]
            if (
                plan is None
                or plan.keys != (*properties,)
                or plan.types != (*map(type, values),)
                or (plan.category is not None and plan.category != properties["category"])
            ):
                plan = find(name, properties, values)
                if plan is None:
                    return ""
            if not unchanged() or len(pipeline.processors) != built:
                close()
                return ""
            if plan.gaps and not write_values(plan, values, redactor):
                return ""
            context_text = trace_text = ""
            context = ambient()
            if context:
                written = context.written
                if written is None or written.owner is not planner:
                    written = write_context(context)
                context_text = written.text if plan.apart is written.names else written.text_beside(plan)
                if context_text is None:
                    return ""
            span_context = current_span_context()
            if span_context is not None:
                trace_text = write_trace(span_context)
            now = time_ns()
            uid = new_uid(now)
            stamp = str(now)
            pieces = plan.pieces.copy()
            pieces[1::2] = (stamp, uid, *values, context_text, stamp, trace_text)
            append("".join(pieces).encode())
        except Exception as error:  # noqa: BLE001 - nothing has been kept: the ordinary road sees to it, and reports
            planner.failed(error)
            return ""
        wake()
        return uid

    return road


class _Planner:
    """What the road needs when it is not quick: plans, and the written forms of contexts and traces.

    Args:
        pipeline: Where events go.
        logger: The logger whose scope and resource they bear.
    """

    def __init__(self, pipeline: Pipeline, logger: Any) -> None:
        self.latest: dict[Any, Plan] = {}
        self.redactor = pipeline.redactor if pipeline.redactor in pipeline.processors else None
        self._pipeline = pipeline
        self._plans: dict[tuple[Any, ...], Plan | None] = {}
        self._seen: set[tuple[Any, ...]] = set()
        self._suffix = pipeline.suffix(logger.resource, logger.instrumentation_scope)
        self._trace: tuple[Any, str] = (None, "")

    def find(self, name: Any, properties: dict[str, Any], values: list[Any]) -> Plan | None:
        """The plan for a kind of event.

        It is made when the kind is seen for the second time, so that kinds without end cost little.
        """
        category = properties.get("category")
        if type(name) is not str or not (category is None or type(category) is str):
            return None
        if len(name) + len(category or "") + sum(map(len, properties)) > MAX_KEYS:
            return None  # not worth the memory
        kind = (name, *properties, *map(type, values), category)
        if kind in self._plans:
            plan = self._plans[kind]
            if plan is not None:
                self.latest[name] = plan
            return plan
        if kind not in self._seen:
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen.add(kind)
            return None
        plan = self._make(name, properties)
        if plan is not None:
            found = self._proven(plan, name, properties)
            if found is None:
                return None  # an unusual event: another one of its kind may be usual
            plan = plan if found else None
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
            self.latest.clear()
        self._plans[kind] = plan
        return None

    def _make(self, name: str, properties: dict[str, Any]) -> Plan | None:
        """The plan for a kind, unless the sampler has to look at each event of it."""
        plan = make_plan(name, properties, self.redactor, self._suffix, self._pipeline.categories)
        sampler = self._pipeline.sampler
        if plan is None or sampler is None:
            return plan
        attributes = to_attributes(properties, c.ALIASES)
        return plan if sampler.keeps(name, attributes, plan.severity[0]) else None

    def _proven(self, plan: Plan, name: str, properties: dict[str, Any]) -> bool | None:
        """Whether a plan writes what the ordinary road writes; ``None`` if this event does not tell."""
        values = [*properties.values()]
        if not write_values(plan, values, self.redactor):
            return None
        now = time_ns()
        uid = new_uid(now)
        draft = Draft(name, now, now, {c.LOG_RECORD_UID: uid, **to_attributes(properties, c.ALIASES)})
        draft.severity_number, draft.severity_text = plan.severity
        for processor in self._pipeline.by_kind:
            processor(draft)
        if self.redactor is not None:
            self.redactor(draft)
        line = encode_line(
            encode_record(
                name=draft.name,
                time_ns=now,
                attributes=draft.attributes,
                observed_ns=now,
                severity_number=draft.severity_number,
                severity_text=draft.severity_text,
            ),
            self._suffix,
        )
        pieces = plan.pieces.copy()
        pieces[1::2] = (str(now), uid, *values, "", str(now), "")
        if "".join(pieces).encode() != line:
            return False
        taken, immediate = self._pipeline.takers(LogLine(line.rstrip(b"\n")))
        return taken and not immediate  # what nobody takes is named once, on the ordinary road

    def write_context(self, context: Any) -> Written:
        """A context's values as attributes, kept with it."""
        written = context.written = Written(self, context, self.redactor)
        return written

    def write_trace(self, span_context: Any) -> str:
        """The members that tell where in a trace an event happened; kept, for events come in groups."""
        known = self._trace
        if known[0] is span_context:
            return known[1]
        text = trace_json(span_context.trace_id, span_context.span_id, int(span_context.trace_flags)).decode()
        self._trace = (span_context, text)
        return text

    @staticmethod
    def failed(error: BaseException) -> None:
        """Say what must not happen."""
        if not isinstance(error, (TypeError, UnicodeError, RuntimeError)):  # unhashable names, lone surrogates, races
            _guard.report("quick road", error)
