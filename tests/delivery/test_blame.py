"""Every verdict, and what becomes of each event of a batch."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from delivery.doubles import batch_of, line, names
from footspan.delivery.blame import AGAIN_LIMIT, Record, Shipment
from footspan.delivery.moves import Step
from footspan.destinations.base import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

DELIVERED = Outcome(Verdict.DELIVERED)
REFUSED = Outcome(Verdict.REFUSED, "http_400")


class Delivery:
    """A shipment run against a script until it is finished or must wait."""

    def __init__(
        self,
        events: list[str],
        answer: Callable[[list[str]], Outcome],
        *,
        on_ambiguous: str = "retry",
        record: Record | None = None,
        ambiguous: bool = False,
    ) -> None:
        self.answer = answer
        self.requests: list[list[str]] = []
        self.delivered: list[str] = []
        self.shipment = Shipment(batch_of(events, ambiguous=ambiguous), lambda _: on_ambiguous, record or Record())

    def run(self, *, max_items: int = 1000, max_bytes: int = 1 << 20, rounds: int = 5000) -> tuple[Step, str]:
        """Requests until the shipment is finished (``GO_ON``) or asks for a pause; the step and its reason."""
        for _ in range(rounds):
            if self.shipment.finished:
                return Step.GO_ON, ""
            request = names(self.shipment.next(max_items, max_bytes))
            assert request, "an unfinished shipment gives no empty request"
            self.requests.append(request)
            outcome = self.answer(request)
            for index, name in enumerate(request):
                if outcome.items.get(index, outcome).verdict is Verdict.DELIVERED:
                    self.delivered.append(name)
            move = self.shipment.apply(outcome)
            if move.step is not Step.GO_ON:
                return move.step, move.reason
        pytest.fail("a shipment that never ends")

    @property
    def rejected(self) -> list[tuple[str, str]]:
        return [(event.name, reason) for event, reason in self.shipment.rejected]


def poisoned(*poison: str) -> Callable[[list[str]], Outcome]:
    """A destination that refuses every request with one of these events in it."""
    return lambda request: REFUSED if set(request) & set(poison) else DELIVERED


def numbered(count: int) -> list[str]:
    """That many events, told apart by name."""
    return [f"e{number}" for number in range(count)]


def test_delivered_is_one_request() -> None:
    """A success finishes the batch."""
    delivery = Delivery(numbered(5), lambda _: DELIVERED)

    assert delivery.run() == (Step.GO_ON, "")
    assert delivery.requests == [numbered(5)]
    assert delivery.shipment.tally.delivered == 5


@pytest.mark.parametrize("seed", range(20))
def test_three_poison_events_among_five_hundred_are_found_and_all_others_delivered_in_order(seed: int) -> None:
    """Halving finds each; what was refused together with them arrives once, in order."""
    events = numbered(500)
    poison = sorted(random.Random(seed).sample(range(500), 3))
    delivery = Delivery(events, poisoned(*(events[at] for at in poison)))

    assert delivery.run() == (Step.GO_ON, "")
    assert delivery.rejected == [(events[at], "http_400") for at in poison]
    assert delivery.delivered == [name for at, name in enumerate(events) if at not in poison]
    assert delivery.shipment.tally.refused == {"http_400": 3}
    assert len(delivery.requests) < 70


@pytest.mark.parametrize("at", [0, 100, 249, 497])
def test_three_poison_events_side_by_side_do_not_park_the_destination(at: int) -> None:
    """Three refusals in a row are only a suspicion: where the next event is taken, they were the events' fault."""
    events = numbered(500)
    delivery = Delivery(events, poisoned(*events[at : at + 3]))
    step, _ = delivery.run()
    if at == 497:  # nobody is left to be asked: the destination answers for it until it takes something
        assert step is Step.PARK
        return

    assert step is Step.GO_ON
    assert delivery.rejected == [(name, "http_400") for name in events[at : at + 3]]
    assert delivery.delivered == events[:at] + events[at + 3 :]


def test_a_destination_that_refuses_everything_is_parked_and_keeps_all_but_two() -> None:
    """Three refused singles with no success between them: the third and later are not given up."""
    delivery = Delivery(numbered(64), lambda _: REFUSED)

    assert delivery.run() == (Step.PARK, "http_400")
    assert delivery.rejected == [("e0", "http_400"), ("e1", "http_400")]
    for _ in range(200):
        assert delivery.run() == (Step.PARK, "http_400")
    assert len(delivery.rejected) == 2


def test_a_destination_that_recovers_from_refusing_gets_everything_it_had_refused() -> None:
    """Events refused while the destination was at fault are sent again once it takes something."""
    delivery = Delivery(numbered(64), lambda _: REFUSED)
    for _ in range(5):
        delivery.run()
    delivery.delivered.clear()
    delivery.answer = lambda _: DELIVERED

    assert delivery.run() == (Step.GO_ON, "")
    assert sorted(delivery.delivered) == sorted(numbered(64)[2:])
    assert len(delivery.rejected) == 2


def test_probes_of_a_parked_destination_find_an_event_it_takes() -> None:
    """Poison at the head of a batch cannot hold the rest back for ever: each probe tries another event."""
    events = numbered(20)
    delivery = Delivery(events, poisoned(*events[:10]))
    pauses = 0
    while delivery.run()[0] is not Step.GO_ON:
        pauses += 1
        assert pauses < 100

    assert sorted(delivery.delivered) == sorted(events[10:])
    assert {name for name, _ in delivery.rejected} == set(events[:10])


def test_refusals_count_across_batches_until_a_success() -> None:
    """Three batches of one refused event each: the third is kept."""
    record = Record()
    first = Delivery(["a"], lambda _: REFUSED, record=record)
    second = Delivery(["b"], lambda _: REFUSED, record=record)
    third = Delivery(["c"], lambda _: REFUSED, record=record)

    assert [first.run()[0], second.run()[0], third.run()[0]] == [Step.GO_ON, Step.GO_ON, Step.PARK]
    assert third.rejected == []


def test_a_success_between_refusals_clears_the_destination() -> None:
    """Two refused, one delivered, two refused: all of them were the events' fault."""
    record = Record()
    steps = []
    for answer in (REFUSED, REFUSED, DELIVERED, REFUSED, REFUSED):
        delivery = Delivery(["event"], poisoned("event") if answer is REFUSED else lambda _: DELIVERED, record=record)
        steps.append(delivery.run()[0])

    assert steps == [Step.GO_ON] * 5


def test_a_success_finishes_after_a_retry_with_the_same_events() -> None:
    """Nothing is finished and nothing lost by a request that got no answer."""
    delivery = Delivery(numbered(3), lambda _: Outcome(Verdict.RETRY, "http_503", 7.0))

    assert delivery.run() == (Step.PAUSE, "http_503")
    delivery.answer = lambda _: DELIVERED
    assert delivery.run() == (Step.GO_ON, "")
    assert delivery.requests == [numbered(3), numbered(3)]


def test_retry_after_is_handed_on() -> None:
    """What the destination asked for reaches the carrier."""
    shipment = Shipment(batch_of(["a"]), lambda _: "retry", Record())
    shipment.next(10, 1000)

    assert shipment.apply(Outcome(Verdict.RETRY, "http_429", 12.5)).retry_after == 12.5


def test_park_keeps_everything() -> None:
    """The destination's own fault costs no event."""
    delivery = Delivery(numbered(3), lambda _: Outcome(Verdict.PARK, "http_401"))

    assert delivery.run() == (Step.PARK, "http_401")
    assert delivery.shipment.tally.refused == {}
    delivery.answer = lambda _: DELIVERED
    assert delivery.run() == (Step.GO_ON, "")


def test_again_sends_at_once_what_fits_now() -> None:
    """A destination that lowered its limit gets the same events in smaller requests, in order."""
    limits = iter([Outcome(Verdict.AGAIN, "batch_size")])
    delivery = Delivery(numbered(6), lambda _: next(limits, DELIVERED))
    shipment = delivery.shipment
    shipment.next(6, 1 << 20)
    shipment.apply(Outcome(Verdict.AGAIN, "batch_size"))
    limits = iter([])

    assert delivery.run(max_items=2) == (Step.GO_ON, "")
    assert delivery.requests == [["e0", "e1"], ["e2", "e3"], ["e4", "e5"]]


def test_again_for_ever_is_a_pause() -> None:
    """A destination that never makes up its mind is not asked in a tight loop."""
    delivery = Delivery(numbered(2), lambda _: Outcome(Verdict.AGAIN, "encoding"))

    assert delivery.run() == (Step.PAUSE, "encoding")
    assert len(delivery.requests) == AGAIN_LIMIT + 1


def test_ambiguous_with_retry_sends_the_same_again() -> None:
    """At least once: the batch is repeated as it was."""
    delivery = Delivery(numbered(3), lambda _: Outcome(Verdict.AMBIGUOUS, "read_timeout"))

    assert delivery.run() == (Step.PAUSE, "read_timeout")
    delivery.answer = lambda _: DELIVERED
    assert delivery.run() == (Step.GO_ON, "")
    assert delivery.requests[0] == delivery.requests[1]


def test_ambiguous_with_drop_gives_up_and_risks_one_event_at_a_time_from_then_on() -> None:
    """At most once: what may have arrived is counted and kept aside; an outage must not eat batch after batch."""
    record = Record()
    timeout = Outcome(Verdict.AMBIGUOUS, "read_timeout")
    first = Delivery(numbered(3), lambda _: timeout, on_ambiguous="drop", record=record)
    assert first.run() == (Step.PAUSE, "read_timeout")
    assert first.shipment.finished
    assert first.shipment.tally.refused == {"ambiguous": 3}

    second = Delivery(numbered(5), lambda _: timeout, on_ambiguous="drop", record=record)
    assert second.run() == (Step.PAUSE, "read_timeout")
    assert second.requests == [["e0"]]
    second.answer = lambda _: DELIVERED
    assert second.run() == (Step.GO_ON, "")
    assert second.requests[1:] == [["e1"], ["e2", "e3", "e4"]]


def test_drop_may_hold_for_some_events_only() -> None:
    """The destination decides event by event: what must not arrive twice is given up, its neighbours go again."""
    shipment = Shipment(
        batch_of(["view", "revenue", "click"]), lambda event: "drop" if event.name == "revenue" else "retry", Record()
    )
    assert len(shipment.next(10, 1 << 20)) == 3
    assert shipment.apply(Outcome(Verdict.AMBIGUOUS, "http_502")).step is Step.PAUSE
    assert shipment.tally.refused == {"ambiguous": 1}
    assert names(shipment.next(10, 1 << 20)) == ["view", "click"]


def test_events_that_may_be_dropped_travel_alone_until_the_destination_answers() -> None:
    """After a request of unknown fate only what can be repeated is sent in bulk."""
    record = Record(unproven=True)
    shipment = Shipment(
        batch_of(["a", "b", "revenue", "c"]), lambda event: "drop" if event.name == "revenue" else "retry", record
    )
    assert names(shipment.next(10, 1 << 20)) == ["a", "b"]
    shipment.apply(Outcome(Verdict.RETRY))
    assert names(shipment.next(10, 1 << 20)) == ["a", "b"]
    shipment.apply(DELIVERED)
    assert names(shipment.next(10, 1 << 20)) == ["revenue", "c"]


@pytest.mark.parametrize(("on_ambiguous", "requests", "refused"), [("retry", 1, {}), ("drop", 0, {"ambiguous": 4})])
def test_a_dead_carriers_batch_follows_on_ambiguous(on_ambiguous: str, requests: int, refused: dict[str, int]) -> None:
    """Lines that were being sent when their carrier died may have arrived."""
    delivery = Delivery(numbered(4), lambda _: DELIVERED, on_ambiguous=on_ambiguous, ambiguous=True)

    assert delivery.run() == (Step.GO_ON, "")
    assert len(delivery.requests) == requests
    assert delivery.shipment.tally.refused == refused


def test_a_mixed_answer_finishes_some_and_sends_the_rest_again() -> None:
    """Delivered and refused items are done; items to retry or of unknown fate go again, in order."""
    items = {1: REFUSED, 2: Outcome(Verdict.RETRY, "http_503", 3.0), 4: Outcome(Verdict.AMBIGUOUS, "http_500")}
    delivery = Delivery(numbered(6), lambda _: Outcome(Verdict.DELIVERED, items=items))

    assert delivery.run() == (Step.PAUSE, "http_503")
    assert delivery.rejected == [("e1", "http_400")]
    delivery.answer = lambda _: DELIVERED
    assert delivery.run() == (Step.GO_ON, "")
    assert delivery.requests[1] == ["e2", "e4"]
    assert delivery.delivered == ["e0", "e3", "e5", "e2", "e4"]


def test_a_mixed_answer_with_drop_gives_up_only_the_unknown() -> None:
    """Of one answer, the item of unknown fate is dropped and its neighbours are not."""
    items = {0: Outcome(Verdict.AMBIGUOUS, "http_500"), 2: Outcome(Verdict.RETRY, "http_503")}
    delivery = Delivery(numbered(3), lambda _: Outcome(Verdict.DELIVERED, items=items), on_ambiguous="drop")

    assert delivery.run()[0] is Step.PAUSE
    assert delivery.rejected == [("e0", "ambiguous")]
    delivery.answer = lambda _: DELIVERED
    assert delivery.run() == (Step.GO_ON, "")
    assert delivery.requests[1] == ["e2"]


def test_any_number_of_refused_items_beside_an_answer_that_takes_the_request_is_no_doubt() -> None:
    """Bots in a row say nothing about the destination."""
    items = {at: Outcome(Verdict.REFUSED, "bot") for at in range(9)}
    delivery = Delivery(numbered(10), lambda _: Outcome(Verdict.DELIVERED, items=items))

    assert delivery.run() == (Step.GO_ON, "")
    assert delivery.shipment.tally.refused == {"bot": 9}


def test_items_refused_by_an_answer_that_takes_none_park_the_destination() -> None:
    """Item by item or not: three refusals with no success between them are the destination's fault."""
    delivery = Delivery(
        numbered(6), lambda request: Outcome(Verdict.REFUSED, "x", items=dict.fromkeys(range(len(request)), REFUSED))
    )

    assert delivery.run() == (Step.PARK, "http_400")
    assert len(delivery.rejected) == 2


def test_events_left_out_of_a_request_that_failed_are_finished() -> None:
    """What the destination could not put into the request is refused even though the request got no answer."""
    left_out = {0: Outcome(Verdict.REFUSED, "too_large")}
    delivery = Delivery(numbered(3), lambda _: Outcome(Verdict.RETRY, "connection_refused", items=left_out))

    assert delivery.run() == (Step.PAUSE, "connection_refused")
    assert delivery.rejected == [("e0", "too_large")]
    delivery.answer = lambda _: DELIVERED
    delivery.run()
    assert delivery.requests[1] == ["e1", "e2"]


def test_a_single_item_that_asks_again_for_ever_is_a_pause() -> None:
    """An answer that takes the request and defers its only event does not make a tight loop."""
    delivery = Delivery(["a"], lambda _: Outcome(Verdict.DELIVERED, items={0: Outcome(Verdict.AGAIN, "later")}))

    assert delivery.run()[0] is Step.PAUSE
    assert len(delivery.requests) <= AGAIN_LIMIT + 1


def test_requests_keep_to_both_limits() -> None:
    """Batches are cut by count and by bytes, never to nothing."""
    delivery = Delivery(numbered(10), lambda _: DELIVERED)
    size = len(delivery.shipment.batch.events[0].line) + 1

    delivery.run(max_items=4, max_bytes=3 * size)
    assert [len(request) for request in delivery.requests] == [3, 3, 3, 1]
    tiny = Delivery(numbered(3), lambda _: DELIVERED)
    tiny.run(max_items=4, max_bytes=1)
    assert [len(request) for request in tiny.requests] == [1, 1, 1]


def test_redacted_values_of_delivered_events_are_counted() -> None:
    """The ledger says how many values left in redacted form."""
    batch = batch_of(["a"])
    batch.events = [*batch.events, *batch_of(["b"]).events, line("c", redacted=["email", "password"])]
    shipment = Shipment(batch, lambda _: "retry", Record())
    shipment.next(10, 1 << 20)
    shipment.apply(DELIVERED)

    assert (shipment.tally.delivered, shipment.tally.redacted) == (3, 2)


@pytest.mark.parametrize("seed", range(60))
def test_no_event_is_ever_lost_or_finished_twice(seed: int) -> None:
    """Under any mix of verdicts, whole and by item, every event ends in exactly one way."""
    dice = random.Random(seed)
    verdicts = list(Verdict)

    def answer(request: list[str]) -> Outcome:
        if dice.random() < 0.3:
            return DELIVERED
        items = {
            at: Outcome(dice.choice(verdicts), "item") for at in range(len(request)) if dice.random() < dice.random()
        }
        return Outcome(dice.choice(verdicts), "whole", items=items)

    events = numbered(40)
    delivery = Delivery(events, answer, on_ambiguous=dice.choice(["retry", "drop"]))
    for _ in range(2000):
        if delivery.run(max_items=dice.randint(1, 40))[0] is Step.GO_ON:
            break

    assert delivery.shipment.finished
    given_up = [name for name, _ in delivery.rejected]
    assert sorted(delivery.delivered + given_up) == sorted(events)
    tally = delivery.shipment.tally
    assert (tally.delivered, sum(tally.refused.values())) == (len(delivery.delivered), len(given_up))
