"""Requests about the nodes of a cluster."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka.protocol.admin import DescribeClusterRequest, DescribeQuorumRequest

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.core.topics import DISKLESS
from inkless_pulumi.provider.kafka import messages
from inkless_pulumi.provider.kafka.client import Session
from inkless_pulumi.provider.kafka.model import (
    BrokerState,
    PartitionState,
    QuorumState,
    ReplicaState,
    kafka_uuid,
)
from inkless_pulumi.provider.kafka.topic_requests import topic_metadata, topic_settings

__all__ = ["KafkaNodes"]

_NOT_REGISTERED = 102  # BROKER_ID_NOT_REGISTERED
_MIN_IN_SYNC = "min.insync.replicas"


class KafkaNodes:
    """Nodes of a real cluster; see `NodeRequests`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def brokers(self, ask: int | None = None) -> tuple[BrokerState, ...]:
        """List every registered broker, fenced ones too; `ask`: as that node sees it."""

        def request() -> Any:
            return DescribeClusterRequest(include_fenced_brokers=True)

        response = self._session.send(request, ask)
        self._session.expect(response.error_code, response.error_message)
        return tuple(
            BrokerState(
                broker.broker_id, f"{broker.host}:{broker.port}", broker.is_fenced, broker.rack
            )
            for broker in response.brokers
        )

    def quorum(self) -> QuorumState:
        """Describe the metadata quorum."""

        def request() -> Any:
            return DescribeQuorumRequest(topics=[("__cluster_metadata", [(0,)])])

        response = self._session.send(request)
        self._session.expect(response.error_code, response.error_message)
        partition = response.topics[0].partitions[0]
        self._session.expect(partition.error_code, partition.error_message)
        return QuorumState(
            leader=partition.leader_id,
            high_watermark=partition.high_watermark,
            voters=_replicas(partition.current_voters),
            observers=_replicas(partition.observers),
        )

    def partitions(self, ask: int | None = None) -> tuple[PartitionState, ...]:
        """Describe every partition of every topic; `ask`: as that node sees it."""
        return tuple(
            PartitionState(
                topic=topic.name,
                partition=partition.partition_index,
                leader=partition.leader_id if partition.leader_id >= 0 else None,
                replicas=tuple(partition.replica_nodes),
                in_sync=tuple(partition.isr_nodes),
                offline=tuple(partition.offline_replicas),
            )
            for topic in topic_metadata(self._session, None, ask)
            for partition in topic.partitions
        )

    def min_in_sync(self, topics: Sequence[str]) -> Mapping[str, int]:
        """Tell the effective `min.insync.replicas` of each topic; 0 of a diskless one."""
        keys = [_MIN_IN_SYNC, DISKLESS]
        found = topic_settings(self._session, topics, only_own=False, keys=keys)
        return {
            name: 0 if values.get(DISKLESS) == "true" else int(values[_MIN_IN_SYNC])
            for name, values in found.items()
        }

    def unregister(self, node_id: int) -> None:
        """Take a broker that has stopped off the books; one that is not there is no error."""
        response = self._session.send(lambda: messages.UnregisterBrokerRequest(broker_id=node_id))
        if response.error_code == _NOT_REGISTERED:
            return
        self._session.authorized(response.error_code, response.error_message)
        if response.error_code != 0:
            raise ClusterError(
                f"Broker {node_id} could not be unregistered. Kafka: {response.error_message}"
            )


def _replicas(entries: Iterable[Any]) -> tuple[ReplicaState, ...]:
    return tuple(
        ReplicaState(
            node_id=entry.replica_id,
            directory_id=kafka_uuid(entry.replica_directory_id)
            if entry.replica_directory_id
            else None,
            log_end_offset=entry.log_end_offset,
            last_fetch=entry.last_fetch_timestamp,
            last_caught_up=entry.last_caught_up_timestamp,
        )
        for entry in entries
    )
