"""Destinations from settings."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from destinations.making import settings
from footspan.config import ConfigurationError
from footspan.config.options import IMPLEMENTED_TYPES
from footspan.destinations import build_destination
from servers.umami import WEBSITE_ID

OPTIONS: dict[str, dict[str, Any]] = {
    "umami": {"url": "http://localhost", "website": WEBSITE_ID},
    "dash_tracker": {"url": "http://localhost"},
    "opentrace": {"url": "http://localhost"},
    "otlp": {"endpoint": "http://localhost"},
    "trace_telemetry": {"url": "http://localhost/telemetry"},
}


@pytest.mark.parametrize("kind", sorted(IMPLEMENTED_TYPES))
def test_every_type_that_the_settings_offer_can_be_built(kind: str) -> None:
    """The two lists agree."""
    destination = build_destination(settings(kind, **OPTIONS.get(kind, {})))
    assert (destination.type, destination.name) == (kind, kind)
    assert destination.id.startswith(f"{kind.replace('_', '-')}-")


def test_an_unknown_type_is_an_error_with_the_known_ones() -> None:
    """The fix is in the message."""
    with pytest.raises(ConfigurationError, match="umami"):
        build_destination(settings("pigeon"))


def test_building_loads_no_http_client() -> None:
    """The sending thread loads it, so that `import footspan` and start-up stay light."""
    program = (
        "import sys\n"
        "from footspan.config import DestinationSettings\n"
        "from footspan.destinations import build_destination\n"
        f"for kind, options in {OPTIONS!r}.items():\n"
        "    build_destination(DestinationSettings(name=kind, type=kind, options=options))\n"
        "heavy = {'requests', 'urllib3', 'google.protobuf', 'opentelemetry.proto', 'grpc'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
