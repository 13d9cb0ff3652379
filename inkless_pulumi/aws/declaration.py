"""From the component's arguments to what `core` plans with, with every rule checked on the way."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi

from inkless_pulumi.aws.arguments import argument_problems
from inkless_pulumi.aws.control_plane import connections_to_allow
from inkless_pulumi.aws.errors import InvalidDeclaration, declared, refuse
from inkless_pulumi.aws.firewall import source_problems
from inkless_pulumi.aws.location import region_of, zone_problems
from inkless_pulumi.aws.machine_types import (
    MACHINE_TYPES,
    architecture_of,
    database_connection_problems,
    instance_type_problems,
)
from inkless_pulumi.aws.service_args import InklessServiceArgs
from inkless_pulumi.core.declaration import declare
from inkless_pulumi.core.errors import Problem
from inkless_pulumi.core.network import overlap_problems, subnet_choice_problems
from inkless_pulumi.core.plan import ClusterPlan, NodePlan, plan_cluster
from inkless_pulumi.core.storage_names import bucket_problems

DEFAULT_CIDR: Final = "10.42.0.0/16"
DEFAULT_PREFIX: Final = "inkless"
DEFAULT_BACKUP_DAYS: Final = 7
_MOST_BACKUP_DAYS: Final = 35
_PASSED_ON: Final = (
    "zones",
    "version",
    "cluster_type",
    "classic_eligible",
    "plan",
    "topology",
    "brokers_per_zone",
    "brokers",
    "settings",
    "tiered_storage",
    "switch_to_diskless",
    "reassignment_throttle",
    "heap_mib",
    "volume_gib",
    "database_max_connections_per_node",
)
"""Arguments that are called the same in `core`."""
_SHORTAGES: Final = ("refuse", "wait", "accept")
_ARGUMENTS: Final = {
    "image": "upstream_image",
    "network.cidr": "cidr",
    "storage.bucket": "bucket_name",
    "storage.prefix": "key_prefix",
    "storage.endpoint": 'storage["endpoint"]',
    "storage.region": 'storage["region"]',
}
"""What `core` calls differently."""


@dataclass(frozen=True)
class ServicePlan:
    """Everything about a service that is known before anything is created."""

    cluster: ClusterPlan
    subject: str
    region: str
    storage_region: str
    storage_endpoint: str | None
    key_prefix: str
    cidr: str | None
    """None: existing subnets are used."""
    client_cidrs: tuple[str, ...]
    monitoring_cidrs: tuple[str, ...]
    broker_type: str
    controller_type: str
    database_class: str
    database_connections: int
    database_backup_days: int

    def instance_type(self, node: NodePlan) -> str:
        """The EC2 type of a node."""
        return self.broker_type if node.is_broker else self.controller_type


def plan_service(name: str, args: InklessServiceArgs, *, stack_region: str | None) -> ServicePlan:
    """Check the arguments and work out everything that follows from them.

    `stack_region` is the region that the stack is configured for; None where a provider of the
    user's decides.

    Raises:
        InvalidDeclaration: with all that is wrong, under the arguments' own names.
    """
    subject = f'service "{name}"'
    problems = argument_problems(args, InklessServiceArgs)
    wrong_zones = zone_problems(args["zones"], stack_region) if "zones" in args else []
    if wrong_zones or "zones" not in args:
        raise InvalidDeclaration([*problems, *wrong_zones], subject)
    region = str(region_of(args["zones"][0]))
    try:
        cluster = _cluster(name, args, subject, region)
    except InvalidDeclaration as wrong:
        raise InvalidDeclaration([*problems, *wrong.problems], subject) from None
    plan = cluster.declaration.plan
    types, architecture = MACHINE_TYPES[plan], cluster.declaration.architecture
    service = ServicePlan(
        cluster=cluster,
        subject=subject,
        region=region,
        storage_region=cluster.declaration.storage.region,
        storage_endpoint=cluster.declaration.storage.endpoint,
        key_prefix=cluster.declaration.storage.prefix,
        cidr=cluster.declaration.network.cidr,
        client_cidrs=tuple(args.get("client_cidrs", _own_range(cluster))),
        monitoring_cidrs=tuple(args.get("monitoring_cidrs", ())),
        broker_type=args.get("instance_type", types.broker[architecture]),
        controller_type=args.get("controller_instance_type", types.controller[architecture]),
        database_class=args.get("database_instance_class", types.database),
        database_connections=connections_to_allow(cluster),
        database_backup_days=int(args.get("database_backup_days", DEFAULT_BACKUP_DAYS)),
    )
    problems += _network_problems(args, service) + _machine_problems(service)
    if isinstance(bucket := args.get("storage", {}).get("bucket"), str):
        problems += bucket_problems(bucket, 'storage["bucket"]')
    problems += _shortage_problems(args)
    refuse(problems + _either_or_problems(args) + _database_problems(args, service), subject)
    return service


def _cluster(name: str, args: InklessServiceArgs, subject: str, region: str) -> ClusterPlan:
    plain: dict[str, Any] = {key: value for key, value in args.items() if key in _PASSED_ON}
    storage = args.get("storage", {})
    plain["storage"] = {
        "kind": "s3",
        "region": storage.get("region", region),
        "prefix": args.get("key_prefix", DEFAULT_PREFIX),
        "bucket": args.get("bucket_name"),
        "endpoint": storage.get("endpoint", configured_s3_endpoint()),
    }
    plain["network"] = {"cidr": None if "subnet_ids" in args else args.get("cidr", DEFAULT_CIDR)}
    plain["architecture"] = _architecture(args)
    plain["image"] = args.get("upstream_image")
    with declared(subject, _ARGUMENTS):
        return plan_cluster(declare(name=name, **plain))


def _architecture(args: InklessServiceArgs) -> str:
    return args.get("architecture") or architecture_of(args.get("instance_type", "")) or "amd64"


def _own_range(cluster: ClusterPlan) -> tuple[str, ...]:
    cidr = cluster.declaration.network.cidr
    return () if cidr is None else (cidr,)


def configured_s3_endpoint() -> str | None:
    """The S3 endpoint of the stack's `aws:endpoints`: an emulator's, or a private one."""
    for entry in pulumi.Config("aws").get_object("endpoints") or []:
        if entry.get("s3"):
            return str(entry["s3"])
    return None


def _network_problems(args: InklessServiceArgs, service: ServicePlan) -> list[Problem]:
    problems = []
    if "subnet_ids" in args:
        zones = service.cluster.declaration.zones
        problems += subnet_choice_problems(zones, args["subnet_ids"])
        if "client_cidrs" not in args:
            rule = "must say who may connect, as the subnets are not the service's alone"
            remedy = "name the ranges of the clients and of the machine that runs Pulumi"
            problems.append(Problem("client_cidrs", None, rule, remedy))
    listed = {"client_cidrs": service.client_cidrs, "monitoring_cidrs": service.monitoring_cidrs}
    for argument, cidrs in listed.items():
        paths = {f"{argument}[{place}]": cidr for place, cidr in enumerate(cidrs)}
        wrong = [found for path, cidr in paths.items() for found in source_problems(cidr, path)]
        problems += wrong or overlap_problems(paths)
    return problems


def _machine_problems(service: ServicePlan) -> list[Problem]:
    architecture = service.cluster.declaration.architecture
    problems = instance_type_problems(service.broker_type, architecture, "instance_type")
    if service.cluster.declaration.effective_topology == "dedicated":
        problems += instance_type_problems(
            service.controller_type, architecture, "controller_instance_type"
        )
    return problems


def _either_or_problems(args: InklessServiceArgs) -> list[Problem]:
    """An existing thing and the properties of one to be made exclude each other."""
    pairs = (
        ("subnet_ids", "cidr"),
        ("storage", "bucket_name"),
        ("database", "database_instance_class"),
        ("database", "database_multi_az"),
        ("machine_image_id", "machine_image_renewal"),
    )
    return [
        Problem(
            made, None, f"has no effect with {given}, which names an existing one", "remove either"
        )
        for given, made in pairs
        if given in args and made in args
    ]


def _shortage_problems(args: InklessServiceArgs) -> list[Problem]:
    given = args.get("on_shortage", "refuse")
    if given in _SHORTAGES:
        return []
    return [Problem("on_shortage", given, "is not a choice", f"use {' or '.join(_SHORTAGES)}")]


def _database_problems(args: InklessServiceArgs, service: ServicePlan) -> list[Problem]:
    problems = []
    days = service.database_backup_days
    if not 1 <= days <= _MOST_BACKUP_DAYS:
        rule = f"must be 1 to {_MOST_BACKUP_DAYS}: the database is needed to read the bucket"
        problems.append(Problem("database_backup_days", days, rule, "use 7, the default"))
    if "database" not in args and service.cluster.declaration.is_diskless:
        problems += database_connection_problems(
            service.database_class, service.database_connections
        )
    return problems
