"""What a request to a Dash app means: a page loaded, somebody moved to a page, a callback ran, or nothing of these.

A pure function, :func:`read`, of what the request holds and what is known of the app. It never raises, whatever a
client sends. What needs memory, whether a browser reports a page that has been counted already, is decided by
:mod:`footspan.instrumentation.dash.visits`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from footspan.instrumentation.dash.ids import MOST, Prop, callback_name, prop
from footspan.instrumentation.dash.pages import Page, page_of
from footspan.instrumentation.dash.places import Place, place, same_path, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGES_LOCATION: Final = "_pages_location"
"""The pages plugin's own ``dcc.Location``."""
CALLBACKS: Final = "_dash-update-component"
CATCH_ALL: Final = "<path:path>"

_OWN: Final = ("_dash", "_reload-hash", "_favicon.ico", "_alive_")
"""How paths of Dash's own begin, where the matched rule is not known."""
_PAGE_PROPS: Final = ("pathname", "search", "href")
_LOCATION_PROPS: Final = frozenset({*_PAGE_PROPS, "hash", "refresh"})
_HTML: Final = ("text/html", "application/xhtml+xml")
_TIMERS: Final = frozenset({"n_intervals"})


@dataclass(frozen=True, slots=True)
class App:
    """What is known of a Dash app.

    Attributes:
        routes: The prefix under which the server sees its paths; begins and ends with a slash.
        requests: The prefix under which the browser sees them.
        registry: The entries of ``dash.page_registry``; ``None`` where the app does not use the pages plugin.
        title: The app's own title.
    """

    routes: str = "/"
    requests: str = "/"
    registry: Sequence[Mapping[str, Any]] | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request holds, and its answer where there is one.

    Attributes:
        method: In capitals.
        origin: Scheme and host, such as ``https://shop.example``, as the browser sees them.
        path: The path, as the app's routes see it.
        query: The query, without ``?``.
        endpoint: The name of the matched rule (Dash: the rule itself); ``None`` where it is not known.
        referer: The header; empty without one.
        body: The JSON that came; ``None`` without any.
        status: The answer's; 200 where it is not known.
        media_type: The answer's; HTML where it is not known.
        script_root: What the server has taken from the front of the path (WSGI's ``SCRIPT_NAME``).
    """

    method: str
    origin: str
    path: str
    query: str = ""
    endpoint: str | None = None
    referer: str = ""
    body: Any = None
    status: int = 200
    media_type: str = "text/html"
    script_root: str = ""


class FullLoad(NamedTuple):
    """The browser loaded the app.

    Attributes:
        place: Where.
        page: What it shows there.
        referrer: Where they came from, as the browser says; empty when it does not.
    """

    place: Place
    page: Page
    referrer: str


class Navigation(NamedTuple):
    """A ``dcc.Location`` reports an address.

    Attributes:
        place: Which.
        page: What it shows there.
        location: The component's name.
        mounting: Everything that the callback reads of the component is reported as changed, as it is when the
            component comes up with a page that was loaded. Where the callback reads one property only, that says
            nothing; see ``single``.
        single: Whether the callback reads one property of the component only.
        vague: Whether it may be a change behind ``#`` alone, which is no other page.
        pathname: The path as the component has it, encoded or not.
    """

    place: Place
    page: Page
    location: str
    mounting: bool
    single: bool
    vague: bool
    pathname: str


@dataclass(frozen=True, slots=True)
class Run:
    """A callback was asked for.

    Attributes:
        output: Its outputs as Dash writes them; the key of ``callback_map``.
        callback: Its outputs by name.
        triggers: The properties that changed; none when Dash runs it first.
        navigation: What a ``dcc.Location`` among them reports.
        values: The triggers' new values, by ``component.property``.
    """

    output: str
    callback: str
    triggers: tuple[Prop, ...] = ()
    navigation: Navigation | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def interaction(self) -> tuple[Prop, ...]:
        """The properties that somebody changed by hand, as far as a request tells: no location and no timer."""
        locations = {self.navigation.location} if self.navigation else set()
        return tuple(
            each for each in self.triggers if each.property not in _TIMERS and not _of_location(each, locations)
        )


def read(asked: Asked, app: App) -> FullLoad | Run | None:
    """What a request means.

    Args:
        asked: The request.
        app: The app that it is for.

    Returns:
        A page that was loaded, a callback that ran (with the navigation that it may report), or ``None`` for what is
        neither: parts of a page, files, routes of the server's own, what failed.
    """
    if asked.method == "GET":
        return _full_load(asked, app)
    if asked.method == "POST" and _is_callback(asked, app):
        return _run(asked, app)
    return None


def _full_load(asked: Asked, app: App) -> FullLoad | None:
    if asked.status != 200 or asked.media_type.partition(";")[0].strip().lower() not in _HTML:  # noqa: PLR2004 - OK
        return None
    if asked.endpoint is None:
        begins = app.routes if asked.path.startswith(app.routes) else ""
        if not begins or asked.path[len(begins) :].startswith((*_OWN, "assets/")):
            return None
    elif asked.endpoint not in {app.routes, app.routes + CATCH_ALL}:
        return None
    return FullLoad(*_seen(asked, app), _referrer(asked.referer))


def _seen(asked: Asked, app: App) -> tuple[Place, Page]:
    """Where the browser is that asked for a path, and what it shows there."""
    path = asked.script_root.rstrip("/") + asked.path
    if app.requests != app.routes and not path.startswith(app.requests) and asked.path.startswith(app.routes):
        path = app.requests + asked.path[len(app.routes) :]
    found = place(asked.origin, path, asked.query, app.requests)
    return found, page_at(found, app)


def page_at(found: Place, app: App) -> Page:
    """What an app shows at an address."""
    return page_of(app.registry, unquote(found.route), app.title)


def _referrer(header: str) -> str:
    return header if split(header) else ""


def _is_callback(asked: Asked, app: App) -> bool:
    wanted = app.routes + CALLBACKS
    return (asked.path if asked.endpoint is None else asked.endpoint) == wanted


def _run(asked: Asked, app: App) -> Run | None:
    body = asked.body
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return None
    changed = body.get("changedPropIds")
    names = [each for each in changed[:MOST] if isinstance(each, str)] if isinstance(changed, list) else []
    triggers = tuple(found for each in names if (found := prop(each)) is not None)
    given = _given(body)
    return Run(
        body["output"],
        callback_name(body["output"]),
        triggers,
        _navigation(names, given, asked, app),
        {str(prop(each)): given.inputs[each] for each in names if each in given.inputs and prop(each)},
    )


class _Given(NamedTuple):
    """What a callback's request says of properties, by ``<id>.<property>``."""

    inputs: dict[str, Any]
    all: dict[str, Any]


def _given(body: Mapping[str, Any]) -> _Given:
    inputs, states = _listed(body.get("inputs")), _listed(body.get("state"))
    return _Given(inputs, {**states, **inputs})


def _listed(entries: Any) -> dict[str, Any]:
    """Properties and their values; of pattern-matching ones, each of the list."""
    found: dict[str, Any] = {}
    for entry in entries[: 8 * MOST] if isinstance(entries, list) else []:
        for each in entry[: 8 * MOST] if isinstance(entry, list) else [entry]:
            if isinstance(each, dict) and isinstance(each.get("property"), str):
                found[f"{_written(each.get('id'))}.{each['property']}"] = each.get("value")
    return found


def _written(identity: Any) -> str:
    """An id as ``changedPropIds`` writes it."""
    if isinstance(identity, dict):
        try:
            return json.dumps(identity, sort_keys=True, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            return ""
    return str(identity)


def _navigation(names: Sequence[str], given: _Given, asked: Asked, app: App) -> Navigation | None:
    """What the first ``dcc.Location`` reports among the properties that changed.

    With the pages plugin that is its own: it is there on every page, and another one would report the same again.
    """
    for name in names:
        identity, _, changed = name.rpartition(".")
        if changed not in _PAGE_PROPS or (app.registry is not None and identity != PAGES_LOCATION):
            continue
        read_props = [each for each in _LOCATION_PROPS if f"{identity}.{each}" in given.inputs]
        found = _reported(identity, changed, given, asked, app)
        if found is None:
            continue
        changes = {each.rpartition(".")[2] for each in names if each.rpartition(".")[0] == identity}
        known = prop(name)
        return Navigation(
            found,
            page_at(found, app),
            known.component if known else "",
            mounting=all(each in changes for each in read_props if each != "refresh"),
            single=sum(each in _PAGE_PROPS for each in read_props) <= 1,
            vague=not changes & {"pathname", "search"},
            pathname=pathname if isinstance(pathname := given.all.get(f"{identity}.pathname"), str) else found.path,
        )
    return None


def _reported(identity: str, changed: str, given: _Given, asked: Asked, app: App) -> Place | None:
    """The address that a component reports; ``None`` where it is no ``dcc.Location`` after all.

    The browser has changed its address before it asks, so the header ``Referer`` is the new one, query included. Only
    a component with ``pathname`` is a location for certain; others must say what the header says.
    """
    header = split(asked.referer)
    values = {each: given.all.get(f"{identity}.{each}") for each in _PAGE_PROPS}
    pathname, search, href = (each if isinstance(each, str) else None for each in values.values())
    whole = split(href) if href else None
    if pathname is None and whole is not None and (header is None or header == whole):
        return place(*whole, app.requests)
    if pathname is None and changed == "search" and header and search is not None and search[1:] == header[2]:
        return place(*header, app.requests)
    if pathname is None or not pathname.startswith("/"):
        return None
    if header is not None and same_path(header[1], pathname):
        query = header[2] if search is None else search
        return place(header[0], pathname, query, app.requests)
    if whole is not None and same_path(whole[1], pathname):
        return place(*whole, app.requests)
    return place(asked.origin, pathname, search or "", app.requests)


def _of_location(each: Prop, locations: set[str]) -> bool:
    return (
        each.property == "pathname"
        or each.component == PAGES_LOCATION
        or (each.component in locations and each.property in _LOCATION_PROPS)
    )
