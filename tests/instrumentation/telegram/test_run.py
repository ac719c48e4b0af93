"""Bots of both libraries under ``opentelemetry-instrument``, by environment variables alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spooled import Spooled, spooled

pytestmark = pytest.mark.slow

BOTS = """
import asyncio

from aiogram import Dispatcher
from aiogram.types import Update as AiogramUpdate
from telegram import Update
from telegram.ext import CommandHandler

from instrumentation.telegram.updates import aiogram_bot, application, message


async def start(*_):
    pass


async def main():
    dispatcher = Dispatcher()
    dispatcher.message.register(start)
    await dispatcher.feed_update(aiogram_bot(), AiogramUpdate.model_validate(message("/start a")))
    app = application()
    app.add_handler(CommandHandler("start", start))
    async with app:
        await app.process_update(Update.de_json(message("/start b"), app.bot))


asyncio.run(main())
"""


def run(tmp_path: Path, **env: str) -> list[Spooled]:
    """Run both bots; the events that they leave."""
    (tmp_path / "bots.py").write_text(BOTS, encoding="utf-8")
    tools = Path(sys.executable).parent
    result = subprocess.run(
        [str(tools / "opentelemetry-instrument"), sys.executable, "bots.py"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "OTEL_SERVICE_NAME": "bots",
            "FOOTSPAN_COURIER": "external",
            "FOOTSPAN_DESTINATIONS_CONSOLE_ENABLED": "true",
            **env,
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    return [each for each in spooled() if each.name.startswith("telegram.")]


def test_both_libraries_without_code(tmp_path: Path) -> None:
    """Each update once, with its trace."""
    first, second = run(tmp_path)

    assert [each.attributes["footspan.campaign.start_code"] for each in (first, second)] == ["a", "b"]
    assert first.attributes["user.id"] == second.attributes["user.id"]
    assert first.record["traceId"] != second.record["traceId"]


def test_left_out_they_run_as_before(tmp_path: Path) -> None:
    """By OpenTelemetry's own switch, one by one."""
    (event,) = run(tmp_path, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="footspan_aiogram")

    assert event.attributes["footspan.campaign.start_code"] == "b"
