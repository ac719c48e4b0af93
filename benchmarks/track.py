"""What ``track()`` costs its caller, as ratios to the raw OpenTelemetry SDK in the same run.

Both sides record the same event: five properties, and two values of the request's context. Ours is on disk when the
call returns, its destination is dead, and nothing is delivered meanwhile. The raw SDK's ``Logger.emit`` goes into a
``BatchLogRecordProcessor`` whose exporter does nothing, and is durable nowhere.

"Caller" is the CPU time of the calling thread alone. "Process" is that of every thread until all events are taken:
for us the courier's, which finds its destination dead, for the raw SDK its batch worker's. "Disabled" compares with
an empty function that takes the same arguments.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import common

if TYPE_CHECKING:
    from collections.abc import Callable

CALLER: Final = {"default": "<= 0.6", "empty": "<= 0.45"}
NAMES: Final = {"default": "default policy", "empty": "empty policy"}


def caller_and_process(call: Callable[[], object], settle: Callable[[], object], count: int) -> tuple[float, float]:
    """CPU seconds of one call: the calling thread's, and the process's until ``settle`` has returned."""
    whole = time.process_time_ns()
    caller = common.thread_cpu(call, count)
    settle()
    return caller, (time.process_time_ns() - whole) / count / 1e9


def measure(policy: str, rounds: int, count: int) -> dict[str, Any]:
    """Rounds of ours and raw in turn, in this process."""
    discard = common.Discard()
    with (
        common.scratch() as folder,
        common.dead_endpoint() as nowhere,
        common.raw_running(discard) as (provider, logger),
        running(policy, folder, nowhere) as how,
    ):
        ours, raw = common.our_call(), common.raw_call(logger)
        sides: tuple[tuple[Callable[[], object], Callable[[], object]], ...] = (
            (ours, lambda: None),
            (raw, provider.force_flush),
        )
        for call, settle in sides:  # caches, lazy imports, the first segment
            caller_and_process(call, settle, count)
        taken = discard.records
        found = [[caller_and_process(call, settle, count) for call, settle in sides] for _ in range(rounds)]
        check_durable((rounds + 1) * count)
        return {"samples": found, "how": how, "dropped": rounds * count - (discard.records - taken)}


class running:  # noqa: N801 - read as a with statement
    """footspan with the default policy or with none; the value says how that was done."""

    def __init__(self, policy: str, folder: str, endpoint: str) -> None:
        self._policy, self._folder, self._endpoint = policy, folder, endpoint
        self._inner: Any = None

    def __enter__(self) -> str:
        """Start."""
        import footspan  # noqa: PLC0415 - the children of other benchmarks measure its import

        if self._policy == "default":
            self._start()
            return ""
        try:
            self._start(privacy={"policy": "none"})
        except footspan.ConfigurationError:
            from footspan.pipeline import get_pipeline  # noqa: PLC0415 - as above

            self._start()
            pipeline: Any = get_pipeline()
            pipeline.processors[:] = [each for each in pipeline.processors if each is not pipeline.redactor]
            return "the empty policy is the pipeline without its redactor"
        return "the empty policy is the setting privacy.policy: none"

    def _start(self, **settings: Any) -> None:
        self._inner = common.footspan_running(self._folder, self._endpoint, **settings)
        self._inner.__enter__()

    def __exit__(self, *error: object) -> None:
        """Stop."""
        self._inner.__exit__(*error)


def check_durable(expected: int) -> None:
    """A figure counts only if the events it stands for are on disk and wait for their destination."""
    import footspan  # noqa: PLC0415 - as above

    waiting = footspan.flush(0)
    if sum(waiting.values()) != expected:
        sys.exit(f"benchmark: {expected} events were tracked, but {waiting} are waiting")


def empty(event_name: object = None, /, **properties: object) -> str:  # noqa: ARG001 - the arguments of track
    """Take the arguments of ``track`` and do nothing."""
    return ""


def disabled(rounds: int, count: int) -> dict[str, Any]:
    """Disabled tracking and an empty function, in turn."""
    import footspan  # noqa: PLC0415 - as above

    footspan.init(enabled=False)

    def nothing() -> None:
        empty("checkout.completed", amount=9.99, currency="EUR", items=3, coupon="WELCOME", express=True)

    def overhead() -> None:
        """The loop and the closure, which would make both look more alike than they are."""

    ours = common.our_call()
    samples = []
    for _ in range(rounds + 1):
        idle, off, bare = (common.thread_cpu(call, count) for call in (overhead, ours, nothing))
        samples.append((off - idle, bare - idle))
    return {"samples": samples[1:]}


def main() -> None:
    """Measure and print."""
    chosen = common.options(__doc__, ("--only", {"choices": [*CALLER, "disabled"], "help": "only this one, as JSON"}))
    rounds, count = (3, 200) if chosen.quick else (25, 2000)
    if chosen.only:
        found = disabled(rounds, count * 5) if chosen.only == "disabled" else measure(chosen.only, rounds, count)
        print(json.dumps(found))
        return
    report = common.Report("The caller's cost of one event")
    extra = ["--quick"] if chosen.quick else []
    for policy, target in CALLER.items():
        common.say(f"track: {NAMES[policy]} …")
        found = common.child([__file__, "--only", policy, *extra])
        for index, what in enumerate(("caller", "process")):
            samples = [(ours[index], raw[index]) for ours, raw in found["samples"]]
            report.rows.append(
                common.compare(
                    f"`track()`, {NAMES[policy]}: CPU of the {what}",
                    samples,
                    scale=common.MICRO,
                    unit="µs",
                    target="" if index else target,
                )
            )
        least = [min(ours[0] for ours, _ in found["samples"]), min(raw[0] for _, raw in found["samples"])]
        report.notes.append(
            f"{NAMES[policy]}: best rounds {least[0] * 1e6:.1f} µs and {least[1] * 1e6:.1f} µs, "
            f"a ratio of {least[0] / least[1]:.2f}; the raw SDK dropped {found['dropped']} records."
        )
        report.notes += [f"Here, {found['how']}."] * bool(found["how"])
    common.say("track: disabled …")
    samples = common.child([__file__, "--only", "disabled", *extra])["samples"]
    row = common.compare("`track()`, disabled: CPU of the caller", samples, scale=1e-9, unit="ns", target="<= 1.5")
    report.rows.append(row)
    report.show(chosen)


if __name__ == "__main__":
    main()
