"""The real plugin server, with its ways to the outside replaced by files in a directory.

What is replaced is only the last step of each: the secret store, the look-up of the machine image,
the push of the broker image, the wait for a node and the requests to the cluster. Checks, diffs and
previews are the real ones.
`$INKLESS_REHEARSAL` is the directory; `journal` in it has a line for each thing done outside.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from inkless_pulumi.core.errors import NotReady
from inkless_pulumi.provider import (
    broker_image,
    broker_registration,
    cluster_settings,
    feature_level,
    machine_image,
    node_ready,
    node_stop,
    rolling_order,
    secret_stores,
    server,
)
from inkless_pulumi.provider.declared_services import DeclaredService
from inkless_pulumi.provider.kafka import connection
from inkless_pulumi.provider.resource import Context
from tests.engine.plugins.rehearsed_cluster import kept_cluster

HOME = Path(os.environ["INKLESS_REHEARSAL"])


def note(*words: str) -> None:
    """Add a line to the journal."""
    with (HOME / "journal").open("a") as journal:
        journal.write(" ".join(words) + "\n")


class FileSecrets:
    """A secret store in a directory: a file a secret."""

    def __init__(self, region: str, profile: str | None) -> None:
        self._directory = HOME / "secrets"
        self._directory.mkdir(exist_ok=True)

    def _file(self, secret_id: str) -> Path:
        return self._directory / secret_id.rpartition(":")[2]

    def read(self, secret_id: str) -> str:
        """The value."""
        return self._file(secret_id).read_text()

    def find(self, secret_id: str) -> secret_stores.StoredSecret | None:
        """The value with its version."""
        file = self._file(secret_id)
        if not file.exists():
            return None
        value = file.read_text()
        return secret_stores.StoredSecret(value, hashlib.sha256(value.encode()).hexdigest())

    def write(self, secret_id: str, value: str) -> str:
        """Keep the value."""
        self._file(secret_id).write_text(value)
        note("secret", secret_id.rpartition(":")[2])
        return hashlib.sha256(value.encode()).hexdigest()


def current_image(inputs: machine_image.MachineImageInputs) -> str:
    """The newest machine image, which a test may change."""
    newest = HOME / "machine-image"
    return newest.read_text() if newest.exists() else "ami-00000000000000001"


def publish(
    inputs: broker_image.BrokerImageInputs, context: Context, **_others: Any
) -> broker_image.BrokerImageOutputs:
    """Answer as if the image had been pushed."""
    recipe = broker_image._recipe(inputs.upstream, inputs.platforms, inputs.overlay_digest)
    digest = f"sha256:{recipe}"
    return broker_image.BrokerImageOutputs(
        reference=f"{inputs.repository}@{digest}",
        digest=digest,
        upstream_digest=f"sha256:{hashlib.sha256(inputs.upstream.encode()).hexdigest()}",
        diskless=True,
        recipe=recipe,
        pushed={"rehearsed": [digest]},
    )


def wait(gate: Any, id: str, inputs: node_ready.NodeReadyInputs, context: Context) -> None:
    """Open at once; a test sees in the journal which gates were waited at, and in which order."""
    note("wait", inputs.name)
    (HOME / f"{inputs.name}.json").write_text(json.dumps(inputs.configuration))


def let_go(
    guard: Any, inputs: node_stop.NodeStopInputs, declared: DeclaredService, context: Context
) -> None:
    """Let a node be stopped at once, unless a test has a reason against it."""
    note("stop", inputs.name)
    reason = HOME / f"{inputs.name}.must-not-stop"
    if reason.exists() and declared.on_shortage == "refuse":
        raise NotReady(reason.read_text())


def decide_order(
    _self: Any,
    _id: str,
    _old: Any,
    _outputs: Any,
    inputs: rolling_order.RollingOrderInputs,
    _context: Context,
) -> rolling_order.RollingOrderOutputs:
    """Answer the order that a test wants, or that of creation."""
    wanted = HOME / "order"
    order = dict.fromkeys([*inputs.controllers, *inputs.brokers])
    if wanted.exists():
        order = dict.fromkeys(json.loads(wanted.read_text()))
    note("order", *map(str, order))
    return rolling_order.RollingOrderOutputs(order=list(order), at_creation=False)


def apply_settings(
    _self: Any, inputs: cluster_settings.ClusterSettingsInputs, before: Any, _context: Context
) -> None:
    """Note what is set, and what is unset."""
    note("settings", str({**dict.fromkeys(before), **inputs.settings}))


def finalise(
    _self: Any, inputs: feature_level.FeatureLevelInputs, _context: Context
) -> feature_level.FeatureLevelOutputs:
    """Note what is finalised."""
    note("finalise", inputs.version)
    return feature_level.FeatureLevelOutputs(metadata_version=27)


REPLACED: list[tuple[Any, str, Any]] = [
    (machine_image, "_current_image", current_image),
    (broker_image, "_publish", publish),
    (broker_image, "look_at_upstream", lambda _upstream, _platforms: None),
    (broker_image.BrokerImage, "read", lambda _self, _id, *known: known[:2]),
    (broker_image.BrokerImage, "delete", lambda *_known: None),
    (cluster_settings.ClusterSettings, "_apply", apply_settings),
    (feature_level.FeatureLevel, "_finalise", finalise),
    (node_ready.NodeReady, "_wait", wait),
    (node_stop.NodeStop, "_wait", let_go),
    (node_stop.NodeStop, "_drain", lambda _self, inputs, *_known: note("drain", inputs.name)),
    (
        broker_registration.BrokerRegistration,
        "_unregister",
        lambda _self, inputs, _context: note("unregister", str(inputs.node_id)),
    ),
    (rolling_order.RollingOrder, "update", decide_order),
    (connection.Connections, "_client", lambda *_target, **_more: None),
    (connection, "_cluster", lambda *_client: kept_cluster(HOME)),
]

if __name__ == "__main__":
    secret_stores._STORES["aws-secrets-manager"] = FileSecrets
    for owner, name, replacement in REPLACED:
        assert hasattr(owner, name), f"{owner} has no {name} any more"
        setattr(owner, name, replacement)
    server.main()
