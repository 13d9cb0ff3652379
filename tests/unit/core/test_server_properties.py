"""The `server.properties` of each role, as it was run, and what never stands in it."""

import re

import pytest
from hypothesis import given

from inkless_pulumi.core.catalogue import broker_settings, value_problem
from inkless_pulumi.core.declaration import ServiceDeclaration
from inkless_pulumi.core.dynamic_settings import dynamic_settings, static_settings
from inkless_pulumi.core.errors import DeclarationError
from inkless_pulumi.core.managed_settings import MANAGED_SETTINGS
from inkless_pulumi.core.plan import plan_cluster
from inkless_pulumi.core.properties import render_properties, server_properties
from tests.unit.core.declarations import facts, service, valid_services

COMMON = {
    "controller.quorum.bootstrap.servers": "10.42.0.10:9093,10.42.64.10:9093,10.42.128.10:9093",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": "/var/lib/inkless/data",
    "listener.security.protocol.map": "CLIENT:SASL_SSL,MTLS:SSL,BROKER:SSL,CONTROLLER:SSL",
    "config.providers": "file",
    "config.providers.file.class": ("org.apache.kafka.common.config.provider.FileConfigProvider"),
    "config.providers.file.param.allowed.paths": "/run/inkless/secrets",
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": "/run/inkless/secrets/node.pem",
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": "/etc/inkless/ca.pem",
    "ssl.client.auth": "required",
    "ssl.endpoint.identification.algorithm": "https",
    "ssl.enabled.protocols": "TLSv1.3,TLSv1.2",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:inkless-node;User:inkless-admin",
    "allow.everyone.if.no.acl.found": "false",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
    "controlled.shutdown.enable": "true",
    "auto.create.topics.enable": "false",
    "num.partitions": "3",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    "diskless.storage.system.enable": "true",
    "diskless.managed.rf.enable": "true",
    "log.diskless.enable": "false",
    "inkless.control.plane.class": ("io.aiven.inkless.control_plane.postgres.PostgresControlPlane"),
    "inkless.control.plane.username": "inkless",
    "inkless.control.plane.password": (
        "${file:/run/inkless/secrets/secrets.properties:database.password}"
    ),
    "inkless.control.plane.max.connections": "10",
    "inkless.control.plane.batch.coalescing.enabled": "false",
    "inkless.storage.backend.class": "io.aiven.inkless.storage_backend.s3.S3Storage",
    "inkless.storage.s3.bucket.name": "orders-bucket",
    "inkless.storage.s3.region": "eu-west-1",
    "inkless.object.key.prefix": "inkless",
}
BROKER = {
    "broker.rack": "eu-west-1a",
    "inter.broker.listener.name": "BROKER",
    "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256",
    "listener.name.client.scram-sha-256.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    "listener.name.client.scram-sha-512.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    "listener.name.client.ssl.client.auth": "none",
}


def rendered(declared: ServiceDeclaration, node_id: int) -> dict[str, str]:
    """The settings of one node."""
    return all_rendered(declared)[node_id]


def all_rendered(declared: ServiceDeclaration) -> dict[int, dict[str, str]]:
    """The settings of every node by its id."""
    plan = plan_cluster(declared)
    known = facts(plan)
    return {node.node_id: server_properties(plan, node, known) for node in plan.nodes}


def test_a_combined_node_has_what_both_roles_need() -> None:
    listeners = "CLIENT://10.42.0.10:9092,MTLS://10.42.0.10:9094,BROKER://10.42.0.10:9091"
    expected = (
        COMMON
        | BROKER
        | {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"{listeners},CONTROLLER://10.42.0.10:9093",
            "advertised.listeners": listeners,
            "controller.quorum.auto.join.enable": "true",
        }
    )
    properties = rendered(service(), 1)
    assert {key: properties.get(key) for key in expected} == expected


def test_a_lone_controller_has_no_line_of_a_broker() -> None:
    properties = rendered(service(topology="dedicated"), 1)
    expected = COMMON | {
        "process.roles": "controller",
        "node.id": "1",
        "listeners": "CONTROLLER://10.42.0.10:9093",
        "controller.quorum.auto.join.enable": "true",
    }
    assert {key: properties.get(key) for key in expected} == expected
    assert not properties.keys() & {*BROKER, "advertised.listeners"}


def test_a_lone_broker_does_not_listen_for_the_quorum() -> None:
    properties = rendered(service(topology="dedicated"), 11)
    listeners = "CLIENT://10.42.0.20:9092,MTLS://10.42.0.20:9094,BROKER://10.42.0.20:9091"
    expected = (
        COMMON
        | BROKER
        | {
            "process.roles": "broker",
            "node.id": "11",
            "listeners": listeners,
            "advertised.listeners": listeners,
        }
    )
    assert {key: properties.get(key) for key in expected} == expected
    # Kafka 4.2 refuses the line where the node is no controller.
    assert "controller.quorum.auto.join.enable" not in properties


def test_the_database_is_verified_and_told_which_node_asks() -> None:
    assert rendered(service(), 2)["inkless.control.plane.connection.string"] == (
        "jdbc:postgresql://orders.db.example.com:5432/inkless?sslmode=verify-full"
        "&sslrootcert=/opt/inkless/trust/rds.pem&ApplicationName=inkless-node-2"
    )


def test_a_classic_service_has_nothing_of_inkless() -> None:
    properties = rendered(service(cluster_type="classic", classic_eligible=True), 1)
    assert [key for key in properties if "inkless." in key or "diskless" in key] == []


@given(valid_services())
def test_no_false_switch_is_ever_rendered(declared: ServiceDeclaration) -> None:
    for properties in all_rendered(declared).values():
        assert "diskless.enable" not in properties
        assert "remote.storage.enable" not in properties


@given(valid_services())
def test_every_inkless_node_has_explicit_storage_and_control_plane(
    declared: ServiceDeclaration,
) -> None:
    for properties in all_rendered(declared).values():
        if declared.is_diskless:
            assert "Postgres" in properties["inkless.control.plane.class"]
            assert "InMemory" not in properties["inkless.storage.backend.class"]
            cache = "inkless.consume.cache.max.bytes"  # 0: bounded by entries, if the user says so
            assert int(properties[cache]) > 0 or declared.settings.get(cache) == 0


@given(valid_services())
def test_rendering_is_the_same_every_time_and_whatever_the_order_of_settings(
    declared: ServiceDeclaration,
) -> None:
    backwards = dict(reversed(list(declared.settings.items())))
    turned = declared.model_copy(update={"settings": backwards})
    first, second = all_rendered(declared), all_rendered(turned)
    assert {node: render_properties(first[node]) for node in first} == {
        node: render_properties(second[node]) for node in second
    }


@given(valid_services())
def test_every_managed_value_is_of_the_type_that_the_catalogue_says(
    declared: ServiceDeclaration,
) -> None:
    for properties in all_rendered(declared).values():
        for key, value in properties.items():
            setting = broker_settings().get(key)
            assert setting is None or value_problem(setting, value) is None


@given(valid_services())
def test_every_override_that_is_read_at_start_reaches_every_node(
    declared: ServiceDeclaration,
) -> None:
    for properties in all_rendered(declared).values():
        read_at_start = static_settings(declared.settings)
        assert read_at_start.items() <= properties.items()
        assert properties.keys().isdisjoint(dynamic_settings(declared.settings))


def test_adding_a_broker_changes_no_other_nodes_settings() -> None:
    before = all_rendered(service(topology="dedicated"))
    after = all_rendered(service(topology="dedicated", brokers_per_zone=2))
    assert {node: after[node] for node in before} == before


def test_an_override_replaces_a_default_that_is_free() -> None:
    assert rendered(service(settings={"num.partitions": 12.0}), 1)["num.partitions"] == "12"


def test_controllers_of_kafka_4_1_do_not_join_by_themselves() -> None:
    assert "controller.quorum.auto.join.enable" not in rendered(service(version="4.1.2-0.47"), 1)


def test_an_s3_compatible_store_is_asked_by_path() -> None:
    declared = service(
        storage={"kind": "s3", "region": "eu-west-1", "endpoint": "http://127.0.0.1:5000"}
    )
    properties = rendered(declared, 1)
    assert properties["inkless.storage.s3.endpoint.url"] == "http://127.0.0.1:5000"
    assert properties["inkless.storage.s3.path.style.access.enabled"] == "true"
    assert "inkless.storage.s3.endpoint.url" not in rendered(service(), 1)


def test_what_the_cloud_says_of_the_endpoint_wins() -> None:
    plan = plan_cluster(service())
    known = facts(plan, storage_endpoint="http://127.0.0.1:6000")
    properties = server_properties(plan, plan.node(1), known)
    assert properties["inkless.storage.s3.endpoint.url"] == "http://127.0.0.1:6000"


def test_a_blank_endpoint_of_the_cloud_is_refused() -> None:
    with pytest.raises(DeclarationError, match="storage_endpoint"):
        facts(plan_cluster(service()), storage_endpoint="")


def test_google_storage_is_reached_by_the_nodes_own_identity() -> None:
    properties = rendered(service(storage={"kind": "gcs", "region": "europe-west1"}), 1)
    assert properties["inkless.storage.backend.class"].endswith("gcs.GcsStorage")
    assert properties["inkless.storage.gcs.credentials.default"] == "true"
    assert not [key for key in properties if ".s3." in key]


def test_tiered_storage_lies_below_the_prefix_and_apart_from_diskless_objects() -> None:
    properties = rendered(service(tiered_storage=True), 1)
    assert properties["remote.log.storage.system.enable"] == "true"
    assert properties["remote.log.storage.manager.class.path"] == (
        "/opt/tiered-storage-plugin/core/*:/opt/tiered-storage-plugin/s3/*"
    )
    assert properties["rsm.config.key.prefix"] == "inkless/tiered-storage/"
    assert properties["rsm.config.storage.s3.bucket.name"] == "orders-bucket"


def test_the_switch_to_diskless_is_allowed_on_every_role() -> None:
    switching = service(tiered_storage=True, switch_to_diskless=True, topology="dedicated")
    nodes = all_rendered(switching)
    assert {node["process.roles"] for node in nodes.values()} == {"broker", "controller"}
    for node in nodes.values():
        assert node["diskless.allow.from.classic.enable"] == "true"
    plain = rendered(service(tiered_storage=True), 1)
    assert "diskless.allow.from.classic.enable" not in plain


def test_controllers_judge_tiered_topics_and_store_none() -> None:
    properties = rendered(service(tiered_storage=True, topology="dedicated"), 1)
    assert properties["remote.log.storage.system.enable"] == "true"
    assert not [key for key in properties if key.startswith(("rsm.", "rlmm."))]


def test_the_cache_of_a_declared_heap_is_an_eighth_of_it() -> None:
    largest = rendered(service(plan="xlarge"), 11)["inkless.consume.cache.max.bytes"]
    assert largest == str(1024**3), "a heap that nobody declares is 8 GiB at most"
    cache = rendered(service(heap_mib=512), 1)["inkless.consume.cache.max.bytes"]
    assert int(cache) == 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "principal"),
    [
        ("CN=node-12,OU=nodes,O=inkless", "inkless-node"),
        ("CN=inkless-admin,OU=admins,O=inkless", "inkless-admin"),
        ("CN=orders-app,OU=clients,O=inkless", "orders-app"),
        ("CN=inkless-admin,OU=clients,O=inkless", None),
        ("CN=inkless-node,OU=clients,O=inkless", None),
        ("CN=inkless-admin,OU=nodes,O=inkless", None),
        ("CN=stranger,O=elsewhere", None),
    ],
)
def test_a_certificate_is_somebody_only_by_a_rule(name: str, principal: str | None) -> None:
    rules = rendered(service(), 1)["ssl.principal.mapping.rules"]
    found = None
    for pattern, replacement in re.findall(r"RULE:(.+?)/(.+?)/(?:,|$)", rules):
        match = re.match(pattern, name)
        if match:
            found = match[1] if replacement == "$1" else replacement
            break
    assert found == principal


def test_every_row_of_the_table_says_why() -> None:
    assert [row.key for row in MANAGED_SETTINGS if not row.reason.strip()] == []


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain", "key=plain\n"),
        ("a=b:c", "key=a=b:c\n"),
        ("back\\slash", "key=back\\\\slash\n"),
        ("two\nlines", "key=two\\nlines\n"),
        (" begins with a space", "key=\\ begins with a space\n"),
        ("ü", "key=\\u00fc\n"),
        ("😀", "key=\\ud83d\\ude00\n"),
    ],
)
def test_values_are_escaped_for_java(value: str, line: str) -> None:
    assert render_properties({"key": value}) == line
