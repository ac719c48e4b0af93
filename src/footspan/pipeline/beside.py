"""Pipelines beside the process's own, for trackers with settings of their own.

Each has a logger provider of its own, which is not the process's: what others log does not come by here, and what is
tracked here passes none of their processors.
"""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, Any

from footspan import _guard, _otel, _platform
from footspan import conventions as c
from footspan._version import __version__
from footspan.emit import SCOPE_NAME, Emitter
from footspan.pipeline.build import Pipeline
from footspan.pipeline.processor import FootspanLogProcessor, Slot

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider

    from footspan.config import Settings

_open: dict[int, Pipeline] = {}
"""What has not been closed, by identity. Changed by single steps: neither a signal nor a fork finds it broken."""


def make_provider(settings: Settings, resource: Any = None) -> LoggerProvider:
    """A logger provider for a service; not installed anywhere.

    Args:
        settings: They name the service.
        resource: The SDK resource it describes itself by, where somebody else has made one.
    """
    with _platform.importing():
        from opentelemetry.sdk._logs import LoggerProvider as Sdk  # noqa: PLC0415 - the SDK is loaded on first use only
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same

    attributes: dict[str, Any] = {}
    if settings.service.name:
        attributes[c.SERVICE_NAME] = settings.service.name
    if settings.service.version:
        attributes[c.SERVICE_VERSION] = settings.service.version
    # Its own exit handler stays off: ours runs, bounded by `exit_timeout`.
    own = Resource.create(attributes) if resource is None else resource.merge(Resource(attributes))
    return Sdk(resource=own, shutdown_on_exit=False)


def open_beside(settings: Settings) -> Slot | None:
    """A pipeline of its own.

    Args:
        settings: What to build.

    Returns:
        The slot it stands in, with the way to it; ``None`` when the settings disable it.

    Raises:
        ConfigurationError: A destination cannot be built from its settings.
    """
    if not settings.enabled:
        return None
    pipeline = Pipeline(settings)
    _open[id(pipeline)] = pipeline
    slot = Slot()
    provider = make_provider(settings)
    _otel.prepend_log_processor(provider, FootspanLogProcessor(slot))
    slot.emitter = Emitter(provider.get_logger(SCOPE_NAME, __version__))
    slot.pipeline = pipeline
    return slot


def close(slot: Slot, timeout: float | None = None) -> None:
    """Deliver what can be delivered in time, then let everything go. What remains waits on disk.

    Args:
        slot: As :func:`open_beside` gave it.
        timeout: Seconds to spend; the pipeline's ``exit_timeout`` when not given.
    """
    pipeline, slot.pipeline = slot.pipeline, None
    if pipeline is not None:
        _end(pipeline, timeout)


def _end(pipeline: Pipeline, timeout: float | None = None) -> None:
    with _guard.guard("shutdown"):
        pipeline.shutdown(timeout)
    with _guard.guard("shutdown"):
        pipeline.close()
    _open.pop(id(pipeline), None)


def abandon(slot: Slot) -> None:
    """``close`` in a thread of its own: the garbage collector strikes anywhere, where locks of ours are held too."""
    pipeline, slot.pipeline = slot.pipeline, None
    if pipeline is None or id(pipeline) not in _open:
        return
    try:
        # Not ``Thread.start``, which waits for locks and for the thread.
        _thread.start_new_thread(_end, (pipeline,))
    except RuntimeError:
        return  # no thread to be had, as at exit: whoever ends the process ends what is open


def pipelines() -> list[Pipeline]:
    """Those that have not been closed."""
    return list(_open.values())


def reset() -> None:
    """Close all of them at once; for tests."""
    for pipeline in pipelines():
        pipeline.close()
        _open.pop(id(pipeline), None)
