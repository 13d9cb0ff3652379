"""What the update means for those who use the service while it runs."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, value_text
from inkless_pulumi.report.nodes import Service
from inkless_pulumi.report.plan import Action, Plan
from inkless_pulumi.report.rolls import common_reasons, labels, roll_findings
from inkless_pulumi.report.topics import TopicChange

__all__ = ["availability_findings"]


_DATABASE: Final = "aws:rds/instance:Instance"
_RESTARTS_DATABASE: Final = (
    "instanceClass",
    "engineVersion",
    "multiAz",
    "parameterGroupName",
    "port",
    "caCertIdentifier",
)


def availability_findings(
    plan: Plan, services: list[Service], topics: list[TopicChange]
) -> Iterator[Finding]:
    """What is interrupted, what rolls, what is changed without anybody noticing."""
    for service in services:
        yield from _life_of(service)
        yield from roll_findings(plan, service, topics)
        yield from _settled(service)
        yield from _cluster_settings(service)
        yield from _finalised(service)
        yield from _scaled(service)
    yield from _databases(plan)
    yield from _addresses(plan)
    yield from _volumes(plan)


def _life_of(service: Service) -> Iterator[Finding]:
    nodes = service.nodes
    if nodes and all(node.fate == "created" for node in nodes):
        yield Finding(
            "service-created",
            "availability",
            Level.INFO,
            f"The service {code(service.name)} is created, with {counted(len(nodes), 'node')}: "
            f"{labels(nodes)}",
            resources=service.others,
            brief=f"a new service with {counted(len(nodes), 'node')}",
        )
    if nodes and all(node.fate == "deleted" for node in nodes):
        yield Finding(
            "service-deleted",
            "availability",
            Level.DANGER,
            f"The service {code(service.name)} is removed, with {counted(len(nodes), 'node')}",
            resources=service.others,
            gates=("downtime",),
            brief=f"the service {code(service.name)} is removed",
        )


def _settled(service: Service) -> Iterator[Finding]:
    nodes = service.having("settled")
    if nodes:
        yield Finding(
            "settings-applied",
            "availability",
            Level.INFO,
            f"Settings are applied to {counted(len(nodes), 'node')} of {code(service.name)} "
            f"without a restart: {common_reasons(nodes) or 'see below'}",
            details=(
                ()
                if common_reasons(nodes)
                else tuple(f"{node.label}: {'; '.join(node.reasons)}" for node in nodes)
            ),
            resources=service.others,
            brief="settings are applied without a restart",
        )


def _cluster_settings(service: Service) -> Iterator[Finding]:
    """Settings that running brokers take from the cluster."""
    settings = service.settings
    if settings is None or settings.action not in (Action.CREATE, Action.UPDATE):
        return
    old, new = settings.before("settings") or {}, settings.after("settings") or {}
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return
    changes = tuple(
        f"{code(name)} changes from {value_text(old.get(name))} to {value_text(new.get(name))}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )
    if changes and not all(node.fate == "created" for node in service.nodes):
        yield Finding(
            "settings-applied",
            "availability",
            Level.INFO,
            f"Settings are applied to the running brokers of {code(service.name)}, without a "
            "restart",
            details=changes,
            resources=(settings.urn,),
            brief=f"{counted(len(changes), 'setting')} applied without a restart",
        )


def _finalised(service: Service) -> Iterator[Finding]:
    """After an upgrade there is no way back."""
    level = service.level
    if level is None or level.action is not Action.UPDATE:
        return
    old, new = level.before("version"), level.after("version")
    if _line(old) != _line(new):
        yield Finding(
            "feature-level-finalised",
            "availability",
            Level.WARNING,
            f"Once every node runs {value_text(new)}, the cluster's feature level is finalised: "
            f"there is no way back to {value_text(old)} from then on",
            resources=(level.urn,),
            brief=f"no way back to {value_text(old)} afterwards",
        )


def _line(version: Any) -> str:
    """The line of a version of Kafka, within which the feature level stays: 4.2 of 4.2.1-0.47."""
    return ".".join(str(version).split(".")[:2])


def _scaled(service: Service) -> Iterator[Finding]:
    added, removed = service.having("created"), service.having("deleted")
    if len(added) == len(service.nodes) or len(removed) == len(service.nodes):
        return
    if added:
        stay = "" if service.having("replaced") else "; the nodes that are there are not touched"
        yield Finding(
            "nodes-added",
            "availability",
            Level.INFO,
            f"{counted(len(added), 'node is', 'nodes are')} added: {labels(added)}{stay}",
            resources=service.others,
            brief=f"{counted(len(added), 'node is', 'nodes are')} added",
        )
    if removed:
        drained = (
            "Each is drained of its replicas before its machine and its volume go"
            if service.drained
            else "Move the replicas away before the update: nothing here drains a broker that goes"
        )
        yield Finding(
            "nodes-removed",
            "availability",
            Level.WARNING if service.drained else Level.DANGER,
            f"{counted(len(removed), 'node is', 'nodes are')} removed: {labels(removed)}",
            details=(drained,),
            resources=service.others,
            gates=() if service.drained else ("downtime",),
            brief=f"{counted(len(removed), 'node is', 'nodes are')} removed",
        )


def _databases(plan: Plan) -> Iterator[Finding]:
    for database in plan.of_type(_DATABASE):
        restarting = [name for name in _RESTARTS_DATABASE if database.changes(name)]
        if database.action is not Action.UPDATE or not restarting:
            continue
        at_once = database.after("applyImmediately") is True
        standby = database.before("multiAz") is True and database.after("multiAz") is True
        how = "fails over to its standby, about a minute," if standby else "restarts, some minutes,"
        when = "during the update" if at_once else "in its next maintenance window"
        yield Finding(
            "database-restarts",
            "availability",
            Level.WARNING,
            f"The database {code(database.name)} {how} {when}; meanwhile diskless topics can't be "
            "written or read",
            details=tuple(
                f"{code(name)} changes from {value_text(database.before(name))} to "
                f"{value_text(database.after(name))}"
                for name in restarting
            ),
            resources=(database.urn,),
            gates=("downtime",),
            brief=f"the database restarts {when}",
        )
    for group in plan.of_type("aws:rds/parameterGroup:ParameterGroup"):
        if group.action is Action.UPDATE and group.changes("parameters"):
            yield Finding(
                "database-settings",
                "availability",
                Level.NOTICE,
                f"Settings of the database change ({code(group.name)}); those that need a restart "
                "take effect at the next one",
                resources=(group.urn,),
            )


def _addresses(plan: Plan) -> Iterator[Finding]:
    moved = [
        found
        for found in plan.of_type("aws:ec2/networkInterface:NetworkInterface")
        if found.action is Action.REPLACE
    ]
    if moved:
        yield Finding(
            "addresses-change",
            "availability",
            Level.WARNING,
            f"{counted(len(moved), 'node gets', 'nodes get')} another address: clients need the "
            "new bootstrap servers",
            resources=tuple(found.urn for found in moved),
            brief="nodes get other addresses",
        )


def _volumes(plan: Plan) -> Iterator[Finding]:
    grown = [
        found
        for found in plan.of_type("aws:ebs/volume:Volume")
        if found.action is Action.UPDATE and found.changes("size")
    ]
    if grown:
        sizes = {
            (value_text(found.before("size")), value_text(found.after("size"))) for found in grown
        }
        how = ", ".join(f"from {old} to {new} GiB" for old, new in sorted(sizes))
        yield Finding(
            "volumes-grow",
            "availability",
            Level.INFO,
            f"{counted(len(grown), 'data volume grows', 'data volumes grow')} {how} while nodes "
            "run; each uses the room within minutes, and nothing restarts",
            resources=tuple(found.urn for found in grown),
        )
