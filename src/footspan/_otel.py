"""Every name of OpenTelemetry that starts with an underscore, in one place, each held by a contract test.

The logs API itself is still underscored upstream; the rest are private parts that a distro cannot do without.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry._logs import Logger, LoggerProvider, LogRecord, SeverityNumber, get_logger_provider
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import LoggerProvider as SdkLoggerProvider

__all__ = [
    "LogRecord",
    "Logger",
    "LoggerProvider",
    "SeverityNumber",
    "current_span_context",
    "current_span_ids",
    "detach",
    "direct",
    "exporters_of",
    "get_logger_provider",
    "install_logger_provider",
    "light_record_type",
    "loadable_at_exit",
    "processors_of",
    "sdk_logger_provider",
    "sdk_tracer_provider",
    "suppressed",
]


@contextmanager
def suppressed() -> Iterator[None]:
    """Run a block whose own HTTP requests must leave no spans."""
    token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        yield
    finally:
        otel_context.detach(token)


def detach(token: Token[Context]) -> None:
    """Take back what was attached. Where that happened in another task or thread there is nothing to take back.

    OpenTelemetry's own logs a traceback then, though work that is closed by the garbage collector ends anywhere.
    """
    runtime = getattr(otel_context, "_RUNTIME_CONTEXT", None)
    if runtime is None:
        otel_context.detach(token)
    else:
        with suppress(ValueError):
            runtime.detach(token)


def current_span_ids(context: Context | None = None) -> tuple[int, int, int]:
    """Trace id, span id and trace flags of the current span; zeros without one."""
    span_context = trace.get_current_span(context).get_span_context()
    return span_context.trace_id, span_context.span_id, int(span_context.trace_flags)


def _make_current_span_context() -> Callable[[], Any]:
    """See :data:`current_span_context`; two calls shorter where the context lives in a context variable, as a rule."""
    from opentelemetry.context import get_current  # noqa: PLC0415 - kept in the closure
    from opentelemetry.trace.propagation import _SPAN_KEY  # noqa: PLC0415 - the same

    variable = getattr(getattr(otel_context, "_RUNTIME_CONTEXT", None), "_current_context", None)
    current = variable.get if isinstance(variable, ContextVar) else get_current

    def current_span_context() -> Any:
        span: Any = current().get(_SPAN_KEY)
        return None if span is None else span.get_span_context()

    return current_span_context


current_span_context: Callable[[], Any] = _make_current_span_context()
"""The current span's context, the same object for the same span; ``None`` without a span."""


def direct(logger: Any, processor_type: type[Any]) -> Callable[[], bool] | None:
    """Whether what is emitted through a logger reaches one processor and nothing else.

    Args:
        logger: An SDK logger.
        processor_type: The processor's class.

    Returns:
        A function that tells whether that is still so: no processor was added, the logger was not disabled. ``None``
        where it is not so now: another processor stands beside ours, the SDK counts the records it creates, the logger
        is no SDK logger.
    """
    multi = getattr(logger, "_multi_log_record_processor", None)
    config = getattr(logger, "_logger_config", None)
    processors = processors_of(logger)
    if len(processors) != 1 or type(processors[0]) is not processor_type or not getattr(config, "is_enabled", False):
        return None
    if type(getattr(logger, "_logger_metrics", None)).__name__ != "NoOpLoggerMetrics":
        return None

    def unchanged() -> bool:
        return multi._log_record_processors is processors and logger._logger_config is config  # type: ignore[union-attr]

    return unchanged


def sdk_logger_provider() -> SdkLoggerProvider | None:
    """The process's logger provider, when it is the SDK's and not the API's stand-in."""
    from opentelemetry.sdk._logs import LoggerProvider as Sdk  # noqa: PLC0415 - the SDK is loaded on first use only

    provider = get_logger_provider()
    return provider if isinstance(provider, Sdk) else None


def sdk_tracer_provider() -> Any:
    """The process's tracer provider, when it is the SDK's; ``None`` where nobody has made one."""
    import sys  # noqa: PLC0415 - keeps the module's names OpenTelemetry's

    loaded = sys.modules.get("opentelemetry.sdk.trace")
    provider = None if loaded is None else trace.get_tracer_provider()
    return provider if loaded is not None and isinstance(provider, loaded.TracerProvider) else None


def install_logger_provider(provider: SdkLoggerProvider) -> None:
    """Make a provider the process's; the API lets this succeed once."""
    from opentelemetry._logs import set_logger_provider  # noqa: PLC0415 - used once, at start

    set_logger_provider(provider)


def processors_of(provider: Any) -> tuple[Any, ...]:
    """The log record processors of an SDK provider or of one of its loggers; empty where there are none to be seen.

    The tuple is replaced, never changed, when a processor is added, so its identity tells whether it is still the same.
    """
    multi = getattr(provider, "_multi_log_record_processor", None)
    processors = getattr(multi, "_log_record_processors", None)
    return processors if isinstance(processors, tuple) else ()


def exporters_of(provider: Any) -> list[Any]:
    """The exporters that the processors of an SDK provider hold, those behind a wrapper of ours included."""
    multi = getattr(provider, "_active_span_processor", None)
    spans = getattr(multi, "_span_processors", None)
    found: list[Any] = []
    for processor in (*processors_of(provider), *(spans if isinstance(spans, tuple) else ())):
        inner = getattr(processor, "wrapped", processor)
        holder = getattr(inner, "_batch_processor", inner)
        exporter = getattr(holder, "_exporter", None) or getattr(holder, "span_exporter", None)
        if exporter is not None:
            found.append(exporter)
    return found


def light_record_type() -> type[Any]:
    """A log record that ``Logger.emit`` hands on as it is.

    ``emit`` passes a ``ReadWriteLogRecord`` through untouched. An instance made without its constructor skips the
    cleaning and copying of attributes, which is most of what an emit costs; it may only be used while every processor
    of the provider is ours.
    """
    from opentelemetry.sdk._logs import ReadWriteLogRecord  # noqa: PLC0415 - the SDK is loaded on first use only

    class LightRecord(ReadWriteLogRecord):
        """Carries a draft in place of a log record."""

        def __init__(self, draft: Any, resource: Any, scope: Any) -> None:
            self.log_record = draft
            self.resource = resource
            self.instrumentation_scope = scope

    return LightRecord


def base_configurator() -> type[Any]:
    """The SDK's configurator, to be subclassed by a distro."""
    from opentelemetry.sdk._configuration import _OTelSDKConfigurator  # noqa: PLC0415 - heavy, distro only

    return _OTelSDKConfigurator


def on_fork_in_child(callback: Callable[[], None]) -> None:
    """Run ``callback`` in every forked child, where the platform forks."""
    import os  # noqa: PLC0415 - keeps the module's names OpenTelemetry's

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)


def prepend_log_processor(provider: Any, processor: Any) -> bool:
    """Put a processor before those a logger provider has, since only the first can clean for all.

    Returns:
        Whether it stands first; ``False`` when it could only be added behind them.
    """
    multi = getattr(provider, "_multi_log_record_processor", None)
    processors = getattr(multi, "_log_record_processors", None)
    lock = getattr(multi, "_lock", None)
    if multi is None or lock is None or not isinstance(processors, tuple):
        provider.add_log_record_processor(processor)
        return False
    with lock:
        multi._log_record_processors = (processor, *multi._log_record_processors)
    return True


def span_processors_of(provider: Any) -> tuple[Any, ...]:
    """The span processors of an SDK tracer provider; empty where there are none to be seen."""
    processors = getattr(getattr(provider, "_active_span_processor", None), "_span_processors", None)
    return processors if isinstance(processors, tuple) else ()


def change_span_processors(provider: Any, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> bool:
    """Exchange the span processors of a tracer provider.

    Returns:
        Whether that was possible.
    """
    multi = getattr(provider, "_active_span_processor", None)
    lock = getattr(multi, "_lock", None)
    if multi is None or lock is None or not isinstance(getattr(multi, "_span_processors", None), tuple):
        return False
    with lock:
        multi._span_processors = change(multi._span_processors)
    return True


def change_added_span_processors(provider: Any, change: Callable[[Any], Any]) -> None:
    """Have what is added to a tracer provider from now on exchanged before it gets there; a second time is nothing."""
    if "add_span_processor" in vars(provider):
        return
    add = provider.add_span_processor

    def add_span_processor(span_processor: Any) -> None:
        add(change(span_processor))

    provider.add_span_processor = add_span_processor


def _a_thread_starts() -> bool:
    from threading import Thread  # noqa: PLC0415 - keeps the module's names OpenTelemetry's

    try:
        Thread(target=int, daemon=True).start()
    except RuntimeError:
        return False
    return True


@contextmanager
def loadable_at_exit() -> Iterator[None]:
    """Let the SDK be loaded and a resource be found once the main thread has ended.

    Both ask a thread pool, already while the SDK is imported, and no thread pool may be made any more in a thread that
    outlives the main thread, or in an ``atexit`` function, or on a host that lets no thread start. In that state, where
    every other use of one raises anyway, a pool that works in the calling thread stands in for the length of the block.
    """
    from concurrent import futures  # noqa: PLC0415 - loaded with the SDK, not before

    try:
        from concurrent.futures import thread  # noqa: PLC0415 - the same

        ended = getattr(thread, "_shutdown", False) or not _a_thread_starts()
    except RuntimeError:  # its first import asks to be told of the exit
        ended = True
    if not ended:
        yield
        return

    class Inline(futures.Executor):
        """Runs what it is given at once."""

        def __init__(self, *_: Any, **__: Any) -> None:
            """Take what a thread pool takes."""

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
            """Run ``fn`` and return its outcome."""
            future: futures.Future[Any] = futures.Future()
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - the outcome may be an exception
                future.set_exception(error)
            return future

    missing = object()
    before = vars(futures).get("ThreadPoolExecutor", missing)
    vars(futures)["ThreadPoolExecutor"] = Inline
    try:
        yield
    finally:
        if before is missing:
            del vars(futures)["ThreadPoolExecutor"]
        else:
            vars(futures)["ThreadPoolExecutor"] = before


def shut_down_batch(processor: Any, seconds: float) -> None:
    """Shut a batch processor down within a time; its own ``shutdown`` may wait for half a minute."""
    batch = getattr(processor, "_batch_processor", None)
    if batch is None:
        processor.shutdown()
    else:
        batch.shutdown(timeout_millis=max(0, int(seconds * 1000)))
