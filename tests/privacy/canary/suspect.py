"""The program under suspicion: it plants secrets of the kinds it is told, everywhere, and leaves.

``suspect.py START KINDS ADDRESSES``: ``START`` is ``code`` for a start by ``footspan.init`` and ``none`` where
something else has started telemetry; ``KINDS`` are names with commas between them, ``ADDRESSES`` those of the servers
of drop-in clients, as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
from urllib.parse import quote

logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")

from flask import Flask, Response  # noqa: E402 - logging begins before everything else
from opentelemetry import _logs, trace  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor  # noqa: E402

import footspan  # noqa: E402
from privacy.canary.kinds import KINDS, Planter  # noqa: E402
from privacy.canary.planting import EVERY_WAY, FIREFOX, BrokenError, by_clients  # noqa: E402


def start_by_code() -> None:
    """The app's own tracer provider, then ``init``; an exporter that comes later, too."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    trace.set_tracer_provider(provider)
    footspan.init(debug=True)
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))


def serve(plant: Planter) -> None:
    """Requests to a Flask app: pages, a page that fails, with everything that a request can bear."""
    app = Flask("planted")
    app.logger.disabled = True  # what the app itself logs is the app's matter

    @app.get("/<path:name>")
    def page(name: str) -> Response:
        if name.startswith("broken"):
            raise BrokenError(plant.text("flask: exception"))
        footspan.track("planted.request")
        return Response("<p>hello</p>", headers={"X-Answer": quote(plant.text("flask: answer's header"))})

    def one_line(text: str) -> str:
        return text.replace("\n", " ")

    headers = {
        "User-Agent": FIREFOX,
        "Accept": "text/html",
        "Accept-Language": "en",
        "Referer": f"https://search.example/?q={quote(plant.text('flask: referrer'))}",
        "Authorization": one_line(f"Bearer {plant.text('flask: header')}"),
        "Cookie": f"session={quote(plant.text('flask: cookie'))}",
        "X-Note": one_line(plant.text("flask: another header")),
        "Baggage": f"note={quote(plant.text('flask: baggage'))}",
        "Tracestate": f"vendor={quote(plant.text('flask: trace state'))[:250]}",
        "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    visitor = app.test_client()
    query = f"q={quote(plant.text('flask: query'))}&utm_source={quote(plant.text('flask: utm'))}"
    visitor.get(f"/{quote(plant.text('flask: path'), safe='')}?{query}", headers=headers)
    visitor.get(f"/broken?{query}", headers=headers)


def main() -> None:
    """Plant, deliver, leave; the last line says which places there were."""
    start, kinds, addresses = sys.argv[1:]
    if start == "code":
        start_by_code()
    where = json.loads(addresses)
    for kind in kinds.split(","):
        plant = Planter(KINDS[kind])
        serve(plant)
        for way in EVERY_WAY:
            way(plant)
        by_clients(plant, **where)
    left = footspan.flush(60.0)
    for provider in (trace.get_tracer_provider(), _logs.get_logger_provider()):
        getattr(provider, "force_flush", int)()
    print(json.dumps({"places": plant.places, "left": left}))


main()
