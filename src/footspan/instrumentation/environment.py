"""Loaded by ``opentelemetry-instrument`` just before it starts the program: choose footspan where nobody chose.

With several distros installed OpenTelemetry takes whichever it happens to find first, which depends on the order of a
directory. Installing footspan beside another distro is no accident, so it is chosen, unless the operator has chosen or
switched footspan off.
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from footspan import _guard

if TYPE_CHECKING:
    from collections.abc import MutableMapping

DISTRO: Final = "OTEL_PYTHON_DISTRO"
CONFIGURATOR: Final = "OTEL_PYTHON_CONFIGURATOR"


def prefer_footspan(environ: MutableMapping[str, str] = os.environ) -> None:
    """Choose footspan for the program about to start. Never raises.

    Args:
        environ: Its environment.
    """
    with _guard.guard("choice of the distro"):
        if DISTRO in environ or CONFIGURATOR in environ:
            return
        found = [*entry_points(group="opentelemetry_distro"), *entry_points(group="opentelemetry_configurator")]
        if {entry.name for entry in found} != {"footspan"} and _is_wanted():
            environ[DISTRO] = environ[CONFIGURATOR] = "footspan"


def _is_wanted() -> bool:
    from footspan.config import ConfigurationError  # noqa: PLC0415 - only beside another distro
    from footspan.config.load import load_settings  # noqa: PLC0415 - the same

    try:
        return load_settings().enabled
    except ConfigurationError:
        return True  # the program will say what is wrong with it


prefer_footspan()
