"""A real cluster, behind the plain requests of `model.Cluster`."""

from inkless_pulumi.provider.kafka.acl_requests import KafkaAcls
from inkless_pulumi.provider.kafka.client import Session
from inkless_pulumi.provider.kafka.diskless_requests import KafkaDiskless
from inkless_pulumi.provider.kafka.feature_requests import KafkaFeatures
from inkless_pulumi.provider.kafka.gathering import GatheredAcls, GatheredTopics, GatheringLines
from inkless_pulumi.provider.kafka.node_requests import KafkaNodes
from inkless_pulumi.provider.kafka.partition_requests import KafkaPartitions
from inkless_pulumi.provider.kafka.quota_requests import KafkaQuotas
from inkless_pulumi.provider.kafka.setting_requests import KafkaSettings
from inkless_pulumi.provider.kafka.topic_requests import KafkaTopics
from inkless_pulumi.provider.kafka.user_requests import KafkaUsers

__all__ = ["KafkaCluster"]


class KafkaCluster:
    """A cluster as one operation uses it."""

    def __init__(self, session: Session, lines: GatheringLines) -> None:
        self.topics = GatheredTopics(KafkaTopics(session), lines)
        self.partitions = KafkaPartitions(session)
        self.users = KafkaUsers(session)
        self.acls = GatheredAcls(KafkaAcls(session), lines)
        self.quotas = KafkaQuotas(session)
        self.nodes = KafkaNodes(session)
        self.diskless = KafkaDiskless(session)
        self.features = KafkaFeatures(session)
        self.settings = KafkaSettings(session)
