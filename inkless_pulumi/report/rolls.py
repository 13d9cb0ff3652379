"""Rolls: which nodes are replaced, in which order and why, and what that makes unavailable."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from inkless_pulumi.report.findings import Finding, Level, code, counted, listed
from inkless_pulumi.report.nodes import Node, Service
from inkless_pulumi.report.plan import Plan, Resource
from inkless_pulumi.report.quantities import minutes_text, number
from inkless_pulumi.report.topics import TopicChange

__all__ = ["common_reasons", "labels", "roll_findings"]

_MINUTES_A_NODE: Final = (3, 5)
"""How long it takes to replace a node, in minutes: to stop it, boot a machine, fetch the image, and
let its replicas catch up. An assumption, not a measurement: in a sandbox, without a machine to
boot, it is well under one."""


def roll_findings(plan: Plan, service: Service, topics: list[TopicChange]) -> Iterator[Finding]:
    """What is told of the nodes of a service that are replaced."""
    yield from _rolls(service)
    yield from _shortages(plan, service, topics)


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
            f"{labels(at_once)}",
            details=("The engine deletes all of them before it makes any anew",),
            resources=service.others,
            gates=("downtime",),
            brief=f"{counted(len(at_once), 'node is', 'nodes are')} taken down together",
        )
    rolling = [node for node in nodes if not node.with_others]
    if not rolling:
        return
    fewest, most = (len(rolling) * minutes for minutes in _MINUTES_A_NODE)
    first = f"{rolling[0].label} first, " if service.order_known and len(rolling) > 1 else ""
    why = common_reasons(rolling)
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


def _order_lines(service: Service, nodes: list[Node], *, told: bool) -> Iterator[str]:
    if service.order_known:
        yield f"In this order: {', '.join(node.label for node in nodes)}"
    else:
        yield (
            f"{', '.join(node.label for node in nodes)}; the order is decided when the update "
            f"begins{_last(nodes)}"
        )
    if not told:
        for node in nodes:
            yield f"{node.label}: {'; '.join(node.reasons)}"
    elif len(nodes[0].reasons) > 4:
        yield from nodes[0].reasons
    yield "The next node is touched when the one before it is back and all replicas are in sync"
    yield "Addresses and data volumes stay"


def _last(nodes: list[Node]) -> str:
    """What is known of an order that is not decided yet."""
    controllers = sum("controller" in node.roles for node in nodes)
    if not controllers:
        return ""
    among = "" if controllers == len(nodes) else " of the controllers"
    return f", and the active controller comes last{among}"


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
        if (reason := _shortage(change, service.configuration(brokers[0], old=True)))
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
        have = "has" if len(short) == 1 else "have"
        yield Finding(
            "update-held-up",
            "protection",
            Level.WARNING,
            f"The update {does} {words} {have} a replica to spare: {names}",
            details=(*lines, f"{code('on_shortage')} is {code(service.on_shortage)}"),
            brief=f"{words} {have} no replica to spare, which holds up the update",
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


def common_reasons(nodes: list[Node]) -> str:
    """Why all of them change; empty where they differ."""
    reasons = {node.reasons for node in nodes}
    return _joined(nodes[0].reasons) if len(reasons) == 1 else ""


def _joined(reasons: tuple[str, ...]) -> str:
    if len(reasons) > 4:
        return f"{'; '.join(reasons[:3])} and {len(reasons) - 3} more settings change"
    return " and ".join(reasons)


def labels(nodes: tuple[Node, ...] | list[Node]) -> str:
    """Nodes with their zones, the first of many."""
    shown = [node.label for node in nodes]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
