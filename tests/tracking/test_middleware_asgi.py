"""Tests for footspan.AsgiMiddleware: a context per request and per WebSocket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from footspan import AsgiMiddleware, _guard, set_context
from footspan import conventions as c
from footspan.processors import baggage
from footspan.processors.context import ambient


def seen() -> dict[str, Any]:
    """What an event here and now would bear."""
    return dict(ambient())


async def receive() -> dict[str, Any]:
    """Nothing comes."""
    return {"type": "http.disconnect"}


async def send(_: Any) -> None:
    """Nobody listens."""


def http(user: str | None = None, kind: str = "http", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """A connection's scope."""
    return {"type": kind, "user": user, "headers": list(headers)}


def user(scope: Any) -> dict[str, Any]:
    """A callback as an app would write it."""
    return {"user_id": scope["user"], "session_id": "s1"}


class App:
    """Notes what each connection sees, before and after it waited and said more."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve."""
        before = seen()
        set_context(n=scope["user"])
        await asyncio.sleep(0)
        self.seen.append((before, seen()))


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_connections_at_once_keep_apart(kind: str) -> None:
    """Even where one task serves them one after the other, and nothing is left in it."""
    app = App()
    served = AsgiMiddleware(app, fields=user)

    async def main() -> dict[str, Any]:
        await asyncio.gather(*(served(http(each, kind), receive, send) for each in ("u1", "u2")))
        await served(http(None, kind), receive, send)
        await served(http("u3", kind), receive, send)
        return seen()

    set_context(tag="blue")
    assert asyncio.run(main()) == {c.TAG: "blue"}
    base = {c.TAG: "blue", c.SESSION_ID: "s1"}
    known = [({**base, c.USER_ID: each}, {**base, c.USER_ID: each, "n": each}) for each in ("u1", "u2", "u3")]
    assert app.seen == [*known[:2], (base, base), known[2]]


def test_a_failing_handler_leaves_nothing() -> None:
    """Its exception passes untouched."""
    error = KeyError()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        set_context(plan="pro")
        raise error

    async def main() -> dict[str, Any]:
        with pytest.raises(KeyError) as caught:
            await AsgiMiddleware(app, fields=user)(http("u1"), receive, send)
        assert caught.value is error
        return seen()

    assert asyncio.run(main()) == {}


def test_a_handler_that_is_cancelled_leaves_nothing() -> None:
    """The client hung up, and the server goes on in the same task."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    async def main() -> dict[str, Any]:
        async def serve() -> dict[str, Any]:
            try:
                await AsgiMiddleware(app, fields=user)(http("u1"), receive, send)
            except asyncio.CancelledError:
                return seen()
            return {"never": "reached"}

        task = asyncio.create_task(serve())
        await asyncio.sleep(0)
        task.cancel()
        return await task

    assert asyncio.run(main()) == {}


@pytest.mark.parametrize("kind", ["lifespan", "something.new"])
def test_what_has_no_client_passes_untouched(kind: str) -> None:
    """The callback is not asked, and scope, receive and send are the server's own."""
    got: list[Any] = []

    async def app(*arguments: Any) -> None:
        got.append(arguments)

    def fail(_: Any) -> dict[str, Any]:
        raise AssertionError

    scope = {"type": kind}
    asyncio.run(AsgiMiddleware(app, fields=fail)(scope, receive, send))

    assert [[id(each) for each in arguments] for arguments in got] == [[id(scope), id(receive), id(send)]]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_messages_pass_untouched(kind: str) -> None:
    """The app talks to the server itself."""
    got: list[Any] = []

    async def app(*arguments: Any) -> None:
        got.append(arguments)

    scope = http("u1", kind)
    asyncio.run(AsgiMiddleware(app)(scope, receive, send))

    assert got == [(scope, receive, send)]
    assert got[0][0] is scope


def test_a_callback_that_fails_costs_no_request() -> None:
    """The request goes on without what it would have said."""
    _guard.reraise_in_tests(False)
    app = App()

    def fail(_: Any) -> dict[str, Any]:
        raise KeyError

    asyncio.run(AsgiMiddleware(app, fields=fail)(http("u1"), receive, send))

    assert app.seen == [({}, {"n": "u1"})]


def test_incoming_baggage_is_read_by_name() -> None:
    """From however many headers, and the app's own word counts more."""
    baggage.propagate(["session_id", "user_id"])
    app = App()
    headers = ((b"baggage", b"session.id=s9,plan=secret"), (b"Baggage", b"user.id=theirs"), (b"x", b"session.id=no"))
    asyncio.run(
        AsgiMiddleware(app, fields=lambda scope: {"user_id": scope["user"]})(
            http("u1", "http", *headers), receive, send
        )
    )

    assert app.seen[0][0] == {c.SESSION_ID: "s9", c.USER_ID: "u1"}


def test_a_real_framework_behind_it() -> None:
    """Starlette: endpoints in the loop and in threads, and a failing one."""
    pytest.importorskip("starlette")
    from starlette.applications import Starlette  # noqa: PLC0415 - needs the extra
    from starlette.responses import JSONResponse  # noqa: PLC0415 - the same
    from starlette.routing import Route  # noqa: PLC0415 - the same

    async def here(request: Any) -> JSONResponse:
        set_context(n=1)
        return JSONResponse(seen())

    def in_a_thread(request: Any) -> JSONResponse:
        return JSONResponse(seen())

    async def fail(request: Any) -> JSONResponse:
        raise KeyError

    routes = [Route("/here", here), Route("/thread", in_a_thread), Route("/fail", fail)]
    served = AsgiMiddleware(Starlette(routes=routes), fields=lambda scope: {"path": scope["path"]})

    async def get(path: str) -> Any:
        body = b""

        async def collect(message: Any) -> None:
            nonlocal body
            body += message.get("body", b"")

        asked = {
            **http(),
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
        }
        await served(asked, receive, collect)
        return json.loads(body)

    async def main() -> list[Any]:
        found = [await get("/here")]
        with pytest.raises(KeyError):
            await get("/fail")
        return [*found, await get("/thread"), seen()]

    assert asyncio.run(main()) == [{c.URL_PATH: "/here", "n": 1}, {c.URL_PATH: "/thread"}, {}]
