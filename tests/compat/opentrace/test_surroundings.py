"""What the original took from its surroundings, and what it handed on of an answer as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from compat.opentrace.recordings import RESOLVE, Recorder
from footspan.compat.opentrace import OpenTrace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_of_the_environment_are_trusted(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Recorder
) -> None:
    """A server with a certificate of one's own is reached as before."""
    bundle = tmp_path / "authorities.pem"
    bundle.write_text("", encoding="utf-8")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(bundle))
    destination = OpenTrace(server.url, "p")._client.destination

    assert destination is not None
    assert destination.settings.options["certificate"] == bundle


def test_authorities_that_are_no_file_are_nobodys(monkeypatch: pytest.MonkeyPatch, server: Recorder) -> None:
    """Nothing in the environment can stop an app at its start."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/authorities.pem")
    client = OpenTrace(server.url, "p")
    client.track_event("a")

    assert client.flush(20) == 0


@pytest.mark.parametrize(
    "said",
    [
        {"utm_source": "telegram"},
        {"utm_source": "telegram", "utm_medium": "", "utm_campaign": None},
        {"utm_campaign": 7, "utm_term": 1.5, "utm_content": True},
        {"name": "spring"},
    ],
)
def test_a_look_up_answers_with_what_the_server_says(said: dict[str, Any]) -> None:
    """In its fields, and no others."""
    with Recorder([{"method": "GET", "path_prefix": RESOLVE, "status": 200, "body": said}]) as server:
        client = OpenTrace(server.url, "p")
        assert client.resolve_bot_param("utm_a") == said

        client.track_event("a", bot_param="utm_a")
        assert client.flush(20) == 0
        assert f'"utm_campaign": {"null" if said.get("utm_campaign") is None else "7"}' in server.bodies[0]
        assert '"payload": {"bot_param": "utm_a"}' in server.bodies[0]


def test_an_empty_code_is_asked_for_as_before(server: Recorder) -> None:
    """Where the caller itself asks."""
    assert OpenTrace(server.url, "p").resolve_bot_param("") is None
    assert server.looked_up == [RESOLVE]
