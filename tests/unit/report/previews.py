"""Previews as the engine writes them, made of what a test says of each resource."""

import json
from collections.abc import Mapping
from typing import Any

from inkless_pulumi.report.assessment import Report, assess
from inkless_pulumi.report.findings import Finding
from inkless_pulumi.report.plan import Plan
from inkless_pulumi.report.reading import read_plan
from inkless_pulumi.report.writing import unmarked

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SERVICE = "inkless:aws:InklessService"
NODE_SETTINGS = {
    "broker.rack": "eu-west-1a",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "log.retention.hours": "168",
}
Properties = Mapping[str, Any]
Step = dict[str, Any]


def urn(token: str, name: str, parent: str = "") -> str:
    """The URN of a resource in the stack `production`."""
    chain = f"{parent}${token}" if parent else token
    return f"urn:pulumi:production::shop::{chain}::{name}"


KAFKA = urn(SERVICE, "kafka")
"""The service that resources with a parent belong to."""


def step(
    operation: str,
    token: str,
    name: str,
    old: Properties | None = None,
    new: Properties | None = None,
    **more: Any,
) -> Step:
    """One step. `more`: `protect` (before), `outputs`, `changed`, `replaced_for`, `parent`."""
    parent = more.get("parent", "")
    address = urn(token, name, SERVICE if parent else "")
    found: Step = {"op": operation, "urn": address}
    for side, inputs in (("oldState", old), ("newState", new)):
        if inputs is not None:
            found[side] = {
                "urn": address,
                "type": token,
                "inputs": dict(inputs),
                "outputs": more.get("outputs", {}),
                "parent": parent,
                "protect": bool(more.get("protect")) if side == "oldState" else False,
                "retainOnDelete": bool(more.get("retained")),
            }
    found["detailedDiff"] = {path: {"kind": "update"} for path in more.get("changed", ())}
    found["replaceReasons"] = list(more.get("replaced_for", ()))
    return found


def same(token: str, name: str, inputs: Properties, **more: Any) -> Step:
    """A resource that stays as it is."""
    return step("same", token, name, inputs, inputs, **more)


def create(token: str, name: str, inputs: Properties, **more: Any) -> Step:
    """A new resource."""
    return step("create", token, name, None, inputs, **more)


def delete(token: str, name: str, inputs: Properties, **more: Any) -> Step:
    """A resource that goes."""
    return step("delete", token, name, inputs, None, **more)


def update(token: str, name: str, old: Properties, new: Properties, **more: Any) -> Step:
    """A resource that is changed in place."""
    return step("update", token, name, old, new, **more)


def digest(*steps: Step, **more: Any) -> str:
    """What `pulumi preview --json` prints."""
    counts: dict[str, int] = {}
    for one in steps:
        counts[one["op"]] = counts.get(one["op"], 0) + 1
    content = {
        "config": {"aws:region": "us-east-1"},
        "steps": list(steps),
        "duration": 1,
        "changeSummary": counts,
        **more,
    }
    return json.dumps(content)


def events(*steps: Step, result: str = "succeeded", **more: Any) -> str:
    """The engine's events of the same."""
    counts: dict[str, int] = {}
    told: list[dict[str, Any]] = [{"preludeEvent": {"config": {"aws:region": "us-east-1"}}}]
    for one in steps:
        counts[one["op"]] = counts.get(one["op"], 0) + 1
        metadata = {
            "op": one["op"],
            "urn": one["urn"],
            "type": one["urn"].split("::")[2].rpartition("$")[2],
            "old": one.get("oldState"),
            "new": one.get("newState"),
            "keys": one.get("replaceReasons"),
            "detailedDiff": one.get("detailedDiff"),
        }
        told.append({"resourcePreEvent": {"metadata": metadata, "planning": True}})
    told += more.get("extra", [])
    summary = {"resourceChanges": counts, "isPreview": True, "result": result}
    told.append({"summaryEvent": summary})
    told.append({"cancelEvent": {}})
    numbered = [{"sequence": place, "timestamp": 0, **event} for place, event in enumerate(told)]
    return "\n".join(json.dumps(event) for event in numbered) + "\n"


def plan(*steps: Step) -> Plan:
    """The plan of these steps."""
    return read_plan(digest(*steps))


def report(*steps: Step) -> Report:
    """Their report."""
    return assess(plan(*steps))


def finding(found: Report, rule: str) -> Finding:
    """The one finding of a rule."""
    alike = [one for one in found.findings if one.rule == rule]
    assert len(alike) == 1, f"{len(alike)} of {rule}: {[one.rule for one in found.findings]}"
    return alike[0]


def text(found: Finding) -> str:
    """All that a finding says."""
    return unmarked("\n".join([found.title, *found.details]))


# --- parts of a service --------------------------------------------------------------------------


def node(number: int, zone: str, old: Properties, new: Properties, rolls: bool) -> list[Step]:
    """A node of the service: volume, machine, attachment and gate."""
    base, name = f"kafka-node-{number}", f"node-{number}"
    gate = {"nodeId": number, "name": name, "roles": ["broker", "controller"], "image": "i@1"}
    before = {**gate, "instanceId": f"i-{number}", "configuration": {**NODE_SETTINGS, **old}}
    after = {**before, "configuration": {**NODE_SETTINGS, **new}}
    volume = same(
        "aws:ebs/volume:Volume",
        f"{base}-data",
        {"availabilityZone": zone, "size": 50, "type": "gp3"},
        parent=KAFKA,
    )
    machine = {"instanceType": "t3.medium", "userDataBase64": "old"}
    if not rolls:
        operation = "same" if before == after else "update"
        return [
            volume,
            same("aws:ec2/instance:Instance", base, machine, parent=KAFKA),
            step(
                operation,
                "inkless:index:NodeReady",
                f"{base}-ready",
                before,
                after,
                parent=KAFKA,
                changed=[] if operation == "same" else ["configuration"],
            ),
        ]
    return [
        volume,
        step(
            "replace",
            "aws:ec2/instance:Instance",
            base,
            machine,
            {**machine, "userDataBase64": UNKNOWN},
            parent=KAFKA,
            changed=["userDataBase64"],
            replaced_for=["userDataBase64"],
        ),
        update(
            "inkless:index:NodeReady",
            f"{base}-ready",
            before,
            {**after, "instanceId": UNKNOWN},
            parent=KAFKA,
            changed=["configuration", "instanceId"],
        ),
    ]


def service(
    old: Properties | None = None, new: Properties | None = None, *, rolls: bool = False
) -> list[Step]:
    """A service of three nodes, whose settings change from one to the other."""
    component = step(
        "update" if rolls else "same", SERVICE, "kafka", {"zones": ["a"]}, {"zones": ["a"]}
    )
    zones = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
    return [
        component,
        *(
            one
            for number, zone in enumerate(zones, start=1)
            for one in node(number, zone, old or {}, new or {}, rolls)
        ),
    ]


def topic(name: str, kind: str = "ClassicTopic", **properties: Any) -> dict[str, Any]:
    """The inputs of a topic."""
    return {"name": name, "partitions": 6, "connection": {}, **properties}


CLASSIC = "inkless:index:ClassicTopic"
DISKLESS = "inkless:index:DisklessTopic"
RULE = "inkless:index:AccessRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
POLICY = "aws:iam/rolePolicy:RolePolicy"
