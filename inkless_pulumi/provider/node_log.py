"""The end of a node's log, for who waits for the node, and for the error if it does not start."""

from typing import Literal

from inkless_pulumi.provider.aws_clients import aws_client, explanation
from inkless_pulumi.provider.resource import WireModel

__all__ = ["NodeLogInputs", "end_of_log", "last_line"]

_LINES = 15
_LONGEST_LINE = 300


class NodeLogInputs(WireModel):
    """Where a node's log is."""

    kind: Literal["aws-cloudwatch-logs"] = "aws-cloudwatch-logs"
    """The service. Default, and the only one today: `aws-cloudwatch-logs`."""
    region: str
    """The cloud's region, for example `eu-central-1`."""
    profile: str | None = None
    """A named profile of the machine that runs Pulumi. Default: the usual credential chain."""
    group: str
    """The log group."""
    stream: str
    """The log stream in it."""


def end_of_log(log: NodeLogInputs) -> str:
    """The last lines, indented, under a heading; never an exception: it goes into another error."""
    where = f"log stream {log.stream} of {log.group}"
    try:
        lines = _last_lines(log, _LINES)
    except Exception as error:
        action = "logs:GetLogEvents"
        reason = explanation(error, action=action, region=log.region, profile=log.profile)
        return f"Its log ({where}) could not be read: {reason}"
    if not lines:
        return f"Its log ({where}) is empty."
    return "\n  ".join([f"The end of its log ({where}):", *lines])


def last_line(log: NodeLogInputs, since: float) -> str:
    """The last line since a moment (seconds since the epoch).

    Empty where there is none or it can't be read: it is told beside something else.
    """
    try:
        return "".join(_last_lines(log, 1, since)).strip()
    except Exception:
        return ""


def _last_lines(log: NodeLogInputs, most: int, since: float = 0) -> list[str]:
    answer = aws_client("logs", log.region, log.profile).get_log_events(
        logGroupName=log.group,
        logStreamName=log.stream,
        startTime=int(since * 1000),
        limit=most,
        startFromHead=False,
    )
    return [event["message"].rstrip()[:_LONGEST_LINE] for event in answer["events"]]
