"""Events in the application's own log: one line each, bounded, and no line is forged."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destinations.making import line, settings
from footspan import conventions as c
from footspan.destinations import build_destination
from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.logging import LoggingDestination
from footspan.destinations.readable import MAX_LINE


def destination(**options: Any) -> LoggingDestination:
    """A logging destination."""
    made = build_destination(settings("logging", **options))
    assert isinstance(made, LoggingDestination)
    return made


def written(
    caplog: pytest.LogCaptureFixture, name: str, attributes: dict[str, Any], **fields: Any
) -> logging.LogRecord:
    """What one event looks like in the log."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger="footspan.events"):
        destination().write(line(name, attributes, **fields).event)
    (record,) = caplog.records
    return record


def test_an_event_is_one_line_with_its_properties(caplog: pytest.LogCaptureFixture) -> None:
    """Under the names that people gave them; our own book-keeping stays out."""
    record = written(caplog, "order.paid", {c.USER_ID: "u1", "amount": 9.5, "note": "two words", c.REDACTED: ["x"]})
    assert record.name == "footspan.events"
    assert record.levelno == logging.INFO
    assert record.getMessage() == 'order.paid user_id=u1 amount=9.5 note="two words"'


@pytest.mark.parametrize(
    ("severity", "level", "expected"),
    [
        (0, "INFO", logging.INFO),
        (9, "INFO", logging.INFO),
        (5, "INFO", logging.INFO),
        (17, "INFO", logging.ERROR),
        (13, "DEBUG", logging.WARNING),
        (21, "DEBUG", logging.CRITICAL),
        (5, "DEBUG", logging.DEBUG),
        (9, "ERROR", logging.ERROR),
    ],
)
def test_the_level_is_the_settings_or_the_severity_if_that_is_higher(
    caplog: pytest.LogCaptureFixture, severity: int, level: str, expected: int
) -> None:
    """An error is logged as one even where ordinary events are INFO."""
    with caplog.at_level(logging.DEBUG, logger="footspan.events"):
        destination(level=level).write(line("a", severity_number=severity).event)
    assert [record.levelno for record in caplog.records] == [expected]


def test_no_value_forges_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks and control characters are escaped, in names too."""
    record = written(caplog, "a", {"x": "one\ntwo\r\x1b[31m", "k\ney": 1, "u": "\u2028", "nested": {"a": "b\nc"}})
    message = record.getMessage()
    assert message.isprintable()
    assert "\\n" in message


def test_a_line_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Long values are cut, and so is the whole."""
    record = written(caplog, "a", {"x": "v" * 5_000})
    assert len(record.getMessage()) < 250
    record = written(caplog, "a", {f"k{number}": "v" * 100 for number in range(100)})
    assert len(record.getMessage()) <= MAX_LINE
    assert record.getMessage().endswith("\u2026")


def test_any_logger_can_be_named(caplog: pytest.LogCaptureFixture) -> None:
    """`logger` is its name."""
    with caplog.at_level(logging.INFO, logger="shop.analytics"):
        destination(logger="shop.analytics").write(line("a").event)
    assert [record.name for record in caplog.records] == ["shop.analytics"]


def test_sending_writes_too(caplog: pytest.LogCaptureFixture) -> None:
    """For whoever treats it like any other destination."""
    with caplog.at_level(logging.INFO, logger="footspan.events"):
        assert destination().send([line("a"), line("b")], 1.0) == Outcome(Verdict.DELIVERED)
    assert [record.getMessage() for record in caplog.records] == ["a", "b"]


def test_a_handler_that_fails_does_not_reach_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telemetry never raises into the host."""
    from footspan import _guard  # noqa: PLC0415 - only here failures must not surface

    _guard.reraise_in_tests(False)

    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError

    logger = logging.getLogger("footspan.tests.failing")
    monkeypatch.setattr(logger, "handlers", [Failing()])
    destination(logger=logger.name, level="CRITICAL").write(line("a").event)
