"""The ASGI application: its routes, and what is answered where there is none."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from footspan import _guard
from footspan.gateway import answers, body
from footspan.gateway.limits import Limits
from footspan.gateway.logs import Logs, failure, media_type_of
from footspan.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from footspan.pipeline import Pipeline

_REASONS = {404: "nothing is here; events go to /v1/logs", 405: "this method is not taken here"}


def create_app(pipeline: Pipeline, limits: Limits | None = None) -> Starlette:
    """The gateway as an ASGI application, for ``footspan gateway`` or any ASGI server.

    Args:
        pipeline: Where events go; whoever made it stops it, after the application.
        limits: How much is taken on at once.

    Returns:
        The application. Its end waits for the requests that are being written.
    """
    logs = Logs(pipeline, limits or Limits())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(logs.close)

    async def health(_: Request) -> Response:
        ready = await asyncio.to_thread(logs.intake.recovered)
        return JSONResponse({"status": "ok" if ready else "degraded"}, 200 if ready else 503)

    routes = [
        Route("/v1/logs", logs.answer, methods=["POST"]),
        Route("/v1/logs/", logs.answer, methods=["POST"]),
        Route("/healthz", health, methods=["GET"]),
    ]
    handlers: dict[Any, Any] = {HTTPException: _no_route, Exception: _failed}
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)
    app.router.redirect_slashes = False  # senders do not follow redirects
    return app


async def _no_route(request: Request, error: HTTPException) -> Response:
    await body.discard(request)
    refusal = Refusal(error.status_code, _REASONS.get(error.status_code, error.detail))
    return answers.refused(media_type_of(request) or answers.JSON, refusal, error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    _guard.report("gateway", error)
    return answers.refused(media_type_of(request) or answers.JSON, failure())
