"""What a service leaves in its account, on this machine and in its cluster, against its state.

Nothing may be there that state does not know, and nothing that state knows may be missing.
"""

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from inkless_pulumi.provider.kafka.model import BrokerState, Cluster
from inkless_pulumi.provider.pauses import growing_pauses
from inkless_pulumi.provider.throttle import RATES
from inkless_pulumi.sandbox import machine
from inkless_pulumi.sandbox.account import Account
from inkless_pulumi.sandbox.containers import label_of
from inkless_pulumi.sandbox.home import Home
from inkless_pulumi.sandbox.parts import aws_server
from proofs.administration import administered
from proofs.stage import Stage

__all__ = ["problems_after_destroy", "problems_after_up"]

_INSTANCE = "aws:ec2/instance:Instance"
_VOLUME = "aws:ebs/volume:Volume"
_SECRET = "aws:secretsmanager/secret:Secret"
_DATABASE = "aws:rds/instance:Instance"
_REPOSITORY = "aws:ecr/repository:Repository"
_IMAGE = "inkless:index:BrokerImage"
_STARTED_SECONDS = 120.0
_PAUSES = (0.2, 2.0)
_CLOUD_TYPE = re.compile(r"aws:[a-z0-9]+/\w+:\w+")


def problems_after_up(place: Stage) -> list[str]:
    """What is wrong with a service that `pulumi up` brought back."""
    changes = place.stack.preview_changes()
    found = [f"another preview has {changes} changes"] if changes else []
    return [*found, *_in_the_account(place), *_in_the_cluster(place)]


def problems_after_destroy(place: Stage) -> list[str]:
    """What is left of a service that was destroyed."""
    return list(_in_the_account(place))


def _in_the_account(place: Stage) -> Iterator[str]:
    state = place.stack.state()
    if pending := state.get("pending_operations"):
        yield f"state has {len(pending)} pending operations"
    resources = [one for one in state.get("resources", ()) if not one.get("external")]
    known = {(one["type"], one["id"]) for one in resources if "id" in one}

    def ids(token: str) -> set[str]:
        return {id for kind, id in known if kind == token}

    home = place.home
    cloud = {f"{token} {id}" for token, id in known if _CLOUD_TYPE.fullmatch(token)}
    yield from _differences("in the account", _recorded(home), cloud)
    yield from _differences("machine", _names(home.instances), ids(_INSTANCE))
    yield from _differences("volume", _names(home.volumes), ids(_VOLUME))
    yield from _differences("secret", _secrets(place), ids(_SECRET))
    containers = {machine.container_name(home, id) for id in ids(_INSTANCE)}
    yield from _differences("container", _containers(home), containers)
    databases = len(_names(home.databases))
    if databases != len(ids(_DATABASE)):
        yield f"{databases} database servers, and state knows {len(ids(_DATABASE))}"
    tags = {tag for one in resources if one["type"] == _IMAGE for tag in one["outputs"]["pushed"]}
    there = {tag for repository in ids(_REPOSITORY) for tag in _tags(home, repository)}
    yield from _differences("image tag", there, tags)


def _in_the_cluster(place: Stage) -> Iterator[str]:
    nodes = place.nodes()
    brokers = {str(node["nodeId"]) for node in nodes if "broker" in node["roles"]}
    controllers = {str(node["nodeId"]) for node in nodes if "controller" in node["roles"]}
    with administered(place) as cluster:
        registered = _started(cluster, brokers)
        serving = {id for id, broker in registered.items() if not broker.fenced}
        yield from _differences("serving broker", serving, brokers)
        registrations = set(registered)
        yield from _differences("registration", registrations, brokers)
        voters = [str(voter.node_id) for voter in cluster.nodes.quorum().voters]
        if sorted(voters) != sorted(controllers):
            yield f"the quorum's voters are {sorted(voters)}, declared are {sorted(controllers)}"
        throttles = [name for name in RATES if name in cluster.settings.describe()]
        yield from _differences("throttle", [*throttles, *cluster.partitions.throttled()], set())
        topics = {partition.topic for partition in cluster.nodes.partitions()}
        there = {topic for topic in topics if not topic.startswith("__")}
        yield from _differences("topic", there, set(place.topics))
        credentials = cluster.users.describe(["load"]).get("load", {})
        if len(credentials) != 1:
            yield f"the user has {len(credentials)} passwords"


def _started(cluster: Cluster, brokers: set[str]) -> dict[str, BrokerState]:
    """The brokers that are registered, by id, as soon as all that should serve do.

    Machines that were killed start again by themselves, and a run that changes nothing waits for
    none of them.
    """
    deadline = time.monotonic() + _STARTED_SECONDS
    for pause in growing_pauses(*_PAUSES):
        registered = {str(broker.node_id): broker for broker in cluster.nodes.brokers()}
        serving = {id for id, broker in registered.items() if not broker.fenced}
        if brokers <= serving or time.monotonic() > deadline:
            break
        time.sleep(pause)
    return registered


def _differences(what: str, there: Iterable[str], known: set[str]) -> Iterator[str]:
    there = set(there)
    yield from (f"orphaned: {what} {name}" for name in sorted(there - known))
    yield from (f"missing: {what} {name}" for name in sorted(known - there))


def _recorded(home: Home) -> set[str]:
    account = Account(home.account_db)
    try:
        with account.transaction() as ledger:
            records = [record for record in ledger.all() if _CLOUD_TYPE.fullmatch(record.token)]
    finally:
        account.close()
    return {
        f"{record.token} {record.id}{'' if record.ready else ' (half made)'}" for record in records
    }


def _names(directory: Path) -> set[str]:
    if not directory.is_dir():
        return set()
    return {path.name for path in directory.iterdir() if path.is_dir()}


def _secrets(place: Stage) -> set[str]:
    sandbox = place.sandbox
    api: Any = aws_server.client(sandbox.aws_endpoint, "secretsmanager", sandbox.region)
    pages = api.get_paginator("list_secrets").paginate()
    return {secret["ARN"] for page in pages for secret in page["SecretList"]}


def _containers(home: Home) -> set[str]:
    engine = machine.container_engine(home)
    label = f"label={label_of(home.root)}"
    return set(engine.run("ps", "--all", "--filter", label, "--format", "{{.Names}}").split())


def _tags(home: Home, repository: str) -> set[str]:
    root = home.registry / "docker" / "registry" / "v2" / "repositories" / repository
    return _names(root / "_manifests" / "tags")
