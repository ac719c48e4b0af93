"""Tests for footspan.compat.opentrace.instrumentor: an app that imports the published package, unchanged."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from opentelemetry.instrumentation.dependencies import DependencyConflictError

from footspan import _guard
from footspan.compat.opentrace.instrumentor import OpenTraceInstrumentor
from footspan.instrumentation import startup
from originals import original
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from compat.opentrace.recordings import Recorder

PACKAGE: Final = """
class OpenTrace:
    sent = []

    def __init__(self, host, project_id=None, debug=False):
        self.host = host.rstrip("/")
        self.project_id = project_id

    def track_event(self, name, project_id=None, **rest):
        self.sent.append(name)

    def capture(self, name, payload=None, resource_id=None, **rest):
        self.sent.append(name)

    def track(self, name, payload=None, **rest):
        return self.capture(name, payload, **rest)

    def resolve_bot_param(self, param):
        return {"utm_source": "original"}

    def get_user_hash(self, user_id):
        return "hash"
"""
"""What the published package looks like from outside."""


def install(folder: Path, version: str) -> None:
    """Put a package of that look, and of a version, into a folder."""
    (folder / "opentrace").mkdir(parents=True)
    (folder / "opentrace" / "__init__.py").write_text(PACKAGE, encoding="utf-8")
    (folder / f"opentrace-{version}.dist-info").mkdir()
    (folder / f"opentrace-{version}.dist-info" / "METADATA").write_text(f"Name: opentrace\nVersion: {version}\n")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Installs the package; it is gone afterwards, and nothing is instrumented."""

    def get(version: str = "1.2.8") -> Any:
        install(tmp_path / "site", version)
        monkeypatch.syspath_prepend(tmp_path / "site")
        return importlib.import_module("opentrace")

    startup.reset()
    yield get
    instrumentor = OpenTraceInstrumentor()
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
    sys.modules.pop("opentrace", None)
    startup.reset()


def bodies(server: Recorder, count: int) -> list[dict[str, Any]]:
    """The bodies that arrive."""
    assert server.wait_for(lambda: len(server.bodies) >= count, 20)
    return [json.loads(body) for body in server.bodies]


def test_auto_instrumentation_finds_it() -> None:
    """Under the name by which it is opted out of."""
    [found] = entry_points(group="opentelemetry_instrumentor", name="opentrace")

    assert found.load() is OpenTraceInstrumentor


def test_calls_of_the_published_class_go_through_footspan(server: Recorder, package: Callable[..., Any]) -> None:
    """Of objects made before and after; those calls that send nothing stay."""
    module = package()
    before = module.OpenTrace(server.url, "p")
    OpenTraceInstrumentor().instrument(skip_dep_check=True)
    after = module.OpenTrace(server.url + "/", "q")
    before.track_event("a")
    after.capture("b", {"k": 1})
    after.project_id = "r"
    after.track("c")

    assert [
        (body.get("name", body.get("type")), body.get("project_id", body.get("rid"))) for body in bodies(server, 3)
    ] == [
        ("a", "p"),
        ("b", "q"),
        ("c", "r"),
    ]
    assert module.OpenTrace.sent == []
    assert len(spooled()) == 3
    assert after.get_user_hash(1) == "hash"
    assert after.resolve_bot_param("x") is None


def test_subclasses_keep_what_they_override(server: Recorder, package: Callable[..., Any]) -> None:
    """An app's own class stays in between."""
    module = package()
    OpenTraceInstrumentor().instrument(skip_dep_check=True)

    class Own(module.OpenTrace):  # type: ignore[misc, name-defined] # as an app may write it
        def capture(self, name: str, *args: Any, **more: Any) -> None:
            super().capture(f"own.{name}", *args, **more)

    Own(server.url, "p").track("a")

    assert [body["type"] for body in bodies(server, 1)] == ["own.a"]


def test_uninstrumented_it_is_as_before(server: Recorder, package: Callable[..., Any]) -> None:
    """The very same functions."""
    module = package()
    before = dict(vars(module.OpenTrace))
    OpenTraceInstrumentor().instrument(skip_dep_check=True)
    OpenTraceInstrumentor().uninstrument()

    assert before == dict(vars(module.OpenTrace))


@pytest.mark.parametrize("variable", ["OTEL_SDK_DISABLED", "TELEMETRY_ENABLED"])
def test_switched_off_the_package_stays_as_it_is(
    variable: str, server: Recorder, package: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As though footspan were not installed."""
    monkeypatch.setenv(variable, "true" if variable == "OTEL_SDK_DISABLED" else "false")
    module = package()
    OpenTraceInstrumentor().instrument(skip_dep_check=True)
    module.OpenTrace(server.url, "p").track_event("a")

    assert module.OpenTrace.sent == ["a"]


def test_a_host_that_footspan_cannot_use_is_left_to_the_original(
    package: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """An unchanged app goes on, and the log says why."""
    _guard.reraise_in_tests(False)
    module = package()
    OpenTraceInstrumentor().instrument(skip_dep_check=True)
    client = module.OpenTrace("stats.example.com", "p")
    client.track_event("a")
    client.capture("b")

    assert module.OpenTrace.sent == ["a", "b"]
    assert caplog.text.count("leaves an OpenTrace object as it is") == 1


@pytest.mark.parametrize("version", ["0.9", "2.0.0"])
def test_another_version_is_not_touched(version: str, package: Callable[..., Any]) -> None:
    """Its calls may be others."""
    module = package(version)
    before = dict(vars(module.OpenTrace))
    with pytest.raises(DependencyConflictError):
        OpenTraceInstrumentor().instrument(skip_dep_check=True)

    assert before == dict(vars(module.OpenTrace))


APP: Final = """
import sys
import opentrace
from opentrace import OpenTrace

client = OpenTrace(sys.argv[1], "p")
client.track_event("a", payload={"k": 1}, session_id="s_1")
client.capture("b", {"k": 2}, user_id=7)
client.track("c", {"k": 3}, fbclid="fb")
import time; time.sleep(1.0)  # the original's threads need it
"""


@pytest.mark.slow
@pytest.mark.parametrize("disabled", [False, True])
def test_an_unchanged_app_under_opentelemetry_instrument(disabled: bool, server: Recorder, tmp_path: Path) -> None:
    """The published package itself: by footspan, and by its own requests where the operator opts out."""
    packages = next(original("opentrace==1.2.8").parents[1].glob("lib/python*/site-packages"))
    for found in packages.glob("opentrace*"):
        shutil.copytree(found, tmp_path / "site" / found.name)
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    server.faults.answer(503, headers={"Retry-After": "0"})
    command = Path(sys.executable).with_name("opentelemetry-instrument")
    variables = {"PYTHONPATH": str(tmp_path / "site"), "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    if disabled:
        variables["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = "opentrace"
    done = subprocess.run(
        [str(command), sys.executable, "app.py", server.url],
        env={**os.environ, **variables},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    campaign = '"utm_source": null, "utm_medium": null, "utm_campaign": null'
    expected = {
        f'{{"name": "a", "project_id": "p", "payload": {{"k": 1}}, {campaign}, "session_id": "s_1"}}',
        '{"type": "b", "rid": "p", "meta": {"k": 2}, "fbclid": null, "ttclid": null, "sid": "7"}',
        '{"type": "c", "rid": "p", "meta": {"k": 3}, "fbclid": "fb", "ttclid": null}',
    }
    assert expected == set(server.bodies)
    if disabled:  # one answer of 503, and nobody tries again
        assert (len(server.bodies), spooled()) == (3, [])
    else:
        assert (len(server.bodies), len(spooled())) == (4, 3)
