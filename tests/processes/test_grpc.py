"""Whole processes that deliver over gRPC: from the standard variables, across forks, and to their end."""

from __future__ import annotations

import socket
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from programs import run, until
from servers.otlp_grpc import OtlpGrpcSink
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sink() -> Iterator[OtlpGrpcSink]:
    """A running receiver."""
    with OtlpGrpcSink() as running:
        yield running
        assert not running.problems


def variables(endpoint: str) -> dict[str, str]:
    """What an operator sets for a Collector that takes gRPC."""
    return {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_HEADERS": "X-Key=a%20b",
        "OTEL_SERVICE_NAME": "shop",
    }


def test_the_standard_variables_are_all_it_takes(sink: OtlpGrpcSink) -> None:
    """A script that tracks and ends has delivered over gRPC, and says nothing."""
    result = run("import footspan; print(footspan.track('script.ran', n=1))", variables(sink.url))

    assert [event["uid"] for event in sink.events] == result.stdout.split(), result.stderr
    assert result.stderr == ""
    (event,) = sink.events
    assert (event["name"], event["attributes"]["n"], event["resource"]["service.name"]) == ("script.ran", 1, "shop")
    assert sink.calls[0].metadata["x-key"] == "a b"


def test_an_address_without_a_scheme(sink: OtlpGrpcSink) -> None:
    """OTEL_EXPORTER_OTLP_INSECURE says that it is plain."""
    env = {**variables(f"127.0.0.1:{sink.port}"), "OTEL_EXPORTER_OTLP_INSECURE": "true"}
    result = run("import footspan; footspan.track('ran'); print(footspan.flush(10))", env)

    assert result.stdout.strip() == "{'otlp': 0}", result.stderr


def test_a_fork_before_the_first_request(sink: OtlpGrpcSink) -> None:
    """Parent and child go on tracking; everything arrives, once."""
    result = run(
        """
        import os, sys, footspan
        footspan.init()
        child = os.fork()
        mine = "child" if child == 0 else "parent"
        uids = [footspan.track(mine, n=n) for n in range(100)]
        os.write(1, ("\\n".join(uids) + "\\n").encode())
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        print(footspan.flush(20), file=sys.stderr)
        """,
        variables(sink.url),
    )

    assert "{'otlp': 0}" in result.stderr
    assert len(set(result.stdout.split())) == 200
    assert Counter(event["uid"] for event in sink.events) == Counter(result.stdout.split())


# The parent has sent over gRPC and dies; the child takes over, and ends as an ordinary process does.
OUTLIVES_ITS_PARENT = """
    import os, sys, time, footspan
    footspan.init()
    uids = [footspan.track("parent", n=n) for n in range(10)]
    assert footspan.flush(20) == {"otlp": 0}
    if os.fork():
        os._exit(0)
    uids += [footspan.track("child", n=n) for n in range(10)]
    left = footspan.flush(float(sys.argv[1]))
    began = time.monotonic()
    footspan.shutdown()
    seconds = time.monotonic() - began
    os.write(1, (" ".join(uids) + f"\\n{left['otlp']} {seconds}\\n").encode())
"""


def test_a_child_of_a_process_that_has_sent_takes_over(sink: OtlpGrpcSink) -> None:
    """Where gRPC survives forks, which it does by default, the child delivers on a connection of its own."""
    result = run(OUTLIVES_ITS_PARENT, variables(sink.url), "20")
    uids, (left, _) = (text.split() for text in result.stdout.splitlines())

    assert left == "0", result.stderr
    assert Counter(event["uid"] for event in sink.events) == Counter(uids)
    assert len({call.peer for call in sink.calls}) == 2


@pytest.mark.slow
@pytest.mark.parametrize("support", ["", "1"])
def test_a_fork_in_the_middle_of_a_request(support: str, sink: OtlpGrpcSink) -> None:
    """The request is cancelled rather than inherited, at once; both processes go on, and a lone child takes over."""
    sink.hang(30.0)
    result = run(
        """
        import os, sys, time, footspan
        footspan.init()
        uids = [footspan.track("parent")]
        time.sleep(1.5)
        began = time.monotonic()
        child = os.fork()
        seconds = time.monotonic() - began
        if child:
            footspan.flush(20)
            os._exit(0)
        time.sleep(1)
        uids.append(footspan.track("child"))
        print(footspan.flush(20), file=sys.stderr)
        os.write(1, f"{' '.join(uids)}\\n{seconds}\\n".encode())
        """,
        variables(sink.url) | ({"GRPC_ENABLE_FORK_SUPPORT": support} if support else {}),
    )

    uids, seconds = result.stdout.splitlines()
    assert float(seconds) < 0.5
    assert "{'otlp': 0}" in result.stderr
    assert Counter(event["uid"] for event in sink.events) == Counter(uids.split())


@pytest.mark.slow
def test_a_child_in_which_grpc_is_dead_loses_nothing(sink: OtlpGrpcSink) -> None:
    """Where gRPC does not survive forks, the child says so and ends in time; the next process delivers its events."""
    env = {**variables(sink.url), "GRPC_ENABLE_FORK_SUPPORT": "0", "FOOTSPAN_EXIT_TIMEOUT": "1"}
    env["FOOTSPAN_DESTINATIONS_OTLP_TIMEOUT"] = "1s"
    result = run(OUTLIVES_ITS_PARENT, env, "6")
    uids, (left, seconds) = (text.split() for text in result.stdout.splitlines())

    assert left == "10", result.stderr
    assert float(seconds) < 1.5
    assert "GRPC_ENABLE_FORK_SUPPORT" in result.stderr
    assert "a b" not in result.stderr

    assert run("import footspan; footspan.init(); print(footspan.flush(20))", env).stdout.strip() == "{'otlp': 0}"
    assert Counter(event["uid"] for event in sink.events) == Counter(uids)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["refused", "hanging", "mute"])
def test_exit_is_bounded_when_the_endpoint_is_dead(fault: str, sink: OtlpGrpcSink) -> None:
    """A process leaves within ``exit_timeout`` and half a second, quietly, and keeps its events."""
    url = sink.url
    with ExitStack() as stack:
        if fault == "refused":
            sink.stop()
        elif fault == "hanging":
            sink.hang(30.0, times=100)
        else:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        result = run(
            """
            import atexit, time, footspan
            def left():
                print(time.monotonic() - ended)
            atexit.register(left)  # registered first, so it runs last
            footspan.init()
            for n in range(2000):
                footspan.track("order.placed", n=n)
            time.sleep(1)
            ended = time.monotonic()
            """,
            {**variables(url), "FOOTSPAN_EXIT_TIMEOUT": "1"},
        )

    assert result.returncode == 0
    assert float(result.stdout) < 1.5, result.stderr
    assert len(spooled()) == 2000


def test_spans_under_the_distro(sink: OtlpGrpcSink) -> None:
    """Spans go to the same place by the same protocol, at the end of the process too."""
    result = run(
        """
        from opentelemetry.instrumentation.auto_instrumentation import initialize
        initialize()
        from opentelemetry import trace
        with trace.get_tracer("shop").start_as_current_span("work"):
            import footspan
            footspan.track("worked")
        """,
        {**variables(sink.url), "OTEL_METRICS_EXPORTER": "none", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"},
    )

    assert result.returncode == 0, result.stderr
    assert until(lambda: sink.spans and sink.events), result.stderr
    assert [span["name"] for span in sink.spans] == ["work"]
    assert [event["trace_id"] for event in sink.events] == [sink.spans[0]["trace_id"]]
