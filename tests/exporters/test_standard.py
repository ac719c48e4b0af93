"""The ready-made exporters: from keywords, from the environment, and never more than was wanted."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.trace.export import SpanExportResult

from exporters.making import page, record, records, span
from footspan import conventions as c
from footspan.config import ConfigurationError
from footspan.config.declarations import of_type
from footspan.exporters import (
    ConsoleLogExporter,
    ConsoleSpanExporter,
    DashTrackerLogExporter,
    DashTrackerSpanExporter,
    OpenTraceLogExporter,
    OpenTraceSpanExporter,
    OtlpLogExporter,
    OtlpSpanExporter,
    TraceTelemetryLogExporter,
    TraceTelemetrySpanExporter,
    UmamiLogExporter,
    UmamiSpanExporter,
)
from footspan.exporters.options import (
    BatchOptions,
    ConsoleOptions,
    DashTrackerOptions,
    OpenTraceOptions,
    OtlpOptions,
    TraceTelemetryOptions,
    UmamiOptions,
)
from programs import run, until

if TYPE_CHECKING:
    from pathlib import Path

    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

SUCCESS, FAILURE = LogRecordExportResult.SUCCESS, LogRecordExportResult.FAILURE
LOGS = [
    UmamiLogExporter,
    OtlpLogExporter,
    ConsoleLogExporter,
    DashTrackerLogExporter,
    TraceTelemetryLogExporter,
    OpenTraceLogExporter,
]
SPANS = [
    UmamiSpanExporter,
    OtlpSpanExporter,
    ConsoleSpanExporter,
    DashTrackerSpanExporter,
    TraceTelemetrySpanExporter,
    OpenTraceSpanExporter,
]


def umami(server: UmamiServer, **options: Any) -> UmamiLogExporter:
    """An exporter to a test server."""
    return UmamiLogExporter(url=server.url, website=server.website, **options)


# -- settings ----------------------------------------------------------------------------------------------------------


def test_keywords_make_an_exporter(umami_server: UmamiServer) -> None:
    """The settings of a destination, as they stand in the file."""
    exporter = UmamiLogExporter(
        url=umami_server.url, website=umami_server.website, tag="beta", timeout="3s", batch={"max_items": 2}
    )
    assert exporter.export([record(name) for name in "abc"]) is SUCCESS
    assert [row["event_name"] for row in umami_server.events()] == ["a", "b", "c"]
    assert {row["tag"] for row in umami_server.events()} == {"beta"}
    assert len(umami_server.requests) == 2


def test_the_environment_alone_is_enough(umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the SDK does it: a call without arguments."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_URL", umami_server.url)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE", umami_server.website)
    assert UmamiLogExporter().export(records(1)) is SUCCESS
    assert UmamiSpanExporter().export([page()]) is SpanExportResult.SUCCESS
    assert len(umami_server.events()) == len(umami_server.page_views()) == 1


def test_keywords_win_and_the_file_counts_too(
    umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Code over environment over file; a second destination of a type has a name of its own."""
    file = tmp_path / "footspan.yaml"
    file.write_text(
        f"telemetry: {{destinations: {{stats: {{type: umami, url: '{umami_server.url}', tag: file, "
        f"website: {umami_server.website}, hostname: file.example}}}}}}"
    )
    monkeypatch.setenv("FOOTSPAN_CONFIG", str(file))
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_STATS_HOSTNAME", "env.example")
    UmamiLogExporter(name="stats", tag="code").export(records(1))
    [row] = umami_server.events()
    assert (row["tag"], row["hostname"]) == ("code", "env.example")


def test_otlp_goes_where_opentelemetry_says(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its variables, those for the signal before the common ones."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp_sink.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x-signal=logs")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-signal=traces")
    assert OtlpLogExporter().export([record("a"), record("")]) is SUCCESS
    assert OtlpSpanExporter().export([span("work")]) is SpanExportResult.SUCCESS
    assert [each["name"] for each in otlp_sink.logs] == ["a", ""]
    assert [each["name"] for each in otlp_sink.spans] == ["work"]
    assert [each.headers["x-signal"] for each in otlp_sink.requests] == ["logs", "traces"]


@pytest.mark.parametrize(
    ("protocol", "address"), [("http/json", "http://localhost:4318"), ("grpc", "http://localhost:4317")]
)
def test_otlp_has_a_default_address(protocol: Any, address: str) -> None:
    """The specification's."""
    assert OtlpLogExporter(protocol=protocol).destination.settings.options["endpoint"] == address
    assert (
        OtlpSpanExporter(traces_endpoint="http://t:1/x").destination.settings.options["traces_endpoint"]
        == "http://t:1/x"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "FOOTSPAN_DESTINATIONS_UMAMI_URL"),
        ({"url": "http://u.example"}, "website"),
        ({"url": "ftp://u.example", "website": "w"}, "UmamiLogExporter(url)"),
        ({"url": "http://u.example", "website": "no uuid"}, "website"),
        ({"url": "http://u.example", "websit": "x"}, "Did you mean UmamiLogExporter(website)?"),
        ({"name": "other", "url": "http://u.example"}, "website"),
    ],
)
def test_what_cannot_be_used_is_said_at_once(options: dict[str, Any], said: str) -> None:
    """With the key, and what to write instead."""
    with pytest.raises(ConfigurationError) as caught:
        UmamiLogExporter(**options)
    assert said in str(caught.value)


def test_type_checkers_refuse_what_the_settings_do() -> None:
    """The comments below are errors of their own where a checker would let these pass."""
    with pytest.raises(ConfigurationError):
        UmamiLogExporter(websit="x")  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError):
        OtlpLogExporter(protocol="http/xml")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        ConsoleSpanExporter(spans=7)  # type: ignore[arg-type]


def test_the_types_of_keywords_are_the_declared_settings() -> None:
    """What a type checker lets through is what the settings know."""
    for kind, typed in (
        ("umami", UmamiOptions),
        ("otlp", OtlpOptions),
        ("console", ConsoleOptions),
        ("dash_tracker", DashTrackerOptions),
        ("opentrace", OpenTraceOptions),
        ("trace_telemetry", TraceTelemetryOptions),
    ):
        declared = {path[0] for path in of_type(kind)}
        assert set(typed.__annotations__) == declared | {"name"}
    assert set(BatchOptions.__annotations__) == {path[1] for path in of_type("umami") if path[0] == "batch"}


@pytest.mark.parametrize("switch", ["TELEMETRY_ENABLED", "FOOTSPAN_ENABLED", "FOOTSPAN_DESTINATIONS_UMAMI_ENABLED"])
def test_switched_off_means_nothing_is_sent(
    switch: str, umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the keywords say; nothing was to be sent, so nothing has failed."""
    monkeypatch.setenv(switch, "false")
    logs, spans = umami(umami_server), UmamiSpanExporter(url=umami_server.url, website=umami_server.website)
    assert logs.export([record("a", attributes={c.DESTINATION: "umami"})]) is SUCCESS
    assert spans.export([page()]) is SpanExportResult.SUCCESS
    assert logs.status()["passed_over"] == spans.status()["passed_over"] == 1
    logs.shutdown()
    assert umami_server.requests == []


def test_switched_off_needs_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch works beside a broken configuration."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert {each().export(records(1)) for each in LOGS} == {SUCCESS}
    assert {each().export([page()]) for each in SPANS} == {SpanExportResult.SUCCESS}


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_records_are_redacted_unless_somebody_else_did(otlp_sink: OtlpSink) -> None:
    """Attributes, body and scope; alone, an exporter is the last who could."""
    secret = record("a", attributes={"note": "to jane@canary.example", "password": "canary"}, body="canary@x.example")
    OtlpLogExporter(endpoint=otlp_sink.url).export([secret])
    [clean] = otlp_sink.logs
    assert "canary" not in str(clean)
    assert clean["attributes"]["password"] == "[secret]"
    OtlpLogExporter(endpoint=otlp_sink.url, redact=False).export([secret])
    assert "canary" in str(otlp_sink.logs[1])


def test_spans_are_redacted_unless_somebody_else_did(otlp_sink: OtlpSink) -> None:
    """Name and attributes, as the wrapper of the pipeline does it."""
    secret = span("mail jane@canary.example", {"password": "canary", "n": 1})
    OtlpSpanExporter(endpoint=otlp_sink.url).export([secret])
    assert "canary" not in str(otlp_sink.spans)
    assert otlp_sink.spans[0]["attributes"]["n"] == 1
    OtlpSpanExporter(endpoint=otlp_sink.url, redact=False).export([secret])
    assert "canary" in str(otlp_sink.spans[1])


def test_patterns_and_names_decide_what_goes_there(umami_server: UmamiServer) -> None:
    """What is not for this destination is passed over, and is no failure; plain logs are not for Umami."""
    exporter = umami(umami_server, events=["order.*", "!order.test"])
    there = {c.DESTINATION: "umami"}
    given = [
        record("order.paid"),
        record("order.test"),
        record("user.seen"),
        record(""),
        record("user.asked", attributes=there),
        record("order.theirs", attributes={c.DESTINATION: "elsewhere"}),
    ]
    assert exporter.export(given) is SUCCESS
    assert [row["event_name"] for row in umami_server.events()] == ["order.paid", "user.asked"]
    assert exporter.status() == {"delivered": 2, "failed": 0, "passed_over": 4, "refused": {}}


def test_a_bot_is_refused_for_its_own_sake(umami_server: UmamiServer) -> None:
    """Umami answers 200 and stores nothing: no failure, but not delivered either."""
    exporter = umami(umami_server)
    assert exporter.export([record("a", attributes={c.USER_AGENT_ORIGINAL: "curl/8"}), record("b")]) is SUCCESS
    assert exporter.status() == {"delivered": 1, "failed": 0, "passed_over": 0, "refused": {"bot": 1}}


def test_a_dead_server_is_a_failure_inside_the_time(umami_server: UmamiServer) -> None:
    """No spool holds what could not be delivered, and the caller must hear of it."""
    umami_server.faults.down()
    exporter = umami(umami_server, timeout=0.6)
    assert exporter.export(records(2)) is FAILURE
    assert exporter.status()["failed"] == 2
    umami_server.faults.up()
    assert exporter.export(records(1)) is SUCCESS


def test_the_console_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """For a look at what would leave."""
    ConsoleLogExporter(format="json").export([record("a", attributes={"password": "canary"})])
    ConsoleSpanExporter(spans=["db.*"]).export([span("SELECT x", {"db.system": "mysql"}), span("work"), page()])
    said = capsys.readouterr().err
    assert '"a"' in said
    assert "SELECT x" in said
    assert c.EVENT_PAGE_VIEW in said
    assert "work" not in said
    assert "canary" not in said


# -- life --------------------------------------------------------------------------------------------------------------


def test_ending_twice_is_ending_once(umami_server: UmamiServer) -> None:
    """For logs and for spans; afterwards nothing is taken."""
    logs, spans = umami(umami_server), UmamiSpanExporter(url=umami_server.url, website=umami_server.website)
    for _ in range(2):
        logs.shutdown()
        spans.shutdown()
    assert logs.export(records(1)) is FAILURE
    assert spans.export([page()]) is SpanExportResult.FAILURE
    assert logs.force_flush()
    assert spans.force_flush()
    assert umami_server.requests == []


def test_a_flush_waits_for_what_is_under_way(umami_server: UmamiServer) -> None:
    """As long as it may, and says whether that was enough."""
    umami_server.faults.hang(1.0)
    exporter = umami(umami_server)
    thread = threading.Thread(target=exporter.export, args=(records(1),))
    thread.start()
    assert umami_server.wait_for(lambda: len(umami_server.requests) == 1)
    assert exporter.force_flush(10) is False
    assert exporter.force_flush(20_000) is True
    thread.join(20)
    assert exporter.status()["delivered"] == 1


def test_threads_share_an_exporter(umami_server: UmamiServer) -> None:
    """Every event arrives once, and every one is counted."""
    exporter = umami(umami_server)
    threads = [
        threading.Thread(target=lambda start=start: exporter.export([record(f"e{start + n}") for n in range(5)]))
        for start in range(0, 40, 5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(row["event_name"] for row in umami_server.events()) == sorted(f"e{n}" for n in range(40))
    assert exporter.status()["delivered"] == 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_child_exports_by_itself(umami_server: UmamiServer) -> None:
    """Also one forked while its parent's export was under way, which the child knows nothing of."""
    exporter = umami(umami_server)
    assert exporter.export([record("before")]) is SUCCESS
    umami_server.faults.hang(2.0)
    thread = threading.Thread(target=exporter.export, args=([record("parent")],))
    thread.start()
    assert umami_server.wait_for(lambda: len(umami_server.requests) == 2)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if exporter.force_flush(0) and exporter.export([record("child")]) is SUCCESS else 2
        finally:
            os._exit(code)
    deadline = time.monotonic() + 20
    ended = (0, 0)
    while not ended[0] and time.monotonic() < deadline:
        ended = os.waitpid(child, os.WNOHANG)
        time.sleep(0.02)
    if not ended[0]:
        os.kill(child, 9)
        os.waitpid(child, 0)
    thread.join(20)
    assert ended == (child, 0)
    assert until(lambda: {row["event_name"] for row in umami_server.events()} == {"before", "parent", "child"})


def test_loading_them_is_light() -> None:
    """No HTTP client, no protobuf, no gRPC, no YAML, before the first export; ``import footspan`` loads none of it."""
    done = run(
        """
        import sys
        import footspan
        assert "footspan.exporters" not in sys.modules
        import footspan.exporters
        heavy = {"requests", "urllib3", "google.protobuf", "grpc", "yaml", "footspan.pipeline", "footspan.spool"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
