"""Topics of a set that are switched from classic to diskless."""

import pytest

from inkless_pulumi.core.errors import ClusterError
from inkless_pulumi.provider.kafka.model import Refusal
from inkless_pulumi.provider.resource import Created, Incomplete, OperationCancelled
from inkless_pulumi.provider.topics.topic_set import (
    DeclaredTopicInputs,
    TopicSet,
    TopicSetInputs,
    TopicSetOutputs,
)
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

SWITCHING = CONNECTION.model_copy(update={"switch_to_diskless": True})
CLASSIC = DeclaredTopicInputs(kind="classic", partitions=3, settings={"retention.ms": "7d"})
DISKLESS = CLASSIC.model_copy(update={"kind": "diskless"})


def declared(*, connection: object = SWITCHING, **topics: DeclaredTopicInputs) -> TopicSetInputs:
    inputs = TopicSetInputs(topics=topics, connection=CONNECTION)
    return inputs.model_copy(update={"connection": connection})


BEFORE, AFTER = declared(orders=CLASSIC), declared(orders=DISKLESS)


@pytest.fixture
def resource(cluster: MemoryCluster) -> TopicSet:
    return TopicSet(cluster.open)


@pytest.fixture
def made(resource: TopicSet, screen: Screen) -> Created[TopicSetOutputs]:
    return resource.create(BEFORE, screen.context())


def update(
    resource: TopicSet, made: Created[TopicSetOutputs], screen: Screen, seconds: float | None = None
) -> TopicSetOutputs:
    return resource.update("it", BEFORE, made.outputs, AFTER, screen.context(seconds))


def test_the_switch_is_asked_for_alone_and_waited_for(
    resource: TopicSet, made: Created[TopicSetOutputs], cluster: MemoryCluster, screen: Screen
) -> None:
    outputs = update(resource, made, screen)
    assert cluster.topics.alterations == [{"orders": {"diskless.enable": "true"}}]
    assert outputs == made.outputs
    assert screen.lines == [
        f"switching to diskless: {sealed} of 3 partitions are there" for sealed in range(3)
    ]
    context = screen.context()
    assert resource.read("it", AFTER, outputs, context) == (AFTER, outputs)


def test_what_else_changes_is_done_before_there_is_no_way_back(
    resource: TopicSet, made: Created[TopicSetOutputs], cluster: MemoryCluster, screen: Screen
) -> None:
    changed = DISKLESS.model_copy(update={"settings": {"retention.ms": "1d"}})
    resource.update("it", BEFORE, made.outputs, declared(orders=changed), screen.context())
    assert cluster.topics.alterations == [
        {"orders": {"retention.ms": "86400000"}},
        {"orders": {"diskless.enable": "true"}},
    ]


def test_tiered_storage_stays_on_by_itself(
    resource: TopicSet, cluster: MemoryCluster, screen: Screen
) -> None:
    tiered = CLASSIC.model_copy(update={"settings": {"remote.storage.enable": "true"}})
    before = declared(orders=tiered)
    made = resource.create(before, screen.context())
    after = declared(orders=DISKLESS.model_copy(update={"settings": {}}))
    outputs = resource.update("it", before, made.outputs, after, screen.context())
    assert cluster.topics.alterations == [{"orders": {"diskless.enable": "true"}}]
    assert resource.read("it", after, outputs, screen.context()) == (after, outputs)


def test_a_topic_that_the_brokers_refuse_to_switch_stays_classic(
    resource: TopicSet, made: Created[TopicSetOutputs], cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.topics.refused["orders"] = Refusal("INVALID_REQUEST", "ISR is not complete")
    with pytest.raises(ClusterError) as refused:
        update(resource, made, screen)
    assert str(refused.value) == (
        "Topic orders could not be switched to diskless, and is classic as before. All of its "
        "replicas have to be in sync, and none on its way to another broker. Kafka: "
        "INVALID_REQUEST: ISR is not complete"
    )


def test_brokers_without_diskless_topics_are_named_by_their_image(
    resource: TopicSet, made: Created[TopicSetOutputs], cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.topics.diskless = False
    with pytest.raises(ClusterError, match="registry/inkless@sha256:1234 does not support"):
        update(resource, made, screen)


def test_a_switch_that_takes_too_long_goes_on_and_is_waited_for_by_the_next_update(
    resource: TopicSet, made: Created[TopicSetOutputs], cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.partitions.never_sealed = True
    with pytest.raises(ClusterError, match="3 of 3 partitions are still being switched"):
        update(resource, made, screen, seconds=0.001)
    cluster.partitions.never_sealed = False
    update(resource, made, screen)
    assert cluster.topics.alterations == [{"orders": {"diskless.enable": "true"}}]
    assert not cluster.partitions.unsealed


def test_an_interrupted_switch_is_still_to_be_done_by_state(
    resource: TopicSet, made: Created[TopicSetOutputs], cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.partitions.never_sealed = True
    longer = DISKLESS.model_copy(update={"settings": {"retention.ms": "14d"}})
    screen.lines = InterruptedAt(screen, "switching")
    with pytest.raises(Incomplete) as failed:
        resource.update("it", BEFORE, made.outputs, declared(orders=longer), screen.context())
    assert isinstance(failed.value.__cause__, OperationCancelled)
    recorded = longer.model_copy(update={"kind": "classic"})
    assert failed.value.inputs == declared(orders=recorded)


class InterruptedAt(list[str]):
    """A screen whose user interrupts the update at a line."""

    def __init__(self, screen: Screen, word: str) -> None:
        super().__init__()
        self._screen, self._word = screen, word

    def append(self, line: str) -> None:
        super().append(line)
        if line.startswith(self._word):
            self._screen.cancelled.set()


# At preview


def problems(resource: TopicSet, old: TopicSetInputs, new: TopicSetInputs) -> list[str]:
    return [str(problem) for problem in resource.change_problems(dict(new), dict(old))]


@pytest.mark.parametrize("said", [None, False])
def test_without_the_services_word_it_is_refused(resource: TopicSet, said: bool | None) -> None:
    connection = CONNECTION.model_copy(update={"switch_to_diskless": said})
    (problem,) = problems(resource, BEFORE, declared(orders=DISKLESS, connection=connection))
    assert problem.startswith(
        'topics["orders"].kind = "diskless": the topic is classic, and its service does not declare'
    )


def test_the_services_word_counts_before_the_service_can_be_reached(resource: TopicSet) -> None:
    known = dict(AFTER)
    del known["connection"]
    known["connection.switch_to_diskless"] = True
    assert [*resource.change_problems(known, dict(BEFORE))] == []


def test_a_preview_says_that_it_is_one_way(resource: TopicSet) -> None:
    (warning,) = [line for line in resource.warnings(dict(AFTER), dict(BEFORE)) if "switch" in line]
    assert warning.startswith("orders: to be switched from classic to diskless, which can't be")
    assert not [line for line in resource.warnings(dict(AFTER), dict(AFTER)) if "switch" in line]
