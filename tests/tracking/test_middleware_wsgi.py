"""Tests for footspan.WsgiMiddleware: a context per request, from its first byte to its last."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from footspan import WsgiMiddleware, _guard, clear_context, context, set_context
from footspan import conventions as c
from footspan.processors import baggage
from footspan.processors.context import ambient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def seen() -> dict[str, Any]:
    """What an event here and now would bear."""
    return dict(ambient())


def environment(**values: Any) -> dict[str, Any]:
    """A request's ``environ``."""
    environ: dict[str, Any] = dict(values)
    setup_testing_defaults(environ)
    return environ


def begin(*_: Any) -> None:
    """A ``start_response`` that nobody listens to."""


def ask(app: Any, **values: Any) -> list[Any]:
    """A whole request, closed as a server closes it."""
    answer = app(environment(**values), begin)
    try:
        return list(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()


def user(environ: Any) -> dict[str, Any]:
    """A callback as an app would write it."""
    return {"user_id": environ.get("HTTP_X_USER"), "session_id": "s1"}


def app_of(seeing: list[Any]) -> Any:
    """An app that notes what it sees."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seeing.append(seen())
        set_context(n=len(seeing))
        return []

    return app


def test_each_request_has_its_own() -> None:
    """What the callback says is there; what one request sets, the next does not see."""
    seeing: list[Any] = []
    app = WsgiMiddleware(app_of(seeing), fields=user)
    set_context(tag="blue", user_id="machine")
    ask(app, HTTP_X_USER="u1")
    ask(app)

    assert seeing == [{c.TAG: "blue", c.USER_ID: "u1", c.SESSION_ID: "s1"}, {c.TAG: "blue", c.SESSION_ID: "s1"}]
    assert seen() == {c.TAG: "blue", c.USER_ID: "machine"}


def test_without_a_callback_there_is_a_scope_all_the_same() -> None:
    """``set_context`` changes the request's values, not the process's."""
    seeing: list[Any] = []
    app = WsgiMiddleware(app_of(seeing))
    ask(app)
    ask(app)

    assert seeing == [{}, {}]
    assert seen() == {}


@pytest.mark.parametrize("answer", [None, {}])
def test_a_callback_may_know_nothing(answer: Any) -> None:
    """Nobody is logged in."""
    seeing: list[Any] = []
    ask(WsgiMiddleware(app_of(seeing), fields=lambda _: answer))

    assert seeing == [{}]


def test_a_callback_that_fails_costs_no_request(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, without what it was about, and the request goes on."""
    _guard.reraise_in_tests(False)
    seeing: list[Any] = []

    def fail(_: Any) -> dict[str, Any]:
        raise KeyError("secret")

    ask(WsgiMiddleware(app_of(seeing), fields=fail))

    assert seeing == [{}]
    assert "fields of a request failed with KeyError" in caplog.text
    assert "secret" not in caplog.text


def test_a_failing_app_leaves_nothing() -> None:
    """Its exception passes untouched."""
    error = KeyError()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        set_context(user_id="u1")
        raise error

    with pytest.raises(KeyError) as caught:
        ask(WsgiMiddleware(app, fields=user), HTTP_X_USER="u1")
    assert caught.value is error
    assert seen() == {}


class Stream:
    """An answer in pieces, with a close."""

    def __init__(self, seeing: list[Any], *, failing: bool = False) -> None:
        self._seeing = seeing
        self._failing = failing
        self._left = 2

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._seeing.append(seen())
        if self._failing:
            raise KeyError
        if not self._left:
            raise StopIteration
        self._left -= 1
        set_context(left=self._left)
        return b"x"

    def close(self) -> None:
        """Told by the server."""
        self._seeing.append(seen())


def streaming(seeing: list[Any], **how: Any) -> WsgiMiddleware:
    """An app that streams."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        set_context(request_id="r1")
        return Stream(seeing, **how)

    return WsgiMiddleware(app, fields=user)


THEIRS = {c.USER_ID: "u1", c.SESSION_ID: "s1", c.REQUEST_ID: "r1"}


def test_a_stream_and_its_close_belong_to_the_request() -> None:
    """What a step sets, the next step sees."""
    seeing: list[Any] = []
    assert ask(streaming(seeing), HTTP_X_USER="u1") == [b"x", b"x"]

    assert seeing == [THEIRS, {**THEIRS, "left": 1}, {**THEIRS, "left": 0}, {**THEIRS, "left": 0}]
    assert seen() == {}


def test_between_two_steps_the_scope_is_not_open() -> None:
    """What else the thread does meanwhile is not the request's, even another request's stream."""
    one: list[Any] = []
    two: list[Any] = []
    first: Any = streaming(one)(environment(HTTP_X_USER="u1"), begin)
    second: Any = streaming(two)(environment(HTTP_X_USER="u2"), begin)
    assert seen() == {}
    for answer in (first, second, second, first):
        next(answer)
        assert seen() == {}
    with context(user_id="mine"):
        first.close()
        assert seen() == {c.USER_ID: "mine"}
    second.close()

    assert {each[c.USER_ID] for each in one} == {"u1"}
    assert {each[c.USER_ID] for each in two} == {"u2"}
    assert len(one) == len(two) == 3


def test_a_stream_may_be_sent_and_closed_by_other_threads() -> None:
    """A server may hand it on."""
    seeing: list[Any] = []
    answer: Any = streaming(seeing)(environment(HTTP_X_USER="u1"), begin)
    for step in (answer.__next__, answer.__next__, answer.close):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(step).result(10)
            assert pool.submit(seen).result(10) == {}

    assert [each[c.USER_ID] for each in seeing] == ["u1"] * 3
    assert seeing[-1]["left"] == 0


def test_a_stream_that_fails_leaves_nothing() -> None:
    """It fails as it would, is closed, and the thread is as it was."""
    seeing: list[Any] = []
    with pytest.raises(KeyError):
        ask(streaming(seeing, failing=True), HTTP_X_USER="u1")

    assert seeing == [THEIRS, THEIRS]
    assert seen() == {}


def test_a_generator_runs_in_its_request() -> None:
    """Its body, and what it cleans up when it is closed half way."""
    seeing: list[Any] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        try:
            with context(tag="inner"):
                seeing.append(seen())
                yield b"x"
                seeing.append(seen())
                yield b"y"
        finally:
            seeing.append(seen())

    answer: Any = WsgiMiddleware(app, fields=user)(environment(HTTP_X_USER="u1"), begin)
    for _ in range(2):
        next(answer)
        assert seen() == {}
    answer.close()

    theirs = {c.USER_ID: "u1", c.SESSION_ID: "s1"}
    assert seeing == [{**theirs, c.TAG: "inner"}, {**theirs, c.TAG: "inner"}, theirs]
    assert seen() == {}


def test_what_is_ready_is_handed_on_as_it_is() -> None:
    """Servers look at a list's length and at their own file wrapper's type."""
    file = FileWrapper(io.BytesIO(b"x"))
    for ready in ([b"x"], (b"x",), file):
        environ = environment(**{"wsgi.file_wrapper": FileWrapper})
        assert WsgiMiddleware(lambda *_, ready=ready: ready)(environ, begin) is ready
    file.close()


def test_a_file_wrapper_that_is_no_class_is_no_matter() -> None:
    """Some servers give a function."""

    def wrapper(file: Any) -> Any:
        return file

    environ = environment(**{"wsgi.file_wrapper": wrapper})
    assert list(WsgiMiddleware(lambda *_: iter([b"x"]))(environ, begin)) == [b"x"]


def test_the_validator_finds_nothing() -> None:
    """The middleware keeps to WSGI between an app and a server that do."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Stream([])

    assert ask(validator(WsgiMiddleware(validator(app))), QUERY_STRING="") == [b"x", b"x"]


def test_requests_at_once_keep_apart() -> None:
    """One app, many threads."""
    barrier = threading.Barrier(4)

    def app(environ: Any, start_response: Any) -> list[Any]:
        barrier.wait(20)
        set_context(path=environ["HTTP_X_USER"])
        barrier.wait(20)
        return [seen()]

    served = WsgiMiddleware(app, fields=user)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: ask(served, HTTP_X_USER=f"u{number}"), range(4)))

    assert found == [[{c.USER_ID: f"u{n}", c.SESSION_ID: "s1", c.URL_PATH: f"u{n}"}] for n in range(4)]


def test_what_the_callback_says_nobody_is_stays_so_to_the_last_byte() -> None:
    """A visitor that is not logged in is not the process's user either, in no step of the answer."""

    def app(environ: Any, start_response: Any) -> Iterator[Any]:
        yield seen()
        yield seen()

    set_context(user_id="machine")
    assert ask(WsgiMiddleware(app, fields=lambda _: {"user_id": None})) == [{}, {}]


def test_clearing_ends_with_the_request_too() -> None:
    """An app that clears its context leaves the server's as it was."""

    def app(environ: Any, start_response: Any) -> list[Any]:
        clear_context()
        return [seen()]

    set_context(tag="blue")
    with context(plan="pro"):
        assert ask(WsgiMiddleware(app, fields=user), HTTP_X_USER="u1") == [{c.TAG: "blue"}]
        assert seen() == {c.TAG: "blue", "plan": "pro"}


def test_incoming_baggage_is_read_by_name() -> None:
    """And the app's own word counts more than the caller's."""
    seeing: list[Any] = []
    app = WsgiMiddleware(app_of(seeing), fields=lambda environ: {"user_id": environ.get("HTTP_X_USER")})
    header = "session.id=s9,user.id=theirs,plan=secret"
    ask(app, HTTP_BAGGAGE=header)
    baggage.propagate(["session_id", "user_id"])
    ask(app, HTTP_BAGGAGE=header, HTTP_X_USER="u1")
    ask(app, HTTP_BAGGAGE="user.id=theirs", HTTP_X_USER=None)

    assert seeing == [{}, {c.SESSION_ID: "s9", c.USER_ID: "u1"}, {}]
