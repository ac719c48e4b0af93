"""The environment that page views need: defaults and additions, never a changed choice of the operator's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from footspan.processors.page_views import REQUEST_HEADERS, RESPONSE_HEADERS

if TYPE_CHECKING:
    from collections.abc import MutableMapping

SEMCONV_OPT_IN: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"
CAPTURE_REQUEST: Final = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST"
CAPTURE_RESPONSE: Final = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE"


def apply_defaults(*, page_views: bool, environ: MutableMapping[str, str] = os.environ) -> None:
    """Prepare the environment before anything is instrumented. Doing it again changes nothing.

    Args:
        page_views: Whether page views are wanted, so that the headers they need must be captured on server spans.
        environ: What to change; the process's own environment, which child processes inherit.
    """
    environ.setdefault(SEMCONV_OPT_IN, "http")
    if page_views:
        capture_headers(environ)


def capture_headers(environ: MutableMapping[str, str] = os.environ) -> None:
    """Have server spans bear the headers that page views are read from."""
    _add(environ, CAPTURE_REQUEST, REQUEST_HEADERS)
    _add(environ, CAPTURE_RESPONSE, RESPONSE_HEADERS)


def _add(environ: MutableMapping[str, str], name: str, headers: tuple[str, ...]) -> None:
    """Add headers to a list that the instrumentations read as regular expressions, compared without case."""
    listed = [entry.strip() for entry in environ.get(name, "").split(",") if entry.strip()]
    known = {entry.lower() for entry in listed}
    environ[name] = ",".join(listed + [header for header in headers if header not in known])
