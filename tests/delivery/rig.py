"""A spool, its destinations and a courier, put together as a pipeline does; also runs as a process of its own.

As a program it reads commands from its standard input, one a line, and answers each with one line of JSON:
``write N NAME``, ``flush SECONDS``, ``status``, ``fork N NAME`` (a child that writes and leaves by ``os._exit``) and
``shutdown``. The end of its input ends it the way any program ends: by its exit handler.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from delivery.doubles import stored
from footspan.config import BatchSettings, DestinationSettings, Settings, SpoolSettings
from footspan.delivery import Courier, accepts
from footspan.destinations import build_destination
from footspan.otlp_json import LogLine
from footspan.spool import open_spool
from footspan.spool.base import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TESTS = Path(__file__).resolve().parents[1]


def otlp(url: str, name: str = "otlp", **more: Any) -> DestinationSettings:
    """An OTLP destination whose requests are small enough to see them."""
    batch = BatchSettings(max_items=more.pop("max_items", None), max_age=more.pop("linger", 0.05))
    return DestinationSettings(name=name, type="otlp", options={"endpoint": url}, batch=batch, **more)


def umami(url: str, website: str, name: str = "umami", **more: Any) -> DestinationSettings:
    """An Umami destination."""
    return DestinationSettings(name=name, type="umami", options={"url": url, "website": website}, **more)


class Rig:
    """Everything below the pipeline.

    Args:
        directory: The spool's folder; ``None`` keeps events in memory.
        destinations: Settings of the destinations.
        exit_timeout: Seconds for exit work.
        carry: Whether this process delivers.
    """

    def __init__(
        self,
        directory: Path | None,
        destinations: Iterable[DestinationSettings],
        *,
        exit_timeout: float = 2.0,
        carry: bool = True,
    ) -> None:
        declared = tuple(destinations)
        durability = "memory" if directory is None else "process"
        settings = Settings(
            destinations=declared,
            exit_timeout=exit_timeout,
            spool=SpoolSettings(directory=directory, durability=durability),  # type: ignore[arg-type]
        )
        self.destinations = [build_destination(each) for each in declared]
        targets = [
            Target(built.id, each.name, each.type, each.events)
            for built, each in zip(self.destinations, declared, strict=True)
        ]
        self.spool = open_spool(settings, targets, accepts)
        self.courier = Courier(self.spool, self.destinations, exit_timeout=exit_timeout, carry=carry)
        self.courier.start()

    def write(self, count: int, name: str = "order.placed", **options: Any) -> list[str]:
        """Append events as a pipeline does; their uids."""
        uids = []
        for _ in range(count):
            line = stored(name, **options)
            self.spool.append(line)
            self.courier.wake()
            uids.append(LogLine(line).uid)
        return uids

    def close(self, timeout: float = 2.0) -> None:
        """Stop, and let the segment go."""
        self.courier.shutdown(timeout)
        self.spool.close()


def start(directory: Path, urls: Mapping[str, str], *, exit_timeout: float = 2.0) -> subprocess.Popen[str]:
    """Run a rig as a process: OTLP destinations by name and address, one spool in ``directory``."""
    arguments = [str(directory), json.dumps(dict(urls)), str(exit_timeout)]
    return subprocess.Popen(
        [sys.executable, "-m", "delivery.rig", *arguments],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ask(process: subprocess.Popen[str], *words: object) -> Any:
    """Give a running rig one command; its answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(" ".join(map(str, words)) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def _fork(rig: Rig, count: int, name: str) -> list[str]:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, json.dumps(rig.write(count, name)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as answer:
        return json.loads(answer.read())  # type: ignore[no-any-return]


def main() -> None:
    """The program."""
    directory, urls, exit_timeout = sys.argv[1:4]
    rig = Rig(
        Path(directory),
        [otlp(url, name, max_items=50) for name, url in json.loads(urls).items()],
        exit_timeout=float(exit_timeout),
    )
    atexit.register(rig.courier.shutdown)
    for command in sys.stdin:
        verb, *words = command.split()
        answer: object = None
        if verb == "write":
            answer = rig.write(int(words[0]), words[1])
        elif verb == "fork":
            answer = _fork(rig, int(words[0]), words[1])
        elif verb == "flush":
            answer = rig.courier.flush(float(words[0]))
        elif verb == "status":
            answer = rig.courier.status()
        elif verb == "shutdown":
            rig.courier.shutdown()
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
