"""What requests to Dash apps mean: recordings of a real browser, hand-made edges, and anything at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.instrumentation.dash import App, Asked, FullLoad, Navigation, Run, read

GOLDEN = Path(__file__).parents[2] / "golden" / "dash"
PAGES = (
    {"path": "/", "path_template": None, "title": "Home"},
    {"path": "/dashboard", "path_template": None, "title": "Numbers"},
    {"path": "/reports/none", "path_template": "/reports/<rid>", "title": len},
)
ORIGIN = "http://shop.example"
OWN = App(title="Shop")
PLUGIN = App(registry=PAGES)
BASE = App("/app/", "/app/", PAGES)


def requests_of(name: str) -> list[Asked]:
    """What the browser asked in one recorded step."""
    recorded = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    asked = []
    for each in recorded["browser_requests"]:
        parts = urlsplit(each["url"].replace("{APP}", "8050"))
        asked.append(
            Asked(
                each["method"],
                f"{parts.scheme}://{parts.netloc}",
                parts.path,
                parts.query,
                referer=each["headers"].get("referer", "").replace("{APP}", "8050"),
                body=each["body"] and json.loads(each["body"]),
            )
        )
    return asked


def callback(
    changed: list[str], inputs: list[Any], referer: str = "", output: str = "out.children", **more: Any
) -> Run:
    """How a callback's request is read in an app without the pages plugin, unless ``app`` is another."""
    app = more.pop("app", OWN)
    body = {"output": output, "inputs": inputs, "changedPropIds": changed, **more}
    found = read(Asked("POST", ORIGIN, f"{app.routes}_dash-update-component", referer=referer, body=body), app)
    assert isinstance(found, Run)
    return found


def value(identity: Any, name: str, content: Any = None) -> dict[str, Any]:
    """A property as the browser sends it."""
    return {"id": identity, "property": name, "value": content}


def navigation(run: Run) -> Navigation:
    """The navigation that a callback reports."""
    assert run.navigation is not None
    return run.navigation


@pytest.mark.parametrize(
    ("step", "app", "expected"),
    [
        ("browser_pages__full_load_deep_link", PLUGIN, ["load /dashboard", "mount /dashboard", "first"]),
        ("browser_pages__nav_dashboard", PLUGIN, ["move /dashboard", "first"]),
        ("browser_pages__browser_back", PLUGIN, ["mount /reports/7?tab=x", "first"]),
        ("browser_pages__click_button", PLUGIN, ["touch btn.n_clicks"]),
        ("browser_pages_base__nav_reports_query", BASE, ["mount /app/reports/7?tab=x", "first"]),
        ("browser_pages_base__unknown_page", BASE, ["load /app/no/such/page!", "mount /app/no/such/page!"]),
        ("browser_classic__full_load_deep_link", OWN, ["load /dashboard", "either /dashboard", "first"]),
        ("browser_classic__nav_dashboard", OWN, ["either /dashboard", "first"]),
        ("browser_classic__click_button", OWN, ["touch btn.n_clicks"]),
    ],
)
def test_what_a_browser_asks(step: str, app: App, expected: list[str]) -> None:
    """Loads, the location that comes up with a page, moves, touches and first calls, as Chromium sends them."""
    assert expected == [_in_words(read(asked, app)) for asked in requests_of(step)]


def _in_words(found: FullLoad | Run | None) -> str:
    if isinstance(found, FullLoad):
        return f"load {_where(found)}"
    assert found is not None
    if found.navigation is not None:
        at = found.navigation
        return f"{'either' if at.mounting and at.single else 'mount' if at.mounting else 'move'} {_where(at)}"
    return f"touch {','.join(map(str, found.interaction))}" if found.triggers else "first"


def _where(found: FullLoad | Navigation) -> str:
    return found.place.url.removeprefix("http://127.0.0.1:8050") + ("" if found.page.known else "!")


def test_a_full_load_says_which_page() -> None:
    """URL, path without the prefix, title and template; the referrer is the browser's."""
    asked = Asked("GET", ORIGIN, "/app/reports/7", "tab=x", referer="https://search.example/?q=tea")
    found = read(asked, BASE)
    assert isinstance(found, FullLoad)
    assert ("http://shop.example/app/reports/7?tab=x", "/app/reports/7", "tab=x", "/reports/7") == found.place
    assert (True, "", "/reports/<rid>") == found.page  # the title is a function of the app's
    assert found.referrer == "https://search.example/?q=tea"


@pytest.mark.parametrize(
    "asked",
    [
        Asked("HEAD", ORIGIN, "/"),
        Asked("GET", ORIGIN, "/", status=500),
        Asked("GET", ORIGIN, "/", status=304),
        Asked("GET", ORIGIN, "/_dash-layout"),
        Asked("GET", ORIGIN, "/_dash-component-suites/dash/deps/react.js"),
        Asked("GET", ORIGIN, "/_reload-hash"),
        Asked("GET", ORIGIN, "/assets/help.html"),
        Asked("GET", ORIGIN, "/report", endpoint="report"),
        Asked("GET", ORIGIN, "/", media_type="application/json"),
        Asked("POST", ORIGIN, "/"),
        Asked("POST", ORIGIN, "/api", body={"output": "a.b", "changedPropIds": []}),
        Asked("POST", ORIGIN, "/_dash-update-component", body=None),
        Asked("POST", ORIGIN, "/_dash-update-component", body=[]),
        Asked("POST", ORIGIN, "/_dash-update-component-alike", body={"output": "a.b"}),
    ],
)
def test_what_is_neither(asked: Asked) -> None:
    """Parts of a page, files, failures, routes of the server's own."""
    assert read(asked, OWN) is None


def test_a_path_outside_the_prefix_is_another_apps() -> None:
    """An app under ``/app/`` has nothing to say of ``/``."""
    assert read(Asked("GET", ORIGIN, "/"), BASE) is None


@pytest.mark.parametrize(
    ("app", "asked", "url"),
    [
        (App("/", "/proxy/"), Asked("GET", ORIGIN, "/deep"), "/proxy/deep"),
        (App("/dash/", "/proxy/dash/"), Asked("GET", ORIGIN, "/dash/deep"), "/proxy/dash/deep"),
        (App("/", "/mounted/"), Asked("GET", ORIGIN, "/deep", script_root="/mounted"), "/mounted/deep"),
        (App("/", "/"), Asked("GET", ORIGIN, "/deep", script_root="/mounted"), "/mounted/deep"),
    ],
)
def test_the_address_is_the_browsers(app: App, asked: Asked, url: str) -> None:
    """Whoever took a part of the path away, it is in the page view, as it is in the visitor's address bar."""
    found = read(asked, app)
    assert isinstance(found, FullLoad)
    assert found.place.url == ORIGIN + url


def test_the_query_comes_from_the_referer_where_the_callback_does_not_read_it() -> None:
    """The browser has changed its address before it asks."""
    run = callback(["url.pathname"], [value("url", "pathname", "/reports")], f"{ORIGIN}/reports?year=7")
    assert navigation(run).place.url == f"{ORIGIN}/reports?year=7"


def test_a_referer_of_another_page_is_not_believed() -> None:
    """A referrer policy may cut it; then the location alone says where."""
    run = callback(["url.pathname"], [value("url", "pathname", "/reports")], f"{ORIGIN}/")
    assert navigation(run).place.url == f"{ORIGIN}/reports"


@pytest.mark.parametrize("identity", ["url", "my.url", {"type": "where", "index": 0}])
def test_a_location_of_any_id(identity: Any) -> None:
    """Texts with dots, and mappings, whose name is their type."""
    written = json.dumps(identity, sort_keys=True, separators=(",", ":")) if isinstance(identity, dict) else identity
    run = callback([f"{written}.pathname"], [value(identity, "pathname", "/a")])
    assert navigation(run).location == ("where" if isinstance(identity, dict) else identity)
    assert navigation(run).place.route == "/a"
    assert not run.interaction


def test_a_query_that_changes_alone_is_a_move() -> None:
    """The location reports ``search`` and not the path."""
    inputs = [value("url", "pathname", "/a"), value("url", "search", "?q=2")]
    moved = navigation(callback(["url.search"], inputs, f"{ORIGIN}/a?q=2"))
    assert (f"{ORIGIN}/a?q=2", False, False) == (moved.place.url, moved.mounting, moved.vague)


def test_a_callback_that_reads_search_or_href_only() -> None:
    """They are a location's where they say what the browser's own header says."""
    by_search = navigation(callback(["url.search"], [value("url", "search", "?q=2")], f"{ORIGIN}/a?q=2"))
    by_href = navigation(callback(["url.href"], [value("url", "href", f"{ORIGIN}/a?q=2#x")], f"{ORIGIN}/a?q=2"))
    assert by_search.place == by_href.place
    assert by_search.place.url == f"{ORIGIN}/a?q=2"
    assert by_href.vague


def test_what_only_looks_like_a_location() -> None:
    """A link's ``href``, a search field: somebody touched them."""
    link = callback(["link.href"], [value("link", "href", "https://other.example/")], f"{ORIGIN}/a")
    field = callback(["box.search"], [value("box", "search", "tea")], f"{ORIGIN}/a")
    assert (None, None) == (link.navigation, field.navigation)
    assert ["link.href"] == [str(each) for each in link.interaction]


def test_with_the_plugin_only_its_own_location_counts() -> None:
    """Another ``dcc.Location`` in the layout reports the same again; it is no interaction either."""
    run = callback(["url.pathname"], [value("url", "pathname", "/dashboard")], app=PLUGIN)
    assert run.navigation is None
    assert not run.interaction


def test_a_pattern_matching_id_is_its_type() -> None:
    """One name for a thousand buttons; outputs likewise."""
    identity = {"index": 7, "type": "remove"}
    run = callback(
        ['{"index":7,"type":"remove"}.n_clicks'],
        [[value(identity, "n_clicks", 1), value({"index": 8, "type": "remove"}, "n_clicks")]],
        output='..{"index":["MATCH"],"type":"row"}.children...total.children@0123456789abcdef..',
    )
    assert run.callback == "row.children,total.children"
    assert [("remove", "n_clicks")] == list(run.interaction)
    assert {"remove.n_clicks": 1} == run.values


def test_a_mapping_without_type_is_its_keys() -> None:
    """Its values would be a name each."""
    run = callback(['{"kind":"a","row":17}.value'], [])
    assert [("{kind,row}", "value")] == list(run.interaction)


def test_a_timer_is_nobody() -> None:
    """``dcc.Interval`` touches nothing."""
    run = callback(["tick.n_intervals"], [value("tick", "n_intervals", 5)])
    assert run.triggers
    assert not run.interaction


def test_a_callback_with_a_location_and_a_button() -> None:
    """The move is a navigation, the button an interaction."""
    run = callback(
        ["url.pathname", "go.n_clicks"], [value("url", "pathname", "/a"), value("go", "n_clicks", 1)], f"{ORIGIN}/a"
    )
    assert navigation(run).place.path == "/a"
    assert [("go", "n_clicks")] == list(run.interaction)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["url", "", "_pages_location", {"type": "x"}, {"type": 3}, {}, None, 7, "a.b", '{"type":"x"}'])
PROPS = st.sampled_from(["pathname", "search", "href", "hash", "n_clicks", "", "."]) | JSON
LISTED = st.fixed_dictionaries({}, optional={"id": NAMES | JSON, "property": PROPS, "value": JSON | st.text()}) | JSON
CHANGED = st.sampled_from(["url.pathname", "url.search", "url.href", "_pages_location.pathname", ".", "{}.pathname"])
BODIES = JSON | st.fixed_dictionaries(
    {"output": st.text() | JSON},
    optional={
        "inputs": st.lists(LISTED | st.lists(LISTED, max_size=3), max_size=4) | JSON,
        "state": st.lists(LISTED, max_size=4) | JSON,
        "changedPropIds": st.lists(CHANGED | JSON, max_size=5) | JSON,
    },
)
TEXTS = st.text() | st.sampled_from(["/", "//", "/app/", "http://[", "http://a/b?c#d", "/\ud800", "/%zz"])


@given(
    asked=st.builds(
        Asked,
        st.sampled_from(["GET", "POST"]),
        TEXTS,
        TEXTS | st.sampled_from(["/_dash-update-component", "/app/_dash-update-component"]),
        TEXTS,
        st.none() | TEXTS | st.just("/_dash-update-component"),
        TEXTS,
        BODIES,
    ),
    app=st.builds(
        App,
        st.sampled_from(["/", "/app/"]),
        st.sampled_from(["/", "/proxy/"]),
        st.none()
        | st.lists(JSON | st.fixed_dictionaries({"path": JSON, "path_template": JSON, "title": JSON}), max_size=3),
        st.text(),
    ),
)
def test_anything_can_be_asked(asked: Asked, app: App) -> None:
    """No request raises, and what is read of one is text of a bounded length."""
    found = read(asked, app)
    if isinstance(found, Run):
        assert all(len(str(each)) <= 401 for each in found.triggers)
        assert len(found.callback) <= 200
    else:
        assert found is None or found.place.url is not None
