"""Looks at a service in a sandbox from outside: its machines, its brokers, its account."""

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

from cryptography.x509 import AuthorityKeyIdentifier, load_pem_x509_certificate

from inkless_pulumi.core.node_paths import SERVER_PROPERTIES
from inkless_pulumi.provider.kafka.model import Acl, Cluster
from inkless_pulumi.sandbox import machine
from inkless_pulumi.sandbox.account import Account
from inkless_pulumi.sandbox.account import Record as Entry
from inkless_pulumi.sandbox.home import Home
from proofs.administration import Place, administered
from proofs.claims.observed import Machine, Observed, Record
from proofs.claims.sentences import key_of
from proofs.nodes import kafka_of, machines

__all__ = ["observed"]

_SETTINGS: Final = (
    "num.network.threads",
    "num.io.threads",
    "log.segment.bytes",
    "queued.max.requests",
)
"""Settings of a node's file that are changed, and that a broker tells."""
_UNTOLD: Final = ("inkless.consume.cache.max.bytes",)
"""Likewise, but that no broker tells, as it tells none of Inkless's."""
_KAFKAS_OWN: Final = ("min.insync.replicas",)
"""Written down by the controller itself, where eligible leader replicas are on (KIP-966)."""
_PROTECTING: Final = {"deletionProtection": True, "forceDelete": False, "forceDestroy": False}
_ANY = cast("Any", None)
_ALL_ACLS = Acl(_ANY, _ANY, "any", _ANY, "any", "any", "any")


def observed(place: Place, users: Sequence[str]) -> Observed:
    """What is there.

    Args:
        place: the service.
        users: the names of those whose passwords are looked at.
    """
    state = place.stack.state().get("resources", [])
    entries = _entries(place.home)
    account = {key_of(one.urn): Record(one.id, one.inputs) for one in entries}
    recorded = frozenset(key_of(one["urn"]) for one in state)
    protected = frozenset(_protected(state))
    instances = machines(place.home)
    if not instances:
        return Observed(account=account, recorded=recorded, protected=protected)
    with administered(place) as cluster:
        quorum = cluster.nodes.quorum()
        found = cluster.users.describe(users)
        return Observed(
            machines={
                name: _machine(place.home, entries, cluster, name, instance)
                for name, instance in instances.items()
            },
            active_controller=f"node-{quorum.leader}",
            controllers=frozenset(f"node-{voter.node_id}" for voter in quorum.voters),
            feature_level=cluster.features.metadata_version()[0],
            topics=dict(cluster.topics.describe(cluster.topics.names())),
            settings={
                name: value
                for name, value in cluster.settings.describe().items()
                if name not in _KAFKAS_OWN
            },
            access=cluster.acls.describe(_ALL_ACLS),
            users={name: frozenset(passwords) for name, passwords in found.items()},
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
    looked_at = engine.run("inspect", "--format", "{{.State.StartedAt}} {{.Image}}", container)
    started_at, image = looked_at.strip().rsplit(" ", 1)
    address = machine.load(home, instance).address
    written = _written(home, instance)
    kafka, heap_mib = _process(kafka_of(home, instance))
    certificate, authority = _shown(address, written["listeners"])
    asked = _SETTINGS if "broker" in written["process.roles"] else ()
    node_id = int(node.removeprefix("node-"))
    return Machine(
        instance_id=instance,
        started_at=started_at,
        address=address,
        zone=zone,
        volume_id=attached,
        settings={
            # A controller can't be asked (UnknownBrokerIdError); what it reads is its file.
            **{name: written[name] for name in (*_SETTINGS, *_UNTOLD) if name in written},
            **(cluster.settings.read_at_start(node_id, asked) if asked else {}),
        },
        image=image,
        kafka=kafka,
        heap_mib=heap_mib,
        certificate=certificate,
        authority=authority,
    )


def _written(home: Home, instance: str) -> Mapping[str, str]:
    """The node's `server.properties`."""
    file = machine.root_directory(home, instance) / SERVER_PROPERTIES.lstrip("/")
    pairs = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _process(number: int) -> tuple[str, int]:
    """The version of Kafka that a process runs, by the files that it has open; its heap (MiB)."""
    process = Path("/proc") / str(number)
    opened = " ".join(_open_files(process / "fd"))
    version = re.search(r"/kafka_2\.13-(\d+(?:\.\d+)+)\.jar", opened)
    heap = re.search(r"-Xmx(\d+)m", (process / "cmdline").read_text())
    if version is None or heap is None:
        raise ValueError(f"process {number} does not tell what it runs: {opened}")
    return version[1], int(heap[1])


def _open_files(descriptors: Path) -> Iterator[str]:
    """What is open; a broker closes files and connections all the time, also while one looks."""
    for descriptor in descriptors.iterdir():
        with suppress(FileNotFoundError):
            yield str(descriptor.readlink())


def _shown(address: str, listeners: str) -> tuple[str, str]:
    """The certificate that a node shows to who connects, and the key of who signed it."""
    port = int(listeners.partition(",")[0].rpartition(":")[2])
    text = ssl.get_server_certificate((address, port), timeout=10)
    found = load_pem_x509_certificate(text.encode())
    signer = found.extensions.get_extension_for_class(AuthorityKeyIdentifier).value
    return sha256(text.encode()).hexdigest(), (signer.key_identifier or b"").hex()


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
