"""How well the default privacy policy finds what it is for: precision and recall by class, and what it costs.

Recall: of the lines that hold something, how many hold nothing of it afterwards. Precision: of everything found, how
much was there to be found. The corpus has a half that the rules were made with, one that they were not, and a third
part by another hand, after the ways in which files, shells, protocols and people write. A figure is that of the
weakest.
"""

from __future__ import annotations

import collections
import json
import re
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import common

if TYPE_CHECKING:
    from privacy_corpus import Line

PROPERTIES: Final[dict[str, Any]] = {
    "order": "A-10042",
    "amount": 9.99,
    "currency": "EUR",
    "items": 3,
    "coupon": "WELCOME",
    "express": True,
    "screen": "checkout",
    "variant": "blue, large",
    "path": "/cart/checkout",
    "attempt": 1,
}
"""Ten properties that give nobody away."""

ADDS: Final = "<= 0.15"
"""Of the raw SDK's cost of the same event."""

RECALL: Final = {"secret": 0.99, "payment": 0.99, "contact": 0.97}
PRECISION: Final = 0.98


@dataclass
class Score:
    """What was counted for one class in one part.

    Attributes:
        lines: Lines that hold something of the class.
        clean: Those of them that hold nothing of it afterwards.
        right: Findings that were there to be found.
        wrong: Findings that were not.
        missed: The lines that were missed, and what was wrongly found; for who looks into it.
    """

    lines: int = 0
    clean: int = 0
    right: int = 0
    wrong: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The share of what was there that was found."""
        return self.clean / self.lines if self.lines else 1.0

    @property
    def precision(self) -> float:
        """The share of what was found that was there."""
        found = self.right + self.wrong
        return self.right / found if found else 1.0


_MARK: Final = re.compile(r"\[\w+\]")
_TELLS: Final = 6
"""So many characters of a value in a row tell something of it."""


def remains(line: Line, text: str) -> bool:
    """Whether a line's value, or as much of it as tells something, is still there."""
    text = _MARK.sub("[]", text)
    frame = line.text.replace(line.planted, " ")
    pieces = {line.planted[at : at + _TELLS] for at in range(max(1, len(line.planted) - _TELLS + 1))}
    if any(piece in text and piece not in frame and "KEY" not in piece for piece in pieces):
        return True
    digits = "".join(filter(str.isdigit, line.planted))
    left = "".join(filter(str.isdigit, text))
    return line.cls != "secret" and len(digits) > 6 and digits[-7:] in left


def score(part: str) -> dict[str, Score]:
    """Every class's score in one part, by the default policy."""
    import privacy_corpus  # noqa: PLC0415 - needs phonenumbers
    from footspan.privacy import Cleaner  # noqa: PLC0415 - as elsewhere

    hits: list[Any] = []
    cleaner = Cleaner(on_hit=hits.append)
    scores: dict[str, Score] = collections.defaultdict(Score)
    for line in privacy_corpus.corpus(part):
        hits.clear()
        clean = str(cleaner.guarded(line.key, line.text, [], line.key))
        if line.cls != "none":
            mine = scores[line.cls]
            mine.lines += 1
            if remains(line, clean):
                mine.missed.append(f"missed [{line.key}] {line.text!r} -> {clean!r}")
            else:
                mine.clean += 1
        for hit in hits:
            if line.planted and _overlap(hit.found, line):
                scores[line.cls].right += 1
            else:
                scores[hit.cls].wrong += 1
                scores[hit.cls].missed.append(f"wrong {hit.rule} [{line.key}] {line.text!r}: {hit.found!r}")
    return dict(scores)


def _overlap(found: str, line: Line) -> bool:
    """Whether a finding and what was planted share a stretch, as they stand or decoded."""
    decoded = unquote(unquote(line.planted))
    if any(found in planted or planted in found for planted in (line.planted, decoded)):
        return True
    place, planted = line.text.find(found), line.text.find(line.planted)
    return place >= 0 and planted >= 0 and place < planted + len(line.planted) and planted < place + len(found)


def cost(policy: str, rounds: int, count: int) -> list[tuple[float, float]]:
    """CPU seconds of the caller for one innocent event, ours and the raw SDK's in turn."""
    from opentelemetry._logs import SeverityNumber  # noqa: PLC0415 - as elsewhere

    import footspan  # noqa: PLC0415 - as elsewhere
    import track  # noqa: PLC0415 - has the two policies

    with (
        common.scratch() as folder,
        common.dead_endpoint() as nowhere,
        common.raw_running(common.Discard()) as (provider, logger),
        track.running(policy, folder, nowhere),
    ):

        def ours() -> None:
            footspan.track("checkout.completed", **PROPERTIES)

        def raw() -> None:
            logger.emit(
                timestamp=time.time_ns(),
                event_name="checkout.completed",
                severity_number=SeverityNumber.INFO,
                attributes={**common.CONTEXT, **PROPERTIES},
            )

        samples = []
        for _ in range(rounds + 1):
            mine = common.thread_cpu(ours, count)
            samples.append((mine, common.thread_cpu(raw, count)))
            provider.force_flush()
        return samples[1:]


def added(*, quick: bool) -> common.Row:
    """What the default policy adds to the caller's cost, in processes of their own that take turns."""
    samples: dict[str, list[tuple[float, float]]] = {"default": [], "empty": []}
    for _ in range(1 if quick else 4):
        for policy in samples:
            samples[policy] += common.child([__file__, "--cost", policy, *["--quick"] * quick])
    with_policy, without = (statistics.median(ours for ours, _ in samples[each]) for each in ("default", "empty"))
    raw = statistics.median(base for found in samples.values() for _, base in found)
    return common.Row(
        "the default policy adds, 10 innocent properties: CPU of the caller",
        (with_policy - without) / common.MICRO,
        raw / common.MICRO,
        figure=(with_policy - without) / raw,
        target=ADDS,
    )


def main() -> None:
    """Measure and print."""
    chosen = common.options(
        __doc__,
        ("--show", {"action": "store_true", "help": "print what was missed"}),
        ("--cost", {"choices": ["default", "empty"], "help": "only the cost with this policy, as JSON"}),
    )
    if chosen.cost:
        print(json.dumps(cost(chosen.cost, *((3, 200) if chosen.quick else (12, 2000)))))
        return
    import privacy_corpus  # noqa: PLC0415 - after the environment was cleared

    report = common.Report("What the default privacy policy finds")
    scores = {part: score(part) for part in privacy_corpus.PARTS}
    for cls in RECALL:
        parts = [scores[part][cls] for part in privacy_corpus.PARTS]
        recall, precision = min(each.recall for each in parts), min(each.precision for each in parts)
        lines = sum(each.lines for each in parts)
        report.rows.append(common.Row(f"recall, {cls}", lines, unit="lines", figure=recall, target=f">= {RECALL[cls]}"))
        found = sum(each.right + each.wrong for each in parts)
        report.rows.append(
            common.Row(f"precision, {cls}", found, unit="findings", figure=precision, target=f">= {PRECISION}")
        )
    report.rows.append(added(quick=chosen.quick))
    if chosen.show:
        for part, found_ in scores.items():
            for cls, each in found_.items():
                for text in each.missed:
                    print(f"{part}, {cls}: {text}")
    total = sum(1 for _ in privacy_corpus.everything())
    report.notes.append(f"{total} lines, more than half of them with templates that the rules were not made with.")
    report.show(chosen)


if __name__ == "__main__":
    main()
