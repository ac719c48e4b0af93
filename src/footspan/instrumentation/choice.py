"""Which spans and plain logs go where, by what ``OTEL_TRACES_EXPORTER`` and ``OTEL_LOGS_EXPORTER`` say.

A footspan name in them (``footspan``, ``umami``, ``footspan_umami``, …) means the spooled destinations. ``otlp`` means
the destination of that type when its address is the same: one place is reached one way only. Every other name is the
operator's exporter and stays with the SDK.

Under another distro the same names are plain exporters (entry points of :mod:`footspan.exporters`).
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from footspan.config.otel import whole_address
from footspan.destinations.http import join

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping, Sequence

    from footspan.config import DestinationSettings

Signal = Literal["traces", "logs"]

_NAME: Final = "footspan"
_PREFIXES: Final = (f"{_NAME}_", f"{_NAME}-")
_OWN: Final = frozenset({"dash_tracker", "opentrace", "trace_telemetry", "umami"})
"""Destinations whose name alone means ours; of the others, OpenTelemetry has exporters of its own called so."""
_BARE: Final = _OWN | {_NAME}

EXPORTERS: Final = _OWN | {f"{_NAME}_{each}" for each in (*_OWN, "otlp", "console")}
"""The names under which our entry points offer plain exporters."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of one signal.

    Attributes:
        variable: The variable that names its exporters.
        kept: What the SDK is to see of it; ``None`` leaves it as it is.
        destinations: The ``otlp`` destinations that get the signal from us.
    """

    variable: str
    kept: str | None
    destinations: tuple[DestinationSettings, ...]


def choose(
    signal: Signal, destinations: Sequence[DestinationSettings], environ: Mapping[str, str] = os.environ
) -> Choice:
    """Decide for one signal.

    Spans go to every ``otlp`` destination unless the variable names other exporters; plain logs only when it asks.

    Args:
        signal: Which signal.
        destinations: All destinations of the settings.
        environ: The environment.
    """
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    reachable = tuple(each for each in destinations if each.enabled and _address(each, signal))
    names = _listed(environ, variable)
    if not names:
        return Choice(variable, None, reachable if signal == "traces" else ())
    taken = [name for name in names if is_ours(name) or (name == "otlp" and _same_place(reachable, signal, environ))]
    kept = [name for name in names if name not in taken]
    meant = tuple(each for each in reachable if any(_means(name, each) for name in taken))
    return Choice(variable, ",".join(kept) or "none" if taken else None, meant)


def is_ours(name: str) -> bool:
    """Whether an exporter's name is one of footspan's."""
    return name in _BARE or name.startswith(_PREFIXES)


def names_nothing(destinations: Sequence[DestinationSettings], environ: Mapping[str, str] = os.environ) -> list[str]:
    """Names of ours in the exporters' variables that stand for no enabled destination, each with its variable."""
    enabled = [each for each in destinations if each.enabled]
    return [
        f"{variable}={name}"
        for variable in ("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER")
        for name in _listed(environ, variable)
        if is_ours(name) and not any(_means(name, each) for each in enabled)
    ]


def asks_for_plain_exporters(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the exporters' variables name a plain exporter of ours, which they do where another distro reads them."""
    return any(
        name in EXPORTERS
        for variable in ("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER")
        for name in _listed(environ, variable)
    )


def _means(name: str, destination: DestinationSettings) -> bool:
    """Whether a name of ours stands for a destination: for every one, for those of a type, or for one by its name."""
    if name in {_NAME, "otlp"}:
        return True
    bare = name[len(_NAME) + 1 :] if name.startswith(_PREFIXES) else name
    return bare in {destination.name, destination.type}


def _listed(environ: Mapping[str, str], variable: str) -> list[str]:
    return [name.strip() for name in environ.get(variable, "").split(",") if name.strip()]


@contextmanager
def shown_to_sdk(choices: Sequence[Choice], environ: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Let the SDK see only the exporters that are left to it; the environment is as before afterwards."""
    before = {choice.variable: environ[choice.variable] for choice in choices if choice.kept is not None}
    environ.update({choice.variable: choice.kept for choice in choices if choice.kept is not None})
    try:
        yield
    finally:
        environ.update(before)


def _address(destination: DestinationSettings, signal: Signal) -> str:
    """Where a destination takes a signal; empty where it does not."""
    if destination.type != "otlp":
        return ""
    base = str(destination.options.get("endpoint") or "")
    return str(destination.options.get(f"{signal}_endpoint") or (join(base, f"v1/{signal}") if base else ""))


def _same_place(destinations: Sequence[DestinationSettings], signal: Signal, environ: Mapping[str, str]) -> bool:
    """Whether the SDK's ``otlp`` exporter would go where one of our destinations goes.

    An environment that names no place means whichever the ``otlp`` destination is.
    """
    whole = environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "").strip()
    base = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    whole = whole and whole_address(whole, f"{signal}_endpoint", environ)
    base = base and whole_address(base, "endpoint", environ)
    meant = whole or (join(base, f"v1/{signal}") if base else "")
    ours = [_address(each, signal) for each in destinations]
    return bool(ours) if not meant else any(meant.rstrip("/").lower() == each.rstrip("/").lower() for each in ours)
