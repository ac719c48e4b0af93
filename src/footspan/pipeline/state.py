"""The process's own pipeline, and everything that starts, swaps and ends it."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from footspan import _guard, _otel, emit
from footspan.pipeline import beside
from footspan.pipeline.aside import step_aside
from footspan.pipeline.build import Pipeline
from footspan.pipeline.endings import Sigterm, flush_all, shut_down_all
from footspan.pipeline.in_force import RedactorInForce
from footspan.pipeline.metrics import Report
from footspan.pipeline.processor import FootspanLogProcessor, Slot
from footspan.processors import baggage
from footspan.processors.spans import shown_clean

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider

    from footspan.config import Settings

_default = Slot()
_redactor = RedactorInForce(_default)
_report = Report(lambda: _default.pipeline)


def _running() -> list[Pipeline]:
    """The process's pipeline and those beside it."""
    pipeline = _default.pipeline
    return [*([] if pipeline is None else [pipeline]), *beside.pipelines()]


def _flush(seconds: float) -> None:
    flush_all([pipeline for pipeline in _running() if pipeline.settings.flush_on_sigterm], seconds)


_sigterm = Sigterm(_flush)
_lock = _guard.QuietLock()  # re-entrant: a signal handler may track while its own thread is starting


def _new_lock() -> None:
    """Another thread of the parent may have held the lock when it forked."""
    global _lock  # noqa: PLW0603 - the one lock of this module
    _lock = _guard.QuietLock()


_otel.on_fork_in_child(_new_lock)


def configure(settings: Settings) -> Pipeline | None:
    """Make the process's pipeline from settings; the same settings again change nothing.

    Args:
        settings: The settings in force from now on. Other settings than before stop the old pipeline first; what it had
            not delivered stays on disk.

    Returns:
        The pipeline, or ``None`` when the settings disable it.

    Raises:
        ConfigurationError: A destination cannot be built from its settings.
    """
    with _lock:
        current = _default.pipeline
        if current is not None and current.settings == settings:
            return current
        pipeline = Pipeline(settings) if settings.enabled else None
        _default.pipeline = pipeline
        if current is not None:
            current.close()
            _report.retire(current)
        if pipeline is not None and settings.metrics:
            _report.install()
        baggage.propagate(() if pipeline is None else settings.context.propagate or ())
        arm_exit()
        _arm_sigterm()
        _guard.be_verbose(settings.debug)
        if settings.debug:
            names = ", ".join(each.name for each in settings.destinations if each.enabled)
            _guard.logger.debug("footspan: service %s, destinations: %s", settings.service.name or "?", names or "none")
        return pipeline


def _arm_sigterm() -> None:
    seconds = [each.settings.exit_timeout for each in _running() if each.settings.flush_on_sigterm]
    if seconds:
        _sigterm.arm(max(seconds))
    else:
        _sigterm.disarm()


def open_beside(settings: Settings) -> Slot | None:
    """:func:`footspan.pipeline.beside.open_beside`, with an end when the process ends."""
    slot = beside.open_beside(settings)
    if slot is not None:
        with _lock:
            arm_exit()
            if settings.flush_on_sigterm:
                _arm_sigterm()
    return slot


def start(settings: Settings) -> Pipeline | None:
    """``configure``, and stand in the process's logger provider: the one that is there, else a new one."""
    with _lock:
        pipeline = configure(settings)
        if pipeline is not None:
            attach(_otel.sdk_logger_provider() or _new_provider(settings))
            provider = _otel.sdk_tracer_provider()
            if provider is not None:
                clean_spans(provider)
        return pipeline


def attach(provider: LoggerProvider) -> None:
    """Put our processor into a provider, once; before those it has, since only the first can clean for all."""
    for processor in _otel.processors_of(provider):
        if isinstance(processor, FootspanLogProcessor):
            return
    _otel.prepend_log_processor(provider, FootspanLogProcessor(_default))
    step_aside(provider, _default)
    emit.reset()
    _default.close_road()


def clean_spans(provider: Any) -> None:
    """Have no processor of a tracer provider, now or later, see an ended span unredacted; doing it again is nothing."""
    _otel.change_span_processors(provider, lambda there: tuple(shown_clean(each, _redactor) for each in there))
    _otel.change_added_span_processors(provider, lambda added: shown_clean(added, _redactor))


def default_redactor() -> RedactorInForce:
    """What cleans by the rules of the process's pipeline, whichever that is just then."""
    return _redactor


def _new_provider(settings: Settings) -> LoggerProvider:
    provider = beside.make_provider(settings)
    _otel.install_logger_provider(provider)
    return provider


def default_slot() -> Slot:
    """The slot of the process's pipeline, for trackers and for a processor that a configurator adds itself.

    Waits for a start under way in another thread: its pipeline stands in the slot before the provider leads there, and
    what is emitted in between is lost.
    """
    with _lock:
        return _default


def get_pipeline() -> Pipeline | None:
    """The process's pipeline, if it was started."""
    return _default.pipeline


def arm_exit() -> None:
    """Have every pipeline stop at exit, before handlers registered so far (they run last in, first out)."""
    atexit.unregister(at_exit)
    atexit.register(at_exit)


def at_exit() -> None:
    """End every pipeline of the process, all of them within one ``exit_timeout``."""
    shut_down_all(_running())


def reset() -> None:
    """Stop the process's pipeline and forget it; for tests."""
    with _lock:
        pipeline, _default.pipeline = _default.pipeline, None
        if pipeline is not None:
            pipeline.close()
        beside.reset()
        _report.reset()
        _sigterm.disarm()
        baggage.propagate(())
        emit.reset()
