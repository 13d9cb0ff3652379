"""Who may talk to whom: the security groups, closed but for what is listed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws
from pulumi_aws.vpc.security_group_egress_rule import SecurityGroupEgressRule
from pulumi_aws.vpc.security_group_ingress_rule import SecurityGroupIngressRule

from inkless_pulumi.aws.network import Network
from inkless_pulumi.aws.scope import Scope
from inkless_pulumi.core import ports
from inkless_pulumi.core.errors import Problem

POSTGRES_PORT = 5432
_HTTPS = 443
_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Firewall:
    """The security groups of a service."""

    nodes: pulumi.Output[str]
    database: pulumi.Output[str] | None
    """None: the database is the user's."""
    rules: tuple[pulumi.Resource, ...]
    """What must stand before a machine can boot."""


@dataclass(frozen=True)
class _Rules:
    """Makes the rules of one security group; each has a logical name that says what it allows."""

    scope: Scope
    group_id: pulumi.Output[str]

    def accept(
        self, what: str, port: pulumi.Input[int], **source: pulumi.Input[str]
    ) -> SecurityGroupIngressRule:
        return SecurityGroupIngressRule(
            self.scope.named(f"accept-{what}"),
            security_group_id=self.group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            **source,
            tags=self.scope.tagged(f"accept-{what}"),
            opts=self.scope.options(),
        )

    def reach(
        self, what: str, port: pulumi.Input[int], **target: pulumi.Input[str]
    ) -> SecurityGroupEgressRule:
        return SecurityGroupEgressRule(
            self.scope.named(f"reach-{what}"),
            security_group_id=self.group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            **target,
            tags=self.scope.tagged(f"reach-{what}"),
            opts=self.scope.options(),
        )


def source_problems(cidr: str, path: str) -> list[Problem]:
    """What is wrong with a range that may connect; it may be of any size and lie anywhere."""
    try:
        IPv4Network(cidr)
    except ValueError as error:
        return [
            Problem(path, cidr, f"is not an IPv4 CIDR ({error})", 'write it like "10.8.0.0/16"')
        ]
    return []


def firewall(
    scope: Scope,
    network: Network,
    client_cidrs: Sequence[str],
    monitoring_cidrs: Sequence[str],
    *,
    own_database: bool,
    database_port: pulumi.Input[int] | None,
    storage_endpoint: str | None,
) -> Firewall:
    """Make the groups of nodes and database.

    Clients reach the two client listeners from `client_cidrs`, Prometheus the metrics from
    `monitoring_cidrs`, nodes one another. `database_port` is that of the user's database; None
    where there is none. Nothing else comes in, and SSH does not exist: see Session Manager.
    """
    nodes = _group(scope, network, "nodes-group", "Nodes of an Inkless service")
    rules = _Rules(scope, nodes.id)
    made: list[pulumi.Resource] = [
        *_between_nodes(rules, nodes.id),
        *_from_outside(rules, client_cidrs, monitoring_cidrs),
        *_to_aws(scope, rules, network, nodes.id),
    ]
    if storage_endpoint is not None:
        made.append(rules.reach("storage", _port_of(storage_endpoint), cidr_ipv4=_ANYWHERE))
    database = None
    if own_database:
        database = _group(scope, network, "database-group", "Database of an Inkless service").id
        made.append(
            _Rules(scope, database).accept(
                "nodes-5432", POSTGRES_PORT, referenced_security_group_id=nodes.id
            )
        )
        made.append(rules.reach("database", POSTGRES_PORT, referenced_security_group_id=database))
    elif database_port is not None:
        made.append(rules.reach("database", database_port, cidr_ipv4=_ANYWHERE))
    return Firewall(nodes.id, database, tuple(made))


def _group(scope: Scope, network: Network, part: str, text: str) -> aws.ec2.SecurityGroup:
    return aws.ec2.SecurityGroup(
        scope.named(part),
        vpc_id=network.vpc_id,
        description=text,
        tags=scope.tagged(part),
        opts=scope.options(),
    )


def _between_nodes(rules: _Rules, nodes: pulumi.Output[str]) -> list[pulumi.Resource]:
    made: list[pulumi.Resource] = []
    for port in (ports.BROKER, ports.CONTROLLER):
        made.append(rules.accept(f"nodes-{port}", port, referenced_security_group_id=nodes))
        made.append(rules.reach(f"nodes-{port}", port, referenced_security_group_id=nodes))
    return made


def _from_outside(
    rules: _Rules, client_cidrs: Sequence[str], monitoring_cidrs: Sequence[str]
) -> list[pulumi.Resource]:
    openings = [(port, cidr) for port in (ports.CLIENT, ports.MTLS) for cidr in client_cidrs]
    openings += [(ports.METRICS, cidr) for cidr in monitoring_cidrs]
    return [
        rules.accept(f"{port}-from-{_slug(cidr)}", port, cidr_ipv4=cidr) for port, cidr in openings
    ]


def _to_aws(
    scope: Scope, rules: _Rules, network: Network, nodes: pulumi.Output[str]
) -> list[pulumi.Resource]:
    if network.endpoint_group_id is None or network.s3_prefix_list_id is None:
        return [rules.reach("aws", _HTTPS, cidr_ipv4=_ANYWHERE)]
    endpoints = _Rules(scope, network.endpoint_group_id)
    return [
        endpoints.accept("nodes-443", _HTTPS, referenced_security_group_id=nodes),
        rules.reach("endpoints", _HTTPS, referenced_security_group_id=network.endpoint_group_id),
        rules.reach("s3", _HTTPS, prefix_list_id=network.s3_prefix_list_id),
    ]


def _slug(cidr: str) -> str:
    return cidr.replace(".", "-").replace("/", "-")


def _port_of(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (_HTTPS if parts.scheme == "https" else 80)
