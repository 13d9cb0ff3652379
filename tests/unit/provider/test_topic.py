"""Topics: what is asked of the cluster, what is drift, and what is refused."""

import json
from dataclasses import replace

import pytest

from inkless_pulumi.core.errors import ClusterError, ConnectionFailed, NotReady, Problem
from inkless_pulumi.provider.kafka.model import TopicState
from inkless_pulumi.provider.resource import Incomplete
from inkless_pulumi.provider.topics.single import (
    ClassicTopic,
    DisklessTopic,
    TopicInputs,
    TopicOutputs,
)
from tests.unit.provider.memory_cluster import CONNECTION, MemoryCluster, Screen

ORDERS = TopicInputs(
    name="orders", partitions=6, settings={"retention.ms": "1000"}, connection=CONNECTION
)
MADE = TopicOutputs(topic_id="id-1")
UNPROTECTED = ORDERS.model_copy(update={"deletion_protection": False})


@pytest.fixture
def classic(cluster: MemoryCluster) -> ClassicTopic:
    return ClassicTopic(cluster.open)


@pytest.fixture
def diskless(cluster: MemoryCluster) -> DisklessTopic:
    return DisklessTopic(cluster.open)


def exists(cluster: MemoryCluster, **changes: object) -> TopicState:
    state = TopicState("orders", "id-0", 6, 3, {"retention.ms": "1000"})
    cluster.topics.all["orders"] = replace(state, **changes)  # type: ignore[arg-type]
    return cluster.topics.all["orders"]


def problems(resource: ClassicTopic | DisklessTopic, **changed: object) -> list[Problem]:
    olds = dict(ORDERS)
    known = {**olds, **changed}
    return [*resource.check(known, olds), *resource.change_problems(known, olds)]


# Create


def test_a_classic_topic_says_nothing_of_diskless(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    made = classic.create(ORDERS, screen.context())
    assert (made.id, made.outputs.topic_id) == ("orders", "id-1")
    assert cluster.topics.all["orders"].settings == {"retention.ms": "1000"}


def test_a_diskless_topic_asks_for_it_explicitly(
    diskless: DisklessTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    diskless.create(ORDERS, screen.context())
    assert cluster.topics.all["orders"].settings["diskless.enable"] == "true"


def test_brokers_without_diskless_support_are_named_by_their_image(
    diskless: DisklessTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.topics.diskless = False
    with pytest.raises(ClusterError, match="registry/inkless@sha256:1234 does not support"):
        diskless.create(ORDERS, screen.context())


def test_an_untouched_leftover_of_an_interrupted_run_is_taken_up(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster)
    assert classic.create(ORDERS, screen.context()).outputs.topic_id == "id-0"
    assert any("interrupted run" in line for line in screen.lines)


def test_what_the_server_set_by_itself_does_not_make_a_leftover_foreign(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, settings={"retention.ms": "1000", "diskless.enable": "false"})
    assert classic.create(ORDERS, screen.context()).outputs.topic_id == "id-0"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"partitions": 7}, "it has 7 partitions"),
        ({"settings": {}}, "its settings differ"),
        ({"settings": {"retention.ms": "1000", "segment.ms": "9"}}, "its settings differ"),
        ({"replication_factor": 2}, "it has 2 replicas"),
    ],
)
def test_an_existing_topic_that_differs_must_be_imported(
    classic: ClassicTopic,
    cluster: MemoryCluster,
    screen: Screen,
    change: dict[str, object],
    reason: str,
) -> None:
    exists(cluster, **change)
    declared = ORDERS.model_copy(update={"replication_factor": 3})
    with pytest.raises(ClusterError, match=reason) as refused:
        classic.create(declared, screen.context())
    assert "pulumi import inkless:index:ClassicTopic <resource name> orders" in str(refused.value)


def test_an_existing_topic_with_records_must_be_imported(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster)
    cluster.partitions.with_records.add("orders")
    with pytest.raises(ClusterError, match="it has had records"):
        classic.create(ORDERS, screen.context())


def test_an_existing_topic_of_the_other_kind_is_refused(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, settings={"retention.ms": "1000", "diskless.enable": "true"})
    with pytest.raises(
        ClusterError,
        match=r"orders is a diskless topic .* import it: pulumi import inkless:index:Diskless",
    ):
        classic.create(ORDERS, screen.context())


def test_a_topic_that_was_made_is_recorded_although_the_wait_was_interrupted(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.topics, "describe", lambda names, keys=None: {})
    screen.cancelled.set()
    with pytest.raises(Incomplete) as interrupted:
        classic.create(ORDERS, screen.context())
    assert (interrupted.value.id, interrupted.value.outputs) == ("orders", MADE)


def test_a_leftover_that_the_brokers_show_late_is_taken_up(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists(cluster)
    late, real = [True], cluster.topics.describe
    monkeypatch.setattr(
        cluster.topics,
        "describe",
        lambda names, keys=None: {} if late and late.pop() else real(names, keys),
    )
    assert classic.create(ORDERS, screen.context()).outputs.topic_id == "id-0"


# Check


def test_a_rename_is_refused_with_a_way_out(classic: ClassicTopic) -> None:
    [problem] = problems(classic, name="purchases")
    assert "Kafka can't rename a topic" in str(problem)
    assert "declare a new topic beside it" in problem.remedy


def test_fewer_partitions_are_refused_with_a_way_out(classic: ClassicTopic) -> None:
    [problem] = problems(classic, partitions=5)
    assert (problem.path, problem.value) == ("partitions", 5)
    assert "6" in problem.remedy


def test_more_partitions_and_other_settings_are_fine(classic: ClassicTopic) -> None:
    assert problems(classic, partitions=12, settings={"retention.ms": "2000"}) == []


def test_a_diskless_topic_is_not_compacted(diskless: DisklessTopic) -> None:
    [problem] = problems(diskless, settings={"cleanup.policy": "compact"})
    assert problem.path == 'settings["cleanup.policy"]'


def test_a_malformed_address_of_the_cluster_is_refused(classic: ClassicTopic) -> None:
    broken = CONNECTION.model_copy(update={"bootstrap_servers": "kafka"})
    [problem] = problems(classic, connection=broken)
    assert problem.path == "connection.bootstrap_servers"


def test_a_malformed_proxy_is_refused_without_showing_its_password(classic: ClassicTopic) -> None:
    broken = CONNECTION.model_copy(update={"proxy": "http://me:secret@proxy:1080"})
    [problem] = problems(classic, connection=broken)
    assert problem.path == "connection.proxy"
    assert "secret" not in str(problem)


def test_more_replicas_than_the_service_has_brokers_are_refused(classic: ClassicTopic) -> None:
    three = CONNECTION.model_copy(update={"broker_count": 3})
    [problem] = problems(classic, replication_factor=4, connection=three)
    assert str(problem) == (
        "replication_factor = 4: the service has 3 brokers, and each replica needs one of its own; "
        "use 3 at most, or leave it out for one replica a zone"
    )
    assert problems(classic, replication_factor=3, connection=three) == []
    assert problems(classic, replication_factor=4) == []


def test_more_replicas_than_brokers_are_refused_before_the_service_can_be_reached(
    classic: ClassicTopic,
) -> None:
    known = {**dict(ORDERS), "replication_factor": 4, "connection.broker_count": 3}
    del known["connection"]
    [problem] = classic.check(known, None)
    assert str(problem).startswith("replication_factor = 4: the service has 3 brokers")


def test_a_classic_service_has_no_diskless_topics(
    classic: ClassicTopic, diskless: DisklessTopic
) -> None:
    without = CONNECTION.model_copy(update={"diskless": False})
    [problem] = problems(diskless, connection=without)
    assert str(problem) == (
        'name = "orders": is a diskless topic, and the service is a classic one, which has none; '
        "declare a classic topic, or use an Inkless service"
    )
    assert problems(classic, connection=without) == []
    assert problems(diskless) == []


def test_nothing_is_contacted_by_a_check(classic: ClassicTopic, cluster: MemoryCluster) -> None:
    problems(classic, partitions=12)
    assert cluster.opened == []


# Update


def test_only_what_differs_is_sent(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, settings={"retention.ms": "1000", "segment.ms": "7", "max.message.bytes": "9"})
    old = ORDERS.model_copy(update={"settings": {"retention.ms": "1000", "segment.ms": "7"}})
    new = ORDERS.model_copy(update={"settings": {"retention.ms": "1000", "flush.ms": "5"}})
    classic.update("orders", old, MADE, new, screen.context())
    assert cluster.topics.alterations == [{"orders": {"flush.ms": "5", "segment.ms": None}}]


def test_an_update_without_differences_changes_nothing(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster)
    classic.update("orders", ORDERS, MADE, ORDERS, screen.context())
    assert cluster.topics.alterations == []


def test_partitions_are_added(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster)
    more = ORDERS.model_copy(update={"partitions": 12})
    classic.update("orders", ORDERS, MADE, more, screen.context())
    assert cluster.topics.all["orders"].partitions == 12


def test_partitions_that_others_added_are_not_forgotten(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, partitions=20)
    more = ORDERS.model_copy(update={"partitions": 12})
    with pytest.raises(ClusterError, match=r"has 20 partitions by now.* Declare 20"):
        classic.update("orders", ORDERS, MADE, more, screen.context())


def test_an_update_of_a_topic_that_is_gone_says_how_to_go_on(
    classic: ClassicTopic, screen: Screen
) -> None:
    with pytest.raises(ClusterError, match="pulumi refresh"):
        classic.update("orders", ORDERS, MADE, ORDERS, screen.context())


def test_replicas_are_moved_to_another_factor_with_progress(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, partitions=2)
    three = ORDERS.model_copy(update={"partitions": 2, "replication_factor": 3})
    two = three.model_copy(update={"replication_factor": 2})
    classic.update("orders", three, MADE, two, screen.context())
    assert cluster.partitions.asked == [{("orders", 0): (1, 2), ("orders", 1): (1, 2)}]
    assert "replicas are moved: 1 partition left, 1 moving" in screen.lines


def test_more_replicas_than_brokers_are_refused(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster)
    four = ORDERS.model_copy(update={"replication_factor": 4})
    with pytest.raises(ClusterError, match="can't have 4 replicas: 3 brokers are alive"):
        classic.update("orders", ORDERS, MADE, four, screen.context())


def test_replicas_that_somebody_else_moves_are_waited_for(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster)
    cluster.partitions.on_their_way = {("orders", 0)}
    cluster.partitions.never_there = {("other", 0)}
    two = ORDERS.model_copy(update={"replication_factor": 2})
    classic.update("orders", ORDERS, MADE, two, screen.context())
    assert cluster.partitions.moving(["orders"]) == {}


def test_replicas_on_their_way_are_no_failure_that_loses_them(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster)
    cluster.partitions.on_their_way = {("orders", 0)}
    cluster.partitions.stuck = True
    two = ORDERS.model_copy(update={"replication_factor": 2})
    with pytest.raises(NotReady, match="run the update again; what was begun goes on"):
        classic.update("orders", ORDERS, MADE, two, screen.context(timeout=0.01))


def test_to_switch_the_protection_off_needs_no_cluster(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    classic.update("orders", ORDERS, MADE, UNPROTECTED, screen.context())
    assert cluster.topics.alterations == []


def test_spaces_around_a_value_are_no_difference(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    spaced = ORDERS.model_copy(update={"settings": {"retention.ms": " 1000 "}})
    made = classic.create(spaced, screen.context())
    classic.update(made.id, spaced, made.outputs, spaced, screen.context())
    assert cluster.topics.alterations == []
    found = classic.read(made.id, spaced, made.outputs, screen.context())
    assert found == (spaced, made.outputs)


def test_an_update_waits_until_the_brokers_show_it(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkless_pulumi.provider.topics.settling._WORTH_TELLING_SECONDS", 0.0)
    stale = exists(cluster)
    answers = [{"orders": stale}, {"orders": stale}, {}]
    real = cluster.topics.describe
    monkeypatch.setattr(
        cluster.topics,
        "describe",
        lambda names, keys=None: answers.pop() if answers else real(names, keys),
    )
    answers.append({"orders": stale})
    changed = ORDERS.model_copy(update={"partitions": 9, "settings": {"retention.ms": "5"}})
    classic.update("orders", ORDERS, MADE, changed, screen.context())
    assert screen.lines == [
        "waiting for orders: the brokers do not know it",
        "waiting for orders: it has 6 partitions",
        "waiting for orders: it has 6 partitions",
    ]


# Read


def test_changed_settings_and_partitions_are_drift(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, partitions=9, settings={"retention.ms": "5"})
    found = classic.read("orders", ORDERS, MADE, screen.context())
    assert found is not None
    assert found[0] == ORDERS.model_copy(
        update={"partitions": 9, "settings": {"retention.ms": "5"}}
    )


@pytest.mark.parametrize("value", ["true", "false"])
def test_what_the_server_sets_by_itself_is_no_drift(
    diskless: DisklessTopic, cluster: MemoryCluster, screen: Screen, value: str
) -> None:
    own = {"diskless.enable": "true", "remote.storage.enable": value}
    exists(cluster, settings={"retention.ms": "1000", **own})
    found = diskless.read("orders", ORDERS, MADE, screen.context())
    assert found is not None
    assert found[0] == ORDERS


def test_tiered_storage_that_was_declared_is_read_back(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    tiered = {"remote.storage.enable": "true"}
    exists(cluster, settings=tiered)
    declared = ORDERS.model_copy(update={"settings": tiered})
    found = classic.read("orders", declared, MADE, screen.context())
    assert found is not None
    assert found[0] == declared


def test_a_topic_that_is_gone_is_read_as_gone(classic: ClassicTopic, screen: Screen) -> None:
    assert classic.read("orders", ORDERS, MADE, screen.context()) is None


def test_an_import_takes_the_connection_from_the_environment(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists(cluster)
    given = CONNECTION.model_dump(mode="json", by_alias=True)
    monkeypatch.setenv("INKLESS_CONNECTION", json.dumps(given))
    found = classic.read("orders", None, None, screen.context())
    assert found is not None
    assert found[0] == ORDERS.model_copy(update={"replication_factor": 3})


@pytest.mark.parametrize("given", [None, "", "10.0.0.1:9094", '{"bootstrapServers": 1}'])
def test_an_import_without_a_connection_says_how_to_give_one(
    classic: ClassicTopic, screen: Screen, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv("INKLESS_CONNECTION", raising=False)
    if given is not None:
        monkeypatch.setenv("INKLESS_CONNECTION", given)
    with pytest.raises(ConnectionFailed, match="pulumi stack output connection --json"):
        classic.read("orders", None, None, screen.context())


def test_an_import_as_the_wrong_kind_names_the_right_one(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists(cluster, settings={"diskless.enable": "true"})
    given = CONNECTION.model_dump(mode="json", by_alias=True)
    monkeypatch.setenv("INKLESS_CONNECTION", json.dumps(given))
    with pytest.raises(ClusterError, match="pulumi import inkless:index:DisklessTopic"):
        classic.read("orders", None, None, screen.context())


# Delete


def test_a_deleted_topic_is_gone(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, topic_id="id-1")
    classic.delete("orders", UNPROTECTED, MADE, screen.context())
    assert cluster.topics.all == {}


def test_deleting_a_topic_that_is_gone_is_no_error(classic: ClassicTopic, screen: Screen) -> None:
    classic.delete("orders", UNPROTECTED, MADE, screen.context())


def test_a_topic_that_someone_else_made_anew_is_left_alone(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, topic_id="theirs")
    classic.delete("orders", UNPROTECTED, MADE, screen.context())
    assert "orders" in cluster.topics.all
    assert "left alone" in screen.warnings[0]


def test_a_protected_topic_is_not_deleted(
    classic: ClassicTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, topic_id="id-1")
    with pytest.raises(ClusterError, match=r"Topic orders is protected .* run `pulumi up`"):
        classic.delete("orders", ORDERS, MADE, screen.context())
    assert "orders" in cluster.topics.all
    assert cluster.opened == []


# Half-made diskless topics


def test_a_topic_that_was_half_made_is_recorded_and_made_anew_by_the_next_update(
    diskless: DisklessTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    cluster.topics.postgres = False
    with pytest.raises(Incomplete, match="Kafka has half of it now") as failed:
        diskless.create(ORDERS, screen.context())
    assert failed.value.outputs == MADE

    cluster.topics.postgres = True
    outputs = diskless.update("orders", ORDERS, MADE, ORDERS, screen.context())
    assert outputs.topic_id == cluster.topics.all["orders"].topic_id == "id-2"
    assert screen.warnings == [
        "orders: half made by an earlier run, and empty; deleted and made anew."
    ]


def test_a_half_of_somebody_else_is_left_alone(
    diskless: DisklessTopic, cluster: MemoryCluster, screen: Screen
) -> None:
    exists(cluster, settings={"retention.ms": "1000", "diskless.enable": "true"})
    cluster.topics.halves.add("orders")
    with pytest.raises(ClusterError, match="its partitions are not served"):
        diskless.create(ORDERS, screen.context())
    assert "orders" in cluster.topics.all


def test_a_half_that_has_records_is_left_alone(
    diskless: DisklessTopic, cluster: MemoryCluster, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkless_pulumi.provider.topics.settling._SETTLED_SECONDS", 0.0)
    exists(cluster, topic_id="id-1", settings={"retention.ms": "1000", "diskless.enable": "true"})
    cluster.topics.halves.add("orders")
    cluster.partitions.with_records.add("orders")
    with pytest.raises(ClusterError, match="some of its partitions are not served"):
        diskless.update("orders", ORDERS, MADE, ORDERS, screen.context())
    assert cluster.topics.all["orders"].topic_id == "id-1"


# Warnings


def test_a_topic_without_a_replica_to_spare_is_warned_of(classic: ClassicTopic) -> None:
    known = {**dict(ORDERS), "replication_factor": 1}
    (line,) = classic.warnings(known, None)
    assert "makes unavailable the classic topic orders" in line
