"""Tests for footspan.gateway.answers: the bytes, read by the official protobuf classes."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from footspan.gateway import answers
from footspan.gateway.refusal import Refusal


def test_a_whole_success_is_an_empty_message() -> None:
    """No partial success is set: senders would take one for a warning."""
    assert bytes(answers.accepted(answers.PROTOBUF).body) == b""
    assert bytes(answers.accepted(answers.JSON).body) == b"{}"


@pytest.mark.parametrize("rejected", [1, 127, 128, 300, 2**40])
def test_a_partial_success_says_how_many_and_why(rejected: int) -> None:
    """In both encodings; 64-bit numbers are strings in JSON."""
    protobuf = ExportLogsServiceResponse.FromString(
        bytes(answers.accepted(answers.PROTOBUF, rejected, "wärum").body)
    ).partial_success
    partial = json.loads(bytes(answers.accepted(answers.JSON, rejected, "wärum").body))["partialSuccess"]

    assert (rejected, "wärum") == (protobuf.rejected_log_records, protobuf.error_message)
    assert {"rejectedLogRecords": str(rejected), "errorMessage": "wärum"} == partial


def test_a_refusal_is_a_status() -> None:
    """``google.rpc.Status`` in the encoding asked for, with the header that tells when to come back."""
    refusal = Refusal(503, "full", retry_after=7)
    protobuf = answers.refused(answers.PROTOBUF, refusal)
    status = import_module("google.rpc.status_pb2").Status.FromString(bytes(protobuf.body))

    assert (14, "full") == (status.code, status.message)
    assert (503, "7", answers.PROTOBUF) == (
        protobuf.status_code,
        protobuf.headers["retry-after"],
        protobuf.headers["content-type"],
    )
    assert {"code": 14, "message": "full"} == json.loads(bytes(answers.refused(answers.JSON, refusal).body))


def test_what_does_not_help_is_not_advised() -> None:
    """No ``Retry-After`` where the same request would fail again."""
    assert "retry-after" not in answers.refused(answers.JSON, Refusal(400, "no")).headers


def test_messages_are_short() -> None:
    """A Collector reads 64 KiB of an answer and no more."""
    assert len(answers.refused(answers.JSON, Refusal(400, "x" * 100_000)).body) < 1_000
