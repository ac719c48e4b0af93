"""What every test starts from: no state of another test, no setting of this machine, no network beyond loopback."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import otel_globals
from footspan import _guard, tracking
from network_guard import blocked_network

if TYPE_CHECKING:
    from collections.abc import Iterator

# Stand-ins for the servers events go to, as fixtures.
pytest_plugins = ["servers.fixtures"] if importlib.util.find_spec("servers.fixtures") else []

# Where the run was started in the background, SIGINT is ignored, and programs that tests start would inherit that.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Example times on a shared machine say nothing, so there is no deadline per example in either profile.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, max_examples=200, print_blob=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

_SETTING_PREFIXES = ("FOOTSPAN_", "OTEL_", "TELEMETRY_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# These two are about the test run itself.
_KEPT = {"FOOTSPAN_SEED_DOCS", "FOOTSPAN_REQUIRE_COLLECTOR"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the developer's shell is in force, and the spool's default place is a temporary one."""
    for name in list(os.environ):
        if (name.startswith(_SETTING_PREFIXES) and name not in _KEPT) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(autouse=True)
def clean_state(clean_environment: None) -> Iterator[None]:
    """Global state as at the start of a process; failures inside the guard surface."""
    _reset()
    _guard.reraise_in_tests(True)
    yield
    _reset()


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    """A test that reaches beyond this machine fails, even where the code under test swallows the error."""
    with blocked_network() as attempts:
        yield
    assert not attempts, f"the test tried to leave this machine: {attempts}"


def _reset() -> None:
    """Take back what modules keep. The pipeline is loaded at the first call only, and till then keeps nothing."""
    if "footspan.pipeline" in sys.modules:
        sys.modules["footspan.pipeline"].reset()
    tracking.reset()
    if "footspan.compat.clients" in sys.modules:
        sys.modules["footspan.compat.clients"].reset()
    if "footspan.compat.dash_user_tracker.sending" in sys.modules:
        sys.modules["footspan.compat.dash_user_tracker.sending"].reset()
    if "footspan.destinations.campaigns" in sys.modules:
        sys.modules["footspan.destinations.campaigns"].reset()
    otel_globals.reset_all()
    _guard.reset()
