"""What the demo compares: what shoppers did and the shop was promised, with what the servers really received."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from shoppers import BAD_CARD, MAIL, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from shoppers import Diary
    from stage import Stage

CANARIES = (MAIL, MAIL.replace("@", "%40"), PASSWORD, BAD_CARD, BAD_CARD.replace(" ", ""), "canary")
UNWANTED = "debug."
"""Events that the demo's settings send nowhere."""


@dataclass
class Verdict:
    """The findings, good and bad."""

    checks: list[tuple[bool, str]] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was lost or leaked and the numbers add up."""
        return all(ok for ok, _ in self.checks)

    def check(self, ok: bool, text: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Note one finding."""
        self.checks.append((bool(ok), text))


def judge(stage: Stage, diary: Diary, status: Mapping[str, Any], leaks: Iterable[str]) -> Verdict:
    """Compare everything with everything.

    Args:
        stage: The servers, and where the shop's receipts are.
        diary: What the shoppers did.
        status: Footspan's own ledger.
        leaks: Files in which a canary was seen on the way.
    """
    verdict = Verdict()
    receipts = [json.loads(line) for line in stage.receipts.read_text().splitlines()]
    umami, sink = stage.umami.rows(), stage.sink.rows()
    rows = umami["website_event"]
    _judge_ledger(verdict, status, receipts, diary.broken)
    _judge_otlp(verdict, sink, receipts, status["destinations"]["otlp"])
    _judge_payments(verdict, sink, receipts, diary.broken)
    _judge_umami(verdict, rows, receipts, status["destinations"]["umami"])
    _judge_page_views(verdict, rows, diary, extra=len(rows) - status["destinations"]["umami"]["delivered"])
    verdict.check(bool(sink["spans"]), f"{len(sink['spans'])} spans of a quarter of the traces arrived over OTLP")
    problems = sink["problems"]
    verdict.check(not problems, "every OTLP request kept the contract")
    _judge_privacy(verdict, stage, leaks)
    return verdict


def _judge_ledger(verdict: Verdict, status: Mapping[str, Any], receipts: list[dict[str, str]], broken: int) -> None:
    for name, entry in status["destinations"].items():
        parts = entry["delivered"] + entry["waiting"] + sum(entry["refused"].values()) + entry["evicted"]
        verdict.check(
            entry["accepted"] == parts and not entry["waiting"] and not entry["evicted"],
            f"{name}: accepted {entry['accepted']} = delivered + refused, nothing waiting, nothing evicted",
        )
    unrouted = sum(receipt["name"].startswith(UNWANTED) for receipt in receipts)
    counted = status["counters"]["unrouted"]
    verdict.check(
        0 < unrouted <= counted <= unrouted + broken, f"{unrouted} debug events were counted as unrouted ({counted})"
    )
    lost = {name: count for name, count in status["counters"].items() if count and name != "unrouted"}
    verdict.check(not lost, f"no other counter moved{f': {lost}' if lost else ''}")


def _judge_otlp(
    verdict: Verdict, sink: Mapping[str, Any], receipts: list[dict[str, str]], ledger: Mapping[str, Any]
) -> None:
    arrived = Counter(log["uid"] for log in sink["logs"])
    promised = {receipt["uid"] for receipt in receipts if receipt["uid"] and not receipt["name"].startswith(UNWANTED)}
    missing = promised - set(arrived)
    verdict.check(not missing, f"OTLP: all {len(promised)} events that track() gave a receipt for arrived")
    verdict.check(
        len(arrived) == ledger["delivered"],
        f"OTLP: {len(arrived)} different events = delivered; {arrived.total() - len(arrived)} arrived twice",
    )


def _judge_payments(verdict: Verdict, sink: Mapping[str, Any], receipts: list[dict[str, str]], broken: int) -> None:
    """``track_duration`` gives no receipt; the shop notes how each payment ended."""
    arrived = Counter(log["name"] for log in {log["uid"]: log for log in sink["logs"]}.values())
    for ending in ("checkout.completed", "checkout.failed"):
        seen = sum(receipt["name"] == ending for receipt in receipts)
        verdict.check(0 < seen <= arrived[ending] <= seen + broken, f"OTLP: {arrived[ending]} {ending} of {seen}")
    ends = arrived["checkout.completed"] + arrived["checkout.failed"]
    verdict.check(ends <= arrived["checkout.started"] <= ends + broken, "OTLP: every started checkout ended")


def _judge_umami(
    verdict: Verdict, rows: list[dict[str, Any]], receipts: list[dict[str, str]], ledger: Mapping[str, Any]
) -> None:
    names = Counter(row["event_name"] for row in rows if row.get("event_name"))
    promised = Counter(receipt["name"] for receipt in receipts if not receipt["name"].startswith(UNWANTED))
    bots = ledger["refused"].get("bot", 0)
    # The crawler's searches are the only events that Umami may refuse.
    promised["search.performed"] -= bots
    short = {name: count for name, count in promised.items() if names[name] < count}
    verdict.check(not short, f"Umami: every promised event arrived{f', but of {sorted(short)}' if short else ''}")
    extra = len(rows) - ledger["delivered"]
    verdict.check(extra >= 0, f"Umami: {len(rows)} rows = delivered and {extra} that were sent again")
    verdict.check(
        bots > 0 and set(ledger["refused"]) == {"bot"}, f"Umami: refused {bots} events of a bot, and no other"
    )


def _judge_page_views(verdict: Verdict, rows: list[dict[str, Any]], diary: Diary, extra: int) -> None:
    seen = Counter(
        _page(row.get("url_path", ""), row.get("url_query", "")) for row in rows if not row.get("event_name")
    )
    expected, torn = _pages(diary.pages), _pages(diary.torn)
    missing, surplus = expected - seen, seen - expected
    verdict.check(not missing, f"Umami: all {expected.total()} page views of the shoppers arrived")
    verdict.check(
        surplus.total() <= torn.total() + extra and set(surplus) <= {*expected, *torn},
        f"Umami: and {surplus.total()} more ({torn.total()} pages broke off, {extra} rows were sent again)",
    )


def _pages(counts: Mapping[tuple[str, str], int]) -> Counter[tuple[str, str]]:
    pages: Counter[tuple[str, str]] = Counter()
    for page, count in counts.items():
        pages[_page(*page)] += count
    return pages


def _page(path: str, query: str) -> tuple[str, str]:
    """A page as both sides would write it; an e-mail in the address is cut out on the way."""
    pairs = [(name, "…" if name == "email" else value) for name, value in parse_qsl(query)]
    return path, urlencode(pairs)


def _judge_privacy(verdict: Verdict, stage: Stage, leaks: Iterable[str]) -> None:
    for name, server in (("Umami", stage.umami), ("OTLP", stage.sink)):
        requests = server.requests()
        bad = [canary for canary in CANARIES if canary in json.dumps(requests, ensure_ascii=False)]
        verdict.check(not bad, f"{name}: no e-mail address, password or card in {len(requests)} requests")
    found = sorted({*leaks, *leaking_files(stage)})
    verdict.check(not found, f"none in the spool, the dead letters and the logs{f', but in {found}' if found else ''}")


def leaking_files(stage: Stage) -> Iterator[str]:
    """Files of the spool and logs in which a canary can be read."""
    for path in [*files_of(stage.spool), stage.shop.log, stage.receipts]:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        if any(canary.encode() in content for canary in CANARIES):
            yield path.name


def files_of(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]
