"""The demo's verdict finds what it is there to find."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from shoppers import MAIL, Diary
from verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass
class Server:
    """What a stand-in would say."""

    stored: dict[str, Any]
    received: list[dict[str, Any]] = field(default_factory=list)

    def rows(self) -> dict[str, Any]:
        """What it has stored."""
        return self.stored

    def requests(self) -> list[dict[str, Any]]:
        """What it has received."""
        return self.received


@dataclass
class World:
    """A demo that went well: one purchase, one failed payment, one bot, one debug event, one page view."""

    folder: Path
    diary: Diary = field(default_factory=Diary)
    leaks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.receipts = [
            {"uid": "u1", "name": "cart.added"},
            {"uid": "u2", "name": "search.performed"},
            {"uid": "u3", "name": "debug.search_index"},
            {"uid": "", "name": "checkout.completed"},
            {"uid": "", "name": "checkout.failed"},
        ]
        events = ["cart.added", "search.performed", *["checkout.started"] * 2, "checkout.completed", "checkout.failed"]
        self.logs = [{"uid": f"u{number}", "name": name} for number, name in enumerate(events, 1)]
        self.logs.append({"uid": "u9", "name": "footspan.page_view"})
        self.rows = [{"event_name": name} for name in events if name != "search.performed"]
        self.rows.append({"url_path": "/", "url_query": "utm_source=news"})
        self.diary.note("/?utm_source=news", page=True, whole=True)
        self.otlp = {"accepted": 7, "delivered": 7, "waiting": 0, "refused": {}, "evicted": 0}
        self.umami = {"accepted": 7, "delivered": 6, "waiting": 0, "refused": {"bot": 1}, "evicted": 0}
        self.counters = {"unrouted": 1, "dropped": 0}
        self.received: list[dict[str, Any]] = [{"body": "clean"}]
        self.problems: list[str] = []

    def verdict(self) -> Verdict:
        """Have it judged."""
        (self.folder / "spool").mkdir(exist_ok=True)
        receipts = self.folder / "receipts.jsonl"
        receipts.write_text("".join(json.dumps(receipt) + "\n" for receipt in self.receipts))
        stage: Any = SimpleNamespace(
            umami=Server({"website_event": self.rows}, self.received),
            sink=Server({"logs": self.logs, "spans": [{}], "problems": self.problems}, self.received),
            receipts=receipts,
            spool=self.folder / "spool",
            shop=SimpleNamespace(log=self.folder / "shop.log"),
        )
        status = {"destinations": {"otlp": self.otlp, "umami": self.umami}, "counters": self.counters}
        return judge(stage, self.diary, copy.deepcopy(status), self.leaks)


def set_to(name: str, key: str, value: object) -> Callable[[World], None]:
    """Change one figure."""
    return lambda world: getattr(world, name).update({key: value})


def leak_on_disk(world: World) -> None:
    """Write an address where dead letters lie."""
    (world.folder / "spool").mkdir()
    (world.folder / "spool" / "rejected.jsonl").write_text(f"to {MAIL}")


def test_a_demo_that_went_well(tmp_path: Path) -> None:
    """Nothing is found where there is nothing to find."""
    verdict = World(tmp_path).verdict()
    assert [text for ok, text in verdict.checks if not ok] == []
    assert verdict.good


def test_what_is_sent_again_or_broke_off_is_no_fault(tmp_path: Path) -> None:
    """A duplicate that footspan knows of nothing, and a page view whose answer never came, are at least once."""
    world = World(tmp_path)
    world.logs.append({"uid": "u1", "name": "cart.added"})
    world.rows.append({"event_name": "cart.added"})
    world.rows.append({"url_path": "/cart", "url_query": ""})
    world.umami["delivered"] = 7
    world.umami["accepted"] = 8
    world.diary.note("/cart", page=True, whole=False)
    assert world.verdict().good


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world: world.logs.pop(0),
        lambda world: world.rows.pop(0),
        lambda world: world.rows.pop(),
        lambda world: world.rows.append({"url_path": "/secret", "url_query": ""}),
        lambda world: world.diary.note("/cart", page=True, whole=True),
        lambda world: world.received.append({"body": f"mail={MAIL}"}),
        lambda world: world.leaks.append("segment.jsonl"),
        lambda world: world.problems.append("no resource"),
        leak_on_disk,
        set_to("otlp", "waiting", 1),
        set_to("otlp", "accepted", 9),
        set_to("otlp", "delivered", 6),
        set_to("umami", "refused", {"http_400": 1}),
        set_to("umami", "refused", {}),
        set_to("umami", "evicted", 1),
        set_to("umami", "delivered", 7),
        set_to("counters", "unrouted", 0),
        set_to("counters", "unrouted", 2),
        set_to("counters", "dropped", 1),
    ],
)
def test_one_thing_wrong_is_found(spoil: Callable[[World], object], tmp_path: Path) -> None:
    """Whatever is lost, leaked, counted wrongly or refused for no reason spoils the verdict."""
    world = World(tmp_path)
    spoil(world)
    assert not world.verdict().good
