"""What the OpenTrace client is given, before anything comes of it."""

from __future__ import annotations

import os
from typing import Any, Final

from footspan import conventions as c
from footspan.config import ConfigurationError

_TOUCHES: Final = frozenset({*(f"utm_{field}" for field in c.UTM_FIELDS), *c.CLICK_ID_FIELDS})


def check(host: object) -> None:
    """Whether a host is a text at all; what kind of one, its destination looks at.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(host, str) or not host.strip():
        raise ConfigurationError(
            "OpenTrace(host=…)",
            "an empty text" if isinstance(host, str) else f"a {type(host).__name__}",
            "Write the address of the OpenTrace installation, such as https://analytics.example.com.",
        )


def authorities() -> str | None:
    """The authorities that ``requests`` is told to trust, as the original was by it."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or ""
    return named if os.path.isfile(named) else None  # noqa: PTH113 - anything may stand there


def split(more: dict[str, Any], touches: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """How the visitor came, and whatever else was given by keyword."""
    return (
        {**touches, **{key: value for key, value in more.items() if key in _TOUCHES}},
        {key: value for key, value in more.items() if key not in _TOUCHES},
    )


def or_nothing(payload: Any) -> Any:
    """A payload, or ``{}`` where it counts as none."""
    try:
        return payload or {}
    except Exception:  # noqa: BLE001 - an array of several numbers is neither true nor false
        return payload
