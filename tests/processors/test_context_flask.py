"""Tests for context in Flask requests: said before a request, forgotten with it, by whatever way it ends."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response, copy_current_request_context, request, stream_with_context

from footspan import Telemetry, WsgiMiddleware, context, set_context
from footspan import conventions as c
from footspan.processors.context import ambient

if TYPE_CHECKING:
    from collections.abc import Iterator

telemetry = Telemetry.get_instance()


def users() -> dict[str, Any]:
    """What an event emitted here would bear of its user."""
    return {key: value for key, value in dict(ambient()).items() if key in {c.USER_ID, c.TAG}}


class Site:
    """An app by the document's pattern, and what each of its requests saw."""

    def __init__(self) -> None:
        self.app = Flask(__name__)
        self.seen: list[dict[str, Any]] = []
        self.barrier = threading.Barrier(1)
        self.app.before_request(self.look)
        self.app.before_request(self.before)
        self.app.after_request(self.after)
        self.app.add_url_rule("/", view_func=self.page)
        self.app.add_url_rule("/fail", view_func=self.fail)

    def look(self) -> None:
        """What is there before the app says anything."""
        self.seen.append(users())

    @staticmethod
    def before() -> None:
        """The document's first function."""
        if "user" in request.args:
            telemetry.set_context(user_id=request.args["user"], path=request.path)

    @staticmethod
    def after(response: Response) -> Response:
        """The document's second."""
        telemetry.clear_context()
        return response

    def page(self) -> dict[str, Any]:
        """Says whose request it is, while others are at the same place."""
        self.barrier.wait(20)
        return users()

    @staticmethod
    def fail() -> str:
        """A failure."""
        raise KeyError

    def get(self, path: str) -> Any:
        """A request."""
        return self.app.test_client().get(path)


@pytest.fixture
def site() -> Site:
    """A fresh app."""
    return Site()


def test_requests_at_once_keep_their_users_apart(site: Site) -> None:
    """Four threads, four users, and the base as it was."""
    set_context(tag="blue")
    site.barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(site.get, [f"/?user=u{number}" for number in range(4)]))

    assert [answer.json for answer in answers] == [{c.USER_ID: f"u{number}", c.TAG: "blue"} for number in range(4)]
    assert site.seen == [{c.TAG: "blue"}] * 4
    assert users() == {c.TAG: "blue"}


def test_one_threads_requests_do_not_follow_each_other(site: Site) -> None:
    """A visitor nobody knows is nobody, after one that was known."""
    site.get("/?user=u1")

    assert site.get("/").json == {}
    assert site.seen == [{}, {}]
    assert users() == {}


@pytest.mark.parametrize("propagate", [True, False])
def test_a_failed_request_leaves_nothing(site: Site, propagate: bool) -> None:
    """Where the failure is raised on, no ``after_request`` function runs; the request ends all the same."""
    site.app.config["PROPAGATE_EXCEPTIONS"] = propagate
    if propagate:
        with pytest.raises(KeyError):
            site.get("/fail?user=u1")
    else:
        assert site.get("/fail?user=u1").status_code == 500

    assert users() == {}
    assert site.get("/").json == {}


def test_a_request_that_cannot_be_torn_down_leaves_nothing_to_the_next(site: Site) -> None:
    """A teardown function that raises keeps Flask from telling anybody; the next request's begin puts it right."""
    site.app.after_request_funcs.clear()
    failing = True

    @site.app.teardown_request
    def tear_down(_: BaseException | None) -> None:
        if failing:
            raise KeyError

    with pytest.raises(KeyError):
        site.get("/?user=u1")
    failing = False

    assert site.get("/").json == {}
    assert site.seen == [{}, {}]


def test_after_such_a_request_the_base_is_the_base(site: Site) -> None:
    """What the thread sets next, outside any request, is for the process."""
    site.app.after_request_funcs.clear()

    @site.app.teardown_request
    def tear_down(_: BaseException | None) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        site.get("/?user=u1")
    set_context(tag="blue")
    thread_saw: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: thread_saw.append(users()))
    thread.start()
    thread.join(10)

    assert thread_saw == [users()] == [{c.TAG: "blue"}]


@pytest.mark.parametrize(("middleware", "user"), [(False, {}), (True, {c.USER_ID: "u1"})])
def test_a_stream_knows_its_request_behind_the_middleware(site: Site, middleware: bool, user: dict[str, str]) -> None:
    """Flask tears a request down before its stream begins, so only the middleware's scope is still there.

    What the stream sets itself ends with it either way.
    """
    site.app.after_request_funcs.clear()
    if middleware:
        site.app.wsgi_app = WsgiMiddleware(site.app.wsgi_app)  # type: ignore[method-assign]

    @site.app.get("/stream")
    def stream() -> Response:
        def chunks() -> Iterator[str]:
            yield str(users())
            telemetry.set_context(tag="late")
            yield str(users())

        return Response(stream_with_context(chunks()))

    assert site.get("/stream?user=u1").text == f"{user}{ {**user, c.TAG: 'late'} }"
    assert users() == {}
    assert site.get("/").json == {}


def test_a_request_inside_a_request_is_its_own(site: Site) -> None:
    """An app that asks itself: neither sees the other's user, and the outer one goes on as it was."""
    site.app.after_request_funcs.clear()

    @site.app.get("/outer")
    def outer() -> list[Any]:
        inner = [site.get("/").json, site.get("/?user=inner").json]
        telemetry.set_context(tag="late")
        return [*inner, users()]

    assert site.get("/outer?user=outer").json == [{}, {c.USER_ID: "inner"}, {c.USER_ID: "outer", c.TAG: "late"}]
    assert users() == {}


def test_an_async_view_leaves_nothing(site: Site) -> None:
    """What a view's task sets goes for the rest of its request and no further."""
    pytest.importorskip("asgiref")

    @site.app.get("/async")
    async def view() -> dict[str, Any]:
        await asyncio.sleep(0)
        telemetry.set_context(user_id="u1")
        return users()

    site.app.after_request_funcs.clear()

    assert site.get("/async").json == {c.USER_ID: "u1"}
    assert users() == {}
    assert site.get("/").json == {}


def test_a_thread_with_a_copy_of_the_request_has_a_scope_of_its_own(site: Site) -> None:
    """It changes neither the request's values nor the base."""

    @site.app.get("/copy")
    def copy() -> list[Any]:
        @copy_current_request_context
        def work() -> dict[str, Any]:
            telemetry.set_context(user_id="thread")
            return users()

        with ThreadPoolExecutor(1) as pool:
            theirs, later = pool.submit(work).result(10), pool.submit(users).result(10)
        return [theirs, later, users()]

    assert site.get("/copy?user=u1").json == [{c.USER_ID: "thread"}, {}, {c.USER_ID: "u1"}]


def test_a_scope_of_the_apps_own_is_used_as_it_is(site: Site) -> None:
    """Inside ``with context`` in a view, what is set ends with the block, and the request's user is back."""

    @site.app.get("/scope")
    def scope() -> list[Any]:
        with context(tag="blue"):
            telemetry.set_context(user_id="other")
            inside = users()
        return [inside, users()]

    assert site.get("/scope?user=u1").json == [{c.USER_ID: "other", c.TAG: "blue"}, {c.USER_ID: "u1"}]


def test_a_command_of_the_app_is_no_request(site: Site) -> None:
    """An application context alone is a script: what it sets, its threads see."""
    with site.app.app_context():
        set_context(tag="blue")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(users).result(10) == {c.TAG: "blue"}


def test_a_request_is_not_kept_alive(site: Site) -> None:
    """The context knows its request without holding it."""

    @site.app.get("/count")
    def count() -> str:
        telemetry.set_context(user_id="u1")
        return ""

    site.app.after_request_funcs.clear()
    kind = type(site.app.test_request_context().request)
    gc.collect()
    before = sum(type(each) is kind for each in gc.get_objects())
    for _ in range(5):
        site.get("/count?user=u1")
    gc.collect()

    assert sum(type(each) is kind for each in gc.get_objects()) <= before
