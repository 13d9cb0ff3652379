"""Which EC2 and RDS machine a plan means, and what a machine type's name tells about it."""

import re
from dataclasses import dataclass
from typing import Final

from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.image import Architecture

_FAMILY = re.compile(
    r"(?P<letters>[a-z]+(?:-[a-z0-9]+)?)(?P<generation>[0-9]+)(?P<options>[a-z0-9-]*)\.[a-z0-9-]+"
)


@dataclass(frozen=True)
class MachineTypes:
    """The machine types of a plan. Memory is what `core.plans` asks of the plan, or more."""

    broker: dict[Architecture, str]
    controller: dict[Architecture, str]
    database: str


MACHINE_TYPES: Final[dict[str, MachineTypes]] = {
    "small": MachineTypes(
        broker={"amd64": "t3.medium", "arm64": "t4g.medium"},
        controller={"amd64": "t3.medium", "arm64": "t4g.medium"},
        database="db.t4g.medium",
    ),
    "medium": MachineTypes(
        broker={"amd64": "m7i.large", "arm64": "m7g.large"},
        controller={"amd64": "c7i.large", "arm64": "c7g.large"},
        database="db.m7g.large",
    ),
    "large": MachineTypes(
        broker={"amd64": "m7i.xlarge", "arm64": "m7g.xlarge"},
        controller={"amd64": "c7i.large", "arm64": "c7g.large"},
        database="db.m7g.xlarge",
    ),
    "xlarge": MachineTypes(
        broker={"amd64": "m7i.2xlarge", "arm64": "m7g.2xlarge"},
        controller={"amd64": "m7i.large", "arm64": "m7g.large"},
        database="db.m7g.2xlarge",
    ),
}
"""Burstable machines for the small plan only: the others must bear load for hours."""

# 1 GiB a vCPU is not a rule of RDS; these are the sizes of the general-purpose (m) and burstable
# (t) families, which is what a batch coordinator needs. Memory-optimised (r, x) have at least that.
_DATABASE_MEMORY_MIB: Final = {
    "micro": 1024,
    "small": 2048,
    "medium": 4096,
    "large": 8192,
    "xlarge": 16384,
    "2xlarge": 32768,
    "4xlarge": 65536,
}
_BYTES_A_CONNECTION: Final = 9_531_392
"""RDS for PostgreSQL's own default of max_connections is the class's memory divided by this."""


def architecture_of(instance_type: str) -> Architecture | None:
    """The processor of an EC2 machine type, read off its name; None when it is not a type's name.

    Graviton families have a `g` right after the generation (`m7g`, `c7gn`, `im4gn`, `t4g`), the
    first of them was `a1`; all others are x86-64 (`g4dn` has its `g` before the generation).
    """
    found = _FAMILY.fullmatch(instance_type)
    if found is None:
        return None
    is_graviton = found["options"].startswith("g") or found["letters"] == "a"
    return "arm64" if is_graviton else "amd64"


def instance_type_problems(
    instance_type: str, architecture: Architecture, path: str
) -> list[Problem]:
    """Whether a machine type exists by its form, and runs the architecture of the service."""
    actual = architecture_of(instance_type)
    if actual is None:
        rule = "is not the name of an EC2 instance type"
        return [Problem(path, instance_type, rule, 'write it like "m7g.large"')]
    if actual != architecture:
        rule = f"is an {actual} machine, and the service's image is for {architecture}"
        remedy = f'set architecture="{actual}", or choose an {architecture} type'
        return [Problem(path, instance_type, rule, remedy)]
    return []


def database_connection_problems(instance_class: str, connections: int) -> list[Problem]:
    """Whether a database machine has the memory for so many connections.

    A class whose size is not known here is taken on trust.
    """
    memory = _DATABASE_MEMORY_MIB.get(instance_class.rpartition(".")[2])
    if memory is None:
        return []
    most = memory * 1024 * 1024 // _BYTES_A_CONNECTION
    if connections <= most:
        return []
    rule = f"has memory for {most} connections, and the nodes need {connections}"
    remedy = "choose a larger class, or lower database_max_connections_per_node"
    return [Problem("database_instance_class", instance_class, rule, remedy)]
