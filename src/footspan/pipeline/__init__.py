"""Processors, spool and courier put together from the settings; the one place that owns global state.

* ``build``: ``Pipeline``, one service's road from a draft to its destinations.
* ``processor``: ``FootspanLogProcessor``, which stands in an OpenTelemetry ``LoggerProvider``.
* ``aside``: exporters of ours, in a provider that a pipeline has joined, leave to it what it carries.
* ``beside``: pipelines of trackers with settings of their own.
* ``endings``: all pipelines' end within one time; what SIGTERM does, where the settings ask for it.
* ``in_force``: the redactor of the pipeline that is in force.
* ``state``: the process's own pipeline: configure, attach, end, reset.
"""

from __future__ import annotations

from footspan.pipeline.build import Pipeline
from footspan.pipeline.processor import FootspanLogProcessor, Slot
from footspan.pipeline.state import (
    arm_exit,
    attach,
    clean_spans,
    configure,
    default_redactor,
    default_slot,
    get_pipeline,
    open_beside,
    reset,
    start,
)

__all__ = [
    "FootspanLogProcessor",
    "Pipeline",
    "Slot",
    "arm_exit",
    "attach",
    "clean_spans",
    "configure",
    "default_redactor",
    "default_slot",
    "get_pipeline",
    "open_beside",
    "reset",
    "start",
]
