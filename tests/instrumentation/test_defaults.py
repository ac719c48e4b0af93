"""The environment that page views need is added to the operator's, and nothing of the operator's is changed."""

from __future__ import annotations

from footspan.instrumentation.defaults import CAPTURE_REQUEST, CAPTURE_RESPONSE, SEMCONV_OPT_IN, apply_defaults
from footspan.processors.page_views import REQUEST_HEADERS


def test_defaults_of_an_empty_environment() -> None:
    """New conventions, and every header that the page view rule reads."""
    environ: dict[str, str] = {}
    apply_defaults(page_views=True, environ=environ)
    assert environ[SEMCONV_OPT_IN] == "http"
    assert set(environ[CAPTURE_REQUEST].split(",")) == set(REQUEST_HEADERS)
    assert environ[CAPTURE_RESPONSE] == "content-type"


def test_the_operators_values_stay() -> None:
    """A choice of conventions stands; captured headers are kept, in front, and none is listed twice."""
    environ = {SEMCONV_OPT_IN: "database", CAPTURE_REQUEST: "X-Tenant, Referer,", CAPTURE_RESPONSE: "Content-Type"}
    apply_defaults(page_views=True, environ=environ)
    assert environ[SEMCONV_OPT_IN] == "database"
    assert environ[CAPTURE_RESPONSE] == "Content-Type"
    listed = environ[CAPTURE_REQUEST].split(",")
    assert listed[:2] == ["X-Tenant", "Referer"]
    assert "referer" not in listed
    assert "accept-language" in listed


def test_twice_is_once() -> None:
    """A child process that inherits the environment adds nothing to it."""
    environ: dict[str, str] = {}
    apply_defaults(page_views=True, environ=environ)
    first = dict(environ)
    apply_defaults(page_views=True, environ=environ)
    assert environ == first


def test_without_page_views_no_header_is_captured() -> None:
    """Who wants no page views gets no header on spans."""
    environ: dict[str, str] = {}
    apply_defaults(page_views=False, environ=environ)
    assert environ == {SEMCONV_OPT_IN: "http"}
