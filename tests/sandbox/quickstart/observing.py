"""Looks at a quick-start in a sandbox from outside: its machines, its brokers, its account."""

import gc
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from inkless_pulumi.core.errors import InklessError
from inkless_pulumi.provider.kafka.model import Acl, Cluster, PartitionState
from inkless_pulumi.sandbox import machine
from inkless_pulumi.sandbox.account import Account
from inkless_pulumi.sandbox.account import Record as Entry
from inkless_pulumi.sandbox.home import Home
from proofs.nodes import machines
from tests.claims.observed import Machine, Observed, Record
from tests.claims.sentences import key_of
from tests.sandbox.quickstart.deployed import Deployed
from tests.sandbox.quickstart.meanwhile import meanwhile

__all__ = ["Watch", "close_what_was_left_open", "observed"]

_SETTINGS = ("num.network.threads", "num.io.threads", "log.segment.bytes")
"""Settings of a broker's file that the tests change."""
_KAFKAS_OWN = ("min.insync.replicas",)
"""Written down by the controller itself, where eligible leader replicas are on (KIP-966)."""
_PROTECTING = {"deletionProtection": True, "forceDelete": False, "forceDestroy": False}
_ANY = cast("Any", None)
_ALL_ACLS = Acl(_ANY, _ANY, "any", _ANY, "any", "any", "any")
_LOOK_SECONDS = 0.25


def observed(deployed: Deployed, state: list[dict[str, Any]]) -> Observed:
    """What is there; `state` is what the stack's state records."""
    entries = _entries(deployed.home)
    account = {key_of(one.urn): Record(one.id, one.inputs) for one in entries}
    recorded = frozenset(key_of(one["urn"]) for one in state)
    protected = frozenset(_protected(state))
    instances = machines(deployed.home)
    assert len(instances) == len([*deployed.home.instances.glob("*/machine.json")])
    if not instances:
        return Observed(account=account, recorded=recorded, protected=protected)
    with deployed.cluster() as cluster:
        users = cluster.users.describe(["application"])
        return Observed(
            machines={
                name: _machine(deployed.home, entries, cluster, name, instance)
                for name, instance in instances.items()
            },
            active_controller=f"node-{cluster.nodes.quorum().leader}",
            topics=dict(cluster.topics.describe(cluster.topics.names())),
            settings={
                name: value
                for name, value in cluster.settings.describe().items()
                if name not in _KAFKAS_OWN
            },
            access=cluster.acls.describe(_ALL_ACLS),
            users={name: frozenset(found) for name, found in users.items()},
            account=account,
            recorded=recorded,
            protected=protected,
        )


def _entries(home: Home) -> list[Entry]:
    account = Account(home.account_db)
    try:
        with account.transaction() as ledger:
            return [entry for entry in ledger.all() if entry.token.startswith("aws:")]
    finally:
        account.close()


def _machine(
    home: Home, entries: list[Entry], cluster: Cluster, node: str, instance: str
) -> Machine:
    engine, container = machine.container_engine(home), machine.container_name(home, instance)
    (attached,) = (
        one.inputs["volumeId"]
        for one in entries
        if one.token == "aws:ec2/volumeAttachment:VolumeAttachment"
        if one.inputs["instanceId"] == instance
    )
    (zone,) = (one.inputs["availabilityZone"] for one in entries if one.id == attached)
    return Machine(
        instance_id=instance,
        started_at=engine.run("inspect", "--format", "{{.State.StartedAt}}", container).strip(),
        address=machine.load(home, instance).address,
        zone=zone,
        volume_id=attached,
        settings=cluster.settings.read_at_start(int(node.removeprefix("node-")), _SETTINGS),
    )


def _protected(state: list[dict[str, Any]]) -> Iterator[str]:
    for resource in state:
        inputs = resource.get("inputs", {})
        if resource["type"].endswith("Topic"):
            if inputs.get("deletionProtection"):
                yield inputs["name"]
        elif resource["type"].startswith("inkless:aws:"):
            continue  # a component: its parts are protected
        elif resource.get("protect") or any(
            inputs.get(name) is value for name, value in _PROTECTING.items()
        ):
            yield resource["urn"].rpartition("::")[2]


def close_what_was_left_open() -> None:
    """Let go of sockets to brokers that went away: kafka-python forgets those half open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Watch:
    """Looks at the cluster again and again, and notes what is down and what is unavailable."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._minimum = cluster.nodes.min_in_sync(cluster.topics.names())
        self.most_down = 0
        self.unavailable: set[str] = set()
        self.looks = 0

    @contextmanager
    def on(self) -> Iterator["Watch"]:
        """Look until the end of the block."""
        with meanwhile(self._look_on):
            yield self

    def _look_on(self, ended: threading.Event) -> None:
        while not ended.wait(_LOOK_SECONDS):
            try:
                brokers, partitions = (
                    self._cluster.nodes.brokers(),
                    self._cluster.nodes.partitions(),
                )
            except InklessError:
                continue  # the one that was asked has just gone; the next look asks another
            self.looks += 1
            self.most_down = max(self.most_down, sum(broker.fenced for broker in brokers))
            self.unavailable |= {
                found.topic
                for found in partitions
                if found.topic in self._minimum
                if found.leader is None or len(found.in_sync) < self._needed(found)
            }

    def _needed(self, partition: PartitionState) -> int:
        """A partition with fewer replicas than `min.insync.replicas` needs all that it has."""
        return min(self._minimum[partition.topic], len(partition.replicas))
