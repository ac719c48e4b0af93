"""Providers from OpenTelemetry's declarative configuration file, and errors that do not quote it.

A file has credentials in it, written out or put in from the environment. The SDK's own messages tell what stood at the
wrong place, word for word; ours tell the place.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.config import ConfigurationError
from footspan.config.kinds import nearest
from footspan.config.layers import ordinary
from footspan.config.otel_file import VARIABLE, named_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PACKAGE: Final = "opentelemetry-configuration"
_TELLING: Final = ("additionalProperties", "required", "type", "enum", "minProperties", "maxProperties")


def is_asked_for(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names such a file."""
    return named_in(environ) is not None


def configure_by_file(join: Callable[[], None], environ: Mapping[str, str] = os.environ) -> None:
    """Make the providers that the file describes.

    A file that cannot be used costs the telemetry that it describes and nothing else: what is wrong is logged once.

    Args:
        join: Joins the providers. It is called in any case, and before the file's instrumentations are started: these
            keep what they find.
        environ: The environment.
    """
    path = named_in(environ)
    configuration = _load(path)
    if configuration is None:
        join()
        return
    from opentelemetry.configuration import configure_sdk  # noqa: PLC0415 - only a file needs it
    from opentelemetry.configuration.instrumentation import configure_instrumentation  # noqa: PLC0415 - the same

    instrumentations, configuration.instrumentation_development = configuration.instrumentation_development, None
    try:
        configure_sdk(configuration)
    except Exception as error:  # noqa: BLE001 - an exporter of anybody's
        _say(path, _wrong(error), "What it describes from there on is not set up")
    join()
    try:
        configure_instrumentation(instrumentations)
    except Exception as error:  # noqa: BLE001 - an instrumentation of anybody's
        _say(path, _wrong(error), "Not every instrumentation that it describes is set up")


def _load(path: Any) -> Any:
    try:
        from opentelemetry.configuration import load_config_file  # noqa: PLC0415 - only a file needs it
    except ImportError:
        _say(path, f"{_PACKAGE} is not installed", f"pip install {_PACKAGE}")
        return None
    try:
        with _unquoted(load_config_file.__module__):
            return load_config_file(str(path))
    except Exception as error:  # noqa: BLE001 - whatever a file does to the loader
        _say(path, _wrong(error), "Nothing that it describes is set up")
    return None


def _say(path: Any, wrong: str, remedy: str) -> None:
    _guard.logger.error("footspan: %s=%s: %s. %s", VARIABLE, path, wrong, remedy)


@contextmanager
def _unquoted(name: str) -> Iterator[None]:
    """Keep the texts of exceptions out of what a logger says meanwhile: they quote the file."""

    def without(record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True

    logger = logging.getLogger(name)
    logger.addFilter(without)
    try:
        yield
    finally:
        logger.removeFilter(without)


def _wrong(error: BaseException) -> str:
    """What is wrong, in words that hold no value."""
    if isinstance(error, ConfigurationError):
        return str(error)
    cause = error.__cause__
    if cause is not None and hasattr(cause, "absolute_path") and hasattr(cause, "validator"):
        return _violation(cause)
    if isinstance(error, ImportError):  # names a package, and how to install it
        return str(error)
    return f"{type(error).__name__} in {_step(error)}"


def _violation(error: Any) -> str:
    """What the schema says, by the keys that lead to the place."""
    deepest = error
    while deepest.context:  # of several forms none of which fits, the one that fits best
        deepest = max(deepest.context, key=lambda each: len(each.absolute_path))
    place = ".".join(ordinary(str(each)) for each in deepest.absolute_path) or "the top"
    if deepest.validator == "additionalProperties":
        known = list(deepest.schema.get("properties", {}))
        extra = sorted(ordinary(key) for key in deepest.instance if key not in known)
        guess = nearest(extra[0], known) if extra else None
        hint = f"did you mean {guess}?" if guess else f"known are {', '.join(known)}"
        return f"at {place}: found unknown keys: {', '.join(extra)}; {hint}"
    if deepest.validator == "required":
        missing = ", ".join(f"`{key}`" for key in deepest.validator_value if key not in deepest.instance)
        return f"at {place}: found no key {missing}"
    wanted = f" {deepest.validator_value}" if deepest.validator in _TELLING else ""
    return f"at {place}: found what does not fit the schema ({deepest.validator}{wanted})"


def _step(error: BaseException) -> str:
    """The function that a component was being made in; no value and no line of source."""
    import traceback  # noqa: PLC0415 - only who looks for a mistake needs it

    names = [frame.name for frame in traceback.extract_tb(error.__traceback__) if "configuration" in frame.filename]
    return names[-1].strip("_") if names else "the configuration"
