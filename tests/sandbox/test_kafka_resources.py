"""The resources of a cluster against a real, secured Kafka node."""

import gc
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed
from inkless_pulumi.provider.access_rule import AccessRule, AccessRuleInputs, AccessRuleOutputs
from inkless_pulumi.provider.cluster_settings import (
    ClusterSettings,
    ClusterSettingsInputs,
    ClusterSettingsOutputs,
)
from inkless_pulumi.provider.feature_level import FeatureLevel, FeatureLevelInputs
from inkless_pulumi.provider.kafka import partition_requests
from inkless_pulumi.provider.kafka.client import Limits, Session, SharedClient, Target
from inkless_pulumi.provider.kafka.connection import ConnectionInputs, Connections
from inkless_pulumi.provider.kafka.diskless_requests import PROBE_TOPIC, KafkaDiskless
from inkless_pulumi.provider.kafka.model import DisklessWrite, NewTopic
from inkless_pulumi.provider.kafka.partition_requests import KafkaPartitions
from inkless_pulumi.provider.kafka.setting_requests import KafkaSettings
from inkless_pulumi.provider.kafka.tls import client_context
from inkless_pulumi.provider.kafka.topic_requests import KafkaTopics
from inkless_pulumi.provider.node_ready import NodeReady, NodeReadyInputs, NodeReadyOutputs
from inkless_pulumi.provider.resource import Context, Incomplete
from inkless_pulumi.provider.secret_stores import SecretStoreInputs, StoredSecret
from inkless_pulumi.provider.topics.single import ClassicTopic, DisklessTopic, TopicInputs
from inkless_pulumi.provider.topics.topic_set import TopicSet, TopicSetInputs
from inkless_pulumi.provider.user import User, UserInputs
from tests.sandbox.certificates import Authority
from tests.sandbox.local_kafka import LocalKafka, Unavailable, local_kafka, wait_until
from tests.sandbox.socks_proxy import socks_proxy

# kafka-python leaves it to the garbage collector to close sockets that could not connect.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")

STORE = SecretStoreInputs(region="eu-central-1")
LIMITS = Limits(connect=4, attempt=2, operation=8, request=5)


@dataclass
class Secrets:
    """A secret store of this test run."""

    values: dict[str, str] = field(default_factory=dict)

    def find(self, secret_id: str) -> StoredSecret | None:
        value = self.values.get(secret_id)
        return None if value is None else StoredSecret(value, "1")

    def read(self, secret_id: str) -> str:
        return self.values[secret_id]

    def write(self, secret_id: str, value: str) -> str:
        self.values[secret_id] = value
        return "1"


@dataclass
class Lines:
    """What operations told the user."""

    progress: list[str] = field(default_factory=list)

    def context(self, timeout: float | None = None) -> Context:
        return Context("it", "urn:it", progress=self.progress.append, timeout=timeout)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    try:
        node = local_kafka(tmp_path_factory.mktemp("kafka"), release="4.1")
    except Unavailable as reason:
        pytest.skip(f"no local Kafka: {reason}")
    node.start()
    try:
        node.await_listener()
        yield node
    finally:
        node.stop()
        gc.collect()


@pytest.fixture(scope="module")
def secrets(kafka: LocalKafka) -> Secrets:
    return Secrets(
        {
            "admin": kafka.authority.issue("inkless-admin", "admins"),
            "stranger": kafka.authority.issue("stranger", "admins"),
            "unmapped": kafka.authority.issue("someone", "somewhere"),
            "expired": kafka.authority.issue("inkless-admin", "admins", days=-1),
            "foreign": Authority("another-ca").issue("inkless-admin", "admins"),
            "nonsense": "this is no key",
        }
    )


@pytest.fixture(scope="module")
def connections(secrets: Secrets) -> Iterator[Connections]:
    connections = Connections(lambda _: secrets, LIMITS)
    yield connections
    connections.close()


@pytest.fixture
def connection(kafka: LocalKafka) -> ConnectionInputs:
    return ConnectionInputs(
        bootstrap_servers=kafka.mtls,
        ca_certificate=kafka.authority.certificate,
        identity_secret_id="admin",
        secret_store=STORE,
        image="local/kafka:4.2.1",
    )


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def classic(connections: Connections) -> ClassicTopic:
    return ClassicTopic(connections.cluster)


@pytest.fixture
def client(kafka: LocalKafka) -> Callable[..., dict[str, Any]]:
    """Settings of an application's client."""

    def settings(user: str, password: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, Any]:
        return {
            "bootstrap.servers": kafka.client,
            "security.protocol": "SASL_SSL",
            "ssl.ca.pem": kafka.authority.certificate,
            "sasl.mechanism": mechanism,
            "sasl.username": user,
            "sasl.password": password,
            "error_cb": lambda error: None,
            "log_level": 0,
        }

    return settings


def topic(name: str, connection: ConnectionInputs, **changes: Any) -> TopicInputs:
    declared = TopicInputs(
        name=name, partitions=2, settings={"retention.ms": "86400000"}, connection=connection
    )
    return declared.model_copy(update=changes)


def write(kafka: LocalKafka, secrets: Secrets, name: str, directory: Path) -> None:
    """Write one record, as the administrator."""
    identity = directory / "identity.pem"
    identity.write_text(secrets.values["admin"])
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": kafka.mtls,
            "security.protocol": "SSL",
            "ssl.ca.pem": kafka.authority.certificate,
            "ssl.key.location": str(identity),
            "ssl.certificate.location": str(identity),
        }
    )
    producer.produce(name, b"hello")
    assert producer.flush(20) == 0


# Topics


def test_a_topic_lives_as_declared(
    classic: ClassicTopic, connection: ConnectionInputs, lines: Lines
) -> None:
    declared = topic("life", connection)
    made = classic.create(declared, lines.context())
    assert classic.read(made.id, declared, made.outputs, lines.context()) == (
        declared,
        made.outputs,
    )

    changed = topic(
        "life",
        connection,
        partitions=5,
        settings={"cleanup.policy": "compact", "segment.ms": "7d"},
        deletion_protection=False,
    )
    outputs = classic.update(made.id, declared, made.outputs, changed, lines.context())
    assert classic.read(made.id, changed, outputs, lines.context()) == (changed, made.outputs)

    classic.delete(made.id, changed, outputs, lines.context())
    assert classic.read(made.id, changed, outputs, lines.context()) is None
    classic.delete(made.id, changed, outputs, lines.context())


def test_an_interrupted_creation_can_be_run_again_until_there_are_records(
    classic: ClassicTopic,
    connection: ConnectionInputs,
    kafka: LocalKafka,
    secrets: Secrets,
    lines: Lines,
    tmp_path: Path,
) -> None:
    declared = topic("again", connection)
    first = classic.create(declared, lines.context())
    assert classic.create(declared, lines.context()) == first
    write(kafka, secrets, "again", tmp_path)
    with pytest.raises(ClusterError, match="it has had records"):
        classic.create(declared, lines.context())


def test_a_setting_that_kafka_refuses_is_named(
    classic: ClassicTopic, connection: ConnectionInputs, lines: Lines
) -> None:
    wrong = topic("wrong", connection, settings={"retention.ms": "soon"})
    with pytest.raises(ClusterError, match=r"wrong could not be created.*retention\.ms"):
        classic.create(wrong, lines.context())


def test_more_replicas_than_brokers_are_refused_by_kafka(
    classic: ClassicTopic, connection: ConnectionInputs, lines: Lines
) -> None:
    with pytest.raises(ClusterError, match="INVALID_REPLICATION_FACTOR"):
        classic.create(topic("wide", connection, replication_factor=3), lines.context())


def test_brokers_without_diskless_support_are_named_by_their_image(
    connections: Connections, connection: ConnectionInputs, lines: Lines
) -> None:
    diskless = DisklessTopic(connections.cluster)
    with pytest.raises(ClusterError, match=r"image local/kafka:4\.2\.1 does not support diskless"):
        diskless.create(topic("events", connection), lines.context())
    assert diskless.read("events", topic("events", connection), None, lines.context()) is None


def test_many_topics_at_once_share_one_connection(
    classic: ClassicTopic, connection: ConnectionInputs, connections: Connections, lines: Lines
) -> None:
    names = [f"many-{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        made = threads.map(
            lambda name: classic.create(topic(name, connection), lines.context()), names
        )
        assert len({created.outputs.topic_id for created in made}) == 24
    assert sum(thread.name.startswith("kafka-io") for thread in threading.enumerate()) == 1


def test_two_stacks_at_once_do_not_disturb_each_other(
    connection: ConnectionInputs, secrets: Secrets, lines: Lines
) -> None:
    def deploy(stack: int) -> bool:
        own = Connections(lambda _: secrets, LIMITS)  # as each engine has a plugin of its own
        try:
            topic = {"kind": "classic", "partitions": 1, "settings": {"retention.ms": "1d"}}
            topics = {f"stack-{stack}.{number}": topic for number in range(50)}
            inputs = TopicSetInputs.model_validate(
                {"topics": topics, "deletion_protection": False, "connection": connection}
            )
            resource = TopicSet(own.cluster)
            made = resource.create(inputs, lines.context())
            whole = resource.read(made.id, inputs, made.outputs, lines.context())
            resource.delete(made.id, inputs, made.outputs, lines.context())
            return whole == (inputs, made.outputs)
        finally:
            own.close()

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(deploy, range(2))) == [True, True]


def test_a_list_of_topics_is_answered_topic_by_topic(
    connections: Connections, connection: ConnectionInputs, lines: Lines
) -> None:
    topics = connections.cluster(connection, lines.context()).topics
    answers = topics.create(
        [NewTopic("listed", 1, None, {}), NewTopic("refused", 1, 9, {})],
    )
    assert isinstance(answers["listed"], str)
    assert "INVALID_REPLICATION_FACTOR" in str(answers["refused"])
    wait_until(lambda: bool(topics.describe(["listed"])), 10, "the broker knows the topic")
    assert list(topics.describe(["listed", "refused"])) == ["listed"]


def test_partitions_say_whether_they_are_switched_in_as_many_answers_as_it_takes(
    connections: Connections,
    connection: ConnectionInputs,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = connections.cluster(connection, lines.context())
    cluster.topics.create([NewTopic("parts.a", 5, None, {}), NewTopic("parts.b", 2, None, {})])
    names = ["parts.b", "gone", "parts.a"]
    wait_until(lambda: len(cluster.topics.describe(names)) == 2, 10, "the broker knows both")
    monkeypatch.setattr(partition_requests, "_PARTITIONS_AT_ONCE", 2)
    assert cluster.partitions.switches(names) == {
        "parts.a": dict.fromkeys(range(5), "none"),
        "parts.b": dict.fromkeys(range(2), "none"),
    }


# Users and access


def test_a_user_logs_in_with_the_stored_password_until_it_is_deleted(
    connections: Connections,
    connection: ConnectionInputs,
    secrets: Secrets,
    client: Callable[[str, str], dict[str, Any]],
    lines: Lines,
) -> None:
    resource = User(connections.cluster, lambda _: secrets)
    alice = UserInputs(name="alice", secret_id="alice", secret_store=STORE, connection=connection)
    made = resource.create(alice, lines.context())
    password = json.loads(secrets.values["alice"])["password"]

    def logs_in(password: str, seconds: float = 10) -> bool:
        try:
            confluent_kafka.Consumer({**client("alice", password), "group.id": "g"}).list_topics(
                timeout=seconds
            )
        except confluent_kafka.KafkaException:
            return False
        return True

    assert logs_in(password)
    assert not logs_in("guessed", seconds=2)

    harder = alice.model_copy(update={"iterations": 16384})
    outputs = resource.update(made.id, alice, made.outputs, harder, lines.context())
    assert resource.read(made.id, alice, outputs, lines.context()) == (harder, outputs)
    assert logs_in(password)

    resource.delete(made.id, harder, outputs, lines.context())
    assert resource.read(made.id, harder, outputs, lines.context()) is None
    assert not logs_in(password, seconds=2)


def test_both_passwords_of_a_rotation_are_good_until_the_former_one_ends(
    connections: Connections,
    connection: ConnectionInputs,
    secrets: Secrets,
    client: Callable[..., dict[str, Any]],
    lines: Lines,
) -> None:
    resource = User(connections.cluster, lambda _: secrets)
    inputs = UserInputs(name="turn", secret_id="turn", secret_store=STORE, connection=connection)
    made = resource.create(inputs, lines.context())
    former = json.loads(secrets.values["turn"])

    def logs_in(stored: dict[str, str], seconds: float = 10) -> bool:
        settings = client(stored["username"], stored["password"], stored["mechanism"])
        try:
            confluent_kafka.Consumer({**settings, "group.id": "g"}).list_topics(timeout=seconds)
        except confluent_kafka.KafkaException:
            return False
        return True

    asked = inputs.model_copy(update={"rotation": "2026-11"})
    outputs = resource.update(made.id, inputs, made.outputs, asked, lines.context())
    current = json.loads(secrets.values["turn"])
    assert logs_in(current)
    assert logs_in(former)
    swapped = {**former, "mechanism": current["mechanism"]}
    assert not logs_in(swapped, seconds=2), "each is good under its own mechanism alone"
    assert resource.read(made.id, asked, outputs, lines.context()) == (asked, outputs)

    over = outputs.model_copy(update={"former_until": "2020-01-01T00:00:00Z"})
    outputs = resource.update(made.id, asked, over, asked, lines.context())
    assert logs_in(current)
    assert not logs_in(former, seconds=2)
    resource.delete(made.id, asked, outputs, lines.context())
    assert not logs_in(current, seconds=2)


def test_a_user_may_do_what_a_rule_allows_and_nothing_else(
    classic: ClassicTopic,
    connections: Connections,
    connection: ConnectionInputs,
    secrets: Secrets,
    client: Callable[[str, str], dict[str, Any]],
    lines: Lines,
) -> None:
    classic.create(topic("allowed", connection), lines.context())
    writer = UserInputs(
        name="writer", secret_id="writer", secret_store=STORE, connection=connection
    )
    User(connections.cluster, lambda _: secrets).create(writer, lines.context())
    password = json.loads(secrets.values["writer"])["password"]
    rules = AccessRule(connections.cluster)
    rule = AccessRuleInputs(
        principal="User:writer",
        resource_type="topic",
        resource_name="allow",
        pattern_type="prefixed",
        operations=["write", "describe"],
        connection=connection,
    )

    def error_of_a_record() -> str | None:
        outcomes: list[confluent_kafka.KafkaError | None] = []
        settings = {**client("writer", password), "message.timeout.ms": 10_000}
        producer = confluent_kafka.Producer(settings)
        producer.produce("allowed", b"x", on_delivery=lambda error, _: outcomes.append(error))
        producer.flush(15)
        [error] = outcomes
        return error.name() if error else None

    assert error_of_a_record() == "TOPIC_AUTHORIZATION_FAILED"
    made = rules.create(rule, lines.context())
    assert error_of_a_record() is None

    assert rules.read(made.id, rule, made.outputs, lines.context()) == (rule, made.outputs)
    reader = rule.model_copy(update={"operations": ["read", "describe"]})
    outputs = rules.update(made.id, rule, made.outputs, reader, lines.context())
    assert error_of_a_record() == "TOPIC_AUTHORIZATION_FAILED"

    rules.delete(made.id, reader, outputs, lines.context())
    assert rules.read(made.id, reader, AccessRuleOutputs(), lines.context()) is None


@pytest.mark.parametrize(
    ("resource_type", "resource_name", "operation"),
    [
        ("group", "*", "describe_configs"),
        ("cluster", "kafka-cluster", "idempotent_write"),
        ("transactional_id", "app", "two_phase_commit"),
        ("delegation_token", "token", "describe"),
        ("user", "alice", "create_tokens"),
    ],
)
def test_every_kind_of_resource_can_be_ruled(
    connections: Connections,
    connection: ConnectionInputs,
    lines: Lines,
    resource_type: str,
    resource_name: str,
    operation: str,
) -> None:
    rules = AccessRule(connections.cluster)
    rule = AccessRuleInputs(
        principal="User:alice",
        host="127.0.0.1",
        resource_type=resource_type,
        resource_name=resource_name,
        operations=[operation],
        permission="deny",
        connection=connection,
    )
    made = rules.create(rule, lines.context())
    assert rules.read(made.id, rule, made.outputs, lines.context()) == (rule, made.outputs)
    rules.delete(made.id, rule, made.outputs, lines.context())
    assert rules.read(made.id, rule, made.outputs, lines.context()) is None


# Reaching the cluster


@pytest.mark.parametrize(
    ("identity", "cause"),
    [
        ("unmapped", r"hung up .* the name in our client certificate .*\[authentication\]"),
        ("expired", r"refused our client certificate.* \[authentication\]"),
        ("foreign", r"our client certificate.* \[authentication\]"),
        ("nonsense", "secret nonsense: the identity is not an unencrypted private key"),
        ("stranger", r"does not allow this to the administrator \(secret stranger\)"),
    ],
)
def test_the_cause_is_named_when_the_identity_is_wrong(
    connections: Connections,
    connection: ConnectionInputs,
    lines: Lines,
    identity: str,
    cause: str,
) -> None:
    wrong = connection.model_copy(update={"identity_secret_id": identity})
    with pytest.raises(ConnectionFailed, match=cause):
        connections.cluster(wrong, lines.context()).topics.create([NewTopic("x", 1, None, {})])


def test_the_cause_is_named_when_the_server_is_not_trusted(
    connections: Connections, connection: ConnectionInputs, lines: Lines
) -> None:
    other = connection.model_copy(update={"ca_certificate": Authority("other").certificate})
    with pytest.raises(
        ConnectionFailed, match=r"not signed by a CA that is trusted here .*\[TLS\]"
    ):
        connections.cluster(other, lines.context()).nodes.brokers()


def test_the_cause_is_named_when_the_certificate_is_for_another_address(
    connections: Connections, connection: ConnectionInputs, lines: Lines, kafka: LocalKafka
) -> None:
    with socks_proxy() as proxy:  # any address leads to the one broker
        proxy.detour = (kafka.address, kafka.mtls_port)
        changes = {"bootstrap_servers": "127.77.0.2:9094", "proxy": proxy.url}
        elsewhere = connection.model_copy(update=changes)
        with pytest.raises(ConnectionFailed, match=r"not for 127\.77\.0\.2; .*\[TLS\]"):
            connections.cluster(elsewhere, lines.context()).nodes.brokers()


def test_the_cause_is_named_when_the_listener_is_the_clients(
    connections: Connections, connection: ConnectionInputs, kafka: LocalKafka, lines: Lines
) -> None:
    wrong = connection.model_copy(update={"bootstrap_servers": kafka.client})
    with pytest.raises(ConnectionFailed, match="asks for a user and a password"):
        connections.cluster(wrong, lines.context()).nodes.brokers()


def test_every_address_that_was_tried_is_named(
    connections: Connections, connection: ConnectionInputs, lines: Lines
) -> None:
    servers = "127.77.0.9:1,kafka.invalid:9094"
    nowhere = connection.model_copy(update={"bootstrap_servers": servers})
    with pytest.raises(ConnectionFailed) as failed:
        connections.cluster(nowhere, lines.context()).nodes.brokers()
    assert "127.77.0.9:1: connection refused" in str(failed.value)
    assert "kafka.invalid:9094: the name can't be resolved" in str(failed.value)


def test_a_cluster_that_is_down_fails_all_waiting_resources_together(
    connections: Connections, connection: ConnectionInputs, lines: Lines
) -> None:
    nowhere = connection.model_copy(update={"bootstrap_servers": "127.77.0.9:2"})
    began = time.monotonic()

    def ask(_: int) -> bool:
        try:
            connections.cluster(nowhere, lines.context()).nodes.brokers()
        except ConnectionFailed:
            return True
        return False

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(8)))
    assert time.monotonic() - began < 2 * LIMITS.connect


def test_brokers_are_reached_through_a_proxy(
    connections: Connections, connection: ConnectionInputs, kafka: LocalKafka, lines: Lines
) -> None:
    with socks_proxy() as proxy:
        through = connection.model_copy(update={"proxy": proxy.url})
        [broker] = connections.cluster(through, lines.context()).nodes.brokers()
        assert broker.address == kafka.mtls
        assert set(proxy.asked_for) == {kafka.mtls}


def test_a_proxy_that_is_down_is_named_without_its_password(
    connections: Connections, connection: ConnectionInputs, lines: Lines
) -> None:
    changes = {"proxy": "socks5://me:secret@127.0.0.1:1"}
    through = connection.model_copy(update=changes)
    with pytest.raises(ConnectionFailed, match=r"the proxy socks5://127\.0\.0\.1:1") as failed:
        connections.cluster(through, lines.context()).nodes.brokers()
    assert "secret@" not in str(failed.value)


# The cluster as a whole


def test_the_feature_level_is_raised_to_what_the_nodes_support(
    connections: Connections, connection: ConnectionInputs, lines: Lines
) -> None:
    features = connections.cluster(connection, lines.context()).features
    finalised, supported = features.metadata_version()
    assert finalised < supported, "the node was formatted as one of an older release"
    wanted = FeatureLevelInputs(service="c", version="4.2.1-0.47", connection=connection)
    made = FeatureLevel(connections.cluster).create(wanted, lines.context())
    assert made.outputs.metadata_version == supported
    raised = (supported, supported)
    wait_until(lambda: features.metadata_version() == raised, 10, "brokers tell the new level")
    refused = features.finalise(finalised)
    assert refused is not None
    assert "metadata.version" in refused


def test_replicas_are_moved_to_brokers_that_there_are_and_leavers_unregistered(
    connections: Connections, connection: ConnectionInputs, classic: ClassicTopic, lines: Lines
) -> None:
    classic.create(topic("moved", connection), lines.context())
    cluster = connections.cluster(connection, lines.context())
    assert cluster.partitions.reassign({("moved", 0): (1,)}) == {("moved", 0): None}
    refused = cluster.partitions.reassign({("moved", 0): (7,)})[("moved", 0)]
    assert refused is not None
    assert refused.error.startswith("INVALID_REPLICA")
    assert cluster.partitions.moving() == {}
    cluster.nodes.unregister(7)  # which is not registered


# A record of our own. Without an Inkless image it goes to a classic topic: the request is the same


@pytest.fixture
def session(kafka: LocalKafka, secrets: Secrets) -> Iterator[Session]:
    context = client_context(kafka.authority.certificate, secrets.read("admin"))
    shared = SharedClient(Target((kafka.mtls,), lambda: context, "admin"), LIMITS)
    yield Session(shared, lambda seconds: Context("it", "urn").pause(seconds))
    shared.close()


@pytest.mark.parametrize("left_over", [False, True])
def test_a_record_is_written_to_a_topic_of_our_own_and_nothing_of_it_stays(
    session: Session, *, left_over: bool
) -> None:
    topics, partitions = KafkaTopics(session), KafkaPartitions(session)
    topics.create([NewTopic("theirs", 1, None, {})])
    if left_over:  # by a run that was killed
        topics.create([NewTopic(PROBE_TOPIC, 1, None, {})])
    assert KafkaDiskless(session, {}).write(1) == DisklessWrite(True)
    assert not partitions.ends(["theirs"])["theirs"].written
    wait_until(lambda: not topics.describe([PROBE_TOPIC]), 20, "the topic is gone")


def test_a_record_that_is_refused_is_told_with_kafka_s_reason(session: Session) -> None:
    outcome = KafkaDiskless(session, {"max.message.bytes": "1"}).write(1)
    assert outcome.taken is False
    assert "MESSAGE_SIZE_TOO_LARGE" in outcome.reason
    wait_until(lambda: not KafkaTopics(session).describe([PROBE_TOPIC]), 20, "the topic is gone")


def test_brokers_that_know_no_diskless_topics_have_none_to_write_to(session: Session) -> None:
    KafkaTopics(session).create([NewTopic("theirs", 1, None, {})])
    diskless = KafkaDiskless(session)
    assert not diskless.in_use(["theirs"])
    assert diskless.write(1) == DisklessWrite(
        None, "INVALID_CONFIG: Unknown topic config name: diskless.enable"
    )


# The gate, and a broker that comes and goes: last, because they restart the node


def gate(kafka: LocalKafka, connection: ConnectionInputs, **changes: Any) -> NodeReadyInputs:
    inputs = NodeReadyInputs(
        node_id=1,
        name="node-1",
        roles=["broker", "controller"],
        address=kafka.mtls,
        instance_id="i-1",
        image="local/kafka:4.2.1",
        connection=connection,
    )
    return inputs.model_copy(update=changes)


def test_a_node_that_serves_is_ready_in_every_role(
    connections: Connections, connection: ConnectionInputs, kafka: LocalKafka, lines: Lines
) -> None:
    resource = NodeReady(connections.node)
    read = {"broker.rack": "az1", "process.roles": "broker,controller"}
    resource.create(gate(kafka, connection, configuration=read), lines.context(timeout=20))
    for roles in (["broker", "controller"], ["controller"]):
        resource.create(gate(kafka, connection, roles=roles), lines.context(timeout=20))
    assert lines.progress[-1] == "node-1 is ready"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"node_id": 7}, "node-1 is not registered"),
        ({"node_id": 7, "roles": ["controller"]}, "node-1 is no voter"),
        ({"address": "127.77.0.9:1"}, r"does not answer at 127\.77\.0\.9:1: connection refused"),
        ({"roles": ["broker"]}, "node-1 is no observer"),
        ({"configuration": {"broker.rack": "az2"}}, "broker.rack=az1, and should with az2"),
    ],
)
def test_a_node_that_is_not_there_is_waited_for(
    connections: Connections,
    connection: ConnectionInputs,
    kafka: LocalKafka,
    lines: Lines,
    change: dict[str, Any],
    reason: str,
) -> None:
    with pytest.raises(Incomplete, match=reason):
        NodeReady(connections.node).create(
            gate(kafka, connection, **change), lines.context(timeout=0.5)
        )


def test_a_killed_node_is_waited_for_until_its_successor_serves(
    connections: Connections, connection: ConnectionInputs, kafka: LocalKafka, lines: Lines
) -> None:
    resource, inputs = NodeReady(connections.node), gate(kafka, connection)
    kafka.stop(signal.SIGKILL)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(
            resource.update, "node-1", inputs, NodeReadyOutputs(), inputs, lines.context(120)
        )
        wait_until(lambda: bool(lines.progress), 20, "the gate says what it waits for")
        assert "node-1 does not answer" in lines.progress[0]
        assert not waiting.done()
        kafka.start()
        waiting.result(timeout=120)
    assert lines.progress[-1] == "node-1 is ready"
    assert kafka.process is not None
    assert kafka.process.poll() is None


def settings(connection: ConnectionInputs, **values: str) -> ClusterSettingsInputs:
    named = {name.replace("_", "."): value for name, value in values.items()}
    return ClusterSettingsInputs(service="cluster", settings=named, connection=connection)


def test_settings_reach_a_running_broker_and_outlive_its_restart(
    connections: Connections, connection: ConnectionInputs, kafka: LocalKafka, lines: Lines
) -> None:
    resource, nothing = ClusterSettings(connections.cluster), ClusterSettingsOutputs()
    both = settings(connection, log_retention_ms="3600000", message_max_bytes="2000000")
    resource.create(both, lines.context())

    kafka.stop()
    kafka.start()
    gate_inputs = gate(kafka, connection)
    NodeReady(connections.node).create(gate_inputs, lines.context(timeout=120))
    assert effective(connections, connection, "log.retention.ms") == "3600000"
    assert effective(connections, connection, "message.max.bytes") == "2000000"

    one = settings(connection, message_max_bytes="2000000")
    resource.update("cluster", both, nothing, one, lines.context())
    found = resource.read("cluster", both, nothing, lines.context())
    assert found is not None
    assert found[0].settings == {"message.max.bytes": "2000000"}
    with pytest.raises(ClusterError, match=r"log\.segment\.bytes\) were refused"):
        resource.create(settings(connection, log_segment_bytes="1"), lines.context())


def effective(connections: Connections, connection: ConnectionInputs, name: str) -> str | None:
    """What the broker goes by."""
    settings = connections.cluster(connection, Context(name="settings", urn="urn")).settings
    assert isinstance(settings, KafkaSettings)
    return settings.effective(1, [name])[name]


def test_a_request_survives_a_restart_of_its_broker(
    kafka: LocalKafka, connection: ConnectionInputs, secrets: Secrets, lines: Lines
) -> None:
    patient = Connections(lambda _: secrets, Limits(operation=90))
    try:
        topics = patient.cluster(connection, lines.context()).topics
        topics.describe(["life"])
        kafka.stop()
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(topics.create, [NewTopic("patient", 1, None, {})])
            kafka.start()
            created = answer.result(timeout=100)["patient"]
        wait_until(lambda: bool(topics.describe(["patient"])), 20, "the broker knows the topic")
        assert created == topics.describe(["patient"])["patient"].topic_id
    finally:
        patient.close()


def test_closed_connections_leave_nothing_running(
    kafka: LocalKafka, connection: ConnectionInputs, secrets: Secrets, lines: Lines
) -> None:
    before = {thread.name for thread in threading.enumerate()}
    own = Connections(lambda _: secrets, LIMITS)
    own.cluster(connection, lines.context()).nodes.brokers()
    own.close()
    assert {thread.name for thread in threading.enumerate()} <= before
