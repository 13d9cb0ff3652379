"""Whatever the rules take, Kafka takes as well, and shows it as it was declared."""

from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from inkless_pulumi.core.topic_sets import set_problems
from inkless_pulumi.core.topics import TopicDeclaration
from inkless_pulumi.provider.kafka.connection import ConnectionInputs
from inkless_pulumi.provider.kafka.model import Cluster
from inkless_pulumi.provider.resource import Context
from inkless_pulumi.provider.secret_stores import SecretStoreInputs
from inkless_pulumi.provider.topics.topic_set import DeclaredTopicInputs, TopicSet, TopicSetInputs

CONNECTION = ConnectionInputs(
    bootstrap_servers="broker:9094",
    ca_certificate="of no use: the tests bring their cluster",
    identity_secret_id="admin",
    secret_store=SecretStoreInputs(region="eu-central-1"),
)

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", fullmatch=True)
DURATIONS = st.one_of(
    st.integers(1, 10**10).map(str),
    st.builds(lambda n, unit: f"{n}{unit}", st.integers(1, 400), st.sampled_from("smhdw")),
)
SIZES = st.builds(
    lambda n, unit: f"{n}{unit}", st.integers(2, 500), st.sampled_from(["MiB", "MB", "GiB", "TB"])
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "cleanup.policy": st.sampled_from(["delete", "compact", "compact,delete"]),
        "compression.type": st.sampled_from(["zstd", "lz4", "gzip", "producer", "uncompressed"]),
        "compression.zstd.level": st.integers(-100, 22).map(str),
        "delete.retention.ms": DURATIONS,
        "flush.messages": st.integers(1, 2**60).map(str),
        "max.message.bytes": st.integers(0, 2**31 - 1).map(str),
        "message.timestamp.type": st.sampled_from(["CreateTime", "LogAppendTime"]),
        "min.cleanable.dirty.ratio": st.sampled_from(["0.0", "0.25", "1.0"]),
        "min.insync.replicas": st.just("1"),
        "preallocate": st.sampled_from(["true", "false"]),
        "retention.bytes": st.one_of(st.just("-1"), SIZES),
        "retention.ms": st.one_of(st.just("-1"), DURATIONS),
        "segment.bytes": st.sampled_from(["1MiB", "64MB", "1GiB"]),
        "segment.ms": DURATIONS,
    },
)
TOPICS = st.builds(
    DeclaredTopicInputs,
    kind=st.just("classic"),
    partitions=st.integers(1, 3),
    replication_factor=st.sampled_from([None, 1]),
    settings=SETTINGS,
)


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(topics=st.dictionaries(NAMES, TOPICS, min_size=5, max_size=12))
def test_a_sound_set_is_created_and_read_back_as_declared(
    cluster: Cluster, topics: dict[str, DeclaredTopicInputs]
) -> None:
    assume(not list(set_problems({name: _declared(topic) for name, topic in topics.items()})))
    resource = TopicSet(lambda *_: cluster)
    inputs = TopicSetInputs(topics=topics, deletion_protection=False, connection=CONNECTION)
    context = Context("generated", "urn:generated")
    made = resource.create(inputs, context)
    try:
        assert resource.read(made.id, inputs, made.outputs, context) == (inputs, made.outputs)
    finally:
        resource.delete(made.id, inputs, made.outputs, context)


def _declared(topic: DeclaredTopicInputs) -> TopicDeclaration:
    given: dict[str, Any] = dict(topic.settings)
    return TopicDeclaration(topic.kind, None, topic.partitions, topic.replication_factor, given)
