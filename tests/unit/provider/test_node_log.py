"""The end of a node's log, as part of an error."""

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from inkless_pulumi.provider.aws_clients import forget_clients
from inkless_pulumi.provider.node_log import NodeLogInputs, end_of_log, last_line

LOG = NodeLogInputs(region="eu-central-1", group="kafka-logs", stream="node-1")


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        forget_clients()
        client = boto3.client("logs", "eu-central-1")
        client.create_log_group(logGroupName="kafka-logs")
        yield client
        client.close()
    forget_clients()


def write(logs: Any, *lines: str) -> None:
    logs.create_log_stream(logGroupName="kafka-logs", logStreamName="node-1")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + n, "message": line} for n, line in enumerate(lines)]
    logs.put_log_events(logGroupName="kafka-logs", logStreamName="node-1", logEvents=events)


def test_the_last_lines_are_told(logs: Any) -> None:
    write(logs, *(f"line {number}" for number in range(40)))
    lines = end_of_log(LOG).splitlines()
    assert lines[0] == "The end of its log (log stream node-1 of kafka-logs):"
    assert lines[1:] == [f"  line {number}" for number in range(25, 40)]


def test_a_long_line_is_cut(logs: Any) -> None:
    write(logs, "x" * 1000)
    assert end_of_log(LOG).splitlines()[1] == "  " + "x" * 300


def test_the_last_line_is_told_if_it_is_of_this_start(logs: Any) -> None:
    write(logs, "Stopped.", "Unable to locate credentials. ")
    now = time.time()
    assert last_line(LOG, since=now - 60) == "Unable to locate credentials."
    assert last_line(LOG, since=now + 60) == ""


def test_no_last_line_is_told_of_a_log_that_can_not_be_read(logs: Any) -> None:
    assert last_line(LOG, since=0) == ""


def test_a_log_that_can_not_be_read_is_no_second_error(logs: Any) -> None:
    assert "could not be read: ResourceNotFoundException" in end_of_log(LOG)
