"""From a type in the settings to the class of the destination: ours by name, others' by class or entry point."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Final

from footspan import _platform
from footspan.config import ConfigurationError
from footspan.destinations.base import Destination

if TYPE_CHECKING:
    from footspan.config import DestinationSettings

BUILT_IN: Final = {
    "console": ("footspan.destinations.console", "ConsoleDestination"),
    "dash_tracker": ("footspan.destinations.dash_tracker", "DashTrackerDestination"),
    "logging": ("footspan.destinations.logging", "LoggingDestination"),
    "opentrace": ("footspan.destinations.opentrace", "OpenTraceDestination"),
    "otlp": ("footspan.destinations.otlp", "OtlpDestination"),
    "trace_telemetry": ("footspan.destinations.trace_telemetry", "TraceTelemetryDestination"),
    "umami": ("footspan.destinations.umami", "UmamiDestination"),
}
"""Where each type of ours lives; loaded when it is first used."""


def build_destination(settings: DestinationSettings) -> Destination:
    """Make a destination from its settings. Connects to nothing.

    Args:
        settings: One destination's settings, its options parsed.

    Raises:
        ConfigurationError: The type is unknown or no destination, or an option is missing or cannot be used.
    """
    if settings.type not in BUILT_IN:
        return _build_own(settings)
    module, name = BUILT_IN[settings.type]
    with _platform.importing():
        loaded = import_module(module)
    destination: Destination = getattr(loaded, name)(settings)
    return destination


def _build_own(settings: DestinationSettings) -> Destination:
    from footspan.config.kinds import BadValueError  # noqa: PLC0415 - only types that are not built in need it

    try:
        found = _class_of(settings.type)
        return found(settings)
    except ConfigurationError:
        raise
    except BadValueError as bad:
        wrong, fix = bad.found, bad.fix
    except Exception as failure:  # noqa: BLE001 - somebody else's code; its text may quote an option
        wrong = f"a class whose object cannot be made ({type(failure).__name__})"
        fix = "Let it raise ConfigurationError for settings that it cannot use."
    # Outside the handlers: no chained exception that might quote a secret.
    raise ConfigurationError(f"telemetry.destinations.{settings.name}.type", wrong, fix)


def _class_of(name: str) -> type[Destination]:
    """The class that an own type's name stands for.

    Raises:
        BadValueError: There is none, or it is no destination.
    """
    from footspan.config.kinds import BadValueError  # noqa: PLC0415 - as above
    from footspan.config.options import DESTINATION_TYPES  # noqa: PLC0415 - as above
    from footspan.config.own_types import load_class, type_of  # noqa: PLC0415 - as above

    if name in DESTINATION_TYPES:  # whose names are final, though nothing sends there yet
        raise BadValueError("a type that this version cannot send to", f"Use one of {', '.join(BUILT_IN)}.")
    type_of(name)
    found: type[Destination] = load_class(name)
    if not issubclass(found, Destination):
        raise BadValueError(
            f"the class {found.__name__}, which is no destination",
            "Derive it from footspan.destinations.HttpDestination or Destination.",
        )
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise BadValueError(f"the class {found.__name__}, which lacks {missing}", "Define what is missing.")
    return found


def make_destination(kind: str, /, **options: object) -> Destination:
    """Make a destination from keywords, environment and file, in this order, without a pipeline.

    Args:
        kind: Its type: a built-in one, the name of an entry point, or ``package.module:Class``.
        **options: Its settings, as they stand under its name in the file; ``name`` is that name, by default the
            type's.

    Raises:
        ConfigurationError: Something is missing or cannot be used, or telemetry is switched off as a whole.
    """
    from footspan.config.one import load_destination  # noqa: PLC0415 - a pipeline has settings already

    name = options.pop("name", None)
    one = load_destination(kind, None if name is None else str(name), options, caller="make_destination")
    if one is None:
        raise ConfigurationError("telemetry.enabled", "false", "Make no destination while telemetry is switched off.")
    return build_destination(one.destination)
