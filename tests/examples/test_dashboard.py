"""The example of a tracked Dash app that shows its own figures."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dash
import pytest
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "examples" / "dashboard"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}
REFRESH = {
    "output": "figures.children",
    "outputs": {"id": "figures", "property": "children"},
    "inputs": [{"id": "refresh", "property": "n_clicks", "value": 1}],
    "changedPropIds": ["refresh.n_clicks"],
}


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The example's app beside its collecting server."""
    monkeypatch.syspath_prepend(FOLDER)
    dash.page_registry.clear()
    module = importlib.import_module("dashboard")
    receiver = make_server("127.0.0.1", 0, module.make_receiver(), threaded=True)
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    yield module.make_app(f"http://127.0.0.1:{receiver.server_port}/track")
    receiver.shutdown()
    receiver.server_close()
    thread.join(10)
    for name in ("dashboard", "receiver"):
        sys.modules.pop(name, None)
    dash.page_registry.clear()


def test_it_shows_what_was_seen(example: Any) -> None:
    """Pages that were loaded and moved to; the page of figures is left out."""
    client = example.server.test_client()
    for path in ("/", "/products", "/products", "/figures"):
        assert client.get(path, headers=BROWSER).status_code == 200
    answer = client.post("/_dash-update-component", json=REFRESH, headers=BROWSER)
    assert answer.status_code == 200
    shown = json.dumps(answer.get_json())
    assert "1 people, 2 pages" in shown
    rows = [
        row["props"]["children"] for row in answer.get_json()["response"]["figures"]["children"][1]["props"]["children"]
    ]
    figures = [[cell["props"]["children"] for cell in row] for row in rows]
    assert figures == [["Home", 1], ["Products", 2], ["Who saw what", 0]]
