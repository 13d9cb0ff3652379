"""What the tests of the service component share: a program, and how to read what became of it."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi

from inkless_pulumi.aws import InklessService, InklessServiceArgs
from tests.engine.real_engine import Program, Run

ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


@dataclass(frozen=True)
class Rehearsal:
    """The directory in which the plugin keeps what it would have done outside."""

    directory: Path

    @classmethod
    def below(cls, directory: Path) -> "Rehearsal":
        """An empty one."""
        rehearsal = cls(directory / "rehearsal")
        rehearsal.directory.mkdir()
        return rehearsal

    @property
    def waited_for(self) -> list[str]:
        """The nodes that were waited for, in order."""
        return [line.split()[1] for line in self._journal() if line.startswith("wait ")]

    def order(self, *node_ids: int) -> None:
        """Let the next change have this order."""
        (self.directory / "order").write_text(json.dumps(node_ids))

    def forbid_stop(self, node: str, reason: str) -> None:
        """Let the cluster be such that a node must not be stopped."""
        (self.directory / f"{node}.must-not-stop").write_text(reason)

    def allow_stop(self, node: str) -> None:
        """Let it be healthy again."""
        (self.directory / f"{node}.must-not-stop").unlink()

    @property
    def journal(self) -> list[str]:
        """What was asked of the cluster, in order: secrets apart."""
        return [line for line in self._journal() if not line.startswith("secret ")]

    def forget(self) -> None:
        """Begin a new journal."""
        (self.directory / "journal").unlink(missing_ok=True)

    @property
    def secrets(self) -> list[str]:
        """Every secret value that was stored."""
        return [file.read_text() for file in (self.directory / "secrets").iterdir()]

    def _journal(self) -> list[str]:
        journal = self.directory / "journal"
        return journal.read_text().splitlines() if journal.exists() else []


def service(name: str = "kafka", **arguments: Any) -> Program:
    """A program of one service that may be torn down."""

    def program() -> None:
        declare(name, **arguments)

    return program


def declare(
    name: str = "kafka", opts: pulumi.ResourceOptions | None = None, **arguments: Any
) -> InklessService:
    """Declare a service that may be torn down."""
    args = {"zones": ZONES, "deletion_protection": False, **arguments}
    declared = InklessService(name, cast("InklessServiceArgs", args), opts)
    for output in (
        "bootstrap_servers",
        "ca_certificate",
        "client_properties",
        "connection",
        "subnet_ids",
    ):
        pulumi.export(output, getattr(declared, output))
    return declared


def steps(run: Run) -> list[tuple[str, str, str]]:
    """What the engine did in order: `begin` or `end`, the operation, the resource's name."""
    found = []
    for event in run.events:
        for phase, told in (("begin", event.resource_pre_event), ("end", event.res_outputs_event)):
            if told is not None:
                found.append(
                    (phase, operation_of(told.metadata), told.metadata.urn.rpartition("::")[2])
                )
    return found


def touched(run: Run) -> set[str]:
    """The names of the resources that did not stay as they were, components apart."""
    return {
        step.urn.rpartition("::")[2]
        for event in run.events
        if (told := event.resource_pre_event) and (step := told.metadata)
        if operation_of(step) != "same" and not step.type.startswith("inkless:aws:")
    }


def operation_of(step: Any) -> str:
    """The operation of a step, whether Pulumi's library gives an enum or a string."""
    return str(getattr(step.op, "value", step.op))


def planned(run: Run) -> dict[str, Any]:
    """The new state of every resource of a preview, by name."""
    return {
        event.resource_pre_event.metadata.urn.rpartition("::")[2]: event.resource_pre_event.metadata
        for event in run.events
        if event.resource_pre_event
    }


def types(resources: Iterable[dict[str, Any]]) -> Counter[str]:
    """How many resources of each type there are."""
    return Counter(resource["type"] for resource in resources)
