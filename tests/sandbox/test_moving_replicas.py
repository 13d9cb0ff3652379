"""Replicas on their way between two real brokers: throttled, and nothing of that is left behind."""

import gc
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import confluent_kafka
import pytest

from inkless_pulumi.core.topics import THROTTLED_FOLLOWERS, THROTTLED_LEADERS
from inkless_pulumi.provider.kafka.client import Limits
from inkless_pulumi.provider.kafka.connection import ConnectionInputs, Connections
from inkless_pulumi.provider.kafka.model import Cluster, NewTopic
from inkless_pulumi.provider.replica_balance import (
    ReplicaBalance,
    ReplicaBalanceInputs,
    ReplicaBalanceOutputs,
)
from inkless_pulumi.provider.resource import OperationCancelled
from inkless_pulumi.provider.throttle import RATES
from tests.sandbox.local_kafka import (
    LocalKafka,
    Unavailable,
    another_broker,
    local_kafka,
    wait_until,
)
from tests.sandbox.test_kafka_resources import STORE, Secrets
from tests.unit.provider.memory_cluster import Screen

# kafka-python leaves it to the garbage collector to close sockets that could not connect.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")

MEBIBYTE = 1024 * 1024
SLOW, FAST = "64KiB", "1GiB"
SIZE_MIB = 12
"""Of the topic: three minutes on the slow way."""
THEIRS = "7:1"


@dataclass
class Brokers:
    """Two brokers, the second of them new and empty."""

    connection: ConnectionInputs
    connections: Connections
    screen: Screen

    @property
    def cluster(self) -> Cluster:
        return self.connections.cluster(self.connection, self.screen.context())

    def balance(self, throttle: str) -> ReplicaBalanceInputs:
        connection = self.connection.model_copy(update={"reassignment_throttle": throttle})
        return ReplicaBalanceInputs(service="c", brokers=[1, 2], connection=connection)

    def rates(self) -> dict[str, str]:
        found = self.cluster.settings.describe()
        return {name: found[name] for name in RATES if name in found}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LocalKafka]]:
    with ExitStack() as running:
        try:
            first = local_kafka(tmp_path_factory.mktemp("first"), address="127.77.0.11")
        except Unavailable as reason:
            pytest.skip(f"no local Kafka: {reason}")
        second = another_broker(first, tmp_path_factory.mktemp("second"), 2, "127.77.0.12")
        for node in (first, second):
            node.start()
            running.callback(node.stop)
        for node in (first, second):
            node.await_listener()
        yield [first, second]
    gc.collect()


@pytest.fixture
def brokers(nodes: list[LocalKafka]) -> Iterator[Brokers]:
    first, _ = nodes
    secrets = Secrets({"admin": first.authority.issue("inkless-admin", "admins")})
    connections = Connections(lambda _: secrets, Limits())
    connection = ConnectionInputs(
        bootstrap_servers=first.mtls,
        ca_certificate=first.authority.certificate,
        identity_secret_id="admin",
        secret_store=STORE,
    )
    brokers = Brokers(connection, connections, Screen())
    cluster = brokers.cluster
    wait_until(lambda: len(cluster.nodes.brokers()) == 2, 60, "both brokers are registered")
    yield brokers
    connections.close()


def fill(first: LocalKafka, cluster: Cluster, topic: str) -> None:
    """Make a topic of two partitions on the first broker, one of them large."""
    cluster.topics.create([NewTopic(topic, 2, 1, {THROTTLED_LEADERS: THEIRS})])
    wait_until(lambda: topic in cluster.topics.describe([topic]), 20, "the topic is known")
    cluster.partitions.reassign({(topic, index): (1,) for index in range(2)})
    wait_until(lambda: not cluster.partitions.moving(), 20, "it is on the first broker")
    pem = first.authority.issue("inkless-admin", "admins")
    key, certificate = pem[: pem.index("-----BEGIN CERT")], pem[pem.index("-----BEGIN CERT") :]
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": first.mtls,
            "security.protocol": "SSL",
            "ssl.ca.pem": first.authority.certificate,
            "ssl.key.pem": key,
            "ssl.certificate.pem": certificate,
        }
    )
    failed = []
    for partition in range(2):
        for number in range(SIZE_MIB * 4):
            producer.produce(
                topic,
                os.urandom(MEBIBYTE // 4),
                partition=partition,
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
            if number % 64 == 0:
                producer.flush(60)
    assert producer.flush(60) == 0
    assert failed == []


def test_a_move_is_throttled_until_it_is_raised_and_nothing_of_it_is_left(
    brokers: Brokers, nodes: list[LocalKafka]
) -> None:
    cluster, resource = brokers.cluster, ReplicaBalance(brokers.connections.cluster)
    fill(nodes[0], cluster, "large")
    before = cluster.topics.describe(["large"])["large"].settings

    slow, screen = brokers.balance(SLOW), Screen()
    with ThreadPoolExecutor(1) as thread:
        moving = thread.submit(resource.create, slow, screen.context())
        wait_until(lambda: any("to copy" in line for line in screen.lines), 30, "it moves")
        assert brokers.rates() == dict.fromkeys(RATES, str(64 * 1024))
        [(topic, partition)] = cluster.partitions.moving()
        lists = cluster.partitions.throttled()[topic]
        assert lists[THROTTLED_LEADERS].startswith(f"{THEIRS},")
        assert lists[THROTTLED_LEADERS].endswith(f",{partition}:1")
        assert lists[THROTTLED_FOLLOWERS].endswith(f",{partition}:2")
        assert cluster.topics.describe([topic])[topic].settings == before, "no drift"
        screen.cancelled.set()
        with pytest.raises(OperationCancelled):
            moving.result(30)
    assert cluster.partitions.moving(), "what was begun goes on"
    assert brokers.rates(), "and is throttled"

    began = time.monotonic()
    fast = Screen()
    resource.create(brokers.balance(FAST), fast.context())
    assert time.monotonic() - began < 60, "it would take minutes at the slow rate"
    assert brokers.rates() == {}
    assert cluster.partitions.throttled() == {"large": {THROTTLED_LEADERS: THEIRS}}
    held = [p.replicas for p in cluster.nodes.partitions() if p.topic == "large"]
    assert sorted(held) == [(1,), (2,)]


def test_what_an_interrupted_move_left_is_taken_away_when_it_is_found_finished(
    brokers: Brokers, nodes: list[LocalKafka]
) -> None:
    cluster, resource = brokers.cluster, ReplicaBalance(brokers.connections.cluster)
    fill(nodes[0], cluster, "left")
    balance, screen = brokers.balance("4MiB"), Screen()
    with ThreadPoolExecutor(1) as thread:
        moving = thread.submit(resource.create, balance, screen.context())
        wait_until(lambda: bool(cluster.partitions.moving()), 30, "it moves")
        screen.cancelled.set()
        with pytest.raises(OperationCancelled):
            moving.result(30)
    wait_until(lambda: not cluster.partitions.moving(), 60, "it ends by itself")
    assert brokers.rates(), "nobody was there to take it away"
    nothing = ReplicaBalanceOutputs()
    one = balance.model_copy(update={"brokers": [1]})
    resource.update("c", one, nothing, balance, Screen().context())
    assert brokers.rates() == {}
    assert all(
        lists == {THROTTLED_LEADERS: THEIRS} for lists in cluster.partitions.throttled().values()
    )
