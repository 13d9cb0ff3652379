"""The plans a service can have: how much machine a node gets, whatever the cloud.

A cloud's folder maps a plan and a role to its own machine type; the figures here are what that
machine must offer at least.
"""

from dataclasses import dataclass
from typing import Final, Literal

Topology = Literal["combined", "dedicated"]
"""`combined`: three nodes, each a broker and a controller. `dedicated`: three controllers, and
brokers on machines of their own."""


@dataclass(frozen=True)
class Plan:
    """What the nodes of a plan are given, in MiB and GiB."""

    name: str
    topology: Topology
    """The topology of a service that does not ask for one."""
    broker_memory_mib: int
    """Memory of a machine that runs a broker, with or without a controller."""
    controller_memory_mib: int
    """Memory of a machine that runs a controller alone."""
    broker_volume_gib: int
    """Data volume of a broker: classic topics, internal topics, and its copy of the metadata."""
    controller_volume_gib: int
    """Data volume of a lone controller: the metadata log only."""


PLANS: Final[dict[str, Plan]] = {
    plan.name: plan
    for plan in (
        Plan("small", "combined", 4096, 4096, 50, 20),
        Plan("medium", "combined", 8192, 4096, 200, 20),
        Plan("large", "dedicated", 16384, 4096, 500, 20),
        Plan("xlarge", "dedicated", 32768, 8192, 1000, 40),
    )
}
"""Every plan by name. A lone controller's 4 GiB is far above the 290 MB that one was seen to use;
the next smaller machines of the clouds save little and leave no room for large metadata."""
