"""Security groups and their rules. Recorded only: nothing here is filtered."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from inkless_pulumi.sandbox.account import Ledger, Record
from inkless_pulumi.sandbox.standin.aws.network import (
    NETWORK_INTERFACE,
    SECURITY_GROUP,
    VPC,
    VPC_ENDPOINT,
    check_cidr,
)
from inkless_pulumi.sandbox.standin.aws.shapes import (
    arn,
    lookup,
    name_or_prefixed,
    new_id,
    region_of,
)
from inkless_pulumi.sandbox.standin.behaviour import (
    Behaviour,
    CloudError,
    Created,
    Properties,
    Site,
)
from inkless_pulumi.sandbox.standin.checking import Failure
from inkless_pulumi.sandbox.standin.differences import Change
from inkless_pulumi.sandbox.standin.naming import NameRule


class SecurityGroup(Behaviour):
    """A set of firewall rules. Recorded: nothing here is filtered."""

    token = SECURITY_GROUP
    name_rule = NameRule()
    defaults: ClassVar[Mapping[str, Any]] = {
        "description": "Managed by Pulumi",
        "revokeRulesOnDelete": False,
    }

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Names of the default group are the cloud's."""
        name = inputs.get("name")
        if isinstance(name, str) and (name.startswith("sg-") or name == "default"):
            yield Failure("name", f"{name!r}: may not be 'default' nor start with 'sg-'")

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """One a name in a VPC."""
        name = name_or_prefixed(inputs)
        vpc_id = inputs.get("vpcId")
        if vpc_id is not None:
            lookup(ledger, VPC, vpc_id, "InvalidVpcID.NotFound")
        if ledger.find(self.token, vpcId=vpc_id, name=name):
            raise CloudError(
                "InvalidGroup.Duplicate",
                f"The security group '{name}' already exists for VPC '{vpc_id}'",
            )
        group_id = new_id("sg")
        return Created(
            group_id,
            {
                "arn": arn(site, "ec2", f"security-group/{group_id}", region_of(site, inputs)),
                "name": name,
                "ownerId": site.account_id,
                "ingress": inputs.get("ingress", []),
                "egress": inputs.get("egress", []),
            },
        )

    def before_delete(self, ledger: Ledger, site: Site, record: Record) -> None:
        """Nothing may use it."""
        dependents = {
            NETWORK_INTERFACE: "securityGroups",
            "aws:ec2/instance:Instance": "vpcSecurityGroupIds",
            VPC_ENDPOINT: "securityGroupIds",
            "aws:rds/instance:Instance": "vpcSecurityGroupIds",
            SecurityGroupIngressRule.token: "referencedSecurityGroupId",
            SecurityGroupEgressRule.token: "referencedSecurityGroupId",
        }
        own = (SecurityGroupIngressRule.token, SecurityGroupEgressRule.token)
        for token, name in dependents.items():
            for other in ledger.find(token):
                value = other.outputs.get(name)
                mine = token in own and other.outputs.get("securityGroupId") == record.id
                used = value == record.id or (isinstance(value, list) and record.id in value)
                if used and not mine:
                    raise CloudError(
                        "DependencyViolation",
                        f"resource {record.id} has a dependent object ({other.id})",
                    )


class _SecurityGroupRule(Behaviour):
    """One rule of a security group."""

    _ports: ClassVar[tuple[str, str]] = ("fromPort", "toPort")

    def check(self, inputs: Properties) -> Iterator[Failure]:
        """Networks are networks, ports are ports, and all protocols have none."""
        yield from check_cidr("cidrIpv4", inputs.get("cidrIpv4"))
        for name in self._ports:
            port = inputs.get(name)
            if isinstance(port, int) and not -1 <= port <= 65535:
                yield Failure(name, f"{port} is not in -1..65535")
        if inputs.get("ipProtocol") == "-1" and any(name in inputs for name in self._ports):
            yield Failure("ipProtocol", "all protocols ('-1') go with no 'fromPort' and 'toPort'")

    def forces_replacement(self, change: Change, old: Properties, new: Properties) -> bool | None:
        """Another kind of source replaces; another value of the same kind does not."""
        sources = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
        if change.name in sources:
            return (change.name in old) != (change.name in new)
        return None

    def create(self, ledger: Ledger, site: Site, inputs: Properties, urn: str) -> Created:
        """In an existing group."""
        group = inputs["securityGroupId"]
        lookup(ledger, SECURITY_GROUP, group, "InvalidGroup.NotFound")
        other = inputs.get("referencedSecurityGroupId")
        if other is not None:
            lookup(ledger, SECURITY_GROUP, other, "InvalidGroup.NotFound")
        same = ("ipProtocol", "fromPort", "toPort", "cidrIpv4", "referencedSecurityGroupId")
        for rule in ledger.find(self.token, securityGroupId=group):
            if all(rule.outputs.get(name) == inputs.get(name) for name in same):
                raise CloudError(
                    "InvalidPermission.Duplicate",
                    f"the specified rule already exists in {group} ({rule.id})",
                )
        rule_id = new_id("sgr")
        path = f"security-group-rule/{rule_id}"
        return Created(
            rule_id,
            {
                "arn": arn(site, "ec2", path, region_of(site, inputs)),
                "securityGroupRuleId": rule_id,
            },
        )


class SecurityGroupIngressRule(_SecurityGroupRule):
    """What may come in."""

    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


class SecurityGroupEgressRule(_SecurityGroupRule):
    """What may go out."""

    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


BEHAVIOURS: tuple[Behaviour, ...] = (
    SecurityGroup(),
    SecurityGroupIngressRule(),
    SecurityGroupEgressRule(),
)
