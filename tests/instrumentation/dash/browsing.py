"""What Dash's renderer in a browser asks for, told to an app by Flask's test client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from serving import FIREFOX

if TYPE_CHECKING:
    from dash import Dash
    from flask import Flask
    from werkzeug.test import TestResponse

HOST = "http://localhost"
ROUTER = ("_pages_content.children", "_pages_store.data")


class Tab:
    """A tab of a browser at an app.

    Args:
        app: The app.
        agent: The browser.
        number: How Dash numbers the tab's page loads; older versions do not.
    """

    def __init__(self, app: Dash, agent: str = FIREFOX, *, number: str = "") -> None:
        server: Flask = app.server
        self.client = server.test_client()
        self.prefix = app.config.requests_pathname_prefix
        self.routes = app.config.routes_pathname_prefix
        self.uses_pages = bool(app.use_pages)
        self.second_reader = "crumbs.children" in app.callback_map
        self.agent = agent
        self.address = ""
        self.number = number
        self.loads = 0

    def load(self, path: str, *, referrer: str = "", comes_up: bool = True) -> TestResponse:
        """Ask for a page as a whole, and let its location report where it is."""
        self.loads += 1
        self.address = path
        headers = {"User-Agent": self.agent, "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
        answer = self.client.get(path, headers={**headers, **({"Referer": referrer} if referrer else {})})
        if comes_up:
            self._reports({"pathname", "search"})
        return answer

    def go(self, path: str) -> list[TestResponse]:
        """Follow a link inside the app, or go back over one."""
        before, self.address = self.address, path
        old, new = before.partition("?"), path.partition("?")
        changed = {name for name, a, b in (("pathname", old[0], new[0]), ("search", old[2], new[2])) if a != b}
        return self._reports(changed)

    def _reports(self, changed: set[str]) -> list[TestResponse]:
        if self.uses_pages:
            return [self._report("_pages_location", ("pathname", "search"), changed, ROUTER)]
        asked = [self._report("where", ("pathname", "search"), changed, ("content.children",))]
        if "pathname" in changed and self.second_reader:
            asked.append(self._report("where", ("pathname",), changed, ("crumbs.children",)))
        return asked

    def _report(
        self, location: str, reads: tuple[str, ...], changed: set[str], outputs: tuple[str, ...]
    ) -> TestResponse:
        path, _, query = self.address.partition("?")
        values = {"pathname": path, "search": f"?{query}" if query else ""}
        return self.call(
            outputs,
            [(location, name, values[name]) for name in reads],
            [f"{location}.{name}" for name in reads if name in changed],
        )

    def touch(self, component: Any, output: str, name: str = "n_clicks", content: Any = 1, **more: Any) -> TestResponse:
        """Touch something."""
        written = (
            json.dumps(component, sort_keys=True, separators=(",", ":")) if isinstance(component, dict) else component
        )
        inputs: list[Any] = [(component, name, content)]
        return self.call((output,), [inputs] if isinstance(component, dict) else inputs, [f"{written}.{name}"], **more)

    def call(
        self,
        outputs: tuple[str, ...],
        inputs: list[Any],
        changed: list[str],
        query: dict[str, Any] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Ask for a callback."""
        listed = [dict(zip(("id", "property"), each.rsplit(".", 1), strict=True)) for each in outputs]
        body = {
            "output": outputs[0] if len(outputs) == 1 else f"..{'...'.join(outputs)}..",
            "outputs": listed[0] if len(outputs) == 1 else listed,
            "inputs": [
                [_property(*item) for item in each] if isinstance(each, list) else _property(*each) for each in inputs
            ],
            "changedPropIds": changed,
            "parsedChangedPropsIds": changed,
            **more,
        }
        return self.client.post(
            f"{self.routes}_dash-update-component",
            json=body,
            query_string={**({"endId": f"{self.number}-{self.loads}"} if self.number else {}), **(query or {})},
            headers={"User-Agent": self.agent, "Referer": HOST + self.address, "Sec-Fetch-Dest": "empty"},
        )


def _property(identity: Any, name: str, value: Any) -> dict[str, Any]:
    return {"id": identity, "property": name, "value": value}
