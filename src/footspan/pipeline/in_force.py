"""The redactor in force: the one of the pipeline that a slot holds just then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.config.policy import Policy
    from footspan.pipeline.processor import Slot
    from footspan.processors.redaction import Redactor


class RedactorInForce:
    """Cleans by the rules of a slot's pipeline; once that has stopped, by those that held last.

    Args:
        slot: Where the pipeline is found.
    """

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._last: Redactor | None = None

    @property
    def policy(self) -> Policy:
        """The policy in force: what was cleaned under another is cleaned anew."""
        return self._redactor().policy

    def mapping(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Attributes redacted, and the keys that were touched."""
        return self._redactor().mapping(attributes)

    def text(self, value: str) -> str:
        """Free text redacted."""
        return self._redactor().text(value)

    def _redactor(self) -> Redactor:
        pipeline = self._slot.pipeline
        if pipeline is not None:
            self._last = pipeline.redactor
        if self._last is None:
            raise RuntimeError("no pipeline was ever started")  # whoever asks drops what cannot be cleaned
        return self._last
