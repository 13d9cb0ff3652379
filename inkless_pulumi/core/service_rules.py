"""The rules of a service that need more than one argument, or more than a type.

Each rule is a function from a declaration to the problems it sees; `check_service` runs all of
them, so that a user corrects everything at once.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from inkless_pulumi.core.errors import Problem, raise_problems
from inkless_pulumi.core.image import image_problems, version_problems
from inkless_pulumi.core.layout import ZONES
from inkless_pulumi.core.model_errors import suggestion
from inkless_pulumi.core.network import network_problems
from inkless_pulumi.core.overrides import override_problems
from inkless_pulumi.core.plans import PLANS, Topology
from inkless_pulumi.core.reassignment_throttle import throttle_problems
from inkless_pulumi.core.service_model import ClusterType, ServiceDeclaration
from inkless_pulumi.core.startup_rules import startup_problems
from inkless_pulumi.core.storage_names import bucket_problems, endpoint_problems, prefix_problems

CLASSIC_IS_FINAL: Final = (
    "a classic service can't be upgraded to Inkless in place; moving later means a new service "
    "and a migration of its data"
)
_NAME = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*")
_LONGEST_NAME = 40
_ZONE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def check_service(declaration: ServiceDeclaration) -> None:
    """Raise DeclarationError with every rule that a declaration breaks.

    Three rounds, each on the ground of the one before: the arguments, the settings one by one, and
    what a node would say of all of its settings together when it starts.
    """
    for round_of_rules in _ROUNDS:
        problems = [problem for rule in round_of_rules for problem in rule(declaration)]
        raise_problems(problems, f'service "{declaration.name}"')


def _name_rules(service: ServiceDeclaration) -> list[Problem]:
    if _NAME.fullmatch(service.name) and len(service.name) <= _LONGEST_NAME:
        return []
    rule = (
        f"must be at most {_LONGEST_NAME} letters, digits and single hyphens, and begin with a "
        "letter, because the names of cloud resources are made from it"
    )
    return [Problem("name", service.name, rule, 'choose a name like "orders"')]


def _zone_rules(service: ServiceDeclaration) -> list[Problem]:
    zones = list(service.zones)
    twice = [zone for zone, count in Counter(zones).items() if count > 1]
    if twice:
        rule = f"names {' and '.join(twice)} more than once; each zone gets one controller"
        return [Problem("zones", zones, rule, "name three different zones")]
    if len(zones) != ZONES:
        rule = f"has {len(zones)} zone{'s' * (len(zones) != 1)} where {ZONES} are needed"
        remedy = "name three zones, so that the quorum survives the loss of any of them"
        return [Problem("zones", zones, rule, remedy)]
    return [
        Problem(f"zones[{index}]", zone, "is not a zone's name", 'write it like "eu-west-1a"')
        for index, zone in enumerate(zones)
        if not _ZONE.fullmatch(zone)
    ]


def _version_rules(service: ServiceDeclaration) -> list[Problem]:
    image = image_problems(service.image) if service.image is not None else []
    return version_problems(service.version) + image


def _plan_rules(service: ServiceDeclaration) -> list[Problem]:
    if service.plan not in PLANS:
        rule = f"is not a plan; the plans are {', '.join(PLANS)}"
        return [Problem("plan", service.plan, rule, suggestion(service.plan, PLANS, "plan"))]
    problems = []
    if service.effective_topology == "combined" and service.brokers_per_zone != 1:
        rule = "a combined topology has exactly one node a zone"
        remedy = 'use topology="dedicated", or leave brokers_per_zone at 1'
        problems.append(Problem("brokers_per_zone", service.brokers_per_zone, rule, remedy))
    if service.effective_topology == "combined" and service.brokers not in (None, 3):
        rule = "a combined topology has exactly three nodes"
        remedy = 'use topology="dedicated", or leave brokers out'
        problems.append(Problem("brokers", service.brokers, rule, remedy))
    if service.brokers is not None and service.brokers_per_zone != 1:
        rule = "says the same as brokers_per_zone"
        problems.append(Problem("brokers", service.brokers, rule, "leave out either"))
    return problems + _heap_rules(service)


def _heap_rules(service: ServiceDeclaration) -> list[Problem]:
    smallest = service.sizes.broker_memory_mib
    if service.effective_topology == "dedicated":
        smallest = min(smallest, service.sizes.controller_memory_mib)
    # A quarter stays for what lives outside the heap: threads, metaspace, TLS buffers, page cache.
    largest_heap = smallest * 3 // 4
    if service.heap_mib is None or service.heap_mib <= largest_heap:
        return []
    rule = f'plan "{service.plan}" has machines of {smallest} MiB, which leave {largest_heap} MiB'
    return [
        Problem(
            "heap_mib", service.heap_mib, rule, "ask for less, or leave it out to size it there"
        )
    ]


def _cluster_type_rules(service: ServiceDeclaration) -> list[Problem]:
    if service.cluster_type == "classic" and not service.classic_eligible:
        rule = (
            "classic services are for eligible accounts only: those that must run without "
            f"diskless topics and know that {CLASSIC_IS_FINAL}"
        )
        remedy = (
            'leave cluster_type at "inkless", or set classic_eligible=True if yours is eligible'
        )
        return [Problem("cluster_type", "classic", rule, remedy)]
    return []


def _switch_rules(service: ServiceDeclaration) -> list[Problem]:
    """What `KafkaConfig` wants of a node that lets classic topics become diskless."""
    if not service.switch_to_diskless:
        return []
    if not service.is_diskless:
        rule = "needs diskless topics, and this is a classic service"
        return [Problem("switch_to_diskless", True, rule, "leave it out")]
    if service.tiered_storage:
        return []
    rule = "needs tiered storage, which holds what a topic had before it became diskless"
    return [Problem("switch_to_diskless", True, rule, "set tiered_storage=True as well")]


def _storage_rules(service: ServiceDeclaration) -> list[Problem]:
    storage = service.storage
    problems = prefix_problems(storage.prefix)
    if storage.bucket is not None:
        problems += bucket_problems(storage.bucket)
    if storage.endpoint is not None:
        problems += endpoint_problems(storage.endpoint)
    if not _REGION.fullmatch(storage.region):
        rule = "is not a region's name"
        problems.append(
            Problem("storage.region", storage.region, rule, 'write it like "eu-west-1"')
        )
    return problems


def _throttle_rules(service: ServiceDeclaration) -> list[Problem]:
    return throttle_problems(service.reassignment_throttle)


def _network_rules(service: ServiceDeclaration) -> list[Problem]:
    return [] if service.network.cidr is None else network_problems(service.network.cidr)


_Rule = Callable[[ServiceDeclaration], Iterable[Problem]]

_ROUNDS: Final[tuple[tuple[_Rule, ...], ...]] = (
    (
        _name_rules,
        _zone_rules,
        _version_rules,
        _plan_rules,
        _cluster_type_rules,
        _switch_rules,
        _throttle_rules,
        _storage_rules,
        _network_rules,
    ),
    (override_problems,),
    (startup_problems,),
)


def check_cluster_type_change(old: ClusterType | str, new: ClusterType | str) -> list[Problem]:
    """Why a service's type can't become another; empty when it stays."""
    if old == new:
        return []
    why = CLASSIC_IS_FINAL if old == "classic" else "diskless topics have no way back to classic"
    rule = f'the type of a service is fixed at creation, and this one is "{old}": {why}'
    remedy = f'set it back to "{old}", or declare a new service of type "{new}" and move to it'
    return [Problem("cluster_type", new, rule, remedy)]


def check_topology_change(old: Topology | str, new: Topology | str) -> list[Problem]:
    """Why a service's topology can't become another; empty when it stays.

    The first three nodes would change between brokers that hold data and lone controllers.
    """
    if old == new:
        return []
    rule = (
        f'the topology of a service is fixed at creation, and this one is "{old}": its first nodes '
        "would become other nodes, and their classic topics would be lost with them"
    )
    remedy = (
        f'set topology="{old}", also when another plan has another one by default, or declare a '
        "new service and move to it"
    )
    return [Problem("topology", new, rule, remedy)]


def check_zones_change(old: Sequence[str], new: Sequence[str]) -> list[Problem]:
    """Why a service can't move to other zones; empty when it stays. Their order counts: a node's id
    says which zone it is in, and a data volume can't leave its zone.
    """
    if list(old) == list(new):
        return []
    rule = (
        f"the zones of a service are fixed at creation, in their order, and this one has "
        f"{', '.join(old)}: a node and its data volume can't move to another zone"
    )
    remedy = "set them back, or declare a new service in the other zones and move to it"
    return [Problem("zones", list(new), rule, remedy)]
