"""TraceTelemetry: events to its collecting endpoint, as a bare JSON array."""
