"""The gateway: events of other processes, languages and Collectors, in through HTTP and onto the same road.

* ``app``: the ASGI application and its routes.
* ``logs``: ``POST /v1/logs``, from the request to the answer.
* ``body``, ``in_flight``: a request's bytes, bounded: each one's and all together.
* ``protobuf``: OTLP protobuf to the same records that OTLP JSON gives.
* ``intake``: records to the pipeline; what is kept, refused, or not possible now.
* ``answers``: what is said, in the encoding of the question.
* ``server``: the application on a socket, until a signal.

What it promises is described in ``docs/gateway.md``. It needs the extra ``gateway``.
"""

from __future__ import annotations

from footspan.gateway.app import create_app
from footspan.gateway.limits import Limits

__all__ = ["Limits", "create_app"]
