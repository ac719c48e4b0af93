"""The web app of the process tests: every kind of answer that is or is not a page view."""

from __future__ import annotations

import os

from flask import Flask, Response, abort, jsonify, redirect, request, session
from werkzeug.middleware.proxy_fix import ProxyFix

import footspan

app = Flask(__name__)
app.secret_key = "only for tests"
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)  # type: ignore[method-assign]


@app.get("/")
@app.get("/page/<name>")
def page(name: str = "home") -> str:
    """A page."""
    return f"<!doctype html><title>{name}</title>"


@app.get("/json")
def json() -> Response:
    """An API."""
    return jsonify(answer=42)


@app.get("/go")
def go() -> Response | str:
    """A redirect."""
    return redirect("/")  # type: ignore[return-value] # Flask's own answer types are wider


@app.get("/missing")
def missing() -> str:
    """A page that is not there."""
    abort(404)


@app.get("/boom")
def boom() -> str:
    """A failure."""
    message = "boom"
    raise RuntimeError(message)


@app.get("/health")
def health() -> str:
    """A health check that answers HTML, as Flask does by default."""
    return "fine"


@app.post("/form")
def form() -> str:
    """A form's answer."""
    return "<p>thanks</p>"


@app.get("/track/<int:number>")
def track(number: int) -> Response:
    """Track something; says which process did."""
    session["seen"] = True
    uid = footspan.track("order.placed", number=number, path=request.path, note="write to jane@canary.example")
    return jsonify(pid=os.getpid(), uid=uid)
