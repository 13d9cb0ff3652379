"""The nodes of a service, seen from the machine that its sandbox runs on."""

import os
import shlex
import signal
from collections.abc import Mapping
from datetime import datetime

from inkless_pulumi.sandbox import machine
from inkless_pulumi.sandbox.home import Home

__all__ = ["kafka_of", "kill_kafka", "machines", "restart_seconds", "running"]


def machines(home: Home) -> dict[str, str]:
    """The instance id of each node's machine, by the node's name."""
    found = {}
    for noted in home.instances.glob("*/machine.json"):
        instance = noted.parent.name
        told = machine.root_directory(home, instance) / "etc/inkless/node.env"
        if told.is_file():
            pairs = dict(word.split("=", 1) for word in shlex.split(told.read_text()))
            found[f"node-{pairs['INKLESS_NODE_ID']}"] = instance
    return found


def running(home: Home) -> dict[str, tuple[str, int]]:
    """What would be another one if a node was touched: its machine, and its Kafka's process id."""
    return {name: (instance, kafka_of(home, instance)) for name, instance in machines(home).items()}


def kill_kafka(home: Home, node: str) -> int:
    """Kill a node's Kafka as a power cut would, and tell its process id.

    Raises:
        KeyError: the node has no machine.
        SandboxError: no Kafka runs on it.
    """
    pid = kafka_of(home, machines(home)[node])
    os.kill(pid, signal.SIGKILL)
    return pid


def kafka_of(home: Home, instance: str) -> int:
    """The process id of the Kafka on a machine."""
    name = machine.container_name(home, instance)
    return int(machine.container_engine(home).run("inspect", "--format", "{{.State.Pid}}", name))


# --- how long a restart takes ---------------------------------------------------------------------

_STOP = ("machine: stopping ", "machine: stopped")
_START = ("machine: first boot of ", "Kafka Server started")


def restart_seconds(home: Home, before: Mapping[str, str], after: Mapping[str, str]) -> list[float]:
    """How long each replaced node's restart took by itself, without the time between its two parts.

    That is what a node can't do faster, whoever restarts it: the old machine's stop, in which Kafka
    hands over what it leads, and the new one's way from its first sign of life until its Kafka says
    that it has started. Both are read from the machines' consoles.

    Args:
        home: of the sandbox.
        before: the instance of each node, by name.
        after: the same, later; a node that was not there before was not restarted.

    Raises:
        ValueError: a console does not tell.
    """
    replaced = [name for name in after if name in before and before[name] != after[name]]
    return [
        _between(_console(home, before[name]), *_STOP)
        + _between(_console(home, after[name]), *_START)
        for name in replaced
    ]


def _console(home: Home, instance: str) -> str:
    return machine.console(home, instance).read_text(errors="replace")


def _between(console: str, first: str, then: str) -> float:
    """Seconds from the first line that has one text to the next that has another."""
    began: datetime | None = None
    for line in console.splitlines():
        if began is None:
            if first in line:
                began = _time_of(line)
        elif then in line:
            return (_time_of(line) - began).total_seconds()
    raise ValueError(f"the console has no {then!r} after {first!r}")


def _time_of(line: str) -> datetime:
    return datetime.fromisoformat(line.partition(" ")[0])
