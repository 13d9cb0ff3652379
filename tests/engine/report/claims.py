"""What a report claims of an update, against what the update then did."""

from collections.abc import Iterator

from inkless_pulumi.report.assessment import Report
from inkless_pulumi.report.nodes import services
from inkless_pulumi.report.plan import Action, Plan
from inkless_pulumi.report.reading import read_plan
from inkless_pulumi.report.topics import topic_changes
from tests.engine.aws.rehearsal import Rehearsal
from tests.engine.plugins.rehearsed_cluster import read_cluster
from tests.engine.report.quick_start import Ran
from tests.unit.provider.memory_cluster import MemoryCluster


def cluster(rehearsal: Rehearsal) -> MemoryCluster:
    """The cluster as the plugin left it."""
    return read_cluster(rehearsal.directory)


def broken_claims(
    plan: Plan, report: Report, done: Ran, before: MemoryCluster, after: MemoryCluster
) -> Iterator[str]:
    """Everything that a report of a plan says and the update did not do, and the other way round.

    Args:
        plan: the preview.
        report: its report.
        done: the events of the update that carried it out.
        before: the cluster before it.
        after: the cluster after it.
    """
    if done.exit_code:
        yield f"the update failed:\n{done.output}"
        return
    carried_out = read_plan(done.events)
    yield from _touched(plan, carried_out)
    yield from _rolled(plan, report, carried_out)
    yield from _topics(plan, report, before, after)
    yield from _access(report, before, after)


def _touched(plan: Plan, done: Plan) -> Iterator[str]:
    """What was said to happen to a resource happened, and nothing else did."""
    planned = {one.urn: one.action for one in plan.touched}
    happened = {one.urn: one.action for one in done.touched}
    for urn in sorted(set(planned) | set(happened)):
        said, did = planned.get(urn, Action.SAME), happened.get(urn, Action.SAME)
        # What depends on a value that turns out to be the same is not changed in the end.
        if said is not did and (said, did) != (Action.UPDATE, Action.SAME):
            yield f"{urn}: {did.value}, and {said.value} was planned"


def _rolled(plan: Plan, report: Report, done: Plan) -> Iterator[str]:
    """The nodes that were said to roll rolled, one at a time and in the order that was told."""
    for service in services(plan):
        said = [node for node in service.nodes if node.fate == "replaced"]
        machines = {node.machine.urn: node.name for node in said if node.machine}
        gates = {node.gate.urn: node.name for node in said}
        down: str | None = None
        order = []
        for operation, urn in done.order:
            if operation == "delete-replaced" and urn in machines:
                if down is not None:
                    yield f"{machines[urn]} was stopped while {down} was not back"
                down = machines[urn]
                order.append(down)
            elif operation == "update" and urn in gates and gates[urn] == down:
                down = None
        if sorted(order) != sorted(machines.values()):
            yield f"rolled {order}, and {sorted(machines.values())} were said to"
        if service.order_known and order != [node.name for node in said]:
            yield f"rolled in the order {order}, and not as was told"
        told = "nodes-replaced" in {finding.rule for finding in report.findings}
        if told != bool(order):
            yield f"the report {'tells' if told else 'does not tell'} of a roll of {order}"


def _topics(
    plan: Plan, report: Report, before: MemoryCluster, after: MemoryCluster
) -> Iterator[str]:
    """The topics that were said to be deleted are gone, and no others."""
    lost = {change.topic.name for change in topic_changes(plan) if change.is_lost}
    gone = set(before.topics.all) - set(after.topics.all)
    if lost != gone:
        yield f"the topics {gone} are gone, and {lost} were said to be"
    if gone and "data-loss" not in report.gates:
        yield f"the topics {gone} are gone without a word of data loss"
    for change in topic_changes(plan):
        if change.new is None or change.topic.name not in after.topics.all:
            continue
        found = after.topics.all[change.topic.name]
        if found.partitions != change.new.partitions:
            yield f"{found.name} has {found.partitions} partitions"


def _access(report: Report, before: MemoryCluster, after: MemoryCluster) -> Iterator[str]:
    """Rules of access came or went only where the report tells of it."""
    rules = {finding.rule for finding in report.findings}
    if after.acls.all - before.acls.all and not rules & {
        "kafka-widens",
        "kafka-opened",
        "kafka-of-new-service",
    }:
        yield f"{after.acls.all - before.acls.all} came without a word"
    everything = {"kafka-narrows", "kafka-of-gone-service", "kafka-widens"}
    if before.acls.all - after.acls.all and not rules & everything:
        yield f"{before.acls.all - after.acls.all} went without a word"
