"""An app of OpenTelemetry's own, for processes under ``opentelemetry-instrument``: nothing in it knows of footspan."""

from __future__ import annotations

from flask import Flask
from opentelemetry import trace
from opentelemetry._logs import get_logger

app = Flask(__name__)


@app.get("/tea")
def tea() -> str:
    """A page, a query for it, and an event."""
    trace.get_tracer("shop").start_span("SELECT teas", attributes={"db.system.name": "postgresql"}).end()
    get_logger("shop").emit(
        timestamp=1_767_225_600_000_000_000,
        event_name="tea.seen",
        attributes={"note": "to jane@canary.example", "kind": "green"},
    )
    return "<!doctype html><title>tea</title>"
