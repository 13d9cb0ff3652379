"""The service identity under the real engine: created, kept, extended, refused, imported."""

import pulumi

from inkless_pulumi.service_identity import ServiceIdentity
from tests.engine.real_engine import Engine


def service(cluster_type: str = "inkless", controllers: tuple[int, ...] = (1, 2, 3)) -> None:
    identity = ServiceIdentity(
        "orders",
        {"name": "orders", "cluster_type": cluster_type, "controller_ids": list(controllers)},
    )
    pulumi.export("cluster_id", identity.cluster_id)
    pulumi.export("directory_ids", identity.directory_ids)


def test_a_second_preview_has_no_changes(engine: Engine) -> None:
    assert engine.up(service).changed == {"create": 2}
    assert engine.preview(service).changed == {}
    assert engine.refresh().changed == {}
