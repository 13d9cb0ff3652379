"""The report of a preview in which a thousand topics change."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, median

_TOPICS = 1000
_TIMES = 5
_CONNECTION = {
    "bootstrapServers": ",".join(f"10.42.{64 * zone}.10:9094" for zone in range(3)),
    "caCertificate": "-----BEGIN CERTIFICATE-----\n" + "M" * 700 + "\n-----END CERTIFICATE-----\n",
    "identitySecretId": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:kafka-admin-key",
    "secretStore": {"kind": "aws-secrets-manager", "region": "eu-west-1"},
}
"""As each topic has it among its inputs and its outputs: it is most of what is read."""


def measure() -> list[Figure]:
    """Seconds and memory of the command, from the engine's events to Markdown and JSON."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        events = directory / "events"
        events.write_text("".join(f"{json.dumps(event)}\n" for event in _events()))
        size = events.stat().st_size / 1e6
        command = [
            *(sys.executable, "-m", "inkless_pulumi.cli", "preview-report", str(events)),
            *("--markdown", str(directory / "comment.md")),
            *("--json", str(directory / "report.json")),
        ]
        runs = [_run(command) for _ in range(_TIMES)]
        start = [_run([*command[:4], "--schema"])[0] for _ in range(_TIMES)]
    seconds = median(iter([run[0] for run in runs]).__next__, _TIMES)
    floor = median(iter(start).__next__, _TIMES)
    return [
        Figure(
            f"report of {_TOPICS:,} changed topics, {size:.1f} MB of events",
            f"{seconds:.2f} s",
            f"{floor:.2f} s, the same command that only prints its schema",
            "2 s",
        ),
        Figure("memory of that, peak", f"{max(run[1] for run in runs):.0f} MiB", "", ""),
    ]


def _run(command: list[str]) -> tuple[float, float]:
    """Seconds and peak MiB of a command."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def _events() -> list[dict[str, Any]]:
    """What the engine tells of a program whose thousand topics all get a shorter retention."""
    events: list[dict[str, Any]] = [{"preludeEvent": {"config": {"aws:region": "eu-west-1"}}}]
    for number in range(_TOPICS):
        metadata = _update(f"topic-{number:04}")
        events.append({"resourcePreEvent": {"metadata": metadata, "planning": True}})
        events.append({"resOutputsEvent": {"metadata": metadata, "planning": True}})
    counts = {"update": _TOPICS}
    events.append(
        {"summaryEvent": {"resourceChanges": counts, "isPreview": True, "result": "succeeded"}}
    )
    return [{"sequence": place, "timestamp": 0, **event} for place, event in enumerate(events)]


def _update(name: str) -> dict[str, Any]:
    address = f"urn:pulumi:production::shop::inkless:index:ClassicTopic::{name}"
    old, new = (
        {
            "type": "inkless:index:ClassicTopic",
            "urn": address,
            "custom": True,
            "id": name,
            "inputs": _inputs(name, retention),
            "outputs": {**_inputs(name, retention), "topicId": "x" * 22},
        }
        for retention in ("604800000", "86400000")
    )
    return {
        "op": "update",
        "urn": address,
        "type": "inkless:index:ClassicTopic",
        "old": old,
        "new": new,
        "diffs": ["settings"],
        "detailedDiff": {'settings["retention.ms"]': {"diffKind": "update", "inputDiff": True}},
    }


def _inputs(name: str, retention: str) -> dict[str, Any]:
    return {
        "name": name,
        "partitions": 6,
        "settings": {"retention.ms": retention},
        "connection": _CONNECTION,
    }
