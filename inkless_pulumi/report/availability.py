"""What the update means for those who use the service while it runs."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, listed, value_text
from inkless_pulumi.report.nodes import Node, Service
from inkless_pulumi.report.plan import Action, Plan, Resource
from inkless_pulumi.report.quantities import minutes_text, number
from inkless_pulumi.report.topics import TopicChange

__all__ = ["MINUTES_A_NODE", "availability_findings"]

MINUTES_A_NODE: Final = (3, 5)
"""How long it takes to replace a node, in minutes: to stop it, boot a machine, fetch the image, and
let its replicas catch up. An assumption, not a measurement: in a sandbox, without a machine to
boot, it is well under one."""

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
        yield from _rolls(service)
        yield from _shortages(plan, service, topics)
        yield from _settled(service)
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
            f"{_labels(nodes)}",
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


# --- a roll --------------------------------------------------------------------------------------


def _rolls(service: Service) -> Iterator[Finding]:
    nodes = service.having("replaced")
    if not nodes:
        return
    at_once = [node for node in nodes if node.with_others]
    if at_once:
        yield Finding(
            "nodes-replaced-at-once",
            "availability",
            Level.DANGER,
            f"{counted(len(at_once), 'node is', 'nodes are')} taken down together, because "
            f"{_joined(at_once[0].reasons) or 'something they depend on is replaced'}: "
            f"{_labels(at_once)}",
            details=("The engine deletes all of them before it makes any anew",),
            resources=service.others,
            gates=("downtime",),
            brief=f"{counted(len(at_once), 'node is', 'nodes are')} taken down together",
        )
    rolling = [node for node in nodes if not node.with_others]
    if not rolling:
        return
    fewest, most = (len(rolling) * minutes for minutes in MINUTES_A_NODE)
    first = f"{rolling[0].label} first, " if service.order_known and len(rolling) > 1 else ""
    why = _common_reasons(rolling)
    yield Finding(
        "nodes-replaced",
        "availability",
        Level.NOTICE,
        f"{counted(len(rolling), 'node is', 'nodes are')} replaced, one at a time, {first}"
        f"because {why or 'of what is below'}; {minutes_text(fewest, most)}",
        details=tuple(_order_lines(service, rolling, told=bool(why))),
        resources=service.others,
        brief=f"{counted(len(rolling), 'node is', 'nodes are')} replaced one at a time "
        f"({minutes_text(fewest, most)})",
    )


def _common_reasons(nodes: list[Node]) -> str:
    """Why all of them change; empty where they differ."""
    reasons = {node.reasons for node in nodes}
    return _joined(nodes[0].reasons) if len(reasons) == 1 else ""


def _joined(reasons: tuple[str, ...]) -> str:
    if len(reasons) > 4:
        return f"{'; '.join(reasons[:3])} and {len(reasons) - 3} more settings change"
    return " and ".join(reasons)


def _order_lines(service: Service, nodes: list[Node], *, told: bool) -> Iterator[str]:
    if service.order_known:
        yield f"In this order: {', '.join(node.label for node in nodes)}"
    else:
        yield (
            f"{', '.join(node.label for node in nodes)}; the order is decided when the update "
            "begins, and the active controller comes last"
        )
    if not told:
        for node in nodes:
            yield f"{node.label}: {'; '.join(node.reasons)}"
    elif len(nodes[0].reasons) > 4:
        yield from nodes[0].reasons
    yield "The next node is touched when the one before it is back and all replicas are in sync"
    yield "Addresses and data volumes stay"


def _labels(nodes: tuple[Node, ...] | list[Node]) -> str:
    shown = [node.label for node in nodes]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")


def _shortages(plan: Plan, service: Service, topics: list[TopicChange]) -> Iterator[Finding]:
    """Topics that have no replica to spare while a broker is down."""
    brokers = [node for node in service.having("replaced") if node.is_broker]
    if not brokers or any(node.with_others for node in brokers):
        return
    short = [
        (change, reason)
        for change in topics
        if change.old is not None and change.old.kind == "classic" and not change.is_lost
        if _belongs(plan, service, change.resource)
        if (reason := _shortage(change, brokers[0].configuration))
    ]
    if not short:
        return
    names = listed(change.topic.name for change, _ in short)
    words = counted(len(short), "topic", "topics")
    lines = tuple(f"{code(change.topic.name)}: {reason}" for change, reason in short)
    if service.on_shortage == "accept":
        yield Finding(
            "topic-unavailable",
            "availability",
            Level.DANGER,
            f"{words} will be unavailable for a time, while nodes are replaced: {names}",
            details=lines,
            gates=("downtime",),
            brief=f"{words} unavailable for a time",
        )
    else:
        does = "waits until" if service.on_shortage == "wait" else "is refused unless"
        yield Finding(
            "update-held-up",
            "protection",
            Level.WARNING,
            f"The update {does} {words} have a replica to spare: {names}",
            details=(*lines, f"{code('on_shortage')} is {code(service.on_shortage)}"),
            brief=f"{words} without a replica to spare hold up the update",
        )


def _belongs(plan: Plan, service: Service, topic: Resource) -> bool:
    """Whether a topic is on a service: of one service alone, or by the brokers' addresses."""
    names = {gate.parent for gate in plan.of_type("inkless:index:NodeReady")}
    if names == {service.urn}:
        return True
    servers = _servers(topic.old.inputs.get("connection") if topic.old else None)
    own = _servers(service.nodes[0].gate.before("connection"))
    return not servers or not own or bool(servers & own)


def _servers(connection: Any) -> set[str]:
    listed_ = connection.get("bootstrapServers") if isinstance(connection, Mapping) else None
    return set(listed_.split(",")) if isinstance(listed_, str) else set()


def _shortage(change: TopicChange, configuration: Mapping[str, Any]) -> str:
    """Why a topic has no replica to spare; empty where it has."""
    topic = change.old
    assert topic is not None  # noqa: S101  asked before
    given = topic.replication_factor
    factor = number(configuration.get("default.replication.factor") if given is None else given)
    least = number(topic.setting("min.insync.replicas") or configuration.get("min.insync.replicas"))
    if factor == 1:
        return "one replica; it can't be read or written while the node that has it is replaced"
    if factor is not None and least is not None and factor <= least:
        return (
            f"{factor} replicas and {code('min.insync.replicas')} {least}; it can't be written "
            "with acks=all while a node that has a replica is replaced"
        )
    return ""


# --- what changes without a roll -----------------------------------------------------------------


def _settled(service: Service) -> Iterator[Finding]:
    nodes = service.having("settled")
    if nodes:
        yield Finding(
            "settings-applied",
            "availability",
            Level.INFO,
            f"Settings are applied to {counted(len(nodes), 'node')} of {code(service.name)} "
            f"without a restart: {_common_reasons(nodes) or 'see below'}",
            details=(
                ()
                if _common_reasons(nodes)
                else tuple(f"{node.label}: {'; '.join(node.reasons)}" for node in nodes)
            ),
            resources=service.others,
            brief="settings are applied without a restart",
        )


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
            f"{counted(len(added), 'node is', 'nodes are')} added: {_labels(added)}{stay}",
            resources=service.others,
            brief=f"{counted(len(added), 'node is', 'nodes are')} added",
        )
    if removed:
        drained = (
            "Each is drained of its replicas before its machine and its volume go"
            if service.guarded
            else "Move the replicas away before the update: nothing here drains a broker that goes"
        )
        yield Finding(
            "nodes-removed",
            "availability",
            Level.WARNING if service.guarded else Level.DANGER,
            f"{counted(len(removed), 'node is', 'nodes are')} removed: {_labels(removed)}",
            details=(drained,),
            resources=service.others,
            gates=() if service.guarded else ("downtime",),
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
            "run; a node uses the room once its machine is replaced",
            resources=tuple(found.urn for found in grown),
        )
