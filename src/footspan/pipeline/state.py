"""The process's own pipeline, and everything that starts, swaps and ends it."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from footspan import _guard, _otel, _platform, emit
from footspan import conventions as c
from footspan.pipeline.build import Pipeline
from footspan.pipeline.endings import Sigterm
from footspan.pipeline.metrics import Report
from footspan.pipeline.processor import FootspanLogProcessor, Slot

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider

    from footspan.config import Settings

_default = Slot()
_report = Report(lambda: _default.pipeline)


def _flush(seconds: float) -> None:
    pipeline = _default.pipeline
    if pipeline is not None:
        pipeline.flush(seconds)


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
        arm_exit()
        if pipeline is not None and settings.flush_on_sigterm:
            _sigterm.arm(settings.exit_timeout)
        else:
            _sigterm.disarm()
        return pipeline


def start(settings: Settings) -> Pipeline | None:
    """``configure``, and stand in the process's logger provider: the one that is there, else a new one."""
    with _lock:
        pipeline = configure(settings)
        if pipeline is not None:
            attach(_otel.sdk_logger_provider() or _new_provider(settings))
        return pipeline


def attach(provider: LoggerProvider) -> None:
    """Put our processor into a provider, once; before those it has, since only the first can clean for all."""
    for processor in _otel.processors_of(provider):
        if isinstance(processor, FootspanLogProcessor):
            return
    _otel.prepend_log_processor(provider, FootspanLogProcessor(_default))
    emit.reset()
    _default.close_road()


def _new_provider(settings: Settings) -> LoggerProvider:
    with _platform.importing():
        from opentelemetry.sdk._logs import LoggerProvider as Sdk  # noqa: PLC0415 - the SDK is loaded on first use only
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same

    attributes: dict[str, Any] = {}
    if settings.service.name:
        attributes[c.SERVICE_NAME] = settings.service.name
    if settings.service.version:
        attributes[c.SERVICE_VERSION] = settings.service.version
    # Its own exit handler stays off: ours runs, bounded by `exit_timeout`.
    provider = Sdk(resource=Resource.create(attributes), shutdown_on_exit=False)
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
    """Have the pipeline stop at exit, before handlers registered so far (they run last in, first out)."""
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


def _at_exit() -> None:
    pipeline = _default.pipeline
    if pipeline is not None:
        pipeline.shutdown()


def reset() -> None:
    """Stop the process's pipeline and forget it; for tests."""
    with _lock:
        pipeline, _default.pipeline = _default.pipeline, None
        if pipeline is not None:
            pipeline.close()
        _report.reset()
        _sigterm.disarm()
        emit.reset()
