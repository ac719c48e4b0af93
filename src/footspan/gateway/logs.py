"""``POST /v1/logs``: from the request to the answer.

The event loop's thread only reads and answers. Unpacking, decoding and the append to the disk are done by a few
threads, so that neither a large body nor a slow disk holds up other senders.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from footspan import _guard
from footspan.gateway import answers, body
from footspan.gateway.in_flight import InFlight
from footspan.gateway.intake import Intake, Receipt
from footspan.gateway.protobuf import decode_protobuf
from footspan.gateway.refusal import RETRY_LATER, RETRY_SOON, Refusal
from footspan.otlp_json.parse import Decoded, decode
from footspan.otlp_json.text import loads

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from footspan.gateway.limits import Limits
    from footspan.pipeline import Pipeline


class Logs:
    """The endpoint.

    Args:
        pipeline: Where events go.
        limits: How much is taken on at once.
    """

    def __init__(self, pipeline: Pipeline, limits: Limits) -> None:
        self.intake = Intake(pipeline, limits.max_stored)
        self._limits = limits
        self._in_flight = InFlight(limits.max_in_flight)
        self._threads = ThreadPoolExecutor(limits.workers, "footspan-gateway")

    async def answer(self, request: Request) -> Response:
        """Answer one request. Whatever goes wrong inside is 503: after a 500 senders drop their data."""
        media_type = media_type_of(request)
        try:
            receipt = await self._export(request, media_type)
        except Refusal as refusal:
            return answers.refused(media_type or answers.JSON, refusal)
        except ClientDisconnect:
            return answers.refused(media_type or answers.JSON, Refusal(400, "the body ended early"))  # heard by nobody
        except Exception as error:  # noqa: BLE001 - see above
            _guard.report("gateway", error)
            return answers.refused(media_type or answers.JSON, failure())
        return answers.accepted(media_type, receipt.rejected, receipt.message)

    async def _export(self, request: Request, media_type: str) -> Receipt:
        stream = request.stream()
        try:
            _check_media_type(media_type)
            coding = body.content_coding(request.headers.get("content-encoding", ""))
            announced = body.announced_length(request.headers.get("content-length"))
            body.check_length(announced, self._limits.max_body)
            with self._in_flight.request(announced) as hold:
                reading = body.collect(stream, self._limits.max_body, hold)
                pieces = await asyncio.wait_for(reading, self._limits.read_timeout)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._take, pieces, coding, media_type)
        except asyncio.TimeoutError:
            raise Refusal(503, "the body did not arrive in time: try again", retry_after=RETRY_SOON) from None
        except Refusal:
            await body.discard(request, stream)
            raise

    def _take(self, pieces: list[bytes], coding: str, media_type: str) -> Receipt:
        """The blocking part, on a thread of its own."""
        clear = body.unpack(pieces, coding, self._limits.max_body)
        try:
            records = decode_protobuf(clear) if media_type == answers.PROTOBUF else _decode_json(clear)
        except ValueError:
            raise Refusal(400, "the body is no ExportLogsServiceRequest") from None
        return self.intake.take(records, len(clear))

    def close(self) -> None:
        """Finish what was begun, and take nothing more."""
        self._threads.shutdown(wait=True)


def media_type_of(request: Request) -> str:
    """The request's media type where it is one of the two of OTLP; empty otherwise."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type if media_type in {answers.JSON, answers.PROTOBUF} else ""


def _check_media_type(media_type: str) -> None:
    if not media_type:
        raise Refusal(415, f"unknown media type; taken are: {answers.JSON}, {answers.PROTOBUF}")


def failure() -> Refusal:
    """The answer to a failure of our own."""
    return Refusal(503, "the gateway failed: try again", retry_after=RETRY_LATER)


def _decode_json(clear: bytes) -> list[Decoded]:
    records = decode(clear)
    if not records:
        _check_envelope(loads(clear))
    return records


def _check_envelope(request: dict[str, object]) -> None:
    """Nothing was found: because nothing is there, or because a sender writes its own kind of OTLP?

    The reader passes over what it does not know. To acknowledge a request of which nothing was understood would lose it
    silently.

    Raises:
        ValueError: A list of the envelope is no list of objects.
    """
    level: list[object] = [request]
    for camel, snake in (("resourceLogs", "resource_logs"), ("scopeLogs", "scope_logs"), ("logRecords", "log_records")):
        below: list[object] = []
        for holder in level:
            if not isinstance(holder, dict):
                raise ValueError("OTLP JSON: not an object")  # noqa: TRY004 - undecodable, not a wrong argument
            items = holder.get(camel, holder.get(snake)) or []
            if not isinstance(items, list):
                raise ValueError("OTLP JSON: not an array")  # noqa: TRY004 - the same
            below += items
        level = below
