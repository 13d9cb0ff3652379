"""Declarations for tests: a plain valid one, and strategies for every valid one."""

from typing import Any

from hypothesis import strategies as st

from inkless_pulumi.core.catalogue import Setting, broker_settings
from inkless_pulumi.core.cluster_model import ClusterFacts, ClusterPlan, NodePlan
from inkless_pulumi.core.declaration import ServiceDeclaration, declare
from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.host_files import NodeDelivery
from inkless_pulumi.core.image import SUPPORTED_VERSIONS
from inkless_pulumi.core.overrides import override_problem
from inkless_pulumi.core.plans import PLANS

ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
BASE: dict[str, Any] = {
    "name": "orders",
    "zones": ZONES,
    "storage": {"kind": "s3", "region": "eu-west-1"},
}


def service(**changes: Any) -> ServiceDeclaration:
    """The plainest valid service, with some arguments changed."""
    return declare(**(BASE | changes))


def facts(plan: ClusterPlan, **changes: Any) -> ClusterFacts:
    """Facts of a cloud about a plan; every node has an address of its own."""
    known: dict[str, Any] = {
        "cluster_id": "ZmFjdHMtb2YtYS1jbHVzdA",
        "directory_ids": {node.node_id: f"dir-{node.node_id}" for node in plan.controllers},
        "addresses": {
            node.node_id: f"10.42.{node.zone_index * 64}.{node.address_slot}" for node in plan.nodes
        },
        "bucket": "orders-bucket",
        "region": "eu-west-1",
        "database_host": "orders.db.example.com",
        "database_port": 5432,
        "database_name": "inkless",
        "database_user": "inkless",
        "database_trust": "/opt/inkless/trust/rds.pem",
    }
    return ClusterFacts(**(known | changes))


def delivery(node: NodePlan) -> NodeDelivery:
    """How a node gets what it runs."""
    return NodeDelivery(
        cloud="aws",
        region="eu-west-1",
        image=f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:{'ab' * 32}",
        node_secret_id=f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{node.name}-AbCdEf",
        database_secret_id="arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf",
        volume_id="vol-0123456789abcdef0",
        log_group="/inkless/orders",
        marker_url=f"s3://orders-bucket/inkless/.nodes/cluster/{node.node_id}",
        ca_certificate="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    )


def _overridable() -> tuple[Setting, ...]:
    """Settings that a user may set and whose values can be drawn from their type alone."""
    plain = service()
    special = {"max.connections.per.ip.overrides", "inkless.client.az.listener.map"}
    return tuple(
        setting
        for setting in broker_settings().values()
        if setting.name not in special
        and override_problem(plain, setting.name, setting.default_text or "1") is None
    )


OVERRIDABLE = _overridable()
_BITS = {"short": 15, "int": 31, "long": 63}


def setting_values(setting: Setting) -> st.SearchStrategy[Any]:
    """Values of a setting's type and range, as a user would write them."""
    if setting.type == "boolean":
        return st.sampled_from([True, False, "true", "false"])
    if setting.type == "list":
        words = setting.allowed or tuple((setting.default_text or "").split(","))
        return st.lists(st.sampled_from(words), min_size=1, unique=True).map(",".join)
    if setting.type == "double":
        high = 1e9 if setting.max is None else setting.max
        return st.floats(min_value=setting.min or 0, max_value=high, allow_nan=False)
    if setting.type in _BITS:
        highest = 2 ** _BITS[setting.type] - 1
        low = -1 if setting.min is None else int(setting.min)
        high = highest if setting.max is None else int(setting.max)
        near = min(high, max(low, 10 * abs(setting.default or 1)))
        numbers = st.integers(low, near) | st.integers(low, high)
        return st.sampled_from(setting.also) | numbers if setting.also else numbers
    return st.sampled_from(setting.allowed or (setting.default_text,))


@st.composite
def overrides(draw: st.DrawFn) -> dict[str, Any]:
    """A few settings, each sound by itself."""
    count = draw(st.sampled_from([0, 1, 2, 3, 5, 8, 13, 21]))
    chosen = draw(
        st.lists(
            st.sampled_from(OVERRIDABLE),
            min_size=count,
            max_size=count,
            unique_by=lambda setting: setting.name,
        )
    )
    return {setting.name: draw(setting_values(setting)) for setting in chosen}


def zones() -> st.SearchStrategy[tuple[str, ...]]:
    """Three different zones in any order."""
    names = [f"eu-west-1{letter}" for letter in "abcdef"]
    return st.permutations(names).map(lambda shuffled: tuple(shuffled[:3]))


@st.composite
def valid_services(draw: st.DrawFn) -> ServiceDeclaration:
    """Every kind of service that can be declared."""
    plan = draw(st.sampled_from(sorted(PLANS)))
    topology = draw(st.sampled_from([None, "combined", "dedicated"]))
    combined = (topology or PLANS[plan].topology) == "combined"
    cluster_type = draw(st.sampled_from(["inkless", "inkless", "classic"]))
    kind = draw(st.sampled_from(["s3", "s3", "gcs"]))
    plain: dict[str, Any] = {
        "name": draw(st.from_regex(r"[A-Za-z][a-z0-9]{0,20}(-[a-z0-9]{1,10})?", fullmatch=True)),
        "zones": draw(zones()),
        "storage": {
            "kind": kind,
            "region": "eu-west-1",
            "prefix": draw(st.from_regex(r"[a-z0-9_-]{1,12}(/[a-z0-9.]{1,12})?", fullmatch=True)),
            "endpoint": draw(st.sampled_from([None, "http://127.0.0.1:9000"])),
        },
        "cluster_type": cluster_type,
        "classic_eligible": cluster_type == "classic",
        "version": draw(st.sampled_from(SUPPORTED_VERSIONS)),
        "plan": plan,
        "topology": topology,
        "brokers_per_zone": 1 if combined else draw(st.integers(1, 20)),
        "architecture": draw(st.sampled_from(["amd64", "arm64"])),
        "heap_mib": draw(st.none() | st.integers(256, 3072)),
        "volume_gib": draw(st.none() | st.integers(10, 16384)),
        "tiered_storage": draw(st.booleans()),
        "database_max_connections_per_node": draw(st.integers(2, 100)),
        "settings": draw(overrides()),
    }
    return _without_contradictions(plain)


def _without_contradictions(plain: dict[str, Any]) -> ServiceDeclaration:
    """Declare, leaving out settings that are sound alone and contradict each other, or are none of
    this version or type. Everything else has to be accepted."""
    while True:
        try:
            return declare(**plain)
        except DeclarationError as error:
            refused = {problem.path for problem in error.problems}
        kept = {
            name: value
            for name, value in plain["settings"].items()
            if f'settings["{name}"]' not in refused
        }
        if len(kept) == len(plain["settings"]):
            return declare(**plain)
        plain["settings"] = kept
