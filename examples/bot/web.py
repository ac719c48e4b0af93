"""The web shop that the bot leads to: one page, and a purchase that a worker process records."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from flask import Flask
from worker import pay

import footspan

app = Flask(__name__)
workers = footspan.CarryingExecutor(ProcessPoolExecutor(1, mp_context=get_context("spawn")))


@app.get("/tea")
def tea() -> str:
    """The page."""
    return '<!doctype html><title>Tea</title><form method="post" action="/buy"><button>Buy</button></form>'


@app.post("/buy")
def buy() -> str:
    """Hand the order to a worker, who knows whose it is."""
    return f"<p>Order {workers.submit(pay, 9.90).result(timeout=60)}"
