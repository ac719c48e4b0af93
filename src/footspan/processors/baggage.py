"""Named context values in OpenTelemetry's baggage: into outgoing requests, and out of incoming ones.

Off unless ``context.propagate`` names keys, because what is in baggage leaves the process in HTTP headers, to whomever
the process talks to. Nothing else of the context is sent, and nothing else is read from what others send. The values
travel under their attribute names (``session.id``). Whether baggage is sent at all is OpenTelemetry's propagator's
business (``OTEL_PROPAGATORS``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from footspan import _guard
from footspan import conventions as c
from footspan.processors.context import ambient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_VALUE: Final = 256
"""Characters of a value; a longer one is neither sent nor read, since half an id is another id."""
MAX_HEADER: Final = 8_192
"""Characters of an incoming header; of a longer one nothing is read (W3C Baggage, limits)."""

_names: tuple[str, ...] = ()


def propagate(keys: Sequence[str]) -> None:
    """Propagate these values from now on, and no others.

    Args:
        keys: Keywords as ``set_context`` takes them (``session_id``), or attribute names; none: nothing is propagated.
    """
    global _names  # noqa: PLW0603 - the process has one propagator, and so one list
    _names = tuple(dict.fromkeys(c.REQUEST_ALIASES.get(key, key) for key in keys))
    if _names:
        _install()


def _install() -> None:
    """Stand before the process's propagator, once."""
    from opentelemetry import propagate as otel  # noqa: PLC0415 - finds propagators by their entry points

    from footspan.processors.propagator import BaggagePropagator  # noqa: PLC0415 - the same

    current = otel.get_global_textmap()
    if not isinstance(current, BaggagePropagator):
        otel.set_global_textmap(BaggagePropagator(current))


def outgoing() -> dict[str, str]:
    """The values to send with a request, by attribute name."""
    names = _names
    if not names:
        return {}
    values = ambient()
    return {name: text for name in names if (text := _text(name, values.get(name)))}


def incoming(header: Callable[[], str | None]) -> dict[str, str]:
    """The values that a request came with, of those that are propagated.

    Args:
        header: Gives its ``baggage`` header; not called while nothing is propagated.
    """
    names = _names
    text = header() if names else None
    if not text or len(text) > MAX_HEADER:
        return {}
    sent: dict[str, str] = {}
    for member in text.split(","):
        key, _, value = member.partition("=")
        # Behind a semicolon are the member's properties; what is in the value itself is encoded (W3C Baggage, 3.3.1).
        sent[unquote_plus(key.strip())] = unquote_plus(value.partition(";")[0].strip())
    return {name: value for name in names if (value := _text(name, sent.get(name)))}


def _text(name: str, value: Any) -> str:
    """A value as it travels; empty for what does not."""
    if value is None or isinstance(value, (list, tuple, dict, set, bytes)):
        return ""
    text = value if isinstance(value, str) else str(value)
    if len(text) > MAX_VALUE:
        _guard.warn_once(f"baggage {name}", "footspan: a value of %s is too long for baggage: it is left out", name)
        return ""
    return text if text.isprintable() else ""
