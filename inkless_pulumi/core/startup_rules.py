"""The rules between settings that a node checks when it starts, checked before it exists.

A service's settings are rendered for each role it has, as its nodes will read them, and every rule
of `inkless_rules` and `kafka_rules` is asked about the whole.
"""

from typing import Final

from inkless_pulumi.core.cluster_model import ClusterFacts, ClusterPlan
from inkless_pulumi.core.configuration import Configuration, Rule
from inkless_pulumi.core.dynamic_settings import dynamic_settings
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.inkless_rules import INKLESS_RULES
from inkless_pulumi.core.kafka_rules import KAFKA_RULES
from inkless_pulumi.core.layout import lay_out
from inkless_pulumi.core.properties import server_properties
from inkless_pulumi.core.service_model import ServiceDeclaration

STARTUP_RULES: Final[tuple[Rule, ...]] = (*INKLESS_RULES, *KAFKA_RULES)


def startup_problems(service: ServiceDeclaration) -> list[Problem]:
    """What the nodes of a service would refuse at their start, in every role it has."""
    plan = lay_out(service)
    facts = _stand_in_facts(plan)
    found: dict[Problem, None] = {}
    for roles in dict.fromkeys(node.roles for node in plan.nodes):
        node = next(node for node in plan.nodes if node.roles == roles)
        properties = server_properties(plan, node, facts) | dynamic_settings(service.settings)
        heap = service.heap_of(node.memory_mib) if node.is_broker else None
        configuration = Configuration(properties, service.zones, heap)
        found.update(dict.fromkeys(configuration_problems(configuration)))
    return list(found)


def configuration_problems(configuration: Configuration) -> list[Problem]:
    """What one node would refuse of its settings."""
    return [problem for rule in STARTUP_RULES for problem in rule(configuration)]


def _stand_in_facts(plan: ClusterPlan) -> ClusterFacts:
    """Facts of the right shape: the rules are about what was declared, not about addresses."""
    return ClusterFacts(
        cluster_id="AAAAAAAAAAAAAAAAAAAAAA",
        directory_ids={node.node_id: "AAAAAAAAAAAAAAAAAAAAAA" for node in plan.controllers},
        addresses={node.node_id: "192.0.2.1" for node in plan.nodes},
        bucket="bucket",
        region="region",
        database_host="192.0.2.2",
        database_port=5432,
        database_name="inkless",
        database_user="inkless",
        database_trust="/trust.pem",
    )
